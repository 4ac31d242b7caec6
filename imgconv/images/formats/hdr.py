"""Radiance HDR ("The RADIANCE Picture File Format")."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.formats.picture import Picture
from imgconv.images.image import Coding
from imgconv.images.pages import Header

# The size line, which follows an empty line: direction and length of both axes.
_SIZE = re.compile(rb"\n\n([-+][XY])\s*(\d{1,10})\s+([-+][XY])\s*(\d{1,10})\s")


class Hdr(Format):
    """Radiance HDR, decoded and encoded by OpenCV."""

    name = "hdr"
    title = "Radiance HDR"
    extensions = (".hdr", ".pic")
    signatures = (b"#?RADIANCE", b"#?RGBE")
    dtypes = ("float32",)
    grey = False

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture."""
        found = _SIZE.search(file.text())
        if found is None:
            raise HeaderError
        first, rows, second, columns = found.groups()
        if (first, second) != (b"-Y", b"+X"):
            raise HeaderError(
                f"a Radiance HDR with the axes {first.decode()} {second.decode()} is not supported; "
                "save it with the axes -Y +X (rows from the top left)"
            )
        return Header.of(int(rows), int(columns), 3, np.float32)

    def encode(self, picture: Picture, coding: Coding, where: str) -> Iterable[Piece]:
        """Return a file. Negative values raise a `WriteError`."""
        pixels = picture.pixels()
        if pixels.min() < 0:
            raise WriteError(f"{where}: {self.title} cannot store negative values; choose another format (.tif, .pfm)")
        return super().encode(replace(picture, strips=(pixels,)), coding, where)
