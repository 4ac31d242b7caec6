"""How the pixels of a file are stored, beyond their type, and what of that an output is asked to be.

One value for both: what a file was (`Image.coding`), so that an output of the same format is like it, and what the user
wants (`wanted` of the writing functions), which comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Coding:
    """How pixels are stored in a file; None where it does not say, or nobody asked.

    Attributes:
        quality: of a lossy format, 1 to 100, as its encoder counts (for JPEG the scale of the Independent JPEG Group).
        subsampling: of the colour of a JPEG: `444`, `440`, `422`, `420`, `411`.
        lossless: whether nothing is lost, in a format that has both ways (WebP, AVIF, JPEG 2000).
        compression: a word of `vocabulary.COMPRESSIONS`, in a format that knows several (TIFF), or of no more than effort.
        bits: bits a sample, where they are fewer than those of the type: 1, 2 or 4 of a grey or palette picture, 10 or 12.
    """

    quality: int | None = None
    subsampling: str | None = None
    lossless: bool | None = None
    compression: str | None = None
    bits: int | None = None

    def over(self, other: Coding) -> Coding:
        """Return this with what it does not say taken from the other."""
        chosen = {f.name: getattr(self, f.name) for f in fields(self)}
        return Coding(**{name: getattr(other, name) if value is None else value for name, value in chosen.items()})
