"""What a TIFF's directory says of its samples: how many, of how many bits, what they mean; and what pixels they become.

The header reader and the reader of the pixels ask here, both of them, so that they say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from imgconv.images.directories import Field, integers
from imgconv.images.seeking import HeaderError

_TYPE, _COLUMNS, _ROWS, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR = 254, 256, 257, 258, 259, 262, 277, 284
_COLOUR_MAP, _BELOW, _INK_SET, _EXTRA, _FORMAT, _SUBSAMPLING = 320, 330, 332, 338, 339, 530

#: The tags that say what the pixels are.
TAGS = frozenset({_TYPE, _COLUMNS, _ROWS, _BITS, _COMPRESSION, _PHOTOMETRIC, _SAMPLES, _PLANAR}).union(
    {_COLOUR_MAP, _BELOW, _INK_SET, _EXTRA, _FORMAT, _SUBSAMPLING}
)

#: Photometric interpretations.
WHITE_IS_ZERO, BLACK_IS_ZERO, RGB, PALETTE, MASK, INKS, YCBCR, CIE_LAB, ICC_LAB = 0, 1, 2, 3, 4, 5, 6, 8, 9
LOG_L, LOG_LUV = 32844, 32845
_LABS = (CIE_LAB, ICC_LAB)
_LOGS = (LOG_L, LOG_LUV)
_GREYS = (WHITE_IS_ZERO, BLACK_IS_ZERO, MASK)
_IN_WORDS = {INKS: "CMYK", YCBCR: "YCbCr", 32803: "a colour filter array", 34892: "raw"} | dict.fromkeys((8, 9, 10), "Lab")

#: Compressions, by what undoes them.
PLAIN, FAX, LZW, JPEG, DEFLATE, PACKBITS, LZMA, ZSTD = 1, (2, 3, 4), 5, 7, (8, 32946), 32773, 34925, (50000, 34926)
JPEG_2000, WEBP, LERC, LOG = (33003, 33005, 34712), (50001, 34927), 34887, (34676, 34677)
#: Those that leave bytes as they were before, and those that hold a picture of their own.
OF_BYTES = frozenset({PLAIN, LZW, *DEFLATE, PACKBITS, LZMA, *ZSTD})
OF_PICTURES = frozenset({JPEG, *JPEG_2000, *WEBP, LERC})

UNSIGNED, SIGNED, FLOAT = 1, 2, 3
_KINDS = {1: UNSIGNED, 2: SIGNED, 3: FLOAT, 4: UNSIGNED}  # 4 is undefined
_BITS_OF = {UNSIGNED: (*range(1, 17), 32), SIGNED: (8, 16, 32), FLOAT: (16, 24, 32, 64)}
_KIND_WORDS = {UNSIGNED: "", SIGNED: ", signed", FLOAT: ", floating-point"}

_SMALLER_COPY = 1
_PREMULTIPLIED = 1
_SEPARATE = 2
_MOST_SAMPLES = 4
_LONGEST_SIDE = (1 << 31) - 1


class Samples(NamedTuple):
    """What a page is made of.

    Attributes:
        rows: of the page.
        columns: of it.
        samples: a pixel.
        bits: a sample.
        kind: `UNSIGNED`, `SIGNED` or `FLOAT`.
        photometric: what they mean, as TIFF numbers it.
        compression: as TIFF numbers it.
        separate: whether each sample has a plane of its own.
        extra: what the samples beyond colour are: 0 is anything, 1 alpha that the colour is multiplied by, 2 straight alpha.
        subsampling: of the colour of YCbCr, across and down.
        colour_map: (N, 3), red first, uint8 or uint16; None where there is none.
    """

    rows: int
    columns: int
    samples: int
    bits: int
    kind: int
    photometric: int
    compression: int
    separate: bool
    extra: tuple[int, ...]
    subsampling: tuple[int, int]
    colour_map: NDArray[Any] | None

    @property
    def stored(self) -> np.dtype[Any]:
        """The type that holds a sample as it is stored."""
        if self.kind == FLOAT:
            return np.dtype(f"f{max(2, 1 << (self.bits // 8 - 1).bit_length())}")
        size = next(size for size in (1, 2, 4) if self.bits <= 8 * size)
        return np.dtype(f"{'i' if self.kind == SIGNED else 'u'}{size}")

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the pixels."""
        if self.colour_map is not None:
            return self.colour_map.dtype
        return np.dtype(np.float32) if self.photometric in _LOGS else self.stored

    @property
    def channels(self) -> int:
        """How many channels the pixels have."""
        return 3 if self.photometric in (PALETTE, INKS) else self.samples

    @property
    def planes(self) -> int:
        """How many planes are stored one after the other."""
        return self.samples if self.separate else 1

    @property
    def together(self) -> int:
        """How many samples of a pixel are stored next to each other."""
        return 1 if self.separate else self.samples

    @property
    def is_premultiplied(self) -> bool:
        """Whether the colour has been multiplied by alpha."""
        return self._is_with_alpha and self.extra[:1] == (_PREMULTIPLIED,)

    @property
    def is_for_libtiff(self) -> bool:
        """Whether libtiff has to decode it, and makes its colours, too."""
        return self.photometric in _LOGS or (self.photometric == YCBCR and self.compression in OF_BYTES)

    @property
    def notes(self) -> tuple[str, ...]:
        """What reading it changes or takes for granted, a line each."""
        if self.photometric in _LABS:
            return ("turned Lab into sRGB",)
        if self.photometric in _GREYS and self.samples > 2:
            return (f"took the {self.samples} samples of a pixel for colour{' and alpha' * (self.samples > 3)}",)
        if self._is_with_alpha and self.extra[:1] == (0,):
            return ("took the last sample of a pixel for alpha: the file does not say what it is",)
        return ()

    @property
    def _is_with_alpha(self) -> bool:
        return self.samples == (4 if self.photometric == RGB else 2)


def described(found: Mapping[int, Field], order: str) -> Samples:
    """Return what a directory says of its samples.

    Args:
        found: its entries, those of `TAGS` at least.
        order: `<` or `>`, the byte order of the file.

    Raises:
        HeaderError: it says too little, or what it says cannot be read; with the reason.
    """

    def first(tag: int, otherwise: int) -> int:
        values = integers(found.get(tag), order)
        return int(values[0]) if values.size else otherwise

    def several(tag: int, otherwise: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(integers(found.get(tag), order)[:16].tolist()) or otherwise

    if any(not found[tag].number for tag in TAGS & found.keys()):
        raise HeaderError
    if first(_TYPE, 0) & _SMALLER_COPY and _BELOW in found:
        raise HeaderError("shows only a smaller copy of its picture, as the raw files of cameras do; develop it first")
    rows, columns = first(_ROWS, 0), first(_COLUMNS, 0)
    if not (0 < rows <= _LONGEST_SIDE and 0 < columns <= _LONGEST_SIDE):
        raise HeaderError(f"is damaged: it begins like TIFF, but claims {rows} x {columns} pixels" if rows or columns else "")
    photometric = first(_PHOTOMETRIC, BLACK_IS_ZERO if first(_SAMPLES, 1) < 3 else RGB)
    samples = first(_SAMPLES, {RGB: 3, INKS: 4, YCBCR: 3, CIE_LAB: 3, ICC_LAB: 3}.get(photometric, 1))
    if not 1 <= samples <= _MOST_SAMPLES:
        raise HeaderError(f"has {samples} samples a pixel, at most {_MOST_SAMPLES} can be read; split it")
    bits, kinds = several(_BITS, (1,))[:samples], several(_FORMAT, (UNSIGNED,))[:samples]
    if len({*bits}) > 1 or len({*kinds}) > 1:
        raise HeaderError("has samples of different kinds, which cannot be read; save it with the same bits for each")
    across, down = (*several(_SUBSAMPLING, (2, 2)), 2)[:2]
    page = Samples(
        rows=rows,
        columns=columns,
        samples=samples,
        bits=bits[0],
        kind=_KINDS.get(kinds[0], 0),
        photometric=photometric,
        compression=first(_COMPRESSION, PLAIN),
        separate=samples > 1 and first(_PLANAR, 1) == _SEPARATE,
        extra=several(_EXTRA, ()),
        subsampling=(across, down) if photometric == YCBCR else (1, 1),
        colour_map=_colour_map(found.get(_COLOUR_MAP), order, bits[0]) if photometric == PALETTE and bits[0] <= 8 else None,
    )
    if not _is_readable(page) or (photometric == INKS and first(_INK_SET, 1) != 1):
        raise HeaderError(f"is {in_words(page)}, which cannot be read; save it as RGB or grey, 8 or 16 bits")
    if page.compression not in (*OF_BYTES, *OF_PICTURES, *FAX, *LOG):
        raise HeaderError(f"is a TIFF of compression {page.compression}, which cannot be read; save it with LZW or Deflate")
    return page


def in_words(page: Samples) -> str:
    """Return what a page is, for a message: `a TIFF of 4 samples a pixel, of 12 bits each (CMYK)`."""
    samples = f"{page.samples} sample{'s' * (page.samples > 1)} a pixel, of {page.bits} bit{'s' * (page.bits != 1)}"
    words = f"a TIFF of {samples}{' each' * (page.samples > 1)}{_KIND_WORDS.get(page.kind, ', complex')}"
    return f"{words} ({_IN_WORDS[page.photometric]})" if page.photometric in _IN_WORDS else words


def _is_readable(page: Samples) -> bool:
    whole = page.kind == UNSIGNED
    if page.compression in FAX and (page.bits, page.samples, whole) != (1, 1, True):
        return False
    if page.photometric in _LOGS or page.compression in LOG:
        return page.photometric in _LOGS and page.compression in LOG and page.samples == (1 if page.photometric == LOG_L else 3)
    if page.photometric in _GREYS or (page.photometric == RGB and page.samples > 2):
        return page.bits in _BITS_OF.get(page.kind, ())
    if page.photometric == PALETTE:
        return page.colour_map is not None and page.samples == 1 and whole and page.compression not in OF_PICTURES
    if page.photometric == YCBCR:
        return page.samples == 3 and whole and page.bits == 8 and _is_sampled_well(page)
    return page.samples == {INKS: 4, CIE_LAB: 3, ICC_LAB: 3}.get(page.photometric) and whole and page.bits in (8, 16)


def _is_sampled_well(page: Samples) -> bool:
    if page.compression not in OF_BYTES:
        return page.compression == JPEG
    return {*page.subsampling} <= {1, 2, 4} and (not page.separate or page.subsampling == (1, 1))


def _colour_map(field: Field | None, order: str, bits: int) -> NDArray[Any] | None:
    """Return the colours of a palette, red first, in 8 bits where these say it all; None where some are missing."""
    values = integers(field, order)
    if values.size < 3 << bits or values.min() < 0 or values.max() > 65_535:
        return None
    # All reds, all greens, all blues. Some writers only ever filled the lower byte, as libtiff knows, too.
    colours = values[: 3 << bits].reshape(3, -1).T
    if colours.max() <= 255:
        return np.ascontiguousarray(colours, np.uint8)
    if not (colours % 257).any():
        return np.ascontiguousarray(colours // 257, np.uint8)
    if not (colours % 256).any():
        return np.ascontiguousarray(colours // 256, np.uint8)
    return np.ascontiguousarray(colours, np.uint16)
