"""The image type that readers return and writers accept: pixels, metadata, and how they were stored."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.options import as_pixels
from imgconv.depth import full_scale
from imgconv.errors import UsageError
from imgconv.images.metadata import Metadata, upright


@dataclass(frozen=True)
class Coding:
    """Compression and bit depth of the pixels in a file; None for unknown values and for the encoder's default.

    `Image.coding` describes the input and is the default for an output in the same format; the writers' `coding` overrides it.

    Attributes:
        quality: compression quality of a lossy format, 1 to 100; for JPEG on the scale of the Independent JPEG Group.
        subsampling: chroma subsampling of a JPEG: `444`, `440`, `422`, `420`, `411`.
        lossless: whether compression is lossless, for formats with both modes (WebP, AVIF, JPEG 2000).
        compression: a word of `vocabulary.COMPRESSIONS` for TIFF, a level from 0 to 9 for PNG.
        bits: bits per sample if fewer than those of the data type: 1, 2 or 4 for grey or palettes, 10 or 12.
    """

    quality: int | None = None
    subsampling: str | None = None
    lossless: bool | None = None
    compression: str | None = None
    bits: int | None = None

    def over(self, other: Coding) -> Coding:
        """Return a copy in which values that are None are replaced by those of `other`."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self)}
        return Coding(**{name: getattr(other, name) if value is None else value for name, value in chosen.items()})


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels, their metadata, and properties of the file that they were read from.

    Attributes:
        pixels: (H, W) or (H, W, C), as stored in the file, without applying the orientation. Channels are in OpenCV's order:
            grey or blue, green, red; then further bands; alpha last. Files give uint8, int8, uint16, int16, uint32, int32,
            float16, float32 or float64.
        metadata: EXIF, XMP, colour profile and other blocks, as stored in the file.
        format: name of the format that the image was read from, such as `png`, or "".
        pages: number of pages or frames of that file.
        coding: compression and bit depth in that file; the default for an output of the same format.
        nodata: the value that marks missing values in that file; None if it defines none.
        notes: changes made by reading, one line each.
        has_alpha: whether the last channel is alpha. By default true for 2 or 4 channels.
        colours: number of colour channels: 3 (blue, green, red) or 1. Channels between colour and alpha are independent
            bands. By default 3 if there are 3 channels beside alpha, else 1.

    Raises:
        UsageError: the shape, `has_alpha` or `colours` is invalid.
    """

    pixels: NDArray[Any] = field(repr=False)
    metadata: Metadata = field(default_factory=Metadata, repr=False)
    format: str = ""
    pages: int = 1
    coding: Coding = field(default_factory=Coding, repr=False)
    nodata: float | None = None
    notes: tuple[str, ...] = field(default=(), repr=False)
    has_alpha: bool | None = None
    colours: int = 0

    def __post_init__(self) -> None:
        shape = as_pixels(self.pixels).shape
        if len(shape) not in (2, 3) or 0 in shape:
            found = " x ".join(map(str, shape)) or "a single number"
            raise UsageError(f"an image has the shape (rows, columns) or (rows, columns, channels); found {found}")
        channels = shape[2] if len(shape) == 3 else 1
        has_alpha, colours = channel_roles(channels, self.has_alpha, self.colours)
        if has_alpha and channels < 2:
            raise UsageError(f"an image with alpha has at least 2 channels, found {channels}")
        if colours not in (1, 3) or colours > channels - has_alpha:
            raise UsageError(f"an image has 1 or 3 colour channels; found {colours} of {channels} channels")
        object.__setattr__(self, "has_alpha", has_alpha)
        object.__setattr__(self, "colours", colours)

    @property
    def colour(self) -> NDArray[Any]:
        """The pixels without alpha, as a view: (H, W), (H, W, C), or (H, W, C - 1) if there is an alpha channel."""
        return self.pixels[:, :, :-1] if self.has_alpha else self.pixels

    @property
    def alpha(self) -> NDArray[Any] | None:
        """The alpha channel, (H, W), as a view; None if the image has no alpha."""
        return self.pixels[:, :, -1] if self.has_alpha else None

    @property
    def is_opaque(self) -> bool:
        """Whether the image has no alpha, or alpha is full (the greatest integer, or 1.0) everywhere."""
        alpha = self.alpha
        return alpha is None or bool((alpha == full_scale(alpha.dtype)).all())

    def with_colour(self, colour: NDArray[Any], alpha: NDArray[Any] | None = None) -> Image:
        """Return the image with the given colour channels, and with `alpha` as its alpha channel if given.

        Args:
            colour: (H, W) or (H, W, C). `colours` is kept if the number of channels is unchanged.
            alpha: (H, W), of the same size; converted to the type of `colour`, full scale to full scale.
        """
        planes = colour if colour.ndim == 3 else colour[:, :, np.newaxis]
        before = self.colour.shape[2] if self.colour.ndim == 3 else 1
        colours = self.colours if planes.shape[2] == before else 0
        if alpha is None:
            return replace(self, pixels=colour, has_alpha=False, colours=colours)
        if alpha.shape != planes.shape[:2]:
            raise UsageError(f"alpha has {_size(alpha)} pixels, but the colour has {_size(planes)}; give both the same size")
        pixels = np.dstack([planes, _rescaled(alpha, planes.dtype)])
        return replace(self, pixels=pixels, has_alpha=True, colours=colours)

    def upright(self) -> Image:
        """Return the image with the EXIF orientation applied to its pixels and set to upright (1)."""
        turn = self.metadata.orientation
        if turn == 1:
            return self
        return replace(self, pixels=upright(self.pixels, turn), metadata=self.metadata.oriented(1))

    def stripped(self) -> Image:
        """Return the image without metadata, after applying the EXIF orientation to its pixels."""
        return replace(self.upright(), metadata=Metadata(), nodata=None)

    def replaced(self, pixels: NDArray[Any]) -> Image:
        """Return the image with other pixels. The meaning of the channels and the metadata are kept."""
        return replace(self, pixels=pixels)


def channel_roles(channels: int, has_alpha: bool | None = None, colours: int = 0) -> tuple[bool, int]:
    """Return whether the last channel is alpha, and the number of colour channels, with the defaults of `Image`."""
    alpha = channels in (2, 4) if has_alpha is None else has_alpha
    return alpha, colours or (3 if channels - alpha == 3 else 1)


def _size(pixels: NDArray[Any]) -> str:
    return f"{pixels.shape[0]} x {pixels.shape[1]}"


def _rescaled(alpha: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return alpha in another type, scaled so that opaque stays opaque."""
    if alpha.dtype == dtype:
        return alpha
    values = alpha.astype(np.float64) * (full_scale(dtype) / full_scale(alpha.dtype))
    if dtype.kind in "iu":
        values = np.clip(np.rint(values), 0, full_scale(dtype))
    return values.astype(dtype)
