"""Two images side by side, with labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import fit, full_scale, levels_between
from imgconv.images.image import Image
from imgconv.opencv import load_cv2

_GAP = 8
_PAPER, _INK = 255, 30
#: Rows of the label for each size of letters, and the smallest size.
_ROWS, _SMALLEST = 40, 0.4


def side_by_side(before: Image, after: Image, labels: tuple[str, str]) -> Image:
    """Return two images beside each other on white paper, each below its label, as 8-bit colour.

    Args:
        before: the left image; of its channels, grey or the first three are shown, and alpha over white.
        after: the right image. A smaller image is shown in its own size.
        labels: texts above the images; characters other than ASCII become question marks.
    """
    panels = [_panel(_in_colour(image), label) for image, label in zip((before, after), labels, strict=True)]
    rows = max(len(panel) for panel in panels)
    padded = [np.pad(panel, ((0, rows - len(panel)), (0, 0), (0, 0)), constant_values=_PAPER) for panel in panels]
    gap = np.full((rows, _GAP, 3), _PAPER, np.uint8)
    return Image(np.hstack([padded[0], gap, padded[1]]))


def _in_colour(image: Image) -> NDArray[np.uint8]:
    """Return an image as (H, W, 3), blue first, white below transparent pixels."""
    colour = image.colour if image.colour.ndim == 3 else image.colour[:, :, np.newaxis]
    planes = colour[:, :, :3] if image.colours == 3 else np.repeat(colour[:, :, :1], 3, axis=2)
    values = planes * np.float64(levels_between(planes.dtype, np.uint8))
    if image.alpha is not None:
        share = (image.alpha / full_scale(image.alpha.dtype))[:, :, np.newaxis]
        values = values * share + _PAPER * (1 - share)
    result: NDArray[np.uint8] = fit(np.nan_to_num(values), np.uint8).values
    return result


def _panel(pixels: NDArray[np.uint8], label: str) -> NDArray[np.uint8]:
    cv2: Any = load_cv2()
    text, font = label.encode("ascii", "replace").decode(), cv2.FONT_HERSHEY_SIMPLEX
    size = max(_SMALLEST, min(len(pixels), pixels.shape[1]) / 1000)
    while len(text) > 1 and cv2.getTextSize(text, font, size, 1)[0][0] > pixels.shape[1] - 4 and size > _SMALLEST:
        size *= 0.9
    band = np.full((round(_ROWS * size) + 8, pixels.shape[1], 3), _PAPER, np.uint8)
    cv2.putText(band, text, (2, len(band) - 8), font, size, (_INK,) * 3, max(1, round(size)), cv2.LINE_AA)
    return np.vstack([band, pixels])
