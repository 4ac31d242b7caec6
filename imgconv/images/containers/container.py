"""What the containers share: the shape of their functions, what goes along, texts, metadata that lives on in EXIF."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

from imgconv.images import tiff
from imgconv.images.atomic import Piece
from imgconv.images.coding import Coding
from imgconv.images.containers import exif_fields, profiles
from imgconv.images.metadata import Metadata


class LeftOut(NamedTuple):
    """A block of `Metadata` that does not go along, whole or in part, and why, to stand after its name and a colon."""

    name: str
    why: str


class Fitted(NamedTuple):
    """What of some metadata goes into a file, in the form in which it does, and what does not."""

    metadata: Metadata
    left_out: tuple[LeftOut, ...] = ()


class Container(NamedTuple):
    """How metadata gets out of the files of a format and into them.

    Attributes:
        read: what a file says, and how its pixels are stored. It never raises: what is damaged is left out.
        fitted: what of some metadata the format has a place for, told before anything is encoded; the second argument is
            the number of colour channels to be written, 1 or 3.
        written: an encoder's file, which has no metadata, with what `fitted` has returned put in, in pieces: the bytes of
            the picture are not copied. None where only an encoder can put it in.
    """

    read: Callable[[memoryview], tuple[Metadata, Coding]]
    fitted: Callable[[Metadata, int], Fitted]
    written: Callable[[memoryview, Metadata], list[Piece]] | None = None


def fitting(metadata: Metadata, places: Iterable[str], title: str, colours: int) -> Fitted:
    """Return the metadata that has a place of its own in a format called `title`.

    Code points become a colour profile that says the same, where the format has no place for them and one for profiles. For
    those of sRGB there is nothing to be said: what has no profile is taken for that.
    """
    places = frozenset(places)
    if metadata.cicp and "cicp" not in places:
        if not metadata.icc and "icc" in places:
            metadata = replace(metadata, icc=profiles.of_code_points(metadata.cicp, colours))
        if metadata.icc or metadata.cicp == profiles.SRGB_CODE_POINTS:
            metadata = replace(metadata, cicp=b"")
    lost = [LeftOut(name, f"{title} has no place for it") for name in metadata.blocks() if name not in places]
    return Fitted(metadata.only(places), tuple(lost))


def fitting_with_exif(metadata: Metadata, title: str, colours: int) -> Fitted:
    """Return the metadata that goes along in a format whose only place for a resolution and a comment is EXIF."""
    fitted = fitting(metadata, {"exif", "xmp", "icc", "resolution", "comment"}, title, colours)
    kept, lost = fitted.metadata, list(fitted.left_out)
    if kept.resolution and not exif_fields.agrees(kept.exif, kept.resolution):
        changed = exif_fields.with_resolution(kept.exif, kept.resolution)
        kept = replace(kept, exif=changed or kept.exif, resolution=kept.resolution if changed else None)
        lost += [] if changed else [LeftOut("resolution", f"{title} has a place for it in EXIF only, and that is damaged")]
    if kept.comment and kept.comment != (described := exif_fields.description(kept.exif)):
        changed = b"" if described else exif_fields.with_description(kept.exif, kept.comment)
        kept = replace(kept, exif=changed or kept.exif, comment=kept.comment if changed else "")
        why = "that has another text" if described else "that is damaged"
        lost += [] if changed else [LeftOut("comment", f"{title} has a place for it in EXIF only, and {why}")]
    return Fitted(kept, tuple(lost))


def with_exif_read(metadata: Metadata, *, comment: bool = False) -> Metadata:
    """Return metadata with the resolution, and the comment if asked for, taken from EXIF where it has none of its own."""
    if metadata.exif and not metadata.resolution:
        metadata = replace(metadata, resolution=exif_fields.resolution(metadata.exif))
    if comment and metadata.exif and not metadata.comment:
        metadata = replace(metadata, comment=exif_fields.description(metadata.exif))
    return metadata


def exif_in(block: bytes) -> bytes:
    """Return the TIFF structure of a block of EXIF, which some writers put the name of a JPEG's segment before, or nothing."""
    found = block.removeprefix(b"Exif\0\0")
    return found if tiff.layout_of(memoryview(found)) else b""
