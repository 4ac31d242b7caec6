"""The formats that imgconv writes, and what each of them can hold: the columns of the matrix.

From what the formats are, not from imgconv's own table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tests.matrix.pictures import full_scale
from tests.matrix.source import Source

_WHOLE = ("uint8", "uint16")
_ALL = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")


@dataclass(frozen=True)
class Target:
    """A format.

    Attributes:
        name: of the format.
        suffix: the extension, with its dot.
        dtypes: the types of pixels that it holds.
        channels: how many a pixel may have for whoever reads it, for a picture of 1, 2, 3 and 4; none where it holds no such
            picture. Grey becomes colour where there is no grey, or none with alpha that its encoders know.
        tolerance: how far what is lost takes a sample, on average over a picture, in levels of 255; 0 where nothing is.
    """

    name: str
    suffix: str
    dtypes: tuple[str, ...] = ("uint8",)
    channels: tuple[str, str, str, str] = ("1", "", "3", "")
    tolerance: float = 0.0

    def holds(self, source: Source) -> bool:
        """Return whether it holds the pixels of a source."""
        pixels = source.pixels
        if self.name == "avif" and pixels.dtype == np.uint16:
            return source.bits in (10, 12)
        if self.name == "hdr" and pixels.min() < 0:
            return False
        return pixels.dtype.name in self.dtypes and bool(self.channels[channels_of(pixels) - 1])

    def tolerance_for(self, source: Source) -> float:
        """Return how far a sample may be off on average, in levels of the source."""
        if self.name == "webp" and (source.suffix != ".webp" or source.tolerance == 0):
            return 0.0
        return self.tolerance / 255 * full_scale(source.pixels.dtype)


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("png", ".png", ("bool", *_WHOLE), ("1", "2", "3", "4")),
        Target("tiff", ".tif", ("bool", *_ALL), ("1", "2", "3", "4")),
        Target("jpeg", ".jpg", tolerance=3.0),
        # Without loss, unless the source is lossy itself.
        Target("webp", ".webp", channels=("3", "4", "3", "4"), tolerance=3.0),
        # libvips makes three channels of the one of grey.
        Target("avif", ".avif", _WHOLE, ("13", "24", "3", "4"), tolerance=3.0),
        Target("jp2", ".jp2", _WHOLE, ("1", "24", "3", "4")),
        Target("bmp", ".bmp", channels=("1", "4", "3", "4")),
        Target("ppm", ".ppm", _WHOLE, ("3", "", "3", "")),
        Target("pgm", ".pgm", _WHOLE, ("1", "", "", "")),
        Target("pbm", ".pbm", ("bool",), ("1", "", "", "")),
        Target("pnm", ".pnm", ("bool", *_WHOLE)),
        Target("pfm", ".pfm", ("float32",)),
        # Eight bits of each sample, and an exponent that the three of a pixel have in common.
        Target("hdr", ".hdr", ("float32",), ("3", "", "3", ""), tolerance=1.0),
        # Most writers keep a transparent colour, whether a pixel has it or not.
        Target("gif", ".gif", channels=("34", "4", "34", "4"), tolerance=6.0),
    )
}

_OF_SUFFIX = {".j2k": "jp2", ".ras": "png", **{target.suffix: target.name for target in TARGETS.values()}, ".tiff": "tiff"}


def own_of(source: Source) -> Target:
    """Return the format that a source has itself, or the one that comes next to it."""
    return TARGETS[_OF_SUFFIX[source.suffix]]


def channels_of(pixels: NDArray) -> int:
    """Return how many channels pixels have."""
    return pixels.shape[2] if pixels.ndim == 3 else 1


def in_four(pixels: NDArray) -> NDArray:
    """Return pixels as red, green, blue and alpha: grey three times, alpha full where there is none."""
    planes = pixels.reshape(*pixels.shape[:2], -1)
    colour = planes[:, :, : -1 if planes.shape[2] in (2, 4) else None]
    alpha = planes[:, :, -1:] if planes.shape[2] in (2, 4) else np.full_like(planes[:, :, :1], full_scale(pixels.dtype))
    return np.concatenate([np.broadcast_to(colour, (*planes.shape[:2], 3)), alpha], axis=2)
