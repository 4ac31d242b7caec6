"""A filter over an image in Python, with everything that `imgconv apply` does to the pixels."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from imgconv.errors import UsageError
from imgconv.filters.base import Filter
from imgconv.filters.parsing import parse_filter
from imgconv.images.image import Image
from imgconv.running.task import Task
from imgconv.running.treatment import Treatment
from imgconv.vocabulary import ALPHAS, DEPTHS, RANGES, canonical


def filter_image(
    image: Image,
    chosen: str | Filter,
    *,
    alpha: str = "weighted",
    linear: bool = False,
    gray: bool = False,
    luma: bool = False,
    channels: Sequence[int] | None = None,
    nodata: float | None = None,
    fill: bool = False,
    depth: str | None = None,
    range_policy: str | None = None,
    scale: float | Fraction = 1,
    delta: float | Fraction = 0,
    **options: Any,
) -> Image:
    """Filter an image as `imgconv apply` does: transparency, light and missing values are looked after.

    Args:
        image: as `read_image` gives it.
        chosen: a filter, or the notation of one.
        alpha: `weighted`, `straight`, `keep` or `drop`.
        linear: whether to filter in linear light, by the curve of the image's colour profile, else sRGB's.
        gray: whether to make it grey first.
        luma: whether to filter the luma only, and keep the colours.
        channels: those to filter, counted from red, alpha being 3; None for all.
        nodata: the level that stands for a missing value; NaN always does.
        fill: whether missing values get what their neighbours make of them.
        depth: a word of `vocabulary.DEPTHS`; the image's own where None.
        range_policy: `clip`, `abs`, `offset`, `stretch` or `error`; the filter's own choice where None.
        scale: multiplies the result.
        delta: added after that, in levels of the image.
        **options: as for `correlate`, where the filter is given as text.

    Returns:
        The image filtered, with the metadata of the one given.

    Raises:
        KernelError: a text that names no filter.
        UsageError: an option that cannot be used, or that does not fit the image.
        RangeError: with the range `error`, a value that does not fit.
    """
    if isinstance(chosen, Filter) and options:
        raise UsageError(f"a filter has its options already, found {', '.join(options)}; give them where it is made")
    task = Task(
        chosen if isinstance(chosen, Filter) else parse_filter(chosen, **options),
        None if depth is None else canonical(depth, DEPTHS, "depth"),
        None if range_policy is None else canonical(range_policy, RANGES, "range"),
        Fraction(scale),
        Fraction(delta),
        treatment=Treatment(
            canonical(alpha, ALPHAS, "alpha"), linear, gray, luma, None if channels is None else tuple(channels), nodata, fill
        ),
    )
    return task.run(image).image
