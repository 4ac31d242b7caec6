"""`find_work`: the files of a folder to filter, their outputs, and rejected folders."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import cv2
import pytest

from imgconv.errors import ImgconvError, ReadError, UsageError
from imgconv.running.finding import find_work

#: The note on notes.txt.
NOTES = ("ignored 1 file without the extension of a supported format: 1 .txt",)


@pytest.fixture
def found(tmp_path):
    """Find work from `in` to `out`; return the relative names of inputs and outputs, and the notes."""

    def found(source: str = "in", target: str = "out", **options) -> tuple[list[str], list[str], tuple[str, ...]]:
        work, notes = find_work([tmp_path / source], tmp_path / target, **options)
        sources = [path.relative_to(tmp_path / source).as_posix() for path, _ in work]
        return sources, [path.relative_to(tmp_path / target).as_posix() for _, path in work], notes

    return found


def test_without_recursion_files_are_sorted_by_name(tree, found) -> None:
    (tree / "b.png").rename(tree / "B.PNG")
    assert found() == (["B.PNG", "a.jpg"], ["B.PNG", "a.jpg"], NOTES)


def test_recursion_keeps_the_tree_and_ignores_hidden_files(tree, found, tmp_path) -> None:
    sources, targets, _ = found(recursive=True)
    assert sources == targets == ["a.jpg", "b.png", "sub/deep/ü 1.png"]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("output", ["in/out", "in/sub/out", "link"])
def test_an_output_folder_inside_the_input_is_ignored(tree, found, tmp_path, photo, output) -> None:
    before = found(recursive=True)[0]
    (tree / "out").mkdir()
    (tmp_path / "link").symlink_to(tree / "out")
    (tmp_path / output).mkdir(exist_ok=True)
    cv2.imwrite(str(tmp_path / output / "old.png"), photo)
    assert found(target=output, recursive=True)[0] == before


@pytest.mark.parametrize(("pattern", "names"), [("*.txt", ["notes.txt"]), ("[ab].*", ["a.jpg", "b.png"]), ("?.png", ["b.png"])])
def test_a_pattern_replaces_the_list_of_extensions(tree, found, pattern, names) -> None:
    assert found(pattern=pattern)[0] == names


def test_files_of_formats_that_are_only_written_are_ignored(tree, found) -> None:
    for name in ("values.csv", "values.TXT", "kernel.csv"):
        (tree / name).write_text("1,2\n")
    sources, _, notes = found()
    assert sources == ["a.jpg", "b.png"]
    assert notes == ("ignored 4 files without the extension of a supported format: 2 .csv, 2 .txt",)
    assert "values.csv" in found(pattern="*.csv")[0]


@pytest.mark.parametrize("file_format", ["tiff", ".tiff"])
def test_a_format_replaces_only_the_last_extension(tree, found, photo, file_format) -> None:
    cv2.imwrite(str(tree / "v1.0 final.png"), photo)
    assert found(file_format=file_format)[1] == ["a.tiff", "b.tiff", "v1.0 final.tiff"]


@pytest.mark.parametrize("file_format", [".", "a/b", "../png"])
def test_a_format_that_is_not_an_extension_is_an_error(tree, found, file_format) -> None:
    with pytest.raises(ImgconvError):
        found(file_format=file_format)


def test_a_fifo_with_an_image_extension_is_ignored(tree, found) -> None:
    os.mkfifo(tree / "pipe.png")
    assert found()[0] == ["a.jpg", "b.png"]


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("nowhere", {}, "no such file or folder"),
        ("two\nlines", {}, r"two\\nlines: no such file or folder"),
        ("in/empty", {}, r"no file with the extension of an image \(`recursive` searches subfolders\)"),
        ("in", {"pattern": "*.xyz"}, r"no file named \*\.xyz"),
    ],
)
def test_a_folder_without_images_is_a_read_error(tree, found, name, options, words) -> None:
    (tree / "empty").mkdir()
    with pytest.raises(ReadError, match=words) as caught:
        found(name, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("same", ["in", "in/../in", "in/sub/..", "link"])
def test_the_input_folder_as_output_is_an_error(tree, found, tmp_path, same) -> None:
    (tmp_path / "link").symlink_to(tree)
    with pytest.raises(UsageError, match="the output folder holds the input"):
        found(target=same)


# Links


@pytest.fixture
def linked(tree, tmp_path, photo) -> Path:
    """`tree` with symbolic links; l1.png to l3.png and sub/away, a folder, lead out of it.

    The folder outside contains out.png, deep/far.png, and deep/back, a link to the tree.
    """
    outside = tmp_path / "outside"
    (outside / "deep").mkdir(parents=True)
    cv2.imwrite(str(outside / "out.png"), photo)
    cv2.imwrite(str(outside / "deep" / "far.png"), photo)
    for link, target in {
        "../outside/deep/back": tree,
        "l1.png": outside / "out.png",
        "l2.png": "../outside/nothing.png",
        "l3.png": "l1.png",
        "m1.png": "b.png",
        "m2.png": tree / "nothing.png",
        "sub/m3.png": "../sub/../b.png",
        "sub/away": outside,
        "sub/here": "deep",
        "sub/up": "..",
    }.items():
        (tree / link).symlink_to(target)
    return tree


INSIDE = ["a.jpg", "b.png", "m1.png", "m2.png"]


@pytest.mark.parametrize(
    ("recursive", "names", "count"), [(False, INSIDE, 3), (True, [*INSIDE, "sub/m3.png", "sub/deep/ü 1.png"], 4)]
)
def test_links_out_of_the_folder_are_ignored_and_counted(linked, found, tmp_path, recursive, names, count) -> None:
    sources, _, notes = found(recursive=recursive)
    assert sources == names
    assert notes == (f"ignored {count} links out of the input folder (`follow_symlinks` to follow)", *NOTES)
    (tmp_path / "link").symlink_to(linked)  # the input folder may itself be a link
    assert found("link", recursive=recursive)[0] == names


def test_follow_symlinks_visits_each_folder_once(linked, found) -> None:
    names = ["a.jpg", "b.png", "l1.png", "l2.png", "l3.png", "m1.png", "m2.png", "sub/m3.png"]
    names += ["sub/away/out.png", "sub/away/deep/far.png", "sub/deep/ü 1.png"]
    assert found(recursive=True, follow_symlinks=True) == (names, names, NOTES)


def test_only_links_with_matching_names_are_counted(linked, found) -> None:
    (linked / "n.txt").symlink_to("/etc/passwd")
    (linked / ".hidden.png").symlink_to("/etc/passwd")
    for pattern in (None, "[al]*"):
        assert found(pattern=pattern)[2][0].startswith("ignored 3 links")
    assert found(pattern="[alm]1.png")[2] == ("ignored 1 link out of the input folder (`follow_symlinks` to follow)",)
    with pytest.raises(ReadError, match=r"no file named l.*ignored 1 link out of the input folder; `follow_symlinks`"):
        found(pattern="l1.png")


def test_a_folder_with_the_same_name_prefix_is_outside(tree, found, tmp_path, photo) -> None:
    (tmp_path / "in2").mkdir()
    cv2.imwrite(str(tmp_path / "in2" / "x.png"), photo)
    (tree / "c.png").symlink_to("../in2/x.png")
    sources, _, notes = found()
    assert (sources, len(notes)) == (["a.jpg", "b.png"], 2)


def test_a_link_to_the_output_folder_is_ignored(tree, found, tmp_path, photo) -> None:
    (tmp_path / "out").mkdir()
    cv2.imwrite(str(tmp_path / "out" / "old.png"), photo)
    (tree / "results").symlink_to(tmp_path / "out")
    assert found(recursive=True, follow_symlinks=True)[0] == ["a.jpg", "b.png", "sub/deep/ü 1.png"]


@pytest.mark.parametrize("follow", [True, False])
def test_circular_links_to_files_are_kept_and_to_folders_ignored(tree, found, follow) -> None:
    for link, target in {"c1.png": "c2.png", "c2.png": "c1.png", "sub/self": "self"}.items():
        (tree / link).symlink_to(target)
    names = ["a.jpg", "b.png", "c1.png", "c2.png", "sub/deep/ü 1.png"]
    assert found(recursive=True, follow_symlinks=follow)[0] == names


def test_an_unreadable_folder_does_not_stop_the_others(tree, found, monkeypatch) -> None:
    scandir = os.scandir

    def fail_for_deep(path):
        if os.path.basename(path) == "deep":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", fail_for_deep)
    assert found(recursive=True)[0] == ["a.jpg", "b.png", "sub/deep"]
