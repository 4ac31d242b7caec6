"""Files that tifffile writes: every type of sample, cut and packed in every way."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace

import numpy as np
import tifffile
from numpy.typing import NDArray

from tests.matrix.pictures import full_scale, picture
from tests.matrix.source import Source, holds

DTYPES = ("?", "u1", "i1", "u2", "i2", "u4", "i4", "f2", "f4", "f8")
COMPRESSIONS = ("none", "lzw", "zlib", "zstd")
_CUTS = ("strips", "one strip", "tiles")

# Axes of the table: type, samples, whether each sample has a plane of its own, how it is cut, byte order, compression.
Cell = tuple[str, int, bool, str, str, str]

ALL: tuple[Cell, ...] = tuple(
    cell
    for cell in itertools.product(DTYPES, (1, 2, 3, 4), (False, True), _CUTS, "<>", COMPRESSIONS)
    if not (cell[2] and cell[1] == 1)
    # A sample of one bit is packed by tifffile only alone, and not in tiles.
    and not (cell[0] == "?" and (cell[1] > 1 or cell[3] == "tiles"))
)  # fmt: skip


def _slice() -> tuple[Cell, ...]:
    """Return cells in which each two values of any two axes meet about once."""
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
    dtype, samples, separate, cut, order, compression = cell
    pixels = picture(dtype, samples)

    def make() -> bytes:
        file = io.BytesIO()
        options: dict[str, object] = {"strips": {"rowsperstrip": 7}, "one strip": {}, "tiles": {"tile": (32, 16)}}[cut]
        if samples > 1:
            options = {**options, "planarconfig": "separate" if separate else "contig"}
        if samples in (2, 4):
            options = {**options, "extrasamples": ["unassalpha"]}
        stored = np.ascontiguousarray(np.moveaxis(pixels, -1, 0)) if separate else pixels
        kind = "rgb" if samples > 2 else "minisblack"
        packed = None if compression == "none" else compression
        tifffile.imwrite(file, stored, photometric=kind, byteorder=order, compression=packed, metadata=None, **options)
        return file.getvalue()

    words = f"{dtype} {samples} {'planar' if separate else 'contig'} {cut} {order} {compression}"
    return Source(f"tifffile {words}", ".tif", make, holds(as_levels(pixels)))


def as_levels(pixels: NDArray) -> NDArray:
    """Return black and white as levels of 8 bits, and anything else as it is."""
    return pixels.astype(np.uint8) * np.uint8(255) if pixels.dtype == bool else pixels


def _tagged(name: str, stored: NDArray, pixels: NDArray, tolerance: float = 0.0, **options: object) -> Source:
    def make() -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, stored, metadata=None, **options)
        return file.getvalue()

    return Source(f"tifffile {name}", ".tif", make, holds(pixels), tolerance)


def _multiplied(dtype: str) -> Source:
    """Return colour that is stored multiplied by its alpha, from which it is to be divided again."""
    pixels = picture(dtype, 4)
    full = full_scale(dtype)
    alpha = pixels[:, :, 3:].astype(np.float64)
    stored = np.concatenate([np.rint(pixels[:, :, :3] * (alpha / full)), alpha], axis=2).astype(dtype)
    with np.errstate(invalid="ignore", divide="ignore"):
        colour = np.where(alpha > 0, np.minimum(np.rint(stored[:, :, :3] * (full / alpha)), full), 0)
    wanted = np.concatenate([colour, alpha], axis=2).astype(dtype)
    # A tie may go either way.
    return _tagged(f"{dtype} premultiplied", stored, wanted, 0.01, photometric="rgb", extrasamples=["assocalpha"])


def _narrow(bits: int, channels: int) -> Source:
    """Return samples of an unusual number of bits, packed; to be read so that white is white."""
    deep = bits > 8
    levels = picture("u2" if deep else "u1", channels) >> ((16 if deep else 8) - bits)
    wanted = np.rint(levels * ((65_535 if deep else 255) / ((1 << bits) - 1))).astype(levels.dtype)
    kind = "rgb" if channels == 3 else "minisblack"
    made = _tagged(f"{channels} of {bits} bits", levels, wanted, photometric=kind, bitspersample=bits)
    return replace(made, bits=bits)


def _from_white(dtype: str) -> Source:
    levels = picture(dtype, 1)
    return _tagged(f"{dtype} white is zero", np.iinfo(dtype).max - levels, levels, photometric="miniswhite")


SLICE: tuple[Source, ...] = tuple(map(source_of, _slice()))
OTHERS: tuple[Source, ...] = (
    *map(_multiplied, ("u1", "u2")),
    *map(_from_white, ("u1", "u2")),
    *(_narrow(bits, channels) for bits, channels in ((2, 1), (3, 1), (6, 3), (10, 1), (10, 3), (12, 1), (12, 3), (14, 1))),
    *(
        _tagged(f"u1 3 in {name}", picture(), picture(), photometric="rgb", compression=name)
        for name in ("lzma", "webp", "jpeg2000", "lerc")
    ),
    _tagged("? white is zero", ~picture("?", 1), as_levels(picture("?", 1)), photometric="miniswhite"),
    *(
        _tagged(f"{d} with differences {c}", picture(d, n), picture(d, n), predictor=True, compression=c, photometric=p)
        for d, n, p in (("u1", 3, "rgb"), ("u2", 1, "minisblack"), ("f4", 3, "rgb"), ("f2", 1, "minisblack"), ("f8", 3, "rgb"))
        for c in ("lzw", "zlib")
    ),
    _tagged("u2 3 big", picture("u2"), picture("u2"), photometric="rgb", bigtiff=True),
    _tagged("u1 3 beside grey", picture("u1"), picture("u1"), photometric="minisblack", planarconfig="contig"),
    _tagged("f4 4 beside grey", picture("f4", 4), picture("f4", 4), photometric="minisblack", planarconfig="contig"),
)
