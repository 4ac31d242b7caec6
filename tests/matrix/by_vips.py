"""Files that libvips writes, through pyvips."""

from __future__ import annotations

from collections.abc import Callable

import imagecodecs
import numpy as np
import pyvips
from numpy.typing import NDArray

from tests.matrix.by_pillow import AVIF, COARSE_JPEG, JPEG, WEBP
from tests.matrix.by_tifffile import as_levels
from tests.matrix.pictures import picture, positive
from tests.matrix.source import Source, known, pillow_decoder

_SPACES = {("u1", 1): "b-w", ("u1", 3): "srgb", ("u2", 1): "grey16", ("u2", 3): "rgb16", ("f4", 1): "b-w", ("f4", 3): "scrgb"}


def vips(pixels: NDArray) -> pyvips.Image:
    """Return pixels as a libvips image with its colour interpretation set."""
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    space = _SPACES[pixels.dtype.str[1:], 3 if channels > 2 else 1]
    return pyvips.Image.new_from_array(np.ascontiguousarray(pixels)).copy(interpretation=space)


def _source(
    pixels: NDArray, suffix: str, truth: Callable[[bytes], NDArray], tolerance: float = 0.0, **options: object
) -> Source:
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    words = " ".join(name if value is True else f"{name} {value}" for name, value in options.items())
    make: Callable[[], bytes] = lambda: vips(pixels).write_to_buffer(suffix, **options)  # noqa: E731
    bits = options["bitdepth"] if suffix == ".avif" and options.get("bitdepth") != 8 else None
    name = f"vips {suffix[1:]} {pixels.dtype.str[1:]} {channels} {words}".strip()
    return Source(name, suffix, make, truth, tolerance, bits)


def _exact(dtype: str, channels: int, suffix: str, **options: object) -> Source:
    pixels = picture(dtype, channels)
    return _source(pixels, suffix, known(pixels), **options)


def _few_bits(suffix: str, bits: int, **options: object) -> Source:
    """Return a grey picture of 1, 2 or 4 bits; libvips truncates, so the input has no further bits."""
    levels = (picture("u1", 1) >> (8 - bits)) * np.uint8(255 // ((1 << bits) - 1))
    return _source(levels, suffix, known(levels), bitdepth=bits, **options)


def _avif(channels: int, bits: int, **options: object) -> Source:
    """Return an AVIF of `bits` bits; more than 8 are read as 16 bits, scaled so that white stays white."""

    def truth(data: bytes) -> NDArray:
        native = imagecodecs.avif_decode(data)
        return native if bits == 8 else np.rint(native * (65_535 / ((1 << bits) - 1))).astype(np.uint16)

    pixels = picture("u1" if bits == 8 else "u2", channels)
    return _source(
        pixels, ".avif", truth, 0.0 if options.get("lossless") else AVIF * 257 ** (bits > 8), bitdepth=bits, **options
    )


SOURCES: tuple[Source, ...] = (
    *(_exact(dtype, channels, ".png") for dtype in ("u1", "u2") for channels in (1, 2, 3, 4)),
    *(_exact(dtype, channels, ".png", interlace=True) for dtype, channels in (("u1", 3), ("u2", 4))),
    *(_few_bits(".png", bits) for bits in (1, 2, 4)),
    _source(picture(), ".png", pillow_decoder("RGB"), palette=True),
    *(_exact(dtype, channels, ".tif") for dtype in ("u1", "u2", "f4") for channels in (1, 2, 3, 4)),
    _exact("u1", 3, ".tif", tile=True, pyramid=True, tile_width=16, tile_height=16, compression="deflate"),
    _exact("u2", 1, ".tif", tile=True, pyramid=True, subifd=True, tile_width=16, tile_height=16, compression="lzw"),
    _exact("u2", 3, ".tif", tile=True, tile_width=16, tile_height=32, bigtiff=True, compression="deflate"),
    _source(positive(), ".tif", known(positive()), compression="lzw", predictor="float"),
    _exact("u1", 3, ".tif", compression="lzw", predictor="horizontal"),
    _exact("u1", 1, ".tif", miniswhite=True),
    *(_few_bits(".tif", bits) for bits in (1, 2, 4)),
    _source(as_levels(picture("?", 1)), ".tif", known(as_levels(picture("?", 1))), bitdepth=1, compression="ccittfax4"),
    _source(as_levels(picture("?", 1)), ".tif", known(as_levels(picture("?", 1))), bitdepth=1, miniswhite=True),
    *(_source(picture("u1", c), ".tif", pillow_decoder(), JPEG, compression="jpeg", Q=95, rgbjpeg=True) for c in (1, 3)),
    _source(picture(), ".tif", pillow_decoder("RGB"), COARSE_JPEG, compression="jpeg", Q=80, tile=True, tile_width=32,
            tile_height=32),
    *(_exact("u1", channels, ".tif", compression="webp", lossless=True) for channels in (3, 4)),
    *(_exact("u1", channels, ".webp", lossless=True, exact=True) for channels in (3, 4)),
    *(_source(picture("u1", channels), ".webp", pillow_decoder(), WEBP, Q=70) for channels in (3, 4)),
    *(_avif(channels, bits, lossless=True, subsample_mode="off") for channels in (3, 4) for bits in (8, 10, 12)),
    *(_avif(3, bits, Q=80) for bits in (8, 10, 12)),
    _source(picture(), ".jpg", pillow_decoder(), COARSE_JPEG, Q=85, interlace=True),
    _source(picture("u1", 1), ".jpg", pillow_decoder(), JPEG, Q=85),
    *(_source(picture("u1", channels), ".gif", pillow_decoder("RGBA" if channels == 4 else "RGB")) for channels in (3, 4)),
)  # fmt: skip
