"""A result as transparency: a picture of one colour whose alpha is the result."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from imgconv.depth import fit, full_scale
from imgconv.errors import UsageError
from imgconv.images.image import Image
from imgconv.running.picture_path import Filtered, filter_picture
from imgconv.running.task import Task


def filter_overlay(image: Image, task: Task) -> Filtered:
    """Filter an image, and return the largest level of the channels of each pixel as the alpha of a colour.

    Raises:
        UsageError: the task changes only a part of the image.
    """
    assert task.as_alpha is not None
    if task.part is not None:
        raise UsageError("`as_alpha` replaces the whole image; `region` and `mask` change a part of it")
    filtered = filter_picture(image, replace(task, as_alpha=None, strip=False))
    colour = filtered.image.colour
    alpha = colour if colour.ndim == 2 else colour.max(axis=2)
    levels = fit(np.array(task.as_alpha[::-1]) * full_scale(alpha.dtype), alpha.dtype).values
    planes = np.broadcast_to(levels, (*alpha.shape, 3))
    result = replace(filtered.image, pixels=np.dstack([planes, alpha]), has_alpha=True, colours=3, nodata=None)
    return filtered._replace(image=result.stripped() if task.strip else result)
