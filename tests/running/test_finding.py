"""Which files of a folder are worked on, where the result of each belongs, and which folders are refused."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import cv2
import pytest

from imgconv.errors import ImgconvError, ReadError, UsageError
from imgconv.running.finding import find_work


def pairs(work: list[tuple[Path, Path]], source: Path, target: Path) -> list[tuple[str, str]]:
    return [(s.relative_to(source).as_posix(), t.relative_to(target).as_posix()) for s, t in work]


def test_one_level_in_the_order_of_names(tree, tmp_path) -> None:
    found = pairs(find_work(tree, tmp_path / "out").work, tree, tmp_path / "out")
    assert found == [("a.jpg", "a.jpg"), ("b.png", "b.png")]


def test_recursion_keeps_the_tree_and_passes_over_what_is_hidden(tree, tmp_path) -> None:
    found = pairs(find_work(tree, tmp_path / "out", recursive=True).work, tree, tmp_path / "out")
    assert found == [(name, name) for name in ("a.jpg", "b.png", "sub/deep/ü 1.png")]


def test_finding_makes_nothing(tree, tmp_path) -> None:
    find_work(tree, tmp_path / "out", recursive=True)
    assert not (tmp_path / "out").exists()


def test_extensions_in_capitals_count(tree, tmp_path) -> None:
    (tree / "b.png").rename(tree / "B.PNG")
    assert pairs(find_work(tree, tmp_path).work, tree, tmp_path) == [("B.PNG", "B.PNG"), ("a.jpg", "a.jpg")]


@pytest.mark.parametrize("output", ["in/out", "in/sub/out"])
def test_an_output_folder_inside_is_passed_over(tree, tmp_path, photo, output) -> None:
    before = find_work(tree, tmp_path / output, recursive=True).work
    (tmp_path / output).mkdir()
    cv2.imwrite(str(tmp_path / output / "old.png"), photo)
    assert find_work(tree, tmp_path / output, recursive=True).work == before


def test_an_output_folder_inside_by_another_name_is_passed_over(tree, tmp_path, photo) -> None:
    (tree / "out").mkdir()
    cv2.imwrite(str(tree / "out" / "old.png"), photo)
    (tmp_path / "link").symlink_to(tree / "out")
    found = find_work(tree, tmp_path / "link", recursive=True).work
    assert [s.name for s, _ in found] == ["a.jpg", "b.png", "ü 1.png"]


@pytest.mark.parametrize(("pattern", "names"), [("*.txt", ["notes.txt"]), ("[ab].*", ["a.jpg", "b.png"]), ("?.png", ["b.png"])])
def test_a_pattern_decides_alone(tree, tmp_path, pattern, names) -> None:
    assert [s.name for s, _ in find_work(tree, tmp_path / "out", pattern=pattern).work] == names


@pytest.mark.parametrize("file_format", ["tiff", ".tiff"])
def test_a_format_replaces_the_last_extension_only(tree, tmp_path, photo, file_format) -> None:
    cv2.imwrite(str(tree / "v1.0 final.png"), photo)
    found = find_work(tree, tmp_path / "out", file_format=file_format).work
    assert [t.name for _, t in found] == ["a.tiff", "b.tiff", "v1.0 final.tiff"]


@pytest.mark.parametrize("file_format", [".", "a/b", "../png"])
def test_a_format_that_is_no_extension_is_refused(tree, tmp_path, file_format) -> None:
    with pytest.raises(ImgconvError):
        find_work(tree, tmp_path / "out", file_format=file_format)


def test_a_fifo_called_like_an_image_does_not_hold_up_the_batch(tree, tmp_path) -> None:
    os.mkfifo(tree / "pipe.png")
    assert [s.name for s, _ in find_work(tree, tmp_path / "out").work] == ["a.jpg", "b.png"]


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


# Links


@pytest.fixture
def linked(tree, tmp_path, photo) -> Path:
    """`tree` and links in it; l1.png to l3.png and sub/away, a folder, lead out of it.

    Out there lie out.png, deep/far.png, and deep/back, a link to the tree.
    """
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    cv2.imwrite(str(outside / "out.png"), photo)
    cv2.imwrite(str(outside / "deep" / "far.png"), photo)
    (outside / "deep" / "back").symlink_to(tree)
    (tree / "l1.png").symlink_to(outside / "out.png")
    (tree / "l2.png").symlink_to("../outside/nothing.png")
    (tree / "l3.png").symlink_to("l1.png")
    (tree / "m1.png").symlink_to("b.png")
    (tree / "m2.png").symlink_to(tree / "nothing.png")
    (tree / "sub" / "m3.png").symlink_to("../sub/../b.png")
    (tree / "sub" / "away").symlink_to(outside)
    (tree / "sub" / "here").symlink_to("deep")
    (tree / "sub" / "up").symlink_to("..")
    return tree


INSIDE = ["a.jpg", "b.png", "m1.png", "m2.png"]


def test_links_that_lead_out_are_passed_over_and_counted(linked, tmp_path) -> None:
    found = find_work(linked, tmp_path / "out")
    assert [s for s, _ in pairs(found.work, linked, tmp_path / "out")] == INSIDE
    assert found.notes == (f"3 links that lead out of {linked} were passed over; --follow-symlinks takes them",)


def test_folders_that_are_links_are_not_walked(linked, tmp_path) -> None:
    found = find_work(linked, tmp_path / "out", recursive=True)
    assert [s for s, _ in pairs(found.work, linked, tmp_path / "out")] == [*INSIDE, "sub/m3.png", "sub/deep/ü 1.png"]
    assert found.notes == (f"4 links that lead out of {linked} were passed over; --follow-symlinks takes them",)


def test_links_are_followed_when_asked_for_and_no_folder_twice(linked, tmp_path) -> None:
    found = find_work(linked, tmp_path / "out", recursive=True, follow_symlinks=True)
    names = ["a.jpg", "b.png", "l1.png", "l2.png", "l3.png", "m1.png", "m2.png", "sub/m3.png"]
    names += ["sub/away/out.png", "sub/away/deep/far.png", "sub/deep/ü 1.png"]
    assert pairs(found.work, linked, tmp_path / "out") == [(name, name) for name in names]
    assert found.notes == ()


def test_a_folder_may_be_a_link_itself(linked, tmp_path) -> None:
    (tmp_path / "link").symlink_to(linked)
    found = find_work(tmp_path / "link", tmp_path / "out", recursive=True)
    assert [s for s, _ in pairs(found.work, tmp_path / "link", tmp_path / "out")] == [*INSIDE, "sub/m3.png", "sub/deep/ü 1.png"]


def test_only_links_that_would_be_taken_are_counted(linked, tmp_path) -> None:
    (linked / "n.txt").symlink_to("/etc/passwd")
    (linked / ".hidden.png").symlink_to("/etc/passwd")
    assert find_work(linked, tmp_path / "out").notes[0].startswith("3 links")
    assert find_work(linked, tmp_path / "out", pattern="[al]*").notes[0].startswith("3 links")
    one = find_work(linked, tmp_path / "out", pattern="[alm]1.png")
    assert one.notes == (f"1 link that leads out of {linked} was passed over; --follow-symlinks takes it",)
    with pytest.raises(ReadError, match=r"no file named l.*1 link that leads out of .*: --follow-symlinks"):
        find_work(linked, tmp_path / "out", pattern="l1.png")


def test_a_folder_of_the_same_beginning_is_outside(tree, tmp_path, photo) -> None:
    (tmp_path / "in2").mkdir()
    cv2.imwrite(str(tmp_path / "in2" / "x.png"), photo)
    (tree / "c.png").symlink_to("../in2/x.png")
    found = find_work(tree, tmp_path / "out")
    assert [s.name for s, _ in found.work] == ["a.jpg", "b.png"]
    assert len(found.notes) == 1


def test_an_output_folder_is_not_reached_by_a_link(tree, tmp_path, photo) -> None:
    (tmp_path / "out").mkdir()
    cv2.imwrite(str(tmp_path / "out" / "old.png"), photo)
    (tree / "results").symlink_to(tmp_path / "out")
    found = find_work(tree, tmp_path / "out", recursive=True, follow_symlinks=True)
    assert [s.name for s, _ in found.work] == ["a.jpg", "b.png", "ü 1.png"]


def test_links_that_go_in_circles_fail_by_name_later(tree, tmp_path) -> None:
    (tree / "c1.png").symlink_to("c2.png")
    (tree / "c2.png").symlink_to("c1.png")
    (tree / "sub" / "self").symlink_to("self")
    for follow in (True, False):
        found = find_work(tree, tmp_path / "out", recursive=True, follow_symlinks=follow).work
        assert [s.name for s, _ in found] == ["a.jpg", "b.png", "c1.png", "c2.png", "ü 1.png"]


def test_a_folder_that_cannot_be_looked_into_costs_itself_alone(tree, tmp_path, monkeypatch) -> None:
    scandir = os.scandir

    def refuse(path):
        if os.path.basename(path) == "deep":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    work = find_work(tree, tmp_path / "out", recursive=True).work
    assert [path.relative_to(tree).as_posix() for path, _ in work] == ["a.jpg", "b.png", "sub/deep"]
