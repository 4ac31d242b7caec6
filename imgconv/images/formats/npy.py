"""NumPy's array file (NEP 1): the header by `numpy.lib.format`, the pixels as they are, red first."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.lib import format as npy

from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError
from imgconv.images.formats.base import Format
from imgconv.images.formats.opencv_codec import swapped
from imgconv.images.formats.picture import Picture, Result
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header

# Longest header that is read; those of arrays without fields take at most 128 bytes.
_MAX_HEADER = 4096


class _Layout(NamedTuple):
    """The content of a header, and the position of the first value."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[np.generic]
    start: int


class Npy(Format):
    """An array of shape (H, W) or (H, W, C), as `numpy.save` writes it. Of 2 or 4 channels, the last one is alpha."""

    name = "npy"
    title = "NumPy array"
    extensions = (".npy",)
    signatures = (npy.MAGIC_PREFIX,)
    dtypes = ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")
    alpha = True
    grey_alpha = True
    bands = True

    def header(self, file: FileBytes) -> Header:
        """Return the shape and the type of the array, in native byte order."""
        found = _layout(file)
        if found.dtype == bool:
            found = found._replace(dtype=np.dtype(np.uint8))
        if found.dtype.name not in self.dtypes:
            raise HeaderError(f"an array of type {found.dtype} is not supported; convert it to float32 or uint16")
        if len(found.shape) not in (2, 3) or 0 in found.shape:
            raise HeaderError(f"an array of shape {found.shape} is no image; save one of shape (rows, columns[, channels])")
        rows, columns, channels = (*found.shape, 1)[:3]
        return Header.of(rows, columns, channels, found.dtype.newbyteorder("="))

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the coding, of 1 bit for an array of type bool."""
        return Metadata(), Coding(bits=1 if _layout(file).dtype == bool else None)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the image. A file that is too short is a `HeaderError`."""
        found = _layout(file)
        size = int(np.prod(found.shape)) * found.dtype.itemsize
        if found.start + size > file.size:
            raise HeaderError("has fewer values than its header gives")
        values = np.frombuffer(file.block(found.start, size), found.dtype)
        array = values.reshape(found.shape, order="F" if found.fortran else "C").reshape(header.shape)
        # 1 bit is read as 0 and 255, as from all formats.
        pixels = array * np.uint8(255) if found.dtype == bool else array.astype(header.dtype)
        return self.image(swapped(pixels), header, *self.metadata(file))

    def limitation(self, result: Result) -> str:
        """Return why the format cannot store a result; an array cannot state that the last of 2 or 4 channels is no alpha."""
        if result.header.channels in (2, 4) and not result.header.has_alpha:
            return f"cannot store {result.header.channels} bands, of which the last one would be alpha"
        return super().limitation(result)

    def encode(self, picture: Picture, coding: Coding, where: str) -> Iterable[Piece]:
        """Yield the header, then the pixels."""
        head = io.BytesIO()
        descr = npy.dtype_to_descr(picture.header.dtype)
        npy.write_array_header_1_0(head, {"descr": descr, "fortran_order": False, "shape": picture.header.shape})
        yield head.getvalue()
        for strip in picture.strips:
            yield np.ascontiguousarray(swapped(strip)).data


def _layout(file: FileBytes) -> _Layout:
    stream = io.BytesIO(file.block(0, min(file.size, _MAX_HEADER)))
    try:
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[npy.read_magic(stream)]
        shape, fortran, dtype = read(stream, max_header_size=_MAX_HEADER)
    except Exception as error:  # what NumPy raises for a damaged header depends on the damage, down to tokenize.TokenError
        raise HeaderError from error
    return _Layout(shape, fortran, dtype, stream.tell())
