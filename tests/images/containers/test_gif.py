"""The extensions of a GIF: comments and XMP, before and behind its pictures."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow

from imgconv.images.containers import gif
from imgconv.images.metadata import Metadata

XMP_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def saved(**options) -> bytes:
    file = io.BytesIO()
    Pillow.new("P", (9, 7)).save(file, "GIF", **options)
    return file.getvalue()


def said(data: bytes) -> Metadata:
    return gif.read(memoryview(data))[0]


@pytest.mark.parametrize("comment", ["a bird", "grün", "x" * 255, "y" * 1000])
def test_comments_in_and_out(comment, put) -> None:
    assert said(saved(comment=comment.encode())).comment == comment
    file = put("gif", Metadata(comment=comment))
    assert Pillow.open(io.BytesIO(file)).info["comment"] == comment.encode()
    assert said(file).comment == comment


def test_a_comment_of_latin_1_and_the_first_of_several() -> None:
    assert said(saved(comment="grün".encode("latin-1"))).comment == "grün"
    plain = saved()
    assert said(plain[:-1] + b"\x21\xfe\0\x21\xfe\x03one\0\x21\xfe\x03two\0;").comment == "one"


def test_an_animation_keeps_its_frames_and_its_loop(put, xmp) -> None:
    frames = [Pillow.new("RGB", (9, 7), colour) for colour in ("red", "green", "blue")]
    file = io.BytesIO()
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:], loop=4, duration=70)
    written = b"".join(map(bytes, gif.written(memoryview(file.getvalue()), Metadata(comment="three", xmp=xmp))))
    with Pillow.open(io.BytesIO(written)) as found:
        assert (found.n_frames, found.info["loop"], found.info["duration"]) == (3, 4, 70)
    assert said(written) == Metadata(comment="three", xmp=xmp)
    assert written.index(b"NETSCAPE2.0") < written.index(b"three")


@pytest.mark.parametrize("length", [1, 5, 300, 70_000])
@pytest.mark.parametrize("letter", [b"a", b"\xc3\xbf", b"\x01", b"\xff"])
def test_xmp_of_any_bytes_but_nul_ends_where_it_ends(length, letter, put) -> None:
    packet = letter * length
    file = put("gif", Metadata(xmp=packet, comment="behind"))
    assert said(file) == Metadata(xmp=packet, comment="behind")
    assert XMP_TRAILER in file
    assert Pillow.open(io.BytesIO(file)).info["comment"] == b"behind"
    assert cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED) is not None


def test_xmp_with_a_nul_is_told() -> None:
    fitted = gif.fitted(Metadata(xmp="<a/>".encode("utf-16")))
    assert (fitted.metadata, [left.name for left in fitted.left_out]) == (Metadata(), ["xmp"])


def test_xmp_without_its_trailer_is_left_out() -> None:
    plain = saved()
    assert said(plain[:-1] + b"\x21\xff\x0bXMP DataXMP\x05<xml>\0;").xmp == b""


def test_an_old_gif_gets_a_new_name() -> None:
    old = saved().replace(b"GIF89a", b"GIF87a", 1)
    written = b"".join(map(bytes, gif.written(memoryview(old), Metadata(comment="new"))))
    assert written.startswith(b"GIF89a")
