"""AVIF: pictures and sequences written by libavif and Pillow, and damaged files."""

from __future__ import annotations

import io
import struct
import time

import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps, features

from imgconv.errors import ReadError, WriteError
from imgconv.images.file_bytes import FileBytes
from imgconv.images.files import decode, open_image, read_header, read_image, write_image, write_pages
from imgconv.images.formats import registry
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata, upright
from imgconv.images.pages import Pages, Timing
from tests.cases import each

pytestmark = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")

TIFF = b"II*\0\x0e\0\0\0" + bytes(14)
PACKET = b"<x:xmpmeta/>"
NUMBERS = np.random.default_rng(3)


def save(pictures: list[np.ndarray], **options: object) -> bytes:
    """Return RGB pictures encoded by Pillow as an AVIF picture or sequence."""
    file = io.BytesIO()
    first, *rest = map(Pillow.fromarray, pictures)
    first.save(file, "AVIF", **({"save_all": True, "append_images": rest} if rest else {}), **options)
    return file.getvalue()


def to_bgr(pixels: np.ndarray) -> np.ndarray:
    return pixels if pixels.ndim == 2 or pixels.shape[2] == 2 else pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def mean_error(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return float(np.abs(one.astype(int) - other).mean())


# Pictures


@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_samples_of_every_depth_are_exact(channels, bits, tmp_path) -> None:
    samples = NUMBERS.integers(0, 1 << bits, (16, 24, channels)).astype(np.uint8 if bits == 8 else np.uint16)
    samples = samples[:, :, 0] if channels == 1 else samples
    path, full = tmp_path / "in.avif", 255 if bits == 8 else 65_535
    path.write_bytes(imagecodecs.avif_encode(samples, level=100, bitspersample=bits))
    image, header = read_image(path), read_header(path)
    assert (header.shape, header.dtype, header.has_alpha) == (samples.shape, samples.dtype, channels in (2, 4))
    assert np.array_equal(to_bgr(image.pixels), np.rint(samples * (full / ((1 << bits) - 1))).astype(samples.dtype))
    assert image.coding == Coding(bits=None if bits == 8 else bits)


@each("depth", [8, 10, 12])
@each("channels", [1, 3, 4])
@each("orientation", [1, 3, 6, 7])
def test_written_pixels_and_metadata_are_read_back(depth, channels, orientation, photo, profile, tmp_path) -> None:
    pixels = np.dstack([photo, photo[:, :, 1]])[:, :, :channels].squeeze()
    pixels = np.ascontiguousarray(pixels if depth == 8 else pixels.astype(np.uint16) * 257)
    icc = profile if channels > 1 else profile[:16] + b"GRAY" + profile[20:]
    metadata = Metadata(xmp=PACKET, icc=icc).oriented(orientation)
    path = tmp_path / "out.avif"
    assert write_image(path, Image(pixels, metadata), coding=Coding(bits=depth)) == ()
    found = read_image(path)
    assert (found.metadata, found.coding) == (metadata, Coding(bits=None if depth == 8 else depth))
    assert found.pixels.dtype == pixels.dtype
    assert mean_error(found.pixels, pixels) < (5 if depth == 8 else 5 * 257)
    decoded = imagecodecs.avif_decode(path.read_bytes())
    assert decoded.max() < 1 << depth
    with Pillow.open(path) as image:
        assert image.getexif().get(0x0112, 1) == orientation
        assert (image.info["xmp"], image.info["icc_profile"]) == (PACKET, icc)
        assert ImageOps.exif_transpose(image).size == upright(pixels, orientation).shape[1::-1]


def test_resolution_and_comment_are_stored_in_exif(photo, tmp_path) -> None:
    path = tmp_path / "out.avif"
    metadata = Metadata(comment="a bird", resolution=(300.0, 150.0), iptc=b"8BIM")
    assert write_image(path, Image(photo, metadata)) == ("left out IPTC: AVIF cannot store it",)
    with Pillow.open(path) as image:
        fields = image.getexif()
        assert (fields[0x010E], fields[0x011A], fields[0x011B]) == ("a bird", 150, 300)
    found = read_image(path).metadata
    assert (found.comment, found.resolution) == ("a bird", (300, 150))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_of_pillow_are_read(orientation) -> None:
    pixels = np.zeros((40, 60, 3), np.uint8)
    pixels[:20, :30], pixels[:20, 30:], pixels[20:, :30] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    exif = Pillow.Exif()
    exif[0x0112], exif[0x010F] = orientation, "A maker"
    image = decode(save([pixels], exif=exif.tobytes(), quality=95))
    source = Pillow.fromarray(pixels)
    source.getexif()[0x0112] = orientation
    assert image.metadata.orientation == orientation
    assert mean_error(to_bgr(image.upright().pixels), np.asarray(ImageOps.exif_transpose(source))) < 5


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("frames", [1, 2])
def test_files_of_pillow_are_read(mode, frames, photo, profile) -> None:
    fields = Pillow.Exif()
    fields[0x010F] = "A maker"
    first = np.asarray(Pillow.fromarray(np.dstack([photo, photo[:, :, 1]])).convert(mode))
    data = save([first, first[::-1]][:frames], exif=fields.tobytes(), xmp=PACKET, icc_profile=profile)
    image = decode(data)
    assert image.metadata == Metadata(fields.tobytes()[6:], PACKET, profile)
    assert (image.pages, image.pixels.shape) == (frames, first.shape)
    assert mean_error(to_bgr(image.pixels), first) < 12


# Sequences; tests common to all animation formats are in test_animations.py


def open_frames(data: bytes) -> Pages:
    return registry.format_named("avif").open(FileBytes(memoryview(data)), "x", 1 << 24)


def moving(channels: int) -> list[np.ndarray]:
    """Return BGR frames with a patch that moves over a gradient; two of them are equal."""
    rows, columns = np.mgrid[:24, :30]
    start = np.dstack([columns * 8, rows * 10, 255 - columns * 3, 255 - rows])[:, :, :channels].astype(np.uint8).squeeze()
    found = []
    for step in (0, 1, 1, 2, 3):
        frame = start.copy()
        frame[4 + step : 12 + step, 3 * step : 3 * step + 8] = 100
        found.append(frame)
    return found


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_sequences_of_pillow_are_read(channels) -> None:
    frames = [to_bgr(frame) for frame in moving(channels)]
    data = save(frames, duration=[10, 20, 35, 999, 1])
    decoded = imagecodecs.avif_decode(data)
    for index in (4, 0, 1, 2, 3):
        page = open_frames(data).page(index)
        assert mean_error(to_bgr(page.pixels), decoded[index].reshape(page.pixels.shape)) < 1
    assert open_frames(data).timing == Timing((10.0, 20.0, 35.0, 999.0, 1.0), 0)


@pytest.mark.parametrize("loop", [0, 1, 5])
def test_the_track_duration_covers_all_loops(loop, tmp_path) -> None:
    path = tmp_path / "out.avif"
    write_pages(path, map(Image, moving(3)), 5, Timing((40.0,) * 5, loop))
    data = path.read_bytes()
    assert struct.unpack_from(">Q", data, data.index(b"tkhd") + 32)[0] == (loop * 200 or (1 << 64) - 1)


def test_lossless_sequences_must_be_grey(tmp_path) -> None:
    path = tmp_path / "out.avif"
    write_pages(path, map(Image, moving(1)), 5, Timing((40.0,) * 5), coding=Coding(lossless=True))
    assert all(np.array_equal(open_image(path).page(i).pixels, frame) for i, frame in enumerate(moving(1)))
    with pytest.raises(WriteError, match=r"out\.avif: lossless AVIF animations in colour are not supported"):
        write_pages(path, map(Image, moving(3)), 5, Timing((40.0,) * 5), coding=Coding(lossless=True))


@pytest.mark.parametrize("bits", [10, 12])
def test_sequences_of_more_than_8_bits_are_an_error(bits, tmp_path) -> None:
    data = imagecodecs.avif_encode(np.array(moving(3), np.uint16), level=95, bitspersample=bits)
    with pytest.raises(
        ReadError, match=f"x: an AVIF animation with {bits} bits per sample is not supported; convert it to 8 bits"
    ):
        decode(data, "x")
    path = tmp_path / "out.avif"
    with pytest.raises(WriteError, match="cannot store an animation of 16-bit pixels; choose `depth` 8"):
        write_pages(path, (Image(f.astype(np.uint16)) for f in moving(3)), 5, Timing((40.0,) * 5), coding=Coding(bits=bits))
    assert not path.exists()


def test_the_brand_selects_picture_or_sequence() -> None:
    data = save(moving(3))
    assert decode(data).pages == 5
    assert decode(data.replace(b"ftypavis", b"ftypavif", 1)).pages == 1
    assert decode(data.replace(b"ftypavis", b"ftypmsf1", 1)).pages == 5


# Damage

DAMAGED = {
    "picture": save([moving(4)[0]], exif=b"Exif\0\0" + TIFF, xmp=PACKET),
    "sequence": save(moving(4), exif=b"Exif\0\0" + TIFF),
    "12 bits": imagecodecs.avif_encode(moving(3)[0].astype(np.uint16), level=95, bitspersample=12),
}


@pytest.mark.parametrize("kind", DAMAGED)
def test_a_truncated_file_is_a_read_error(kind) -> None:
    data = DAMAGED[kind]
    for end in (*range(1, len(data), max(1, len(data) // 60)), len(data) - 3):
        with pytest.raises(ReadError, match="x: "):
            decode(data[:end], "x")


@pytest.mark.parametrize("kind", DAMAGED)
@given(places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), max_size=4), cut=st.floats(0, 1))
def test_a_damaged_file_gives_a_picture_or_a_read_error(kind, places, cut) -> None:
    data = bytearray(DAMAGED[kind])
    for place, change in places:
        data[place % len(data)] ^= change
    data = data[: int(len(data) * cut)] if cut < 0.9 else data
    message = "x: "
    try:
        assert decode(bytes(data), "x", max_pixels=1 << 22).pixels.size
    except ReadError as error:
        message = str(error)
    assert message.startswith("x: ")
    assert "\n" not in message


HEAD = b"\0\0\0\x10ftypavif\0\0\0\0"
HOSTILE = {
    "empty boxes": HEAD + b"\0\0\0\x08free" * 1_000_000,
    "empty meta boxes": HEAD + b"\0\0\0\x0cmeta\0\0\0\0" * 700_000,
    "nested boxes": HEAD.replace(b"avif", b"avis")
    + b"".join(struct.pack(">I4s", 8 * (9000 - i), b"moov") for i in range(9000)),
    "endless durations": DAMAGED["sequence"].replace(b"stts\0\0\0\0", b"stts\0\0\0\0\xff", 1),
    "endless frames": DAMAGED["sequence"].replace(
        struct.pack(">4sIII", b"stsz", 0, 0, 5), struct.pack(">4sIII", b"stsz", 0, 1, 1 << 30)
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_malicious_files_are_rejected_quickly(kind) -> None:
    start = time.process_time()
    with pytest.raises(ReadError):
        decode(HOSTILE[kind], "x")
    assert time.process_time() - start < 2
