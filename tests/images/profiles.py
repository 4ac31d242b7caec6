"""ICC profiles for the tests, built as specified in ICC.1:2022: RGB, grey and CMYK."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Sequence

import numpy as np
from skimage.color import rgb2lab

D50 = (0.9642, 1.0, 0.8249)
COLORANTS = {b"rXYZ": (0.4361, 0.2225, 0.0139), b"gXYZ": (0.3851, 0.7169, 0.0971), b"bXYZ": (0.1431, 0.0606, 0.7141)}


def fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def para(kind: int, *numbers: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + fixed(*numbers)


def curv(values: Sequence[int]) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(f">I{len(values)}H", len(values), *values)


def cicp(code: int) -> bytes:
    return b"cicp\0\0\0\0" + bytes((9, code, 0, 1))


def built(space: bytes, tags: dict[bytes, bytes], pcs: bytes = b"XYZ ", kind: bytes = b"mntr") -> bytes:
    """Return a profile with these tags."""
    tags = {b"wtpt": b"XYZ \0\0\0\0" + fixed(*D50), **tags}
    at, table, body = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += struct.pack(">4sII", name, at + len(body), len(content))
        body += content.ljust(-(-len(content) // 4) * 4, b"\0")
    head = struct.pack(
        ">I4s4B4s4s4s6H4s", at + len(body), b"\0" * 4, 4, 32, 0, 0, kind, space, pcs, *(2020, 1, 1, 0, 0, 0), b"acsp"
    )
    head = head.ljust(68, b"\0") + fixed(*D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def rgb(red: bytes, green: bytes = b"", blue: bytes = b"", **more: bytes) -> bytes:
    """Return a profile with the primaries of sRGB and these curves; `red` replaces missing ones."""
    curves = {b"rTRC": red, b"gTRC": green or red, b"bTRC": blue or red}
    colorants = {name: b"XYZ \0\0\0\0" + fixed(*xyz) for name, xyz in COLORANTS.items()}
    return built(b"RGB ", {**colorants, **curves, **{name.encode(): tag for name, tag in more.items()}})


def grey(curve: bytes, pcs: bytes = b"XYZ ") -> bytes:
    return built(b"GRAY", {b"kTRC": curve}, pcs)


def without_curves() -> bytes:
    """Return an RGB profile with a lookup table instead of curves."""
    return built(b"RGB ", {b"A2B0": lut(3, 2)}, b"Lab ")


def cmyk(grid: int = 3) -> bytes:
    """Return a small CMYK profile: paper at L* 95, black near L* 10, impure inks."""
    return built(b"CMYK", {b"A2B0": lut(4, grid)}, b"Lab ", b"prtr")


def lut(inks: int, grid: int) -> bytes:
    """Return a lookup table to Lab (`mft2`, 10.10): identity curves around a grid."""
    nodes = np.array(list(itertools.product(np.linspace(0, 1, grid), repeat=inks)))
    black = nodes[:, 3:] if inks == 4 else 0
    colours = 0.07 + 0.87 * (1 - nodes[:, :3] * (0.97, 0.85, 0.9)) ** 1.3 * (1 - 0.9 * black) * (1 - 0.15 * nodes[:, [1, 2, 0]])
    lab = rgb2lab(colours[np.newaxis])[0]
    # L* from 0 to 100 is stored as 0 to FF00h; a* and b* of 0 as 8000h.
    levels = np.rint(np.stack([lab[:, 0] * 652.8, (lab[:, 1] + 128) * 256, (lab[:, 2] + 128) * 256], -1))
    head = b"mft2\0\0\0\0" + bytes((inks, 3, grid, 0)) + fixed(1, 0, 0, 0, 1, 0, 0, 0, 1) + struct.pack(">HH", 2, 2)
    identity = struct.pack(">HH", 0, 65535)
    return head + identity * inks + levels.astype(">u2").tobytes() + identity * 3
