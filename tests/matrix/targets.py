"""The formats that imgconv writes, and the pixels that each of them can store: the columns of the matrix.

Written from the specifications of the formats, independently of the registry of imgconv.
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
    """An output format.

    Attributes:
        name: name of the format.
        suffix: the extension, with its dot.
        dtypes: supported sample types.
        channels: channel counts that readers may return, as digits, for inputs of 1, 2, 3 and 4 channels; empty if the format
            cannot store such an input. Formats or encoders without grey, or without grey plus alpha, store colour.
        tolerance: largest mean loss of a sample, in levels of 255; 0 for lossless formats.
        typed: whether a file states the type of its samples; readers of other files return double precision.
    """

    name: str
    suffix: str
    dtypes: tuple[str, ...] = ("uint8",)
    channels: tuple[str, str, str, str] = ("1", "", "3", "")
    tolerance: float = 0.0
    typed: bool = True

    def supports(self, source: Source) -> bool:
        """Return whether the format can store the pixels of a source."""
        pixels = source.pixels
        if self.name == "avif" and pixels.dtype == np.uint16:
            return source.bits in (10, 12)
        if self.name == "npy" and source.name.endswith("4 as minisblack"):  # the last of four bands would be alpha
            return False
        if self.name == "hdr" and pixels.min() < 0:
            return False
        return pixels.dtype.name in self.dtypes and bool(self.channels[channels_of(pixels) - 1])

    def as_written(self, found: NDArray, dtype: str | np.dtype) -> NDArray:
        """Return samples from a reader in the type that was written, if the file does not state it; 1 bit as 0 and 255."""
        if self.typed:
            return found
        kind = np.dtype(dtype)
        assert kind.kind == "f" or np.array_equal(found, found.astype(kind))
        return found.astype(kind) * np.uint8(255) if kind.kind == "b" else found.astype(kind)

    def tolerance_for(self, source: Source) -> float:
        """Return the largest mean difference of a sample, in levels of the source."""
        if self.name == "webp" and source.tolerance == 0:
            return 0.0
        return self.tolerance / 255 * full_scale(source.pixels.dtype)


TARGETS: dict[str, Target] = {
    target.name: target
    for target in (
        Target("png", ".png", ("bool", *_WHOLE), ("1", "2", "3", "4")),
        Target("tiff", ".tif", ("bool", *_ALL), ("1", "2", "3", "4")),
        Target("jpeg", ".jpg", tolerance=3.0),
        # Lossless, unless the source is a JPEG or a lossy WebP.
        Target("webp", ".webp", channels=("3", "4", "3", "4"), tolerance=3.0),
        # libvips decodes grey to three channels.
        Target("avif", ".avif", _WHOLE, ("13", "24", "3", "4"), tolerance=3.0),
        Target("jp2", ".jp2", _WHOLE, ("1", "24", "3", "4")),
        Target("bmp", ".bmp", channels=("1", "4", "3", "4")),
        Target("ppm", ".ppm", _WHOLE, ("3", "", "3", "")),
        Target("pgm", ".pgm", _WHOLE, ("1", "", "", "")),
        Target("pbm", ".pbm", ("bool",), ("1", "", "", "")),
        Target("pnm", ".pnm", ("bool", *_WHOLE)),
        Target("pfm", ".pfm", ("float32",)),
        # Eight bits a sample, with one exponent shared by the three samples of a pixel.
        Target("hdr", ".hdr", ("float32",), ("3", "", "3", ""), tolerance=1.0),
        # Most encoders reserve a transparent colour, even if no pixel uses it.
        Target("npy", ".npy", ("bool", *_ALL), ("1", "2", "3", "4")),
        Target("txt", ".txt", ("bool", *_ALL), ("1", "", "", ""), typed=False),
        Target("csv", ".csv", ("bool", *_ALL), ("1", "", "", ""), typed=False),
        Target("gif", ".gif", channels=("34", "4", "34", "4"), tolerance=6.0),
    )
}

_OF_SUFFIX = {".j2k": "jp2", ".ras": "png", **{target.suffix: target.name for target in TARGETS.values()}, ".tiff": "tiff"}


def nearest_target(source: Source) -> Target:
    """Return the format of a source, or the closest one that imgconv writes."""
    return TARGETS[_OF_SUFFIX[source.suffix]]


def channels_of(pixels: NDArray) -> int:
    """Return the number of channels."""
    return pixels.shape[2] if pixels.ndim == 3 else 1


def as_rgba(pixels: NDArray) -> NDArray:
    """Return pixels as red, green, blue and alpha: grey repeated, missing alpha opaque."""
    planes = pixels.reshape(*pixels.shape[:2], -1)
    colour = planes[:, :, : -1 if planes.shape[2] in (2, 4) else None]
    alpha = planes[:, :, -1:] if planes.shape[2] in (2, 4) else np.full_like(planes[:, :, :1], full_scale(pixels.dtype))
    return np.concatenate([np.broadcast_to(colour, (*planes.shape[:2], 3)), alpha], axis=2)
