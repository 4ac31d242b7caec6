"""Files that tifffile writes: every sample type, layout, byte order and compression."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace

import numpy as np
import tifffile
from numpy.typing import NDArray

from tests.matrix.pictures import full_scale, picture
from tests.matrix.source import Source, known

DTYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "f2", "f4", "f8")
COMPRESSIONS = ("none", "lzw", "zlib", "zstd")
_LAYOUTS = ("strips", "one strip", "tiles")

# Axes of the table: type, samples, separate planes or not, strips or tiles, byte order, compression.
Cell = tuple[str, int, bool, str, str, str]

ALL: tuple[Cell, ...] = tuple(
    cell
    for cell in itertools.product(DTYPES, (1, 2, 3, 4), (False, True), _LAYOUTS, "<>", COMPRESSIONS)
    if not (cell[2] and cell[1] == 1)
    # tifffile packs one-bit samples only in single-channel images in strips.
    and not (cell[0] == "?" and (cell[1] > 1 or cell[3] == "tiles"))
)  # fmt: skip


def _slice() -> tuple[Cell, ...]:
    """Return cells in which each pair of values of two axes occurs about once."""
    met: set[tuple[object, ...]] = set()
    chosen = []
    for cell in ALL:
        pairs = {(a, cell[a], b, cell[b]) for a, b in itertools.combinations(range(len(cell)), 2)}
        if len(pairs - met) > 2:
            met |= pairs
            chosen.append(cell)
    return tuple(chosen)


def source_of(cell: Cell) -> Source:
    """Return the file of a cell of the table."""
    dtype, samples, separate, layout, order, compression = cell
    pixels = picture(dtype, samples)

    def make() -> bytes:
        file = io.BytesIO()
        options: dict[str, object] = {"strips": {"rowsperstrip": 7}, "one strip": {}, "tiles": {"tile": (32, 16)}}[layout]
        if samples > 1:
            options = {**options, "planarconfig": "separate" if separate else "contig"}
        if samples in (2, 4):
            options = {**options, "extrasamples": ["unassalpha"]}
        stored = np.ascontiguousarray(np.moveaxis(pixels, -1, 0)) if separate else pixels
        kind = "rgb" if samples > 2 else "minisblack"
        packed = None if compression == "none" else compression
        tifffile.imwrite(file, stored, photometric=kind, byteorder=order, compression=packed, metadata=None, **options)
        return file.getvalue()

    words = f"{dtype} {samples} {'planar' if separate else 'contig'} {layout} {order} {compression}"
    return Source(f"tifffile {words}", ".tif", make, known(as_levels(pixels)))


def as_levels(pixels: NDArray) -> NDArray:
    """Return booleans as 0 and 255; other types unchanged."""
    return pixels.astype(np.uint8) * np.uint8(255) if pixels.dtype == bool else pixels


def _source(name: str, stored: NDArray, pixels: NDArray, tolerance: float = 0.0, **options: object) -> Source:
    def make() -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, stored, metadata=None, **options)
        return file.getvalue()

    return Source(f"tifffile {name}", ".tif", make, known(pixels), tolerance)


def _premultiplied(dtype: str) -> Source:
    """Return an image with premultiplied alpha; readers must divide the colour by alpha."""
    pixels = picture(dtype, 4)
    full = full_scale(dtype)
    alpha = pixels[:, :, 3:].astype(np.float64)
    stored = np.concatenate([np.rint(pixels[:, :, :3] * (alpha / full)), alpha], axis=2).astype(dtype)
    with np.errstate(invalid="ignore", divide="ignore"):
        colour = np.where(alpha > 0, np.minimum(np.rint(stored[:, :, :3] * (full / alpha)), full), 0)
    expected = np.concatenate([colour, alpha], axis=2).astype(dtype)
    # Ties may be rounded up or down.
    return _source(f"{dtype} premultiplied", stored, expected, 0.01, photometric="rgb", extrasamples=["assocalpha"])


def _narrow(bits: int, channels: int) -> Source:
    """Return packed samples of an unusual bit depth; readers must scale them so that white stays white."""
    deep = bits > 8
    levels = picture("u2" if deep else "u1", channels) >> ((16 if deep else 8) - bits)
    expected = np.rint(levels * ((65_535 if deep else 255) / ((1 << bits) - 1))).astype(levels.dtype)
    kind = "rgb" if channels == 3 else "minisblack"
    source = _source(f"{channels} of {bits} bits", levels, expected, photometric=kind, bitspersample=bits)
    return replace(source, bits=bits)


def _white_is_zero(dtype: str) -> Source:
    levels = picture(dtype, 1)
    return _source(f"{dtype} white is zero", np.iinfo(dtype).max - levels, levels, photometric="miniswhite")


SLICE: tuple[Source, ...] = tuple(map(source_of, _slice()))
OTHERS: tuple[Source, ...] = (
    *map(_premultiplied, ("u1", "u2")),
    *map(_white_is_zero, ("u1", "u2")),
    *(_narrow(bits, channels) for bits, channels in ((2, 1), (3, 1), (6, 3), (10, 1), (10, 3), (12, 1), (12, 3), (14, 1))),
    *(
        _source(f"u1 3 in {name}", picture(), picture(), photometric="rgb", compression=name)
        for name in ("lzma", "webp", "jpeg2000", "lerc")
    ),
    _source("? white is zero", ~picture("?", 1), as_levels(picture("?", 1)), photometric="miniswhite"),
    *(
        _source(f"{d} predictor {c}", picture(d, n), picture(d, n), predictor=True, compression=c, photometric=p)
        for d, n, p in (("u1", 3, "rgb"), ("u2", 1, "minisblack"), ("f4", 3, "rgb"), ("f2", 1, "minisblack"), ("f8", 3, "rgb"))
        for c in ("lzw", "zlib")
    ),
    _source("u2 3 bigtiff", picture("u2"), picture("u2"), photometric="rgb", bigtiff=True),
    _source("u1 3 as minisblack", picture("u1"), picture("u1"), photometric="minisblack", planarconfig="contig"),
    _source("f4 4 as minisblack", picture("f4", 4), picture("f4", 4), photometric="minisblack", planarconfig="contig"),
)
