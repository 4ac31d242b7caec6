"""The registry of methods: one file each, listed here in the order in which people meet them."""

from __future__ import annotations

from imgconv.convolution.method import Method
from imgconv.convolution.methods import (
    bands,
    box_filter,
    boxes,
    definition,
    dft,
    filter2d,
    fourier,
    helix,
    im2col,
    pairs,
    sep_filter2d,
    separable,
    shifts,
    summed_area,
    toeplitz,
    windows,
)

_NUMPY = (definition, shifts, windows, im2col, toeplitz, helix, separable, fourier, summed_area)
_OPENCV = (filter2d, sep_filter2d, box_filter, bands, pairs, boxes, dft)

#: Every method by name.
METHODS: dict[str, Method] = {module.METHOD.name: module.METHOD for module in (*_NUMPY, *_OPENCV)}
