"""What a file says about its picture beside the pixels, and the one part of it that matters to them: which way is up.

EXIF, XMP, IPTC and the colour profile are carried from file to file as the bytes they are.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.images import tiff


@dataclass(frozen=True)
class Metadata:
    """The blocks of metadata of a picture, each as it stands in a file; empty where there is none.

    Attributes:
        exif: a TIFF structure, beginning with `II` or `MM`.
        xmp: an XML packet.
        icc: a colour profile.
        cicp: the four bytes of a PNG's cICP chunk (coding-independent code points).
        iptc: Photoshop's image resources (`8BIM` records, IPTC captions among them), as in a JPEG's APP13 after its name.
        comment: a text for people.
        resolution: dots per inch, down and across.
        texts: other texts for people, each with its keyword (Title, Author, ...), as a PNG has them.
    """

    exif: bytes = b""
    xmp: bytes = b""
    icc: bytes = b""
    cicp: bytes = b""
    iptc: bytes = b""
    comment: str = ""
    resolution: tuple[float, float] | None = None
    texts: tuple[tuple[str, str], ...] = ()

    @property
    def orientation(self) -> int:
        """The EXIF orientation, 1 to 8; 1, upright, when there is none or it makes no sense."""
        data = memoryview(self.exif)
        layout = tiff.layout_of(data)
        if layout is None:
            return 1
        entry = tiff.entries(data, layout, layout.first).get(tiff.ORIENTATION)
        return entry.values[0] if entry and 1 <= entry.values[0] <= 8 else 1

    def oriented(self, orientation: int) -> Metadata:
        """Return the same with another orientation; nothing is changed where it is that already."""
        if orientation == self.orientation:
            return self
        return replace(self, exif=tiff.with_short(self.exif or tiff.BARE_EXIF, tiff.ORIENTATION, orientation))

    def blocks(self) -> dict[str, Any]:
        """Return the blocks that are there, by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}

    def only(self, names: frozenset[str] | set[str]) -> Metadata:
        """Return the same without the blocks that are not named."""
        return Metadata(**{name: block for name, block in self.blocks().items() if name in names})

    @property
    def profile_channels(self) -> int:
        """The number of colour channels that the colour profile is for; 0 when it does not say."""
        return {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}.get(self.icc[16:20], 0)


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return stored pixels the way a viewer shows them.

    Args:
        pixels: (H, W) or (H, W, C).
        orientation: as in EXIF, 1 to 8.

    Returns:
        (H, W[, C]), or (W, H[, C]) for the orientations 5 to 8; contiguous.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
