"""OpenEXR: headers built from the specification, and pixels if OpenCV was built with OpenEXR."""

from __future__ import annotations

import struct

import numpy as np
import pytest

import imgconv
from imgconv.errors import ReadError, WriteError
from imgconv.images.files import decode
from imgconv.images.formats import registry
from imgconv.images.image import Image
from tests.images.formats.pictures import page

HALF, FLOAT = 1, 2
BUILT_IN = registry.format_named("exr").is_built_in()


def attribute(name: str, kind: str, value: bytes) -> bytes:
    return f"{name}\0{kind}\0".encode() + struct.pack("<I", len(value)) + value


def exr(planes: dict[str, np.ndarray], kind: int, *, corner: tuple[int, int] = (0, 0), flags: int = 2) -> bytes:
    """Return an uncompressed scan-line file with its channels sorted by name."""
    rows, columns = next(iter(planes.values())).shape
    (top, left), dtype = corner, {0: "<u4", HALF: "<f2", FLOAT: "<f4"}[kind]
    listed = b"".join(f"{name}\0".encode() + struct.pack("<IBxxxII", kind, 0, 1, 1) for name in sorted(planes)) + b"\0"
    window = struct.pack("<4i", left, top, left + columns - 1, top + rows - 1)
    head = b"\x76\x2f\x31\x01" + struct.pack("<I", flags)
    head += attribute("channels", "chlist", listed) + attribute("compression", "compression", b"\0")
    head += attribute("dataWindow", "box2i", window) + attribute("displayWindow", "box2i", window)
    head += attribute("lineOrder", "lineOrder", b"\0") + attribute("pixelAspectRatio", "float", struct.pack("<f", 1))
    head += attribute("screenWindowCenter", "v2f", bytes(8)) + attribute("screenWindowWidth", "float", struct.pack("<f", 1))
    head += b"\0"
    lines = [b"".join(planes[name][row].astype(dtype).tobytes() for name in sorted(planes)) for row in range(rows)]
    start = len(head) + 8 * rows
    places = b"".join(struct.pack("<Q", start + row * (8 + len(lines[0]))) for row in range(rows))
    chunks = (struct.pack("<iI", top + row, len(line)) + line for row, line in enumerate(lines))
    return head + places + b"".join(chunks)


def planes(names: str) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(7)
    return {name: rng.uniform(-1, 3, (5, 8)).astype(np.float16) for name in names}


@pytest.mark.parametrize(("names", "channels"), [("BGR", 3), ("ABGR", 4), ("Y", 1)])
@pytest.mark.parametrize(("kind", "dtype"), [(HALF, "float16"), (FLOAT, "float32")])
@pytest.mark.parametrize("corner", [(0, 0), (-3, 40)])
def test_header_and_pixels(names, channels, kind, dtype, corner) -> None:
    channel_planes = planes(names)
    data = exr(channel_planes, kind, corner=corner)
    header = page(data).header
    assert header.shape == ((5, 8, channels) if channels > 1 else (5, 8))
    assert (header.dtype, header.has_alpha) == (np.dtype(dtype), channels == 4)
    if not BUILT_IN:
        with pytest.raises(ReadError, match=r"in\.exr: is OpenEXR, which is not supported by this build of OpenCV"):
            decode(data, "in.exr")
        return
    image = decode(data, "in.exr")
    expected = channel_planes["Y"] if names == "Y" else np.dstack([channel_planes[name] for name in "BGRA"[:channels]])
    assert image.pixels.dtype == dtype
    assert np.array_equal(image.pixels, expected)


@pytest.mark.parametrize(
    ("kind", "flags", "words"), [(0, 2, "integer samples"), (HALF, 0x802, "deep"), (HALF, 0x1002, "several parts")]
)
def test_unsupported_files_are_an_error(kind, flags, words) -> None:
    with pytest.raises(ReadError, match=words):
        decode(exr(planes("BGR"), kind, flags=flags), "in.exr")


@pytest.mark.parametrize("size", [3, 9, 30, 90, 150])
def test_a_truncated_header_is_an_error(size) -> None:
    with pytest.raises(ReadError):
        decode(exr(planes("BGR"), HALF)[:size], "in.exr")


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pixels_are_written_or_an_error(tmp_path, dtype, channels) -> None:
    pixels = np.random.default_rng(3).uniform(-1, 3, (9, 11, channels)).astype(dtype)
    path = tmp_path / "out.exr"
    if not BUILT_IN:
        with pytest.raises(WriteError, match=r"OpenEXR is not supported by this build of OpenCV; choose .*\.tif"):
            imgconv.write_image(path, Image(pixels))
        assert not path.exists()
        return
    imgconv.write_image(path, Image(pixels))
    found = imgconv.read_image(path)
    assert found.pixels.dtype == dtype
    assert np.array_equal(found.pixels.reshape(pixels.shape), pixels)
