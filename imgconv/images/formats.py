"""The formats that can be written: their extensions, and what each holds without loss. One table, `FORMATS`.

It was measured on OpenCV 4.12 and 5.0, whose encoders do not refuse what they cannot hold: they cut 16 bits to 8, floats to
integers, and leave alpha out. `require` refuses it before they see it. Formats that only exist to be read (PBM, PAM,
JPEG 2000 codestreams) are not in the table.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from imgconv.errors import WriteError
from imgconv.images.names import shown
from imgconv.vocabulary import suggestion

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
    "bool": "boolean",
}

#: The word of `--depth` for each type that it can choose, as in `vocabulary.DEPTHS`.
_DEPTHS = {"uint8": "8", "uint16": "16", "float32": "32f"}

_MOST_ALTERNATIVES = 4


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
        metadata: the blocks of `Metadata` that the encoder puts into it.
        side: the most rows and the most columns; 0 where no picture comes near to it.
        parameters: what the encoder is told, as names of OpenCV's constants and their values.
    """

    name: str
    title: str
    extensions: tuple[str, ...]
    dtypes: tuple[str, ...] = ("uint8",)
    grey: bool = True
    colour: bool = True
    alpha: bool = False
    metadata: frozenset[str] = frozenset()
    side: int = 0
    parameters: tuple[tuple[str, int], ...] = ()

    def refusal(self, dtype: DTypeLike, shape: tuple[int, ...], *, opaque: bool = False) -> str:
        """Return what the format lacks to hold pixels of this type and shape, or "" when it holds them."""
        name, channels = np.dtype(dtype).name, shape[2] if len(shape) == 3 else 1
        if np.dtype(dtype).kind == "c":
            return "cannot hold complex numbers"
        if name not in self.dtypes:
            return f"cannot hold {_WORDS.get(name, name)} pixels"
        if channels in (2, 4) and not self.alpha and not opaque:
            return "has no alpha channel"
        if channels >= 3 and not self.colour:
            return "cannot hold colour"
        if self.side and max(shape[:2]) > self.side:
            return f"cannot hold {shape[0]} x {shape[1]} pixels, at most {self.side} a side"
        return ""


_EVERY_BLOCK = frozenset({"exif", "xmp", "icc"})

#: In the order in which they are offered where another one cannot hold the picture.
FORMATS: dict[str, Format] = {
    f.name: f
    for f in (
        Format("png", "PNG", (".png", ".apng"), ("uint8", "uint16"), alpha=True, metadata=_EVERY_BLOCK | {"cicp"}),
        Format(
            "tiff",
            "TIFF",
            (".tiff", ".tif"),
            ("uint8", "int8", "uint16", "int16", "int32", "float32", "float64"),
            alpha=True,
            # OpenCV 4.12 would write colour in 32-bit floats as LogLuv, which keeps 24 bits of the 96. 5 is LZW.
            parameters=(("IMWRITE_TIFF_COMPRESSION", 5),),
        ),
        Format("jpeg", "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), metadata=_EVERY_BLOCK, side=65_500),
        Format(
            "webp",
            "WebP",
            (".webp",),
            grey=False,
            alpha=True,
            metadata=_EVERY_BLOCK,
            side=16_383,
            # Lossless is OpenCV's default; this keeps the colour under transparent pixels as well.
            parameters=(("IMWRITE_WEBP_LOSSLESS_MODE", 2),),
        ),
        Format(
            "avif",
            "AVIF",
            (".avif",),
            alpha=True,
            metadata=_EVERY_BLOCK,
            side=65_535,
            # As for JPEG. OpenCV's default gives a fifth of the size and errors twice as large.
            parameters=(("IMWRITE_AVIF_QUALITY", 95),),
        ),
        # At OpenCV's default JPEG 2000 is lossy; at 1000 it is exact.
        Format(
            "jp2",
            "JPEG 2000",
            (".jp2",),
            ("uint8", "uint16"),
            alpha=True,
            parameters=(("IMWRITE_JPEG2000_COMPRESSION_X1000", 1000),),
        ),
        Format("bmp", "BMP", (".bmp", ".dib"), alpha=True),
        Format("ppm", "PPM", (".ppm",), ("uint8", "uint16"), grey=False),
        Format("pgm", "PGM", (".pgm",), ("uint8", "uint16"), colour=False),
        Format("pnm", "PNM", (".pnm",), ("uint8", "uint16")),
        Format("pfm", "PFM", (".pfm",), ("float32",)),
        Format("hdr", "Radiance HDR", (".hdr", ".pic"), ("float32",), grey=False),
        Format(
            "gif",
            "GIF",
            (".gif",),
            grey=False,
            alpha=True,
            side=65_535,
            # Of OpenCV's ways to choose 256 colours the only one that leaves greys within one level.
            parameters=(("IMWRITE_GIF_DITHER", 3),),
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
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        return "avif"
    return next((name for signature, name in _SIGNATURES if head.startswith(signature)), "")


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
    if extension == ".pbm":
        raise WriteError(f"{shown(path)}: PBM holds black and white only; choose .pgm")
    close = suggestion(extension, EXTENSIONS)
    raise WriteError(f"{shown(path)}: no format has the extension {shown(extension)}{close}; known are {known}")


def require(chosen: Format, dtype: DTypeLike, shape: tuple[int, ...], *, opaque: bool = False, where: str = "output") -> None:
    """Make sure that a format holds pixels of a type and shape without loss.

    Args:
        chosen: the format.
        dtype: of the pixels.
        shape: (H, W) or (H, W, C).
        opaque: alpha, if there is one, says nothing and may be left out.
        where: what the message begins with: the name of the output, fit to be shown.

    Raises:
        WriteError: it does not; the message says what to choose instead.
    """
    lack = chosen.refusal(dtype, shape, opaque=opaque)
    if lack:
        advice = _advice(chosen, np.dtype(dtype), shape, opaque)
        raise WriteError(f"{where}: {chosen.title} {lack}; choose {advice}")


def _advice(chosen: Format, dtype: np.dtype[Any], shape: tuple[int, ...], opaque: bool) -> str:
    if dtype.kind == "c":
        return "the magnitude, or another real part of the result"
    depths = [_DEPTHS[d] for d in chosen.dtypes if d in _DEPTHS and not chosen.refusal(d, shape, opaque=opaque)]
    words = [f"--depth {' or '.join(depths)}"] if depths and dtype.name not in chosen.dtypes else []
    others = [f.extensions[-1 if f.name == "tiff" else 0] for f in _holding(dtype, shape, opaque)]
    if others:
        words.append(f"another format ({', '.join(others[:_MOST_ALTERNATIVES])})")
    return ", or ".join(words) or "another depth (--depth 8, 16 or 32f)"


def _holding(dtype: np.dtype[Any], shape: tuple[int, ...], opaque: bool) -> Iterable[Format]:
    return (f for f in FORMATS.values() if not f.refusal(dtype, shape, opaque=opaque))
