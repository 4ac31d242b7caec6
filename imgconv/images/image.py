"""The picture as it passes from a file through a filter to another file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.depth import full_scale
from imgconv.errors import UsageError
from imgconv.images.coding import Coding
from imgconv.images.metadata import Metadata, upright


@dataclass(frozen=True, eq=False)
class Image:
    """Pixels, and what their file said about them.

    Attributes:
        pixels: (H, W) or (H, W, C), C from 1 to 4, as stored in the file, not turned upright. Channels are in OpenCV's
            order: grey; grey, alpha; blue, green, red; blue, green, red, alpha. Read from a file they are uint8, int8,
            uint16, int16, int32, float32 or float64.
        metadata: EXIF, XMP, colour profile; carried, not interpreted.
        format: the extension of the format it was read from (`.png`), or "".
        pages: how many pages or frames the file has.
        coding: how it was stored there, which an output of the same format follows.
        nodata: the level that stands for a value that is missing, as its file says; None where it does not.
        notes: what reading it has changed and the user should know, a line each.

    Raises:
        UsageError: the pixels have another shape.
    """

    pixels: NDArray[Any] = field(repr=False)
    metadata: Metadata = field(default_factory=Metadata, repr=False)
    format: str = ""
    pages: int = 1
    coding: Coding = field(default_factory=Coding, repr=False)
    nodata: float | None = None
    notes: tuple[str, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        shape = np.shape(self.pixels)
        if not (len(shape) == 2 or (len(shape) == 3 and 1 <= shape[2] <= 4)) or 0 in shape:
            found = " x ".join(map(str, shape)) or "a single number"
            raise UsageError(f"an image has rows and columns, and up to 4 channels; found {found}")

    @property
    def has_alpha(self) -> bool:
        """Whether the last channel is alpha."""
        return self.pixels.ndim == 3 and self.pixels.shape[2] in (2, 4)

    @property
    def colour(self) -> NDArray[Any]:
        """The pixels without alpha, as a view: (H, W) stays (H, W), (H, W, C) becomes (H, W, 1) or (H, W, 3)."""
        return self.pixels[:, :, :-1] if self.has_alpha else self.pixels

    @property
    def alpha(self) -> NDArray[Any] | None:
        """The alpha channel, (H, W), as a view; None when there is none."""
        return self.pixels[:, :, -1] if self.has_alpha else None

    @property
    def is_opaque(self) -> bool:
        """Whether alpha says nothing: there is none, or it is full (the greatest integer, 1.0 in floats) everywhere."""
        alpha = self.alpha
        if alpha is None:
            return True
        return bool((alpha == full_scale(alpha.dtype)).all())

    def with_colour(self, colour: NDArray[Any], alpha: NDArray[Any] | None = None) -> Image:
        """Return the image with other colour, and with `alpha` beside it where one is given.

        Args:
            colour: (H, W), (H, W, 1) or (H, W, 3).
            alpha: (H, W), of the same size; converted to the type of `colour`, full scale to full scale.
        """
        if alpha is None:
            return self.replaced(colour)
        planes = colour if colour.ndim == 3 else colour[:, :, np.newaxis]
        if alpha.shape != planes.shape[:2]:
            raise UsageError(f"alpha has {_size(alpha)} pixels, the colour beside it {_size(planes)}")
        return self.replaced(np.dstack([planes, _rescaled(alpha, planes.dtype)]))

    def upright(self) -> Image:
        """Return the image the way a viewer shows it, and its orientation as upright."""
        turn = self.metadata.orientation
        if turn == 1:
            return self
        return replace(self, pixels=upright(self.pixels, turn), metadata=self.metadata.oriented(1))

    def stripped(self) -> Image:
        """Return the image without metadata, turned upright where they said how."""
        return replace(self.upright(), metadata=Metadata(), nodata=None)

    def replaced(self, pixels: NDArray[Any]) -> Image:
        """Return the image with other pixels and the same metadata."""
        return replace(self, pixels=pixels)


def _size(pixels: NDArray[Any]) -> str:
    return f"{pixels.shape[0]} x {pixels.shape[1]}"


def _rescaled(alpha: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return alpha in another type, opaque staying opaque."""
    if alpha.dtype == dtype:
        return alpha
    values = alpha.astype(np.float64) * (full_scale(dtype) / full_scale(alpha.dtype))
    if dtype.kind in "iu":
        values = np.clip(np.rint(values), 0, full_scale(dtype))
    return values.astype(dtype)
