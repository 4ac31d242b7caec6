"""The registry of methods: one file each, listed here in the order in which people meet them."""

from __future__ import annotations

from imgconv.convolution.method import Method, StripMethod, WholeMethod
from imgconv.convolution.methods import (
    bands,
    definition,
    dft,
    filter2d,
    fourier,
    helix,
    im2col,
    separable,
    shifts,
    summed_area,
    toeplitz,
    windows,
)

_NUMPY = (definition, shifts, windows, im2col, toeplitz, helix, separable, fourier, summed_area)
_OPENCV = (filter2d, bands, dft)

#: Every method by name.
METHODS: dict[str, Method] = {module.METHOD.name: module.METHOD for module in (*_NUMPY, *_OPENCV)}
#: Those that give sums, a strip at a time.
STRIP_METHODS = {name: method for name, method in METHODS.items() if isinstance(method, StripMethod)}
#: Those that give final values for the whole image.
WHOLE_METHODS = {name: method for name, method in METHODS.items() if isinstance(method, WholeMethod)}
