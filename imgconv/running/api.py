"""A filter over an image in Python, with everything that `imgconv apply` does to the pixels."""

from __future__ import annotations

import itertools
import operator
from collections.abc import Sequence
from fractions import Fraction
from typing import Unpack

from imgconv.convolution.options import FilterOptions, as_factor, as_flag, as_number
from imgconv.errors import UsageError
from imgconv.filters.base import Filter
from imgconv.filters.parsing import parse_filter
from imgconv.images.image import Image
from imgconv.kernels.literals import quoted
from imgconv.running.picture_path import filter_picture
from imgconv.running.task import ALPHA, Task
from imgconv.vocabulary import ALPHAS, DEPTHS, RANGES, AlphaWord, DepthWord, RangeWord, canonical

_MOST_CHANNELS = 1 << 16  # of a sequence without end


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
    depth: DepthWord | None = None,
    range_policy: RangeWord | None = None,
    scale: float | Fraction = 1,
    delta: float | Fraction = 0,
    **options: Unpack[FilterOptions],
) -> Image:
    """Filter an image as `imgconv apply` does: alpha, light and missing values are taken into account.

    Args:
        image: as `read_image` returns it.
        chosen: a filter, or the notation of one.
        alpha: `weighted`, `straight`, `keep` or `drop`.
        linear: whether to filter in linear light, by the curve of the image's colour profile, else sRGB's.
        gray: whether to make the image grey first.
        luma: whether to filter the luma only, and keep the colours.
        channels: the channels to filter, as numbers from 0 (red) up or `"alpha"`; None for all. 3 stands for alpha where the
            image has no fourth band.
        nodata: the level that marks missing values; NaN always does.
        fill: whether missing values are computed from their neighbours.
        depth: a word of `vocabulary.DEPTHS`; None for the depth of the image.
        range_policy: `clip`, `abs`, `offset`, `stretch` or `error`; None for the choice of the filter.
        scale: the result is multiplied by it.
        delta: added after that, in levels of the image.
        **options: as for `correlate`, where the filter is given as text.

    Returns:
        The filtered image, with the metadata of `image`.

    Raises:
        KernelError: a text that names no filter.
        UsageError: an option that cannot be used, or that does not fit the image.
        RangeError: with the range `error`, a value that does not fit.
    """
    if not isinstance(image, Image):
        raise UsageError(
            f"filter_image takes an Image, found {type(image).__name__}; wrap an array in imgconv.Image(array), "
            "or filter it with imgconv.correlate or a filter of imgconv.parse_filter"
        )
    if image.pixels.dtype.kind not in "biufc":
        raise UsageError(f"pixels of type {image.pixels.dtype} cannot be filtered; convert them to uint8 or float32")
    if isinstance(chosen, Filter) and options:
        raise UsageError(f"a filter has its options already, found {', '.join(options)}; give them where it is made")
    task = Task(
        chosen if isinstance(chosen, Filter) else parse_filter(chosen, **options),
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
    )
    return filter_picture(image, task).image


def _channels(channels: Sequence[int | str]) -> tuple[int | str, ...]:
    try:
        given = itertools.islice(channels, _MOST_CHANNELS)
        return tuple(channel if isinstance(channel, str) else operator.index(channel) for channel in given)
    except TypeError:
        raise UsageError(f"channels are whole numbers from 0 up or {ALPHA!r}, found {quoted(channels)}") from None
