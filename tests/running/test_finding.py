"""Which files of a folder are worked on, where the result of each belongs, and which folders are refused."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import pytest

from imgconv.errors import ImgconvError, ReadError, UsageError
from imgconv.running.folder import find_work


def pairs(work: list[tuple[Path, Path]], source: Path, target: Path) -> list[tuple[str, str]]:
    return [(s.relative_to(source).as_posix(), t.relative_to(target).as_posix()) for s, t in work]


def test_one_level_in_the_order_of_names(tree, tmp_path) -> None:
    found = pairs(find_work(tree, tmp_path / "out"), tree, tmp_path / "out")
    assert found == [("a.jpg", "a.jpg"), ("b.png", "b.png")]


def test_recursion_keeps_the_tree_and_passes_over_what_is_hidden(tree, tmp_path) -> None:
    found = pairs(find_work(tree, tmp_path / "out", recursive=True), tree, tmp_path / "out")
    assert found == [(name, name) for name in ("a.jpg", "b.png", "sub/deep/ü 1.png")]


def test_finding_makes_nothing(tree, tmp_path) -> None:
    find_work(tree, tmp_path / "out", recursive=True)
    assert not (tmp_path / "out").exists()


def test_extensions_in_capitals_count(tree, tmp_path) -> None:
    (tree / "b.png").rename(tree / "B.PNG")
    assert pairs(find_work(tree, tmp_path), tree, tmp_path) == [("B.PNG", "B.PNG"), ("a.jpg", "a.jpg")]


@pytest.mark.parametrize("output", ["in/out", "in/sub/out"])
def test_an_output_folder_inside_is_passed_over(tree, tmp_path, photo, output) -> None:
    before = find_work(tree, tmp_path / output, recursive=True)
    (tmp_path / output).mkdir()
    cv2.imwrite(str(tmp_path / output / "old.png"), photo)
    assert find_work(tree, tmp_path / output, recursive=True) == before


def test_an_output_folder_inside_by_another_name_is_passed_over(tree, tmp_path, photo) -> None:
    (tree / "out").mkdir()
    cv2.imwrite(str(tree / "out" / "old.png"), photo)
    (tmp_path / "link").symlink_to(tree / "out")
    found = find_work(tree, tmp_path / "link", recursive=True)
    assert [s.name for s, _ in found] == ["a.jpg", "b.png", "ü 1.png"]


@pytest.mark.parametrize(("pattern", "names"), [("*.txt", ["notes.txt"]), ("[ab].*", ["a.jpg", "b.png"]), ("?.png", ["b.png"])])
def test_a_pattern_decides_alone(tree, tmp_path, pattern, names) -> None:
    assert [s.name for s, _ in find_work(tree, tmp_path / "out", pattern=pattern)] == names


@pytest.mark.parametrize("file_format", ["tiff", ".tiff"])
def test_a_format_replaces_the_last_extension_only(tree, tmp_path, photo, file_format) -> None:
    cv2.imwrite(str(tree / "v1.0 final.png"), photo)
    found = find_work(tree, tmp_path / "out", file_format=file_format)
    assert [t.name for _, t in found] == ["a.tiff", "b.tiff", "v1.0 final.tiff"]


@pytest.mark.parametrize("file_format", [".", "a/b", "../png"])
def test_a_format_that_is_no_extension_is_refused(tree, tmp_path, file_format) -> None:
    with pytest.raises(ImgconvError):
        find_work(tree, tmp_path / "out", file_format=file_format)


def test_a_fifo_called_like_an_image_does_not_hold_up_the_batch(tree, tmp_path) -> None:
    os.mkfifo(tree / "pipe.png")
    assert [s.name for s, _ in find_work(tree, tmp_path / "out")] == ["a.jpg", "b.png"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("nowhere", "no such folder"), ("in/notes.txt", "not a folder"), ("in/empty", "no file with an image's extension")],
)
def test_folders_without_images(tree, tmp_path, name, words) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(ReadError, match=words):
        find_work(tmp_path / name, tmp_path / "out")


def test_a_pattern_that_matches_nothing_is_told(tree, tmp_path) -> None:
    with pytest.raises(ReadError, match=r"no file named \*\.xyz"):
        find_work(tree, tmp_path / "out", pattern="*.xyz")


def test_messages_stay_on_one_line(tmp_path) -> None:
    with pytest.raises(ReadError) as caught:
        find_work(tmp_path / "two\nlines", tmp_path / "out")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("same", ["in", "in/../in", "in/sub/..", "link"])
def test_the_same_folder_in_and_out_is_refused(tree, tmp_path, same) -> None:
    (tmp_path / "link").symlink_to(tree)
    with pytest.raises(UsageError, match="no original is lost"):
        find_work(tree, tmp_path / same)
