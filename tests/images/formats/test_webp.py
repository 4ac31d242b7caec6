"""WebP: pictures and animations written by Pillow, files written by imgconv and read by Pillow and libvips, damage."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.errors import ReadError
from imgconv.images.file_bytes import FileBytes
from imgconv.images.files import decode, open_image, read_header, read_image, write_image, write_pages
from imgconv.images.formats import registry
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Timing
from tests.cases import each

NOISE = np.random.default_rng(2).integers(0, 256, (7, 9, 4), np.uint8)
XMP = b"<x:xmpmeta/>"
ORIENTATION, DESCRIPTION, ACROSS, DOWN, UNIT = 0x0112, 0x010E, 0x011A, 0x011B, 0x0128


def exif(**fields: object) -> bytes:
    found = Pillow.Exif()
    for name, value in fields.items():
        found[globals()[name]] = value
    return found.tobytes()


def save(mode: str, **options: object) -> bytes:
    file = io.BytesIO()
    frames = [Pillow.new(mode, (9, 7))] if options.get("save_all") else []
    Pillow.fromarray(NOISE).convert(mode).save(file, "WEBP", append_images=frames, **options)
    return file.getvalue()


def chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    assert struct.unpack_from("<4sI4s", data) == (b"RIFF", len(data) - 8, b"WEBP")
    found, at = [], 12
    while at < len(data):
        kind, size = struct.unpack_from("<4sI", data, at)
        found.append((kind, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    assert at == len(data)
    return found


def to_bgr(pixels: np.ndarray) -> np.ndarray:
    return pixels[:, :, [2, 1, 0, 3][: pixels.shape[2]]]


def by_pillow(path) -> list[np.ndarray]:
    with Pillow.open(path) as image:
        return [to_bgr(np.asarray(image)) for index in range(image.n_frames) if not image.seek(index)]


def by_libvips(path) -> list[np.ndarray]:
    image = pyvips.Image.new_from_buffer(path.read_bytes(), "", n=-1)
    rows = image.get("page-height") if "page-height" in image.get_fields() else image.height
    return [to_bgr(frame) for frame in np.split(image.numpy(), image.height // rows)]


FILES = {
    "lossy": (save("RGB"), False),
    "lossless": (save("RGB", lossless=True), True),
    "lossy with alpha": (save("RGBA"), False),
    "lossless with alpha": (save("RGBA", lossless=True, exact=True), True),
    "lossy with EXIF": (save("RGB", exif=exif(ORIENTATION=6)), False),
    "animated": (save("RGBA", save_all=True), False),
    "animated lossless": (save("RGBA", save_all=True, lossless=True), True),
}


@pytest.mark.parametrize("kind", FILES)
def test_pixels_header_and_coding_are_read(kind, tmp_path) -> None:
    data, lossless = FILES[kind]
    path = tmp_path / "in.webp"
    path.write_bytes(data)
    image, header = read_image(path), read_header(path)
    assert image.coding == Coding(lossless=lossless)
    assert (image.pages, image.format) == (1 + ("animated" in kind), "webp")
    assert (header.shape, header.dtype) == (image.pixels.shape, image.pixels.dtype)
    assert np.array_equal(image.pixels, by_pillow(path)[0])
    if kind == "lossless with alpha":
        assert np.array_equal(image.pixels, to_bgr(NOISE))


@each("channels", [1, 2, 3, 4])
@each("coding", [Coding(), Coding(quality=80)])
@each("blocks", [(), ("icc",), ("exif", "xmp"), ("icc", "exif", "xmp")])
def test_written_chunks_pixels_and_metadata(blocks, coding, channels, profile, tmp_path) -> None:
    full_metadata = Metadata(exif=exif(ORIENTATION=6, DESCRIPTION="a bird")[6:], xmp=XMP + b"." * 2, icc=profile)
    pixels = NOISE[:, :, :channels] if channels > 1 else NOISE[:, :, 0]
    path = tmp_path / "out.webp"
    assert write_image(path, Image(np.ascontiguousarray(pixels), full_metadata.only(set(blocks))), coding=coding) == ()
    expected = {1: pixels[..., None][..., [0] * 3], 2: pixels[..., [0, 0, 0, -1]]}.get(channels, pixels)
    image, found = read_image(path), chunks(path.read_bytes())
    assert image.coding.lossless == (coding.quality is None)
    if not coding.quality:
        assert np.array_equal(image.pixels, expected)
    for read in (by_pillow, by_libvips):
        assert np.array_equal(read(path)[0], image.pixels)
    assert image.metadata.only({"exif", "xmp", "icc"}) == full_metadata.only(set(blocks))
    with Pillow.open(path) as stored:
        assert stored.info.get("icc_profile", b"") == image.metadata.icc
        assert stored.info.get("xmp", b"") == image.metadata.xmp
        assert stored.getexif().get(ORIENTATION) == (6 if "exif" in blocks else None)
    if blocks:
        image_chunks = [b"VP8L"] if not coding.quality else [b"ALPH", b"VP8 "] if channels in (2, 4) else [b"VP8 "]
        metadata = [b"EXIF", b"XMP "] if "exif" in blocks else []
        assert [name for name, _ in found] == [b"VP8X", *([b"ICCP"] if "icc" in blocks else []), *image_chunks, *metadata]
        flags = 0x20 * ("icc" in blocks) | 0x0C * ("exif" in blocks) | 0x10 * (channels in (2, 4))
        assert found[0][1] == bytes([flags, 0, 0, 0, 8, 0, 0, 6, 0, 0])


@pytest.mark.parametrize("size", [(1, 1), (16_383, 1), (3, 300)])
@pytest.mark.parametrize("coding", [Coding(), Coding(quality=80)], ids=["lossless", "lossy"])
def test_the_canvas_has_the_size_of_the_image(size, coding, tmp_path) -> None:
    path = tmp_path / "out.webp"
    write_image(path, Image(np.zeros((*size, 3), np.uint8), Metadata(xmp=XMP)), coding=coding)
    with Pillow.open(path) as image:
        assert image.size == size[::-1]
    assert read_header(path).shape == (*size, 3)


def test_resolution_and_comment_are_stored_in_exif(tmp_path) -> None:
    fields = exif(DESCRIPTION="a bird", ACROSS=240.0, DOWN=120.0, UNIT=2)
    image = decode(save("RGB", exif=fields))
    assert (image.metadata.comment, image.metadata.resolution) == ("a bird", (120, 240))
    # EXIF with the same values is kept unchanged; a different resolution replaces that of EXIF, a different comment does not.
    path = tmp_path / "out.webp"
    assert write_image(path, image) == ()
    assert read_image(path).metadata == image.metadata
    other = Metadata(exif=fields[6:], resolution=(72.0, 72.0), comment="another bird")
    (note,) = write_image(path, Image(image.pixels, other))
    assert note == "left out the comment: WebP stores it only in EXIF, which contains another description"
    found = read_image(path).metadata
    assert (found.resolution, found.comment) == ((72, 72), "a bird")
    notes = write_image(
        path, Image(image.pixels, Metadata(exif=b"II*\0\xff\xff\xff\xff", comment="a", resolution=(72.0, 72.0)))
    )
    assert ["the comment" in note or "the resolution" in note for note in notes] == [True, True]


# Animations; tests common to all formats are in test_animations.py


def moving() -> list[np.ndarray]:
    """Return frames with a moving patch and a moving transparent area."""
    start = np.random.default_rng(3).integers(0, 256, (23, 30, 4), np.uint8)
    found = []
    for step in range(4):
        frame = start.copy()
        frame[step : step + 7, 3 * step + 1 : 3 * step + 8] = step
        frame[:, :, 3] = np.roll(np.where(start[:, :, 0] % 3, 255, 90), step, axis=1) * (start[:, :, 1] > 99)
        found.append(frame)
    return found


def test_lossless_animations_store_only_changes(tmp_path) -> None:
    frames = [np.ascontiguousarray(frame[:, :, :3]) for frame in moving()]
    write_pages(tmp_path / "out.webp", map(Image, frames), 4, Timing((40.0,) * 4))
    (_, first), *others = [chunk for chunk in chunks((tmp_path / "out.webp").read_bytes()) if chunk[0] == b"ANMF"]
    assert all(len(other) < len(first) / 2 for _, other in others)


@pytest.mark.parametrize("options", [{"lossless": True}, {"minimize_size": True, "loop": 4}, {"allow_mixed": True}])
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_animations_of_pillow_are_read(mode, options, tmp_path) -> None:
    first, *rest = (Pillow.fromarray(frame).convert(mode) for frame in moving())
    path = tmp_path / "in.webp"
    first.save(path, save_all=True, append_images=rest, duration=[10, 20, 35, 999], **options)
    pages = open_image(path)
    assert pages.page(0).has_alpha == (mode == "RGBA")  # even if the file declares alpha for unchanged pixels
    assert (pages.count, pages.timing) == (4, Timing((10.0, 20.0, 35.0, 999.0), options.get("loop", 0)))
    for read in (by_pillow, by_libvips):
        for index, expected in enumerate(read(path)):
            pixels = pages.page(index).pixels
            assert np.array_equal(pixels, expected[:, :, : pixels.shape[2]])


# Damage


@pytest.mark.parametrize("kind", FILES)
def test_a_truncated_file_is_a_read_error(kind) -> None:
    data = FILES[kind][0]
    for end in (*range(1, len(data), max(1, len(data) // 60)), len(data) - 3):
        with pytest.raises(ReadError, match="x: "):
            decode(data[:end], "x")


@pytest.mark.parametrize("kind", FILES)
@given(places=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(1, 255)), max_size=4), cut=st.floats(0, 1))
def test_a_damaged_file_gives_a_picture_or_a_read_error(kind, places, cut) -> None:
    data = bytearray(FILES[kind][0])
    for place, change in places:
        data[place % len(data)] ^= change
    data = data[: int(len(data) * cut)] if places and cut < 0.9 else data
    message = "x: "
    try:
        assert decode(bytes(data), "x").pixels.size
    except ReadError as error:
        message = str(error)
    assert message.startswith("x: ")
    assert "\n" not in message


@given(st.lists(st.sampled_from([b"VP8X\x0a\0\0\0", b"EXIF\x08\0\0\0II*\0", b"ANMF", b"XMP "]) | st.binary(max_size=9)))
def test_random_chunks_raise_nothing(words) -> None:
    file = FileBytes(memoryview(b"RIFF\xff\0\0\0WEBP" + b"".join(words)))
    assert isinstance(registry.format_named("webp").metadata(file)[0], Metadata)


@pytest.mark.parametrize("body", [b"aaaa\0\0\0\0" * 1_000_000, b"ANMF\0\0\0\0" * 800_000])
def test_millions_of_chunks_are_rejected_quickly(body) -> None:
    start = time.process_time()
    for head in (b"RIFF\xff\0\0\0WEBP", FILES["animated"][0]):
        with pytest.raises(ReadError):
            decode(head + body, "x")
    assert time.process_time() - start < 2


def test_an_impossible_canvas_is_an_error() -> None:
    data = bytearray(FILES["animated"][0])
    data[24:30] = b"\xff\xff\xff\xff\xff\0"
    with pytest.raises(ReadError, match="x: is damaged or truncated: recognized as WebP"):
        decode(bytes(data), "x")


@pytest.mark.parametrize(
    ("source", "coding", "lossless"),
    [
        ("png", Coding(), True),
        ("jpeg", Coding(), False),
        ("jpeg", Coding(lossless=True), True),
        ("jpeg", Coding(quality=40), False),
        ("lossy", Coding(), False),
        ("lossless", Coding(), True),
    ],
)
def test_an_image_from_a_lossy_file_is_lossy_by_default(tmp_path, photo, source, coding, lossless) -> None:
    names = {"png": "in.png", "jpeg": "in.jpg", "lossy": "in.webp", "lossless": "in.webp"}
    own = {"lossy": Coding(quality=80), "lossless": Coding(lossless=True)}.get(source, Coding())
    write_image(tmp_path / names[source], photo, coding=own)
    write_image(tmp_path / "out.webp", read_image(tmp_path / names[source]), coding=coding)
    kinds = {kind for kind, _ in chunks((tmp_path / "out.webp").read_bytes())}
    assert (b"VP8L" in kinds, b"VP8 " in kinds) == (lossless, not lossless)
