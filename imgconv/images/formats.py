"""The formats that can be written: their extensions, and what each holds without loss. One table, `FORMATS`.

It was measured on OpenCV 4.12 and 5.0, whose encoders do not refuse what they cannot hold: they cut 16 bits to 8, floats to
integers, and leave alpha out. `requirements` refuses it before they see it. Formats that only exist to be read (PAM, JPEG 2000
codestreams) are not in the table.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from imgconv.errors import WriteError
from imgconv.images.names import shown
from imgconv.vocabulary import COMPRESSIONS, suggestion

_WORDS = {
    "uint8": "8-bit",
    "int8": "signed 8-bit",
    "uint16": "16-bit",
    "int16": "signed 16-bit",
    "uint32": "32-bit integer",
    "int32": "signed 32-bit integer",
    "float16": "16-bit floating-point",
    "float32": "32-bit floating-point",
    "float64": "64-bit floating-point",
    "bool": "1-bit",
}

# Bytes of the list of brands at the start of an AVIF that are looked at.
_MOST_BRANDS = 1024


@dataclass(frozen=True)
class Format:
    """A format, and what it holds without loss.

    Attributes:
        name: the word for it in Python and on the command line.
        title: the name in messages.
        extensions: each with its dot, the one that OpenCV knows the encoder by first.
        dtypes: the types of pixels.
        grey: whether one channel stays one; a format without it takes grey as three equal channels.
        colour: whether it holds three channels.
        alpha: whether it holds alpha.
        metadata: the blocks of `Metadata` that it has a place for.
        pages: what several pictures in one file are: `pages`, `frames` (of an animation), or "" where it holds one.
        quality: whether it can be written lossy, at a quality.
        lossless: whether it can be written without loss.
        compressions: the words or levels of `--compression` that it knows.
        narrow: bits a sample that it holds of 16-bit pixels, where these are all that it holds of them.
        side: the most rows and the most columns; 0 where no picture comes near to it.
        least: the fewest rows and the fewest columns.
        optional: whether there are builds of OpenCV without it.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    dtypes: tuple[str, ...] = ("uint8",)
    grey: bool = True
    colour: bool = True
    alpha: bool = False
    metadata: frozenset[str] = frozenset()
    pages: str = ""
    quality: bool = False
    lossless: bool = True
    compressions: tuple[str, ...] = ()
    narrow: tuple[int, ...] = ()
    side: int = 0
    least: int = 1
    optional: bool = False

    def refusal(self, dtype: DTypeLike, shape: tuple[int, ...], *, opaque: bool = False, bits: int | None = None) -> str:
        """Return what the format lacks to hold pixels of this type and shape, or "" when it holds them.

        Args:
            dtype: of the pixels.
            shape: (H, W) or (H, W, C).
            opaque: alpha, if there is one, says nothing.
            bits: bits a sample that carry anything, where they are fewer than those of the type.
        """
        name, channels = np.dtype(dtype).name, shape[2] if len(shape) == 3 else 1
        if np.dtype(dtype).kind == "c":
            return "cannot hold complex numbers"
        if name not in self.dtypes or (name == "uint16" and self.narrow and bits not in self.narrow):
            return f"cannot hold {_WORDS.get(name, name)} pixels"
        if channels in (2, 4) and not self.alpha and not opaque:
            return "has no alpha channel"
        if channels >= 3 and not self.colour:
            return "cannot hold colour"
        if channels > 1 and name == "bool":
            return f"cannot hold {'alpha' if channels == 2 else 'colour'} in 1 bit"
        if self.side and max(shape[:2]) > self.side:
            return f"cannot hold {shape[0]} x {shape[1]} pixels, at most {self.side} a side"
        if min(shape[:2]) < self.least:
            return f"cannot hold {shape[0]} x {shape[1]} pixels, at least {self.least} a side are needed"
        return ""


_TEXTS = frozenset({"resolution", "comment"})
_BLOCKS = frozenset({"exif", "xmp", "icc"}) | _TEXTS

#: In the order in which they are offered where another one cannot hold the picture.
FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format(
            "png",
            "PNG",
            (".png", ".apng"),
            ("bool", "uint8", "uint16"),
            alpha=True,
            metadata=_BLOCKS | {"cicp", "iptc", "texts"},
            pages="frames",
            compressions=tuple("0123456789"),
        ),
        Format(
            "tiff",
            "TIFF",
            (".tiff", ".tif"),
            ("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64"),
            alpha=True,
            metadata=_BLOCKS | {"iptc"},
            pages="pages",
            compressions=tuple(COMPRESSIONS),
        ),
        Format(
            "jpeg",
            "JPEG",
            (".jpg", ".jpeg", ".jpe", ".jfif"),
            metadata=_BLOCKS | {"iptc"},
            quality=True,
            lossless=False,
            side=65_500,
        ),
        Format("webp", "WebP", (".webp",), grey=False, alpha=True, metadata=_BLOCKS, pages="frames", quality=True, side=16_383),
        Format(
            "avif",
            "AVIF",
            (".avif",),
            ("uint8", "uint16"),
            alpha=True,
            metadata=_BLOCKS,
            pages="frames",
            quality=True,
            narrow=(10, 12),
            side=65_535,
        ),
        Format("jp2", "JPEG 2000", (".jp2",), ("uint8", "uint16"), alpha=True, least=32),
        Format("bmp", "BMP", (".bmp", ".dib"), alpha=True),
        Format("ppm", "PPM", (".ppm",), ("uint8", "uint16"), grey=False),
        Format("pgm", "PGM", (".pgm",), ("uint8", "uint16"), colour=False),
        Format("pbm", "PBM", (".pbm",), ("bool",), colour=False),
        Format("pnm", "PNM", (".pnm",), ("bool", "uint8", "uint16")),
        Format("pfm", "PFM", (".pfm",), ("float32",)),
        Format("hdr", "Radiance HDR", (".hdr", ".pic"), ("float32",), grey=False),
        Format("exr", "OpenEXR", (".exr",), ("float16", "float32"), alpha=True, optional=True),
        Format(
            "gif",
            "GIF",
            (".gif",),
            grey=False,
            alpha=True,
            metadata=frozenset({"xmp", "comment"}),
            pages="frames",
            lossless=False,
            side=65_535,
        ),
        Format("ras", "Sun raster", (".ras", ".sr"), grey=False),
    )
}

EXTENSIONS: dict[str, Format] = {extension: f for f in FORMATS.values() for extension in f.extensions}

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\0", "tiff"),
    (b"MM\0*", "tiff"),
    (b"II+\0", "tiff"),
    (b"MM\0+", "tiff"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"\0\0\0\x0cjP  ", "jp2"),
    (b"\x76\x2f\x31\x01", "exr"),
    (b"#?RADIANCE", "hdr"),
    (b"#?RGBE", "hdr"),
    (b"PF", "pfm"),
    (b"Pf", "pfm"),
    (b"\x59\xa6\x6a\x95", "ras"),
    *((b"P%d" % kind, "pnm") for kind in range(1, 7)),
)


def sniffed(data: memoryview) -> str:
    """Return the name of the format that data begin like, or "" for none of the table."""
    head = bytes(data[:16])
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp" and _is_avif(data):
        return "avif"
    return next((name for signature, name in _SIGNATURES if head.startswith(signature)), "")


def _is_avif(data: memoryview) -> bool:
    """Return whether the brands of a file, the first one or those that it is compatible with, are those of AVIF."""
    size = min(int.from_bytes(data[:4], "big"), _MOST_BRANDS, len(data))
    return any(bytes(data[at : at + 4]) in (b"avif", b"avis") for at in (8, *range(16, size - 3, 4)))


def format_named(name: str) -> Format:
    """Return the format that a name or an extension, with or without its dot, stands for.

    Raises:
        WriteError: it is unknown.
    """
    word = name.strip().lower()
    found = FORMATS.get(word) or EXTENSIONS.get("." + word.removeprefix("."))
    if found is None:
        close = suggestion(word, [*FORMATS, *(e.removeprefix(".") for e in EXTENSIONS)])
        raise WriteError(f"unknown format {shown(name)!r}{close}; choose one of {', '.join(FORMATS)}")
    return found


def format_of(path: str) -> Format:
    """Return the format that the extension of a file name stands for.

    Raises:
        WriteError: there is none, or it is unknown; the message lists those that are known.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension in EXTENSIONS:
        return EXTENSIONS[extension]
    known = ", ".join(EXTENSIONS)
    if not extension:
        raise WriteError(f"{shown(path)}: there is no extension to say which format to write; add one of {known}")
    close = suggestion(extension, EXTENSIONS)
    raise WriteError(f"{shown(path)}: no format has the extension {shown(extension)}{close}; known are {known}")
