"""All input files of the matrix; `BY_NAME` looks them up by name."""

from __future__ import annotations

from tests.matrix import by_others, by_pillow, by_tifffile, by_vips
from tests.matrix.source import Source

#: The rows of the matrix.
SOURCES: tuple[Source, ...] = (
    *by_pillow.SOURCES,
    *by_tifffile.SLICE,
    *by_tifffile.OTHERS,
    *by_vips.SOURCES,
    *by_others.SOURCES,
)

BY_NAME: dict[str, Source] = {source.name: source for source in SOURCES}
