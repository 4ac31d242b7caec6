"""PGM and PPM, which are read and written here and not by OpenCV."""

from __future__ import annotations

import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.images.codecs import netpbm


def noise(dtype: str, *shape: int) -> np.ndarray:
    """Pixels that use the whole range of an integer type."""
    limits = np.iinfo(dtype)
    return np.random.default_rng(7).integers(limits.min, limits.max, shape, dtype, endpoint=True)


def whole(pixels: np.ndarray) -> bytes:
    return b"".join(bytes(piece) for piece in netpbm.encoded(pixels))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(1, 1), (7, 5), (7, 5, 3), (1, 1, 3), (2000, 300, 3)])
def test_what_is_written_is_what_opencv_writes(dtype, shape) -> None:
    pixels = noise(dtype, *shape)
    data = whole(pixels)
    assert data == cv2.imencode(".pnm", pixels)[1].tobytes()
    view = memoryview(data)
    read = netpbm.decoded(view, netpbm.header_of(view))
    assert np.array_equal(read, pixels)
    assert read.dtype == dtype
    assert read.flags.writeable


def test_rows_that_are_not_next_to_each_other() -> None:
    pixels = noise("uint16", 8, 12, 3)[::2, ::3]
    assert whole(np.ascontiguousarray(pixels)) == cv2.imencode(".ppm", pixels.copy())[1].tobytes()


def test_pillow_reads_it(tmp_path) -> None:
    pixels = noise("uint8", 9, 4, 3)
    (tmp_path / "a.ppm").write_bytes(whole(pixels))
    assert np.array_equal(np.asarray(Pillow.open(tmp_path / "a.ppm"))[..., ::-1], pixels)


def test_blanks_and_comments_in_the_header() -> None:
    view = memoryview(b"P5 # a comment\n# another\r\t3\n\n2 #x\n255\n" + bytes(range(6)))
    header = netpbm.header_of(view)
    assert (header.columns, header.rows, header.greatest) == (3, 2, 255)
    assert netpbm.decoded(view, header).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("greatest", "stored", "expected"),
    [
        (255, [0, 7, 255], [0, 7, 255]),
        (15, [0, 7, 15], [0, 119, 255]),
        (1, [0, 1, 1], [0, 255, 255]),
        (1023, [0, 511, 1023], [0, 32735, 65535]),
        (4095, [0, 1, 4095], [0, 16, 65535]),
        (15, [200, 16, 15], [255, 255, 255]),
    ],
)
def test_white_stays_white(greatest, stored, expected) -> None:
    code = "3B" if greatest < 256 else ">3H"
    view = memoryview(b"P5 3 1 %d\n" % greatest + struct.pack(code, *stored))
    assert netpbm.read(view, "in").pixels.tolist() == [expected]


@pytest.mark.parametrize(
    "data",
    [b"P5 0 3 255\n", b"P5 3 0 255\n", b"P5 3 3 0\n", b"P5 3 3 65536\n", b"P7 3 3 255\n", b"P5 -3 3 255\n", b"P5", b"P5 3 3"],
)
def test_headers_that_make_no_sense(data) -> None:
    assert netpbm.header_of(memoryview(data)) is None


@pytest.mark.parametrize(
    "data", [b"P6 2 2 255\n" + bytes(11), b"P5 4000000000 4000000000 65535\n" + bytes(99), b"P2 1 1 255\n7"]
)
def test_data_that_end_too_early_or_are_text_are_left_to_opencv(data) -> None:
    view = memoryview(data)
    assert netpbm.decoded(view, netpbm.header_of(view)) is None


@given(
    st.binary(max_size=60).map(lambda b: b"P6 " + b) | st.from_regex(rb"\AP[56]\s\d{1,2}\s\d{1,2}\s\d{1,5}\s[\x00-\xff]{0,40}")
)
def test_any_bytes_are_an_image_or_nothing(data) -> None:
    view = memoryview(data)
    header = netpbm.header_of(view)
    pixels = netpbm.decoded(view, header) if header else None
    assert pixels is None or pixels.shape[:2] == (header.rows, header.columns)
