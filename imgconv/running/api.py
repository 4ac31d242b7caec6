"""`filter_image`: the pixel processing of `imgconv apply` for an image in memory."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Unpack

import numpy as np
from numpy.typing import ArrayLike

from imgconv.convolution.options import FilterOptions, as_factor, as_flag, as_number, as_pixels
from imgconv.depth import full_scale
from imgconv.errors import UsageError
from imgconv.filters.base import Filter
from imgconv.filters.parsing import parse_filter
from imgconv.images.image import Image
from imgconv.kernels.literals import quoted
from imgconv.running.picture_path import filter_picture
from imgconv.running.regions import Part, Region
from imgconv.running.task import ALPHA, Task
from imgconv.vocabulary import ALPHAS, DEPTHS, LEVELS, RANGES, AlphaWord, DepthWord, LevelsWord, RangeWord, canonical

_MOST_CHANNELS = 1 << 16  # read from an iterator that may be infinite


def filter_image(
    image: Image,
    chosen: str | Filter,
    *,
    alpha: AlphaWord = "weighted",
    linear: bool = False,
    gray: bool = False,
    luma: bool = False,
    channels: Sequence[int | str] | None = None,
    nodata: float | None = None,
    fill: bool = False,
    region: tuple[int, int, int, int] | None = None,
    mask: ArrayLike | None = None,
    depth: DepthWord | None = None,
    levels: LevelsWord = "white",
    range_policy: RangeWord | None = None,
    scale: float | Fraction = 1,
    delta: float | Fraction = 0,
    **options: Unpack[FilterOptions],
) -> Image:
    """Filter an image as `imgconv apply` does, including alpha, linear light and missing values.

    Args:
        image: the image, as returned by `read_image`.
        chosen: a filter, or its notation as text.
        alpha: `weighted`, `straight`, `keep` or `drop`.
        linear: whether to filter in linear light. The transfer curve is that of the colour profile, or sRGB without a profile.
        gray: whether to convert the image to grey before filtering.
        luma: whether to filter only the luma and keep the colours.
        channels: the channels to filter, as integers from 0 (red) or `"alpha"`; None for all. If the image has no fourth band,
            3 also selects alpha.
        nodata: the pixel value that marks missing values. NaN always marks them.
        fill: whether to compute missing values from their neighbours.
        region: the rectangle to change, as (row, column, rows, columns); None for the whole image.
        mask: share of the filtered image in the result, shape (H, W): integers from 0 to the maximum of their type, or floating
            point from 0 to 1; None for 1 everywhere.
        depth: a word of `vocabulary.DEPTHS`; None for the depth of the image.
        levels: conversion to another depth: `white` keeps white (255, 65535, 1.0), `keep` keeps the numbers.
        range_policy: `clip`, `abs`, `offset`, `stretch` or `error`; None for the default of the filter.
        scale: factor by which the result is multiplied.
        delta: value added after scaling, in levels of the image.
        **options: options of `correlate`; allowed only if `chosen` is text.

    Returns:
        The filtered image, with the metadata of `image`.

    Raises:
        KernelError: `chosen` names no filter.
        UsageError: an option is invalid or does not fit the image.
        RangeError: a value is out of range and `range_policy` is `error`.
    """
    if not isinstance(image, Image):
        raise UsageError(
            f"filter_image requires an Image, found {type(image).__name__}; wrap an array in imgconv.Image(array), "
            "or filter it with imgconv.correlate or a filter from imgconv.parse_filter"
        )
    if image.pixels.dtype.kind not in "biufc":
        raise UsageError(f"pixels of type {image.pixels.dtype} cannot be filtered; convert them to uint8 or float32")
    if isinstance(chosen, Filter) and options:
        raise UsageError(f"a Filter already has its options, found {', '.join(options)}; set them when creating the filter")
    task = Task(
        chosen if isinstance(chosen, Filter) else parse_filter(chosen, **options),
        levels=canonical(levels, LEVELS, "levels"),
        depth=None if depth is None else canonical(depth, DEPTHS, "depth"),
        range_policy=None if range_policy is None else canonical(range_policy, RANGES, "range"),
        scale=Fraction(as_factor(scale, "scale")),
        delta=Fraction(as_factor(delta, "delta")),
        alpha=canonical(alpha, ALPHAS, "alpha"),
        linear=as_flag(linear, "linear"),
        gray=as_flag(gray, "gray"),
        luma=as_flag(luma, "luma"),
        channels=None if channels is None else _channels(channels),
        nodata=None if nodata is None else as_number(nodata, "nodata", finite=False),
        fill=as_flag(fill, "fill"),
        part=None if region is None and mask is None else _part(region, mask),
    )
    return filter_picture(image, task).image


def _part(region: tuple[int, int, int, int] | None, mask: ArrayLike | None) -> Part:
    rectangle = None
    if region is not None:
        try:
            rectangle = Region(*map(operator.index, region))
        except TypeError:
            raise UsageError(f"region is four whole numbers (row, column, rows, columns), found {quoted(region)}") from None
    if mask is None:
        return Part(rectangle)
    share = as_pixels(mask)
    if share.ndim == 2 and share.dtype.kind in "biuf":
        share = share.astype(np.float64) / (full_scale(share.dtype) if share.dtype.kind in "biu" else 1.0)
    if share.ndim != 2 or share.dtype != np.float64 or not ((share >= 0) & (share <= 1)).all():
        raise UsageError("mask has the shape (H, W), in integers or floating point from 0 to 1")
    return Part(rectangle, share)


def _channels(channels: Sequence[int | str]) -> tuple[int | str, ...]:
    try:
        given = itertools.islice(channels, _MOST_CHANNELS)
        return tuple(channel if isinstance(channel, str) else operator.index(channel) for channel in given)
    except TypeError:
        raise UsageError(f"channels must be integers from 0 or {ALPHA!r}, found {quoted(channels)}") from None
