"""Writing files: names, existing files, links, modes and standard output."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as Pillow

from imgconv.errors import WriteError
from imgconv.images.files import read_image, write_image, write_pages
from imgconv.images.formats.picture import Result
from imgconv.images.formats.registry import writable_formats
from imgconv.images.image import Image
from imgconv.images.output import Output
from imgconv.images.pages import Header

OLD = b"the old file"


@pytest.fixture
def image(photo) -> Image:
    return Image(photo)


def check_same(path: Path, image: Image) -> None:
    with Pillow.open(path) as found:
        assert np.array_equal(np.asarray(found), image.pixels[:, :, ::-1])


def check_error(path, image: Image, words: str, **options) -> None:
    with pytest.raises(WriteError, match=words) as caught:
        write_image(path, image, **options)
    assert len(str(caught.value).splitlines()) == 1
    with pytest.raises(WriteError, match=words):
        Output(path, **options).check("", Result(Header.of_image(image)))


# Names


@pytest.mark.parametrize(
    "name",
    [
        "a b.png",
        "été.png",
        "图片.png",
        "صورة.png",
        "𝒳 ☕.png",
        "two\nlines.png",
        "-dash.png",
        "%d.png",
        "a" * 250 + ".png",
        "\udcff.png",
    ],
)
def test_unusual_names_are_written(tmp_path, file_names, image, name) -> None:
    write_image(tmp_path / name, image)
    assert file_names() == [os.fsdecode(name)]
    assert np.array_equal(read_image(tmp_path / name).pixels, image.pixels)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("missing/out.png", "missing"),
        ("folder.png", "is a folder"),
        ("file/out.png", "file"),
        ("a\0b.png", r"a\\x00b\.png"),
        ("\ud800.png", r"\\ud800"),
        ("x" * 300 + ".png", "too long"),
    ],
)
def test_impossible_paths_are_an_error(tmp_path, file_names, image, name, words) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").write_bytes(OLD)
    check_error(f"{tmp_path}/{name}", image, words)
    assert file_names() == ["file", "folder.png"]
    assert (tmp_path / "file").read_bytes() == OLD


def test_an_error_about_a_name_with_a_line_break_has_one_line(tmp_path, image) -> None:
    check_error(tmp_path / "no\nfolder" / "out.png", image, r"no\\nfolder")


@pytest.mark.parametrize("format_", ["png", "PNG", ".png"])
def test_format_overrides_the_extension(tmp_path, image, format_) -> None:
    write_image(tmp_path / "out.data", image, format=format_)
    check_same(tmp_path / "out.data", image)


# Existing files


def test_an_existing_file_is_replaced(tmp_path, file_names, image) -> None:
    (tmp_path / "out.png").write_bytes(OLD)
    write_image(tmp_path / "out.png", image)
    check_same(tmp_path / "out.png", image)
    assert file_names() == ["out.png"]


def test_an_existing_file_is_kept_without_overwrite(tmp_path, file_names, image) -> None:
    (tmp_path / "out.png").write_bytes(OLD)
    check_error(tmp_path / "out.png", image, "exists", overwrite=False)
    assert (tmp_path / "out.png").read_bytes() == OLD
    write_image(tmp_path / "new.png", image, overwrite=False)
    check_same(tmp_path / "new.png", image)
    assert file_names() == ["new.png", "out.png"]


@pytest.mark.parametrize("can_link", [True, False], ids=["links", "no links"])
def test_a_file_created_meanwhile_is_kept_without_overwrite(tmp_path, file_names, image, monkeypatch, can_link) -> None:
    original = os.write
    target = tmp_path / "out.png"

    def write_by_another_process(descriptor, data):
        target.write_bytes(OLD)
        return original(descriptor, data)

    def fail_to_link(*_, **__):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "write", write_by_another_process)
    if not can_link:
        monkeypatch.setattr(os, "link", fail_to_link)
    with pytest.raises(WriteError, match=r"out\.png"):
        write_image(target, image, overwrite=False)
    assert target.read_bytes() == OLD
    assert file_names() == ["out.png"]


def test_without_hard_links_a_new_file_is_written(tmp_path, file_names, image, monkeypatch) -> None:
    def fail_to_link(*_, **__):
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", fail_to_link)
    write_image(tmp_path / "out.png", image, overwrite=False)
    check_same(tmp_path / "out.png", image)
    assert file_names() == ["out.png"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_follows_the_umask(tmp_path, image, mask) -> None:
    before = os.umask(mask)
    try:
        write_image(tmp_path / "out.png", image)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.png").stat().st_mode) == 0o666 & ~mask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_a_replaced_file_keeps_its_mode(tmp_path, image, mode) -> None:
    (tmp_path / "out.png").write_bytes(OLD)
    (tmp_path / "out.png").chmod(mode)
    write_image(tmp_path / "out.png", image)
    assert stat.S_IMODE((tmp_path / "out.png").stat().st_mode) == mode


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_kept_and_its_target_replaced(tmp_path, image, exists) -> None:
    (tmp_path / "far").mkdir()
    if exists:
        (tmp_path / "far" / "real.png").write_bytes(OLD)
    (tmp_path / "out.png").symlink_to(Path("far") / "real.png")
    write_image(tmp_path / "out.png", image)
    assert (tmp_path / "out.png").is_symlink()
    check_same(tmp_path / "far" / "real.png", image)
    assert os.listdir(tmp_path / "far") == ["real.png"]


def test_a_read_only_folder_is_an_error(tmp_path, file_names, image, monkeypatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode, **_: not (mode & os.W_OK and os.path.isdir(path)))
    check_error(tmp_path / "out.png", image, "read-only")
    assert file_names() == []


def test_a_read_only_file_is_an_error_and_unchanged(tmp_path, file_names, image, monkeypatch) -> None:
    (tmp_path / "out.png").write_bytes(OLD)
    monkeypatch.setattr(os, "access", lambda path, mode, **_: not (mode & os.W_OK and os.path.isfile(path)))
    check_error(tmp_path / "out.png", image, "read-only")
    assert (tmp_path / "out.png").read_bytes() == OLD


# Standard output


class Pipe(SimpleNamespace):
    def isatty(self) -> bool:
        return False


@pytest.mark.parametrize(("source", "signature"), [("", b"\x89PNG"), ("jpeg", b"\xff\xd8"), ("bmp", b"BM")])
def test_standard_output_has_the_format_of_the_source(image, monkeypatch, source, signature) -> None:
    stream = Pipe(buffer=io.BytesIO())
    monkeypatch.setattr(sys, "stdout", stream)
    write_image("-", Image(image.pixels, format=source))
    assert stream.buffer.getvalue().startswith(signature)


def test_standard_output_receives_exactly_the_file(tmp_path, image, monkeypatch, file_names) -> None:
    stream = Pipe(buffer=io.BytesIO())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdout", stream)
    write_image("-", image, format="ppm")
    assert file_names() == []
    write_image("out.ppm", image)
    assert stream.buffer.getvalue() == (tmp_path / "out.ppm").read_bytes()


def test_closed_standard_output_is_an_error(image, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(WriteError, match="standard output"):
        write_image("-", image)


def test_arrays_are_written_and_the_repr_is_short(tmp_path) -> None:
    pixels = np.arange(60, dtype=np.uint8).reshape(4, 5, 3)
    write_image(tmp_path / "out.png", pixels)
    found = read_image(tmp_path / "out.png")
    assert np.array_equal(found.pixels, pixels)
    assert len(repr(found)) < 100


def test_gif_reports_loss_of_partial_transparency(tmp_path) -> None:
    pixels = np.full((8, 8, 4), 200, np.uint8)
    assert any("opaque (from 128) or transparent" in note for note in write_image(tmp_path / "half.gif", Image(pixels)))
    pixels[..., 3] = 255
    assert write_image(tmp_path / "whole.gif", Image(pixels)) == ()


@pytest.mark.parametrize("extension", [f.extensions[0] for f in writable_formats() if not f.optional])
def test_the_given_pixels_are_not_changed(tmp_path, photo, extension) -> None:
    alpha = np.arange(photo[:, :, 0].size, dtype=np.uint8).reshape(photo.shape[:2])
    for pixels in (np.dstack([photo, alpha]), photo.copy(), photo[:, :, 0].copy(), photo[:, :, 0] > 99):
        before = pixels.copy()
        with contextlib.suppress(WriteError):
            write_image(tmp_path / f"out{extension}", Image(pixels))
        assert np.array_equal(pixels, before)


def test_no_page_is_an_error(tmp_path) -> None:
    with pytest.raises(WriteError, match=r"out\.tif: no page to write"):
        write_pages(tmp_path / "out.tif", [], 1, None)
    assert not list(tmp_path.iterdir())
