"""Random animations generated from the specifications, and readers by other libraries."""

from __future__ import annotations

import io
import struct
import tempfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pyvips
from PIL import Image as Pillow

import imgconv
from imgconv.images.files import write_pages
from imgconv.images.formats import registry
from imgconv.images.image import Coding
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Pages, Timing

#: Names of the formats with animations.
ANIMATED = sorted(f.name for f in registry.all_formats() if f.pages == "frames")

ROWS, COLUMNS, COUNT = 12, 15, 6


def open_pages(data: bytes, max_pixels: int = 1 << 24) -> Pages:
    """Open the bytes of a file named x.pic."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.pic"
        path.write_bytes(data)
        return imgconv.open_image(path, max_pixels=max_pixels)


def frames(data: bytes) -> list[np.ndarray]:
    """Return the pixels of all frames; assert that all headers are equal and match the frames."""
    pages = open_pages(data)
    found = [pages.open_page(index) for index in range(pages.count)]
    assert len({(page.header, page.metadata, page.coding) for page in found}) == 1
    images = [page.image() for page in found]
    for image in images:
        assert (image.pixels.shape, image.pixels.dtype) == (found[0].header.shape, found[0].header.dtype)
        assert (image.has_alpha, image.pages) == (found[0].header.has_alpha, pages.count)
    assert pages.count == 1 or pages.count == len(pages.timing.durations)
    return [image.pixels for image in images]


def encode_frames(pictures, kind: str, durations=None, loop: int = 0, coding: Coding | None = None, **metadata) -> bytes:
    """Return pictures encoded as an animation named out.pic."""
    timing = Timing(tuple(durations or [40] * len(pictures)), loop)
    images = (imgconv.Image(pixels, Metadata(**metadata)) for pixels in pictures)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out.pic"
        write_pages(path, images, len(timing.durations), timing, format=kind, coding=coding)
        return path.read_bytes()


def with_alpha(pixels: np.ndarray) -> np.ndarray:
    """Return pixels in four channels, in unchanged colour order: grey repeated, missing alpha opaque."""
    pixels = pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]
    grey, opaque = pixels.shape[2] < 3, pixels.shape[2] in (1, 3)
    colour = pixels[:, :, [0, 0, 0]] if grey else pixels[:, :, :3]
    alpha = np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype) if opaque else pixels[:, :, -1]
    return np.dstack([colour, alpha])


def visible(pixels: np.ndarray) -> np.ndarray:
    """Return pixels in four channels, with the colour of transparent ones set to 0."""
    pixels = with_alpha(pixels)
    return pixels * (pixels[:, :, 3:] > 0)


def by_pillow(data: bytes) -> list[np.ndarray]:
    """Return the frames decoded by Pillow, in BGRA."""
    found = []
    with Pillow.open(io.BytesIO(data)) as image:
        for index in range(image.n_frames):
            image.seek(index)
            found.append(np.asarray(image.convert("RGBA"))[:, :, [2, 1, 0, 3]])
    return found


def by_opencv(data: bytes) -> list[np.ndarray]:
    """Return the frames decoded by OpenCV, in BGRA."""
    success, animation = cv2.imdecodeanimation(np.frombuffer(data, np.uint8).reshape(1, -1))  # OpenCV 4 rejects a column
    assert success
    return [with_alpha(frame) for frame in animation.frames]


def by_libvips(data: bytes) -> list[np.ndarray]:
    """Return the frames decoded by libvips, in BGRA."""
    image = pyvips.Image.new_from_buffer(data, "", n=-1)
    pixels, rows = with_alpha(image.numpy()), image.get("page-height")
    return [pixels[start : start + rows, :, [2, 1, 0, 3]] for start in range(0, len(pixels), rows)]


def random_place(numbers: np.random.Generator, whole: bool) -> tuple[int, int, int, int]:
    """Return a random rectangle as top, left, rows, columns; the full canvas if `whole`."""
    if whole:
        return 0, 0, ROWS, COLUMNS
    top, left = int(numbers.integers(ROWS)), int(numbers.integers(COLUMNS))
    return top, left, int(numbers.integers(1, ROWS - top + 1)), int(numbers.integers(1, COLUMNS - left + 1))


def gif_codes(indices: np.ndarray) -> bytes:
    """Return the LZW data of a GIF frame, in 9-bit codes; the table is cleared before it would need 10 bits."""
    codes = []
    for at in range(0, indices.size, 250):
        codes += [256, *indices.ravel()[at : at + 250].tolist()]
    bits = sum(code << 9 * i for i, code in enumerate([*codes, 257]))
    data = bits.to_bytes((9 * (len(codes) + 1) + 7) // 8, "little")
    blocks = [data[at : at + 255] for at in range(0, len(data), 255)]
    return b"\x08" + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"


def gif(
    numbers: np.random.Generator, disposals: tuple[int, ...], *, transparent: float, whole: bool, loop: int | None = 0
) -> bytes:
    """Return a GIF of random frames with a local or global palette; the share `transparent` of them has transparency."""
    colours = numbers.integers(0, 256, 768, np.uint8).tobytes()
    data = b"GIF89a" + struct.pack("<HHBBB", COLUMNS, ROWS, 0xF7, 0, 0) + colours
    data += b"" if loop is None else b"!\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", loop, 0)
    for index in range(COUNT):
        top, left, rows, columns = random_place(numbers, whole and not index)
        flags = int(numbers.choice(disposals if index else disposals[:1])) << 2 | int(numbers.random() < transparent)
        local_palette = numbers.random() < 0.5
        data += struct.pack("<2sBBHBB", b"!\xf9", 4, flags, 3 * index, 3, 0)
        data += struct.pack("<BHHHHB", 0x2C, left, top, columns, rows, 0x87 * local_palette)
        data += numbers.integers(0, 256, 768, np.uint8).tobytes() if local_palette else b""
        data += gif_codes(numbers.integers(0, 8, (rows, columns)))
    return data + b";"


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a chunk of a PNG."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # samples per pixel by PNG colour type


def apng(
    numbers: np.random.Generator, colour: int, bits: int = 8, *, disposals=(0, 1, 2), blends=(0, 1), extra=False, plain=False
) -> bytes:
    """Return an animated PNG of randomly placed frames.

    Args:
        numbers: random number generator.
        colour: PNG colour type; in type 3 the first of four colours is transparent.
        bits: bits per sample, 8 or 16, with the same pictures.
        disposals: disposal methods to choose from.
        blends: blend methods to choose from.
        extra: whether to add a default image that is not a frame.
        plain: whether every frame covers the canvas, without disposal or blending.
    """
    head = struct.pack(">IIBBBBB", COLUMNS, ROWS, bits, colour, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"acTL", struct.pack(">II", COUNT, 3))
    if colour == 3:
        data += chunk(b"PLTE", numbers.integers(0, 256, 12, np.uint8).tobytes()) + chunk(b"tRNS", b"\0")

    def encode_rows(rows: int, columns: int) -> bytes:
        samples = numbers.integers(0, 4 if colour == 3 else 256, (rows, columns, SAMPLES[colour]))
        if colour >= 4:
            samples[:, :, -1] = np.where(samples[:, :, -1] < 100, 0, 255)
        stored = (samples * 257).astype(">u2") if bits == 16 else samples.astype(np.uint8)
        return zlib.compress(b"".join(b"\0" + row.tobytes() for row in stored))

    data += chunk(b"IDAT", encode_rows(ROWS, COLUMNS)) if extra else b""
    number = 0
    for index in range(COUNT):
        top, left, rows, columns = random_place(numbers, plain or not (index or extra))
        disposal, blend = (0, 0) if plain else (int(numbers.choice(disposals)), int(numbers.choice(blends)))
        rectangle = (columns, rows, left, top)
        data += chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, *rectangle, index + 1, 60, disposal, blend))
        pixels = encode_rows(rows, columns)
        first = index == 0 and not extra
        data += chunk(b"IDAT", pixels) if first else chunk(b"fdAT", struct.pack(">I", number + 1) + pixels)
        number += 1 if first else 2
    return data + chunk(b"IEND", b"")
