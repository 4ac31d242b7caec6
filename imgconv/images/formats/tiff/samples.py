"""The samples of a page: their number, data type and meaning, as described by its directory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from tifffile import COMPRESSION, EXTRASAMPLE, PHOTOMETRIC, PLANARCONFIG, TiffPage

from imgconv.images.file_bytes import HeaderError
from imgconv.images.formats.tiff import Tiff
from imgconv.images.pages import Header

LABS = (PHOTOMETRIC.CIELAB, PHOTOMETRIC.ICCLAB)
_GREYS = (PHOTOMETRIC.MINISWHITE, PHOTOMETRIC.MINISBLACK, PHOTOMETRIC.MASK)
_COLOUR_SAMPLES: dict[int, int] = {PHOTOMETRIC.RGB: 3, PHOTOMETRIC.SEPARATED: 4, PHOTOMETRIC.YCBCR: 3, **dict.fromkeys(LABS, 3)}
_TITLES: dict[int, str] = {
    PHOTOMETRIC.SEPARATED: "CMYK",
    PHOTOMETRIC.YCBCR: "YCbCr",
    PHOTOMETRIC.CFA: "a colour filter array",
    PHOTOMETRIC.LOGL: "LogL",
    PHOTOMETRIC.LOGLUV: "LogLuv",
    PHOTOMETRIC.LINEAR_RAW: "raw",
    **dict.fromkeys((*LABS, PHOTOMETRIC.ITULAB), "Lab"),
}
_FORMAT_TITLES = {2: ", signed", 3: ", floating-point", 5: ", complex", 6: ", complex"}

#: The words of `Coding.compression`. All of these compressions can be read; the first one of each word is written.
WORDS: dict[int, str] = {
    COMPRESSION.NONE: "none",
    COMPRESSION.LZW: "lzw",
    COMPRESSION.ADOBE_DEFLATE: "deflate",
    COMPRESSION.DEFLATE: "deflate",
    COMPRESSION.ZSTD: "zstd",
    COMPRESSION.ZSTD_DEPRECATED: "zstd",
    COMPRESSION.PACKBITS: "packbits",
}

#: Compressions whose strips and tiles are complete pictures with their own headers.
PICTURES: dict[int, str] = {
    COMPRESSION.JPEG: "jpeg",
    COMPRESSION.JPEG2000: "jp2",
    COMPRESSION.APERIO_JP2000_YCBC: "jp2",
    COMPRESSION.APERIO_JP2000_RGB: "jp2",
    COMPRESSION.WEBP: "webp",
    COMPRESSION.WEBP_DEPRECATED: "webp",
    COMPRESSION.LERC: "lerc",
}
_FAX = (COMPRESSION.CCITTRLE, COMPRESSION.CCITTFAX3, COMPRESSION.CCITTFAX4)
_PREDICTED = {*WORDS, COMPRESSION.LZMA} - {COMPRESSION.NONE}

_ALPHAS = (EXTRASAMPLE.ASSOCALPHA, EXTRASAMPLE.UNASSALPHA)
_SMALLER_COPY = 1
_CMYK_INKS = 1


class Samples:
    """The samples of a page.

    Args:
        page: the directory of the page.

    Attributes:
        directory: the directory of the page.
        dtype: the data type of stored samples.
        count: number of samples per pixel.
        planes: number of planes: 1, or one for each sample.
        photometric: the photometric interpretation.
        alpha: index of the first sample that is declared as alpha, or None.
        is_premultiplied: whether the colour is premultiplied by alpha.
        colour_map: the palette, (N, 3), red first, uint8 or uint16; None for other pages.
        header: the header of the pixels after conversion.
        note: an assumption or change made by reading, or "".

    Raises:
        HeaderError: the samples are not supported. The message gives the reason.
    """

    def __init__(self, page: TiffPage) -> None:
        if page.subfiletype & _SMALLER_COPY and page.subifds:
            raise HeaderError("contains only a reduced copy of its picture, like a camera raw file; develop it first")
        if isinstance(page.bitspersample, tuple):
            raise HeaderError("has samples of different types, which is not supported; save it with the same bits for each")
        self.directory, self.count, self.note = page, page.samplesperpixel, ""
        is_packed = page.dtype is None or page.dtype == bool
        self.dtype: np.dtype[Any] = np.dtype(np.uint8 if is_packed else page.dtype)
        self.planes = 1 if page.planarconfig == PLANARCONFIG.CONTIG else self.count
        self.photometric = page.photometric
        if "PhotometricInterpretation" not in page.tags:
            self.photometric = PHOTOMETRIC.RGB if self.count > 2 else PHOTOMETRIC.MINISBLACK
        elif self.photometric in _GREYS and self.count == 3 and not any(page.extrasamples):
            self.photometric, self.note = PHOTOMETRIC.RGB, "interpreted the 3 samples of each pixel as colour"
        elif self.photometric in LABS:
            self.note = "converted Lab to sRGB"
        self.colour_map = _colour_map(page) if self.photometric == PHOTOMETRIC.PALETTE else None
        self._require_readable()
        extra = self.count - _COLOUR_SAMPLES.get(self.photometric, 1)
        kinds = page.extrasamples[: max(0, extra)]
        if not kinds and extra == 1 and self.photometric == PHOTOMETRIC.RGB:
            kinds = (EXTRASAMPLE.UNASSALPHA,)  # an undeclared fourth sample of RGB is alpha, as in other programs
        at = next((index for index, kind in enumerate(kinds) if kind in _ALPHAS), None)
        self.alpha = None if at is None else self.count - extra + at
        self.is_premultiplied = at is not None and kinds[at] == EXTRASAMPLE.ASSOCALPHA
        self.header = Header.of(
            page.imagelength,
            page.imagewidth,
            3 if self.photometric in (PHOTOMETRIC.PALETTE, PHOTOMETRIC.SEPARATED) else self.count,
            self.dtype if self.colour_map is None else self.colour_map.dtype,
            self.alpha is not None,
            1 if self.photometric in _GREYS else 3,
        )

    def _require_readable(self) -> None:
        page = self.directory
        other_inks = self.photometric == PHOTOMETRIC.SEPARATED and page.tags.valueof("InkSet", _CMYK_INKS) != _CMYK_INKS
        if other_inks or not self._has_readable_type():
            bits = f"{page.bitspersample} bit{'s' * (page.bitspersample != 1)}{' each' * (self.count > 1)}"
            title = f"a TIFF with {self.count} sample{'s' * (self.count != 1)} per pixel of {bits}"
            title += _FORMAT_TITLES.get(page.sampleformat, "")
            title += f" ({_TITLES[self.photometric]})" if self.photometric in _TITLES else ""
            raise HeaderError(f"is {title}, which is not supported; save it as RGB or grey, 8 or 16 bits")
        if page.compression not in (*WORDS, COMPRESSION.LZMA, *PICTURES, *_FAX):
            raise HeaderError(f"has compression {page.compression}, which is not supported; save it with LZW or Deflate")
        if self.photometric == PHOTOMETRIC.YCBCR and page.compression != COMPRESSION.JPEG and page.subsampling != (1, 1):
            raise HeaderError("is YCbCr with subsampled colour, which is supported only with JPEG compression; save it as RGB")
        if page.imagedepth != 1 or page.tiledepth != 1:
            raise HeaderError("is a volume, which is not supported; save its planes as pages")
        if page.compression not in _PREDICTED:
            page.predictor = 1  # meaningless for this compression, but tifffile would apply it
        known = (1, 2, 3) if self.dtype.kind == "f" else (1, 2)
        if page.predictor not in known or (page.predictor != 1 and page.bitspersample not in (8, 16, 32, 64)):
            what = f"{page.bitspersample}-bit pixels with predictor {int(page.predictor)}"
            raise HeaderError(f"has {what}, which is not supported; save it without a predictor")

    def _has_readable_type(self) -> bool:
        page, bits = self.directory, self.directory.bitspersample
        if page.dtype is None or self.dtype.name not in Tiff.dtypes or (self.dtype.name == "uint32" and bits != 32):
            return False
        if page.compression in _FAX and (bits, self.count) != (1, 1):
            return False
        if self.photometric in _GREYS:
            return self.count > 0
        if self.photometric == PHOTOMETRIC.RGB:
            return self.count > 2
        if self.photometric == PHOTOMETRIC.PALETTE:
            return self.count == 1 and self.colour_map is not None and page.compression not in PICTURES
        depths = (8,) if self.photometric == PHOTOMETRIC.YCBCR else (8, 16)
        return self.count == _COLOUR_SAMPLES.get(self.photometric) and self.dtype.kind == "u" and bits in depths


def _colour_map(page: TiffPage) -> NDArray[Any] | None:
    """Return the palette, red first, as uint8 if this is lossless, else as uint16; None if it is missing or invalid."""
    values, count = np.ravel(page.tags.valueof("ColorMap", ())), 1 << min(page.bitspersample, 8)
    if page.bitspersample > 8 or values.size < 3 * count or values.max() > 0xFFFF:
        return None
    # Stored as all reds, all greens, all blues. Some writers fill only the lower byte; libtiff supports such files, too.
    colours = values[: 3 * count].reshape(3, count).T
    step = 1 if colours.max() <= 255 else next((step for step in (257, 256) if not (colours % step).any()), 0)
    return np.ascontiguousarray(colours // step, np.uint8) if step else np.ascontiguousarray(colours, np.uint16)
