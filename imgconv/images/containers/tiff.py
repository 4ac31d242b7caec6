"""What of some metadata a TIFF has a place for. Its directories are read and written where its pixels are."""

from __future__ import annotations

from dataclasses import replace

from imgconv.images.containers import exif_fields
from imgconv.images.containers.container import Fitted, LeftOut, fitting
from imgconv.images.metadata import Metadata

_PLACES = frozenset({"exif", "xmp", "icc", "iptc", "resolution", "comment"})


def fitted(metadata: Metadata, colours: int) -> Fitted:
    """Return what goes along: of a comment and a description in EXIF, which have one place, the description."""
    found = fitting(metadata, _PLACES, "TIFF", colours)
    description = exif_fields.description(found.metadata.exif) if found.metadata.exif else ""
    if not found.metadata.comment or description in ("", found.metadata.comment):
        return found
    lost = LeftOut("comment", "TIFF has one place for it and for the description in EXIF, which is another text")
    return Fitted(replace(found.metadata, comment=""), (*found.left_out, lost))
