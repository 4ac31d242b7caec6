"""The metadata of a picture, and their conversion to the blocks that a format can store.

Blocks are copied byte for byte from file to file. Notes list the blocks that are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_TITLES = {
    "exif": "EXIF",
    "xmp": "XMP",
    "icc": "the colour profile",
    "cicp": "the colour code points",
    "iptc": "IPTC",
    "comment": "the comment",
    "resolution": "the resolution",
    "texts": "the other texts (title, author, ...)",
}


@dataclass(frozen=True)
class Metadata:
    """The metadata blocks of a picture, each as stored in a file; missing blocks are empty.

    Attributes:
        exif: a TIFF structure that begins with `II` or `MM`.
        xmp: an XML packet.
        icc: an ICC colour profile.
        cicp: coding-independent code points, the four bytes of a PNG's cICP chunk.
        iptc: Photoshop's image resources (`8BIM` records, which include IPTC captions): the content of a JPEG's APP13
            segment after its identifier.
        comment: free text.
        resolution: dots per inch, vertical and horizontal.
        texts: further texts as pairs of keyword (Title, Author, ...) and text, as in a PNG.
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
        """The EXIF orientation, 1 to 8; 1 (upright) if it is missing or invalid."""
        if not self.exif:
            return 1
        from imgconv.images import exif

        return exif.orientation_of(self.exif)

    def oriented(self, orientation: int) -> Metadata:
        """Return the metadata with another orientation; `self` if the orientation is unchanged."""
        if orientation == self.orientation:
            return self
        from imgconv.images import exif

        return replace(self, exif=exif.with_orientation(self.exif, orientation))

    def blocks(self) -> dict[str, Any]:
        """Return the non-empty blocks by name."""
        return {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name)}

    def only(self, names: frozenset[str] | set[str]) -> Metadata:
        """Return the metadata with the named blocks only."""
        return Metadata(**{name: block for name, block in self.blocks().items() if name in names})

    @property
    def profile_channels(self) -> int:
        """The number of channels of the colour profile; 0 if it is missing or its space is not grey, RGB or CMYK."""
        return {b"GRAY": 1, b"RGB ": 3, b"CMYK": 4}.get(self.icc[16:20], 0)


#: Metadata as a format stores them, and the reason for each block that is not written completely, by name.
Fitted: TypeAlias = tuple[Metadata, dict[str, str]]


def left_out_notes(reasons: dict[str, str]) -> list[str]:
    """Return the notes on blocks that are not written."""
    return [f"left out {_TITLES[name]}: {reason}" for name, reason in reasons.items()]


def fit_metadata(metadata: Metadata, places: Iterable[str], title: str, colours: int) -> Fitted:
    """Return the metadata reduced to the blocks in `places`, and the reason for each dropped block.

    Colour code points become an equivalent colour profile if the format stores profiles but no code points. For sRGB
    nothing is written, because pictures without a profile are interpreted as sRGB. `title` names the format in the reasons.
    """
    places = frozenset(places)
    if metadata.cicp and "cicp" not in places:
        from imgconv.images.colour import profiles

        if not metadata.icc and "icc" in places:
            metadata = replace(metadata, icc=profiles.of_code_points(metadata.cicp, colours))
        if metadata.icc or metadata.cicp == profiles.SRGB_CODE_POINTS:
            metadata = replace(metadata, cicp=b"")
    if "texts" not in places and "comment" in places:  # a PNG's description is stored as comment and as text
        metadata = replace(metadata, texts=tuple(text for text in metadata.texts if text[1] != metadata.comment))
    return metadata.only(places), {n: f"{title} cannot store it" for n in metadata.blocks() if n not in places}


def fit_metadata_with_exif(
    metadata: Metadata,
    title: str,
    colours: int,
    places: Iterable[str] = ("exif", "xmp", "icc", "resolution", "comment"),
) -> Fitted:
    """Return the metadata for a format that stores the resolution and the comment only in EXIF."""
    from imgconv.images import exif

    kept, lost = fit_metadata(metadata, places, title, colours)
    if kept.resolution and not exif.agrees(kept.exif, kept.resolution):
        changed = exif.with_resolution(kept.exif, kept.resolution)
        kept = replace(kept, exif=changed or kept.exif, resolution=kept.resolution if changed else None)
        if not changed:
            lost["resolution"] = f"{title} stores it only in EXIF, which is damaged"
    if kept.comment and kept.comment != (described := exif.description(kept.exif)):
        changed = b"" if described else exif.with_description(kept.exif, kept.comment)
        kept = replace(kept, exif=changed or kept.exif, comment=kept.comment if changed else "")
        if not changed:
            why = "contains another description" if described else "is damaged"
            lost["comment"] = f"{title} stores it only in EXIF, which {why}"
    return kept, lost


def exif_in(block: bytes) -> bytes:
    """Return the TIFF structure in an EXIF block, or b"". Some writers prefix it with the identifier of a JPEG segment."""
    found = block.removeprefix(b"Exif\0\0")
    return found if len(found) >= 8 and found[:4] in (b"II*\0", b"MM\0*") else b""


def with_exif_read(metadata: Metadata, *, comment: bool = False) -> Metadata:
    """Return the metadata with a missing resolution, and on request a missing comment, filled in from EXIF."""
    if not metadata.exif:
        return metadata
    from imgconv.images import exif

    if not metadata.resolution:
        metadata = replace(metadata, resolution=exif.resolution(metadata.exif))
    if comment and not metadata.comment:
        metadata = replace(metadata, comment=exif.description(metadata.exif))
    return metadata


def upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Return the pixels, (H, W) or (H, W, C), with an EXIF orientation applied, as a contiguous array.

    The orientation is 1 to 8. From 5 on, rows and columns are exchanged.
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)


def text_of(block: bytes) -> str:
    """Return text decoded as UTF-8, or as Latin-1 if it is not valid UTF-8. NULs, which some writers append, are removed."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = block.decode("latin-1")
    return text.replace("\0", "")


def utf_8(text: str) -> bytes:
    """Return text encoded as UTF-8, without NULs; lone surrogates become question marks."""
    return text.replace("\0", "").encode("utf-8", "replace")
