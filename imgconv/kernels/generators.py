"""The generators by name: what `generator:` in the catalog may say.

Each is a function of keyword arguments with defaults that returns weights, float64 of shape (rows, columns), and raises
KernelError for every argument it cannot use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from imgconv.kernels.differences import (
    difference_of_gaussians,
    emboss,
    high_pass,
    kirsch,
    laplacian,
    laplacian_of_gaussian,
    sobel_x,
    sobel_y,
    unsharp,
)
from imgconv.kernels.smoothing import Weights, binomial, box, disk, gaussian, low_pass, motion

#: Name in the catalog, and the function behind it. Names and arguments are stable: users' files hold them.
GENERATORS: Mapping[str, Callable[..., Weights]] = MappingProxyType(
    {
        function.__name__: function
        for function in (
            binomial,
            box,
            difference_of_gaussians,
            disk,
            emboss,
            gaussian,
            high_pass,
            kirsch,
            laplacian,
            laplacian_of_gaussian,
            low_pass,
            motion,
            sobel_x,
            sobel_y,
            unsharp,
        )
    }
)
