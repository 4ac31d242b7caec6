"""The generators by name, for the key `generator` of a catalog.

Each is a function of keyword arguments with defaults that returns weights, float64 of shape (rows, columns), and raises
KernelError for invalid arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from imgconv.kernels import differences, smoothing

#: Generator functions by name. Names and arguments are stable, because user files contain them.
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
