"""Files that OpenCV and imagecodecs write, and Netpbm files written here."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from tests.matrix.by_pillow import COARSE_JPEG
from tests.matrix.pictures import cmyk_picture, cmyk_to_rgb, picture, positive
from tests.matrix.source import Source, known, pillow_decoder


def swap_bgr(pixels: NDArray) -> NDArray:
    """Return colour converted from RGB to OpenCV's BGR order, or back."""
    colour = pixels.ndim == 3 and pixels.shape[2] > 2
    return np.ascontiguousarray(pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]) if colour else pixels


def _opencv(
    suffix: str, pixels: NDArray, words: str = "", *parameters: int, truth: Callable[[bytes], NDArray] | None = None
) -> Source:
    def make() -> bytes:
        success, data = cv2.imencode(suffix, swap_bgr(pixels), parameters)
        assert success
        return data.tobytes()

    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    return Source(
        f"opencv {suffix[1:]} {pixels.dtype.str[1:]} {channels} {words}".strip(), suffix, make, truth or known(pixels)
    )


def _text(kind: int, greatest: int, channels: int) -> Source:
    """Return a plain (text) Netpbm file with samples up to `greatest`."""
    levels = np.rint(picture("u2", channels) * (greatest / 65_535)).astype(np.uint16)
    body = "\n".join(" ".join(map(str, row)) for row in levels.reshape(len(levels), -1))
    head = f"P{kind} # in letters\n{levels.shape[1]} {levels.shape[0]}\n{greatest}\n"
    return Source(f"plain P{kind} to {greatest}", ".pnm", lambda: f"{head}{body}\n".encode(), known(_scaled(levels, greatest)))


def _binary(kind: int, greatest: int, channels: int) -> Source:
    levels = np.rint(picture("u2", channels) * (greatest / 65_535)).astype(">u2" if greatest > 255 else "u1")
    head = b"P%d\n%d %d\n%d\n" % (kind, levels.shape[1], levels.shape[0], greatest)
    return Source(f"binary P{kind} to {greatest}", ".pnm", lambda: head + levels.tobytes(), known(_scaled(levels, greatest)))


def _scaled(levels: NDArray, greatest: int) -> NDArray:
    """Return levels up to `greatest`, scaled to the full range of 8 or 16 bits."""
    full, dtype = (255, np.uint8) if greatest < 256 else (65_535, np.uint16)
    return np.rint(levels * (full / greatest)).astype(dtype)


def _jpeg(subsampling: str) -> Source:
    make: Callable[[], bytes] = lambda: imagecodecs.jpeg_encode(picture(), level=90, subsampling=subsampling)  # noqa: E731
    return Source(f"imagecodecs jpg {subsampling}", ".jpg", make, pillow_decoder(), COARSE_JPEG)


def _jp2(dtype: str, channels: int) -> Source:
    pixels = picture(dtype, channels)
    make: Callable[[], bytes] = lambda: imagecodecs.jpeg2k_encode(pixels, reversible=True, codecformat="jp2")  # noqa: E731
    return Source(f"imagecodecs jp2 {dtype} {channels}", ".jp2", make, known(pixels))


def _cmyk(words: str, **options: object) -> Source:
    def truth(data: bytes) -> NDArray:
        return cmyk_to_rgb(pillow_decoder()(data))

    make: Callable[[], bytes] = lambda: imagecodecs.jpeg_encode(cmyk_picture(), level=95, colorspace="CMYK", **options)  # noqa: E731
    return Source(f"imagecodecs jpg {words}", ".jpg", make, truth, 0.05)


SOURCES: tuple[Source, ...] = (
    *(_opencv(".pfm", positive(channels) * 3 - 1) for channels in (1, 3)),
    _opencv(".hdr", positive() * 3, truth=imagecodecs.rgbe_decode),
    _opencv(".tiff", picture("f4")),
    _opencv(".tiff", picture("u2", 4)),
    *(_opencv(".bmp", picture("u1", channels)) for channels in (1, 3, 4)),
    _opencv(".ras", picture()),
    *map(_jpeg, ("440", "411", "420")),
    Source("imagecodecs jpg lossless", ".jpg", lambda: imagecodecs.jpeg_encode(picture(), lossless=True), known(picture())),
    _cmyk("CMYK", outcolorspace="CMYK"),
    _cmyk("YCCK", outcolorspace="YCCK"),
    *(_jp2(dtype, channels) for dtype, channels in (("u1", 3), ("u2", 1), ("u2", 2), ("u2", 3), ("u2", 4))),
    *(_text(kind, greatest, channels) for kind, greatest, channels in ((2, 15, 1), (2, 1000, 1), (3, 255, 3), (3, 65_535, 3))),
    *(
        _binary(kind, greatest, channels)
        for kind, greatest, channels in ((5, 100, 1), (5, 4095, 1), (6, 4095, 3), (6, 65_535, 3))
    ),
)
