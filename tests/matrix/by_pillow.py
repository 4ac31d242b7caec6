"""Files that Pillow writes."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from tests.matrix.pictures import cmyk_picture, cmyk_to_rgb, picture
from tests.matrix.source import Source, known, pillow_decoder

# Largest mean difference between two decoders of the same lossy file, in levels: they round at different steps and
# upsample subsampled colour differently.
JPEG, COARSE_JPEG, WEBP, AVIF, YCBCR = 0.05, 0.2, 0.2, 0.6, 0.6

_CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def image_of(mode: str) -> Pillow.Image:
    """Return the picture in a Pillow mode."""
    if mode == "CMYK":
        return Pillow.frombytes("CMYK", cmyk_picture().shape[1::-1], cmyk_picture().tobytes())
    if mode == "YCbCr":
        return image_of("RGB").convert("YCbCr")
    if mode in _CHANNELS:
        return Pillow.fromarray(picture("u1", _CHANNELS[mode]))
    return Pillow.fromarray(picture({"1": "?", "I;16": "u2", "F": "f4"}[mode], 1))


def palette_of(colours: int) -> Pillow.Image:
    """Return the picture reduced to a palette of `colours` entries."""
    return image_of("RGB").quantize(colours)


def save(image: Pillow.Image, kind: str, **options: object) -> bytes:
    """Return an image encoded as a file."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def levels_of(mode: str) -> NDArray:
    """Return the pixels expected from a mode that is stored losslessly."""
    if mode == "1":
        return picture("?", 1).astype(np.uint8) * np.uint8(255)
    return cmyk_to_rgb(cmyk_picture()) if mode == "CMYK" else np.asarray(image_of(mode))


def _exact(kind: str, suffix: str, mode: str, **options: object) -> Source:
    words = " ".join(map(str, options.values()))
    make: Callable[[], bytes] = lambda: save(image_of(mode), kind, **options)  # noqa: E731
    return Source(f"pillow {suffix[1:]} {mode} {words}".strip(), suffix, make, lambda _: levels_of(mode))


def _palette(kind: str, suffix: str, colours: int, **options: object) -> Source:
    """Return an image with a palette; `transparency` is one index, or the alpha values of the first entries."""
    words = " with transparency" if options else ""
    mode = "RGBA" if options else "RGB"
    make: Callable[[], bytes] = lambda: save(palette_of(colours), kind, **options)  # noqa: E731
    return Source(f"pillow {suffix[1:]} palette of {colours}{words}", suffix, make, pillow_decoder(mode))


def _keyed(mode: str) -> Source:
    """Return a PNG without alpha channel in which one level or colour is transparent."""
    levels = levels_of(mode)
    key = tuple(int(v) for v in levels[20, 30]) if levels.ndim == 3 else int(levels[20, 30])
    full = np.iinfo(levels.dtype).max
    alpha = np.where(np.atleast_3d(levels == key).all(axis=2), 0, full).astype(levels.dtype)
    make: Callable[[], bytes] = lambda: save(image_of(mode), "PNG", transparency=key)  # noqa: E731
    return Source(f"pillow png {mode} with a transparent colour", ".png", make, known(np.dstack([levels, alpha])))


def _lossy(kind: str, suffix: str, mode: str, tolerance: float, **options: object) -> Source:
    words = " ".join(f"{name} {value}" for name, value in options.items())
    make: Callable[[], bytes] = lambda: save(image_of(mode), kind, **options)  # noqa: E731
    return Source(f"pillow {suffix[1:]} {mode} {words}".strip(), suffix, make, pillow_decoder(), tolerance)


def _cmyk(suffix: str, kind: str, **options: object) -> Source:
    def truth(data: bytes) -> NDArray:
        return cmyk_to_rgb(pillow_decoder()(data))

    make: Callable[[], bytes] = lambda: save(image_of("CMYK"), kind, quality=95, **options)  # noqa: E731
    return Source(f"pillow {suffix[1:]} CMYK of quality 95", suffix, make, truth, JPEG)


def _converted(mode: str) -> Callable[[bytes], NDArray]:
    """Return a `truth` function for a mode that some Pillow versions cannot read back: its pixels in RGB."""
    return lambda _: np.asarray(image_of(mode).convert("RGB"))


_PNG = (
    *(_exact("PNG", ".png", mode) for mode in ("1", "L", "LA", "RGB", "RGBA", "I;16")),
    *(_palette("PNG", ".png", colours) for colours in (2, 4, 16, 200)),
    _palette("PNG", ".png", 16, transparency=5),
    _palette("PNG", ".png", 200, transparency=bytes(range(0, 200, 2))),
    *(_keyed(mode) for mode in ("L", "RGB", "I;16")),
)
_TIFF = (
    *(
        _exact("TIFF", ".tif", mode, compression=compression)
        for mode in ("1", "L", "LA", "RGB", "RGBA", "I;16", "F", "CMYK")
        for compression in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits")
    ),
    *(_exact("TIFF", ".tif", "1", compression=compression) for compression in ("group3", "group4", "tiff_ccitt")),
    *(_exact("TIFF", ".tif", mode, compression="zstd") for mode in ("L", "RGB", "F")),
    *(
        Source(
            f"pillow tif palette {compression}",
            ".tif",
            lambda compression=compression: save(palette_of(200), "TIFF", compression=compression),
            pillow_decoder("RGB"),
        )
        for compression in ("raw", "tiff_lzw", "tiff_deflate", "packbits")
    ),
    *(_lossy("TIFF", ".tif", mode, JPEG, compression="jpeg", quality=90) for mode in ("L", "LA", "RGB", "RGBA")),
    _cmyk(".tif", "TIFF", compression="jpeg"),
    Source("pillow tif YCbCr", ".tif", lambda: save(image_of("YCbCr"), "TIFF"), _converted("YCbCr"), YCBCR),
)
_JPEG = (
    _lossy("JPEG", ".jpg", "L", JPEG, quality=90),
    *(
        _lossy("JPEG", ".jpg", "RGB", JPEG if subsampling == "4:4:4" else COARSE_JPEG, quality=90, subsampling=subsampling)
        for subsampling in ("4:4:4", "4:2:2", "4:2:0")
    ),
    _lossy("JPEG", ".jpg", "RGB", COARSE_JPEG, quality=70, progressive=True),
    _lossy("JPEG", ".jpg", "L", JPEG, progressive=True, quality=97),
    _lossy("JPEG", ".jpg", "RGB", JPEG, keep_rgb=True, quality=90),
    _cmyk(".jpg", "JPEG"),
)
_OTHERS = (
    *(_lossy("WEBP", ".webp", mode, WEBP, quality=80) for mode in ("RGB", "RGBA")),
    *(_exact("WEBP", ".webp", mode, lossless=True, exact=True) for mode in ("RGB", "RGBA")),
    *(_lossy("AVIF", ".avif", mode, AVIF, quality=80) for mode in ("L", "RGB", "RGBA")),
    *(_exact("BMP", ".bmp", mode) for mode in ("1", "L", "RGB")),
    _palette("BMP", ".bmp", 200),
    # The header that Pillow writes declares no alpha, so the fourth byte is unused and Pillow ignores it.
    Source("pillow bmp RGBA", ".bmp", lambda: save(image_of("RGBA"), "BMP"), pillow_decoder("RGB")),
    _palette("GIF", ".gif", 200),
    _palette("GIF", ".gif", 200, transparency=5),
    # Pillow adds a transparent colour that no pixel uses.
    Source("pillow gif RGBA", ".gif", lambda: save(image_of("RGBA"), "GIF"), pillow_decoder("RGB")),
    *(_exact("JPEG2000", ".jp2", mode) for mode in ("L", "LA", "RGB", "RGBA", "I;16")),
    _exact("JPEG2000", ".j2k", "RGB", no_jp2=True),
    *(_exact("PPM", suffix, mode) for suffix, mode in ((".pbm", "1"), (".pgm", "L"), (".pgm", "I;16"), (".ppm", "RGB"))),
)

SOURCES: tuple[Source, ...] = (*_PNG, *_TIFF, *_JPEG, *_OTHERS)
