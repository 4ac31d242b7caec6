"""What a directory says of the samples of its page: how many, of how many bits, and what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.images.directories import Field, integers
from imgconv.images.file_bytes import HeaderError
from imgconv.images.pages import Header

_TYPE, _COLUMNS, _ROWS, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR = 254, 256, 257, 258, 259, 262, 277, 284
_COLOUR_MAP, _NESTED, _INK_SET, _EXTRA, _FORMAT, _SUBSAMPLING = 320, 330, 332, 338, 339, 530

#: The tags that are read here.
TAGS = frozenset({_TYPE, _COLUMNS, _ROWS, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR}).union(
    {_COLOUR_MAP, _NESTED, _INK_SET, _EXTRA, _FORMAT, _SUBSAMPLING}
)

#: Photometric interpretations.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, CMYK, YCBCR, CIE_LAB, ICC_LAB = 0, 1, 2, 3, 4, 5, 6, 8, 9
LABS = (CIE_LAB, ICC_LAB)
_GREYS = (WHITE_IS_ZERO, BLACK_IS_ZERO, MASK)
_COLOUR_SAMPLES = {RGB: 3, CMYK: 4, YCBCR: 3, CIE_LAB: 3, ICC_LAB: 3}
_TITLES = {CMYK: "CMYK", YCBCR: "YCbCr", 32803: "a colour filter array", 32844: "LogL", 32845: "LogLuv", 34892: "raw"}
_TITLES |= dict.fromkeys((*LABS, 10), "Lab")

#: Compressions. Those of bytes give back what was compressed; those of pictures hold a picture with a size of its own.
PLAIN, LZW, JPEG, DEFLATE, PACKBITS, LZMA, ZSTD = 1, 5, 7, (8, 32946), 32773, 34925, (50000, 34926)
JPEG_2000, WEBP, LERC, FAX = (33003, 33005, 34712), (50001, 34927), 34887, (2, 3, 4)
OF_BYTES = frozenset({PLAIN, LZW, *DEFLATE, PACKBITS, LZMA, *ZSTD})
OF_PICTURES = frozenset({JPEG, *JPEG_2000, *WEBP, LERC})

UNSIGNED, SIGNED, FLOAT = 1, 2, 3
_KINDS = {1: UNSIGNED, 2: SIGNED, 3: FLOAT, 4: UNSIGNED}  # 4 is undefined
_BITS_OF = {UNSIGNED: (*range(1, 17), 32), SIGNED: (8, 16, 32), FLOAT: (16, 24, 32, 64)}
_KIND_TITLES = {UNSIGNED: "", SIGNED: ", signed", FLOAT: ", floating-point"}

_PREMULTIPLIED, _STRAIGHT = 1, 2
_SEPARATE = 2
_SMALLER_COPY = 1
_LONGEST_SIDE = (1 << 31) - 1


class Samples(NamedTuple):
    """The samples of a page.

    Attributes:
        rows: number of rows.
        columns: number of columns.
        samples: samples per pixel.
        bits: bits per sample.
        kind: `UNSIGNED`, `SIGNED` or `FLOAT`.
        photometric: photometric interpretation.
        compression: compression.
        separate: whether each sample has a plane of its own.
        extra: the kind of each sample beyond colour: 0 unspecified, 1 premultiplied alpha, 2 straight alpha.
        colour_map: (N, 3), red first, uint8 or uint16; None where there is none.
        note: what reading assumes of the samples, or "".
    """

    rows: int
    columns: int
    samples: int
    bits: int
    kind: int
    photometric: int
    compression: int
    separate: bool
    extra: tuple[int, ...] = ()
    colour_map: NDArray[Any] | None = None
    note: str = ""

    @property
    def stored(self) -> np.dtype[Any]:
        """The type that holds a sample as it is stored."""
        if self.kind == FLOAT:
            return np.dtype(f"f{max(2, 1 << (self.bits // 8 - 1).bit_length())}")
        size = next(size for size in (1, 2, 4) if self.bits <= 8 * size)
        return np.dtype(f"{'i' if self.kind == SIGNED else 'u'}{size}")

    @property
    def alpha(self) -> int | None:
        """Index of the sample that is alpha: the first one that is declared to be; None where none is."""
        first = self.samples - len(self.extra)
        return next((first + i for i, kind in enumerate(self.extra) if kind in (_PREMULTIPLIED, _STRAIGHT)), None)

    @property
    def is_premultiplied(self) -> bool:
        """Whether the colour has been multiplied by alpha."""
        return self.alpha is not None and self.extra[self.alpha - self.samples] == _PREMULTIPLIED

    @property
    def header(self) -> Header:
        """The header of the pixels that the samples become."""
        dtype = self.stored if self.colour_map is None else self.colour_map.dtype
        colours = 1 if self.photometric in _GREYS else 3
        channels = 3 if self.photometric in (PALETTE, CMYK) else self.samples
        return Header.of(self.rows, self.columns, channels, dtype, self.alpha is not None, colours)


def described(found: Mapping[int, Field], order: str) -> Samples:
    """Return what a directory says of its samples.

    Args:
        found: its entries, those of `TAGS` at least.
        order: byte order of the file, `<` or `>`.

    Raises:
        HeaderError: it says too little, or its samples cannot be read; with the reason.
    """

    def first(tag: int, otherwise: int) -> int:
        values = integers(found.get(tag), order)
        return int(values[0]) if values.size else otherwise

    if any(not found[tag].number for tag in TAGS & found.keys()):
        raise HeaderError
    if first(_TYPE, 0) & _SMALLER_COPY and _NESTED in found:
        raise HeaderError("contains only a smaller copy of its picture, as raw files of cameras do; develop it first")
    rows, columns = first(_ROWS, 0), first(_COLUMNS, 0)
    if not (0 < rows <= _LONGEST_SIDE and 0 < columns <= _LONGEST_SIDE):
        raise HeaderError(f"is damaged: it begins like TIFF, but claims {rows} x {columns} pixels" if rows or columns else "")
    photometric = first(_PHOTOMETRIC, BLACK_IS_ZERO if first(_SAMPLES, 1) < 3 else RGB)
    count = first(_SAMPLES, _COLOUR_SAMPLES.get(photometric, 1))
    bits, kinds = (np.unique(integers(found.get(tag), order)[: max(1, count)]).tolist() or [1] for tag in (_BITS, _FORMAT))
    if len(bits) > 1 or len(kinds) > 1:
        raise HeaderError("has samples of different types, which cannot be read; save it with the same bits for each")
    subsampling = integers(found.get(_SUBSAMPLING), order).tolist()
    if photometric == YCBCR and first(_COMPRESSION, PLAIN) != JPEG and subsampling != [1, 1]:
        raise HeaderError("is YCbCr with coarser colour, which is read in JPEG only; save it as RGB")
    note = ""
    if photometric in _GREYS and count == 3 and not integers(found.get(_EXTRA), order).any():
        photometric, note = RGB, "took the 3 samples of a pixel for colour"
    page = Samples(
        rows=rows,
        columns=columns,
        samples=count,
        bits=bits[0],
        kind=_KINDS.get(kinds[0], 0),
        photometric=photometric,
        compression=first(_COMPRESSION, PLAIN),
        separate=count > 1 and first(_PLANAR, 1) == _SEPARATE,
        extra=_extra(found.get(_EXTRA), order, count - _COLOUR_SAMPLES.get(photometric, 1), photometric),
        colour_map=_colour_map(found.get(_COLOUR_MAP), order, bits[0]) if photometric == PALETTE and bits[0] <= 8 else None,
        note=note,
    )
    if not _is_readable(page) or (photometric == CMYK and first(_INK_SET, 1) != 1):
        raise HeaderError(f"is {_title(page)}, which cannot be read; save it as RGB or grey, 8 or 16 bits")
    if page.compression not in (*OF_BYTES, *OF_PICTURES, *FAX):
        raise HeaderError(f"is a TIFF of compression {page.compression}, which cannot be read; save it with LZW or Deflate")
    return page


def _extra(field: Field | None, order: str, count: int, photometric: int) -> tuple[int, ...]:
    """Return the kinds of `count` samples beyond colour; those that are not declared are unspecified."""
    if field is None and count == 1 and photometric == RGB:
        return (_STRAIGHT,)  # as other readers take RGBA that does not declare it
    declared = integers(field, order)[: max(0, count)].tolist()
    return (*declared, *[0] * (count - len(declared)))


def _title(page: Samples) -> str:
    """Return what a page is, for a message: `a TIFF of 4 samples a pixel, of 12 bits each (CMYK)`."""
    samples = f"{page.samples} sample{'s' * (page.samples != 1)} a pixel, of {page.bits} bit{'s' * (page.bits != 1)}"
    words = f"a TIFF of {samples}{' each' * (page.samples > 1)}{_KIND_TITLES.get(page.kind, ', complex')}"
    return f"{words} ({_TITLES[page.photometric]})" if page.photometric in _TITLES else words


def _is_readable(page: Samples) -> bool:
    whole = page.kind == UNSIGNED
    if page.compression in FAX and (page.bits, page.samples, whole) != (1, 1, True):
        return False
    if page.photometric in _GREYS or (page.photometric == RGB and page.samples > 2):
        return page.samples > 0 and page.bits in _BITS_OF.get(page.kind, ())
    if page.photometric == PALETTE:
        return page.colour_map is not None and page.samples == 1 and whole and page.compression not in OF_PICTURES
    depths = (8,) if page.photometric == YCBCR else (8, 16)
    return page.samples == _COLOUR_SAMPLES.get(page.photometric) and whole and page.bits in depths


def _colour_map(field: Field | None, order: str, bits: int) -> NDArray[Any] | None:
    """Return the colours of a palette, red first, in 8 bits where these are enough; None where some are missing."""
    values = integers(field, order)
    if values.size < 3 << bits or values.min() < 0 or values.max() > 65_535:
        return None
    # All reds, all greens, all blues. Some writers fill the lower byte only, which libtiff recognizes, too.
    colours = values[: 3 << bits].reshape(3, -1).T
    step = 1 if colours.max() <= 255 else next((step for step in (257, 256) if not (colours % step).any()), 0)
    return np.ascontiguousarray(colours // step, np.uint8) if step else np.ascontiguousarray(colours, np.uint16)
