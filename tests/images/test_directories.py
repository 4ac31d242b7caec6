"""TIFF and EXIF directories: traversal, reading, copying, and writing in either byte order."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.images import directories
from imgconv.images.directories import Field, Layout
from imgconv.images.file_bytes import FileBytes
from tests.cases import each
from tests.images.formats.tiff_files import Entries, build, page_tags

#: One field of each type, with values stored in the entry or at an offset.
FIELDS: Entries = {
    60_001: (1, [1, 255]),
    60_002: (2, b"some words\0"),
    60_003: (3, [1, 65_535, 7]),
    60_004: (4, [1 << 31]),
    60_005: (5, [355, 113, 1, 3]),
    60_006: (6, [-128, 127, 0, -1, 5]),
    60_007: (7, b"raw"),
    60_008: (8, [-32_768, 1]),
    60_009: (9, [-(1 << 31)]),
    60_010: (10, [-355, 113]),
    60_011: (11, [0.5, -2.0]),
    60_012: (12, [0.1]),
}


def any_tag(_: int) -> bool:
    return True


def file_of(entries: Entries, order: str, big: bool = False) -> FileBytes:
    return in_memory(build([(page_tags(3, 4) | entries, [bytes(12)])], order, big))


def in_memory(data: bytes | bytearray) -> FileBytes:
    return FileBytes(memoryview(data))


def fields_of(file: FileBytes) -> dict[int, Field]:
    layout = directories.layout_of(file)
    assert layout is not None
    return directories.fields(file, layout, layout.first, any_tag)


def copied_tree(file: FileBytes, predicate=lambda tag: tag >= 271) -> directories.Tree:
    layout = directories.layout_of(file)
    assert layout is not None
    return directories.tree(file, layout, layout.first, predicate)


def as_file(found: directories.Tree, order: str, big: bool, at: int) -> bytes:
    """Return a TIFF whose only directory is `found`, at offset `at`."""
    layout = Layout(order, big, at)
    return directories.file_header(layout).ljust(at, b"\xee") + directories.to_bytes(found, layout, at)


def values_of(data: bytes) -> dict[int, object]:
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        return {tag.code: tag.value for tag in file.pages[0].tags if tag.code > 60_000}


@each("order", "<>")
@each("other", "<>")
@each("big", [False, True])
@each("at", [16, 100_000])
def test_every_field_type_is_copied(order, other, big, at) -> None:
    data = file_of(FIELDS, order, big)
    expected = values_of(bytes(data.view))
    assert len(expected) == len(FIELDS)
    assert values_of(as_file(copied_tree(data), other, not big, at)) == expected


@pytest.mark.parametrize("order", "<>")
def test_64_bit_values_are_narrowed_if_they_fit(order) -> None:
    wide: Entries = {60_016: (16, [1, (1 << 32) - 1]), 60_017: (16, [1 << 32])}
    found = copied_tree(file_of(wide, order, True))
    field = found[60_016]
    assert isinstance(field, Field)
    assert (field.kind, field.packed(order)) == (4, struct.pack(order + "2I", 1, (1 << 32) - 1))
    assert 60_017 not in found


def test_sub_directories_are_copied() -> None:
    exif = Pillow.Exif()
    exif[271] = "Maker"
    exif.get_ifd(0x8769)[37500] = b"note" * 9
    exif.get_ifd(0x8769)[40965] = {1: "R98"}
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.5)
    found = copied_tree(in_memory(exif.tobytes().removeprefix(b"Exif\0\0")), any_tag)
    moved = directories.to_exif(found, "<")
    again = Pillow.Exif()
    again.load(b"Exif\0\0" + moved)
    assert again[271] == "Maker"
    assert again.get_ifd(0x8769)[37500] == b"note" * 9
    assert again.get_ifd(0xA005) == {1: "R98"}
    assert again.get_ifd(0x8825)[2] == (1.0, 2.0, 3.5)
    assert directories.to_exif({}, "<") == b""


def test_the_length_does_not_depend_on_the_offset() -> None:
    found = copied_tree(file_of(FIELDS, "<"))
    layout = Layout("<", False)
    lengths = {len(directories.to_bytes(found, layout, at, following=at)) for at in (0, 8, 1 << 20)}
    assert len(lengths) == 1
    with pytest.raises(struct.error):
        directories.to_bytes(found, layout, (1 << 32) - 10)


@pytest.mark.parametrize("order", "<>")
def test_integers_and_reals_of_fields(order) -> None:
    found = fields_of(file_of(FIELDS, order))
    assert directories.integers(found[60_003]) == [1, 65_535, 7]
    assert directories.integers(found[60_008]) == [-32_768, 1]
    assert directories.integers(found[60_005]) == []
    assert directories.integers(found[60_012]) == []
    assert directories.integers(None) == []
    assert directories.reals(found[60_005]) == [355 / 113, 1 / 3]
    assert directories.reals(found[60_010]) == [-355 / 113]
    assert directories.reals(found[60_011]) == [0.5, -2.0]
    assert directories.reals(None) == []
    assert directories.reals(directories.new_field(5, [0, 0])) == [0.0]
    field = directories.new_field(3, [1, 65_535])
    assert (field.kind, field.number, field.packed(order)) == (3, 2, struct.pack(order + "2H", 1, 65_535))


def test_values_beyond_the_end_are_empty() -> None:
    data = bytearray(file_of({60_002: (2, b"some words\0")}, "<").view)
    at = bytes(data).find(struct.pack("<HHI", 60_002, 2, 11))
    for where in (len(data) - 10, 0xFFFF_FFFF):
        struct.pack_into("<I", data, at + 8, where)
        assert fields_of(in_memory(data))[60_002].number == 0
        assert 60_002 not in copied_tree(in_memory(data))


@pytest.mark.parametrize("count", [4097, 65_535])
def test_a_directory_with_too_many_entries_is_empty(count) -> None:
    data = b"II*\0\x08\0\0\0" + struct.pack("<H", count) + struct.pack("<HHII", 256, 3, 1, 5) * count + bytes(4)
    assert fields_of(in_memory(data)) == {}


@each("kind", range(20))
def test_sizes_of_values(kind) -> None:
    """Sizes match tifffile; fields of unknown types are dropped."""
    content = struct.calcsize(tifffile.TIFF.DATA_FORMATS.get(kind, "0s")) * 3
    row = struct.pack("<HHII", 60_000, kind, 3, 26)
    found = fields_of(in_memory(b"II*\0\x08\0\0\0" + struct.pack("<H", 1) + row + bytes(4) + bytes(99)))
    assert {tag: len(field.packed("<")) for tag, field in found.items()} == ({60_000: content} if content else {})


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_pages_match_those_of_tifffile(byteorder, bigtiff) -> None:
    data = io.BytesIO()
    with tifffile.TiffWriter(data, byteorder=byteorder, bigtiff=bigtiff) as writer:
        for page in range(3):
            writer.write(np.full((4, 5 + page), page, np.uint16), metadata=None, extratags=[(274, "H", 1, page + 2, True)])
    file = in_memory(data.getvalue())
    layout = directories.layout_of(file)
    assert layout is not None
    assert (layout.order, layout.big) == (byteorder, bigtiff)
    offsets = directories.pages(file, layout)
    with tifffile.TiffFile(io.BytesIO(data.getvalue())) as other:
        assert offsets == [page.offset for page in other.pages]
        for offset, page in zip(offsets, other.pages, strict=True):
            found = directories.fields(file, layout, offset, any_tag)
            for tag in (256, 257, 258, 277, 274):
                value = page.tags[tag].value
                assert directories.integers(found[tag]) == [value]


@pytest.mark.parametrize(
    "data", [b"", b"II", b"II*\0", b"XX*\0\x08\0\0\0", b"II*\0\x08\0\0", b"MM*\0\0\0\0\x08", b"II\x2c\0" + bytes(9)]
)
def test_other_data_has_no_layout(data) -> None:
    assert directories.layout_of(in_memory(data)) is None


WORDS = st.sampled_from([0, 1, 2, 4, 5, 7, 8, 12, 13, 16, 24, 255, 34_665, 34_853, 40_965, 65_535, 1 << 31, (1 << 32) - 1])


@given(
    st.sampled_from(["<", ">"]),
    st.booleans(),
    st.lists(WORDS.map(lambda n: struct.pack("<I", n)) | WORDS.map(lambda n: struct.pack("<H", n & 0xFFFF)), max_size=80),
    st.integers(0, 40),
)
def test_random_bytes_are_read_within_bounds(order, big, pieces, offset) -> None:
    data = in_memory(b"".join(pieces))
    layout = Layout(order, big, offset)
    assert len(directories.pages(data, layout)) <= 1 + len(data.view)
    for field in directories.fields(data, layout, offset, any_tag).values():
        directories.integers(field)
        with np.errstate(all="ignore"):
            directories.reals(field)
    found = directories.tree(data, layout, offset, any_tag)
    block = directories.to_exif(found, "<")
    assert len(block) <= 20 + 40 * len(data.view)
    if found:
        again = directories.tree(in_memory(block), Layout("<", False, 8), 8, any_tag)
        assert directories.to_exif(again, "<") == block
