"""Image files read without OpenCV: by Pillow where it keeps every bit, and from the specification where it does not."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import tifffile
from PIL import Image as Pillow


def read(path: Path) -> np.ndarray:
    """Return the pixels, red first: (H, W) or (H, W, C), in the byte order of the machine."""
    pixels = _read(path)
    return pixels.astype(pixels.dtype.newbyteorder("="))


def _read(path: Path) -> np.ndarray:
    data = path.read_bytes()
    if data[:4] in (b"II*\0", b"MM\0*"):
        return _tiff(path, data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return _png(data)
    if data[:2] in (b"P5", b"P6", b"PF", b"Pf"):
        return _netpbm(data)
    with Pillow.open(path) as image:
        if image.mode == "P":
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        return np.asarray(image)


def _netpbm(data: bytes) -> np.ndarray:
    kind, columns, rows, greatest, body = (*data.split(maxsplit=3)[:3], *data.split(maxsplit=3)[3].split(b"\n", 1))
    channels = 3 if kind in (b"P6", b"PF") else 1
    whole = kind in (b"P5", b"P6")
    dtypes = (">u2", "u1") if whole else ("<f4", ">f4")
    dtype = dtypes[not (int(greatest) > 255 if whole else float(greatest) < 0)]
    pixels = np.frombuffer(body, dtype).reshape(int(rows), int(columns), channels)
    pixels = pixels[::-1] if kind in (b"PF", b"Pf") else pixels  # PFM begins at the bottom
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
    width, before, lines = columns * step, bytearray(columns * step), []
    for start in range(0, len(raw), width + 1):
        line = bytearray(raw[start + 1 : start + 1 + width])
        _unfilter(raw[start], line, before, step)
        lines.append(bytes(line))
        before = line
    pixels = np.frombuffer(b"".join(lines), ">u2" if bits == 16 else "u1").reshape(rows, columns, channels)
    return pixels if channels > 1 else pixels[:, :, 0]


def _unfilter(kind: int, line: bytearray, before: bytearray, step: int) -> None:
    for i in range(len(line)):
        left, up, corner = (line[i - step], before[i], before[i - step]) if i >= step else (0, before[i], 0)
        guess = left + up - corner
        paeth = min((left, up, corner), key=lambda value: abs(guess - value))
        line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255


def _tiff(path: Path, data: bytes) -> np.ndarray:
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        if page.compression == 1:
            return page.asarray()
        assert page.compression == 5
        pieces = [_lzw(data[o : o + n]) for o, n in zip(page.dataoffsets, page.databytecounts, strict=True)]
        if page.predictor == 3:
            return _from_planes_of_bytes(b"".join(pieces), page.shape, page.dtype)
        pixels = np.frombuffer(b"".join(pieces), page.dtype.newbyteorder(file.byteorder)).reshape(page.shape)
        assert page.predictor in (1, 2)
        return pixels if page.predictor == 1 else np.cumsum(pixels, axis=1, dtype=pixels.dtype)


def _from_planes_of_bytes(data: bytes, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """Undo the predictor for floats (TIFF technical note 3): a row is all first bytes, all second ones, ..., as differences."""
    channels = shape[2] if len(shape) == 3 else 1
    steps = np.frombuffer(data, np.uint8).reshape(shape[0], -1, channels)
    planes = np.cumsum(steps, axis=1, dtype=np.uint8).reshape(shape[0], dtype.itemsize, -1)
    return np.ascontiguousarray(planes.swapaxes(1, 2)).view(dtype.newbyteorder(">")).reshape(shape)


def _lzw(data: bytes) -> bytes:
    """Undo the LZW of TIFF 6.0, section 13: codes of 9 to 12 bits, the highest bit first; 256 clears, 257 ends."""
    table: list[bytes] = []
    out, last, width, at = [], b"", 9, 0
    bits = int.from_bytes(data, "big")
    total = len(data) * 8
    while at + width <= total:
        code = (bits >> (total - at - width)) & ((1 << width) - 1)
        at += width
        if code == 257:
            break
        if code == 256:
            table, last, width = [bytes([i]) for i in range(256)] + [b"", b""], b"", 9
            continue
        word = table[code] if code < len(table) else last + last[:1]
        out.append(word)
        if last:
            table.append(last + word[:1])
        last = word
        width = 9 + sum(len(table) + 1 >= size for size in (512, 1024, 2048))
    return b"".join(out)
