"""The resolution and the text of EXIF: read, and changed without moving anything else."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow

from imgconv.images.containers import exif_fields

DESCRIPTION, MAKER, ACROSS, DOWN, UNIT, EXIF, NOTE = 0x010E, 0x010F, 0x011A, 0x011B, 0x0128, 0x8769, 0x927C


def made(fields: dict[int, object], endian: str = ">") -> bytes:
    exif = Pillow.Exif()
    exif.endian = endian
    exif.update(fields)
    return exif.tobytes().removeprefix(b"Exif\0\0")


def opened(data: bytes) -> Pillow.Exif:
    exif = Pillow.Exif()
    exif.load(b"Exif\0\0" + data)
    return exif


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({ACROSS: 150.0, DOWN: 300.0, UNIT: 2}, (300, 150)),
        ({ACROSS: 150.0, DOWN: 300.0}, (300, 150)),
        ({ACROSS: 59.0, DOWN: 118.0, UNIT: 3}, (299.72, 149.86)),
        ({ACROSS: 150.0, UNIT: 2}, (150, 150)),
        ({ACROSS: 1.0, DOWN: 1.0, UNIT: 1}, None),
        ({ACROSS: 0.0, DOWN: 1.0, UNIT: 2}, None),
        ({DOWN: 1.0, UNIT: 2}, None),
        ({MAKER: "A maker"}, None),
    ],
)
def test_resolutions(endian, fields, expected) -> None:
    found = exif_fields.resolution(made(fields, endian))
    assert found == (expected and pytest.approx(expected))


@pytest.mark.parametrize("endian", ["<", ">"])
def test_the_text(endian) -> None:
    assert exif_fields.description(made({DESCRIPTION: "a bird  "}, endian)) == "a bird"
    assert exif_fields.description(made({DESCRIPTION: "      "}, endian)) == ""
    assert exif_fields.description(made({MAKER: "A maker"}, endian)) == ""


@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("resolution", [(300.0, 150.0), (72.009, 28.5), (1e6, 0.25)])
def test_another_resolution_and_nothing_else(endian, resolution) -> None:
    note = bytes(range(200))
    before = made({MAKER: "A maker", ACROSS: 72.0, EXIF: {NOTE: note, 0x829A: 0.01}}, endian)
    after = exif_fields.with_resolution(before, resolution)
    assert exif_fields.resolution(after) == pytest.approx(resolution)
    assert exif_fields.agrees(after, resolution)
    assert not exif_fields.agrees(before, resolution)
    found = opened(after)
    assert found[MAKER] == "A maker"
    assert (float(found[DOWN]), float(found[ACROSS]), found[UNIT]) == (*(pytest.approx(r) for r in resolution), 2)
    assert dict(found.get_ifd(EXIF))[NOTE] == note
    # The note stands where it stood: it may hold offsets that nobody else can read.
    assert after[8 : len(before)] == before[8:]


@pytest.mark.parametrize("text", ["a", "abc", "ein grüner Vogel"])
def test_another_text_also_where_there_is_no_exif(text) -> None:
    for before in (b"", made({MAKER: "A maker"}), made({DESCRIPTION: "old", MAKER: "A maker"})):
        after = exif_fields.with_description(before, text)
        assert exif_fields.description(after) == text
        assert opened(after).get(MAKER) == ("A maker" if before else None)
        tags = [
            struct.unpack_from(">H", after, at)[0]
            for at in range(struct.unpack_from(">I", after, 4)[0] + 2, len(after) - 4, 12)
        ]
        assert tags == sorted(set(tags))


@pytest.mark.parametrize("resolution", [(float("nan"), 1.0), (float("inf"), 1.0), (1e12, 1.0), (-3.0, 1.0)])
def test_what_no_field_can_hold(resolution) -> None:
    assert exif_fields.with_resolution(b"", resolution) == b""


@given(st.binary(max_size=80) | st.binary(max_size=60).map(lambda tail: b"II*\0\x08\0\0\0" + tail))
def test_any_bytes_say_something(data) -> None:
    found = exif_fields.resolution(data)
    assert found is None or min(found) > 0
    assert isinstance(exif_fields.description(data), str)
    changed = exif_fields.with_resolution(data, (300.0, 150.0))
    assert not changed or exif_fields.agrees(changed, (300.0, 150.0))
    changed = exif_fields.with_description(data, "text")
    assert not changed or exif_fields.description(changed) == "text"
