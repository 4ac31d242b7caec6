"""Reader independent of imgconv: by Pillow if it keeps every bit, else by tifffile or by code from the specification."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image as Pillow


def read(path: Path) -> np.ndarray:
    """Return the pixels of a file, (H, W) or (H, W, C), in RGB order and native byte order."""
    pixels = _read(path)
    return pixels.astype(pixels.dtype.newbyteorder("="))


def _read(path: Path) -> np.ndarray:
    data = path.read_bytes()
    if path.suffix in (".txt", ".csv"):
        return np.loadtxt(path, delimiter="," if path.suffix == ".csv" else None, ndmin=2)
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(path)
    if data[:8] == b"\x89PNG\r\n\x1a\n" and data[24] >= 8:
        return _png(data)
    if data[:6] == b"\x93NUMPY":
        return np.load(path)
    if data[:2] in (b"P5", b"P6", b"PF", b"Pf"):
        return _netpbm(data)
    if data[:4] == b"\x76\x2f\x31\x01":  # OpenEXR: only OpenCV reads it here
        pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        (kind,) = struct.unpack_from("<I", data, data.index(b"\0", data.index(b"chlist\0") + 11) + 1)
        pixels = pixels.astype(np.float16) if kind == 1 else pixels
        return pixels if pixels.ndim == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]
    with Pillow.open(path) as image:
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        return np.asarray(image)


def _netpbm(data: bytes) -> np.ndarray:
    kind, columns, rows, greatest, body = (*data.split(maxsplit=3)[:3], *data.split(maxsplit=3)[3].split(b"\n", 1))
    channels = 3 if kind in (b"P6", b"PF") else 1
    is_integer = kind in (b"P5", b"P6")
    dtypes = (">u2", "u1") if is_integer else ("<f4", ">f4")
    dtype = dtypes[not (int(greatest) > 255 if is_integer else float(greatest) < 0)]
    pixels = np.frombuffer(body, dtype).reshape(int(rows), int(columns), channels)
    pixels = pixels[::-1] if kind in (b"PF", b"Pf") else pixels  # PFM stores the bottom row first
    return pixels if channels == 3 else pixels[:, :, 0]


def _png(data: bytes) -> np.ndarray:
    at, body = 8, b""
    columns, rows, bits, colour = struct.unpack_from(">IIBB", data, 16)
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        assert zlib.crc32(data[at + 4 : at + 8 + size]) == struct.unpack_from(">I", data, at + 8 + size)[0]
        body += data[at + 8 : at + 8 + size] if name == b"IDAT" else b""
        at += 12 + size
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    step, raw = channels * bits // 8, zlib.decompress(body)
    width, previous, lines = columns * step, bytearray(columns * step), []
    for start in range(0, len(raw), width + 1):
        line = bytearray(raw[start + 1 : start + 1 + width])
        _unfilter(raw[start], line, previous, step)
        lines.append(bytes(line))
        previous = line
    pixels = np.frombuffer(b"".join(lines), ">u2" if bits == 16 else "u1").reshape(rows, columns, channels)
    return pixels if channels > 1 else pixels[:, :, 0]


def _unfilter(kind: int, line: bytearray, previous: bytearray, step: int) -> None:
    for i in range(len(line)):
        left, up, corner = (line[i - step], previous[i], previous[i - step]) if i >= step else (0, previous[i], 0)
        guess = left + up - corner
        paeth = min((left, up, corner), key=lambda value: abs(guess - value))
        line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255


def _tiff(path: Path) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        return file.pages[0].asarray()
