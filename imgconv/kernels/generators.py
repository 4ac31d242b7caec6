"""The generators by name: what `generator:` in the catalog may say.

Each is a function of keyword arguments with defaults that returns weights, float64 of shape (rows, columns), and raises
KernelError for every argument it cannot use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from imgconv.kernels import differences, smoothing

#: Name in the catalog, and the function behind it. Names and arguments are stable: users' files hold them.
GENERATORS: Mapping[str, Callable[..., smoothing.Weights]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            smoothing.binomial,
            smoothing.box,
            differences.difference_of_gaussians,
            smoothing.disk,
            differences.emboss,
            smoothing.gaussian,
            differences.high_pass,
            differences.kirsch,
            differences.laplacian,
            differences.laplacian_of_gaussian,
            smoothing.low_pass,
            smoothing.motion,
            differences.sobel_x,
            differences.sobel_y,
            differences.unsharp,
        )
    }
)
