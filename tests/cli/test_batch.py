"""`imgconv batch`: a folder as a user would have it."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

import imgconv


@pytest.fixture
def folder(tmp_path, photo, grey):
    """A tree of pictures: in/a.png, in/b.jpg, in/deep/er/c.png, and a text file."""
    (tmp_path / "in" / "deep" / "er").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "in" / "a.png"), photo)
    cv2.imwrite(str(tmp_path / "in" / "b.jpg"), photo)
    cv2.imwrite(str(tmp_path / "in" / "deep" / "er" / "c.png"), grey)
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    return tmp_path / "in"


def names(path):
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file())


def test_one_level(done, folder, tmp_path, photo, load):
    done("batch", "sharpen", "in", "out")
    assert names(tmp_path / "out") == ["a.png", "b.jpg"]
    assert np.array_equal(load("out/a.png"), imgconv.correlate(photo, "sharpen"))


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_recursive_keeps_the_tree(done, folder, tmp_path, grey, load, jobs):
    done("batch", "edges:operator=sobel", "in", "out", "--recursive", "--jobs", jobs)
    assert names(tmp_path / "out") == ["a.png", "b.jpg", "deep/er/c.png"]
    assert np.array_equal(load("out/deep/er/c.png"), imgconv.find_edges(grey, "sobel"))


def test_pattern_and_format(done, folder, tmp_path, load):
    done("batch", "box", "in", "out", "-r", "--pattern", "*.png", "--format", "tiff", "--depth", "16", "--no-isolate")
    assert names(tmp_path / "out") == ["a.tiff", "deep/er/c.tiff"]
    assert load("out/a.tiff").dtype == np.uint16


def test_a_chain_with_every_option_of_apply(done, folder, photo, load):
    options = ("--border", "wrap", "--range", "abs", "--engine", "numpy")
    done("batch", "gaussian:sigma=1", "laplacian", "in", "out", *options, "--no-isolate")
    done("apply", "gaussian:sigma=1", "laplacian", "in/a.png", "one.png", *options)
    assert np.array_equal(load("out/a.png"), load("one.png"))


def test_one_bad_file_costs_itself_alone(run, folder, tmp_path):
    (folder / "bad.png").write_bytes((folder / "a.png").read_bytes()[:500])
    (folder / "empty.jpg").write_bytes(b"")
    result = run("batch", "sharpen", "in", "out")
    assert result.code == 6
    assert names(tmp_path / "out") == ["a.png", "b.jpg"]
    bad, empty, summary = result.err.splitlines()
    assert "bad.png" in bad
    assert "truncated" in bad
    assert "empty.jpg: the file is empty" in empty
    assert summary == "imgconv: 2 of 4 files failed; they are named above, the others are done"


def test_json(run, folder):
    (folder / "empty.jpg").write_bytes(b"")
    result = run("batch", "sharpen", "in", "out", "--json", "--no-isolate")
    report = json.loads(result.out)
    assert (report["done"], report["failed"], report["skipped"]) == (2, 1, 0)
    assert [f["status"] for f in report["files"]] == ["done", "done", "failed"]
    assert report["files"][0]["report"]["clipped"] > 0


def test_no_clobber_skips_what_is_done(done, run, folder, load, tmp_path):
    done("batch", "identity", "in", "out", "--no-isolate")
    before = (tmp_path / "out" / "a.png").read_bytes()
    result = run("batch", "box", "in", "out", "--recursive", "--no-clobber", "--verbose", "--no-isolate")
    assert result.code == 0
    assert "1 done, 2 skipped" in result.err
    assert (tmp_path / "out" / "a.png").read_bytes() == before


def test_bad_input(fails, folder, tmp_path):
    assert "no such folder" in fails(4, "batch", "sharpen", "nowhere", "out")
    assert "not a folder" in fails(4, "batch", "sharpen", "in/a.png", "out")
    assert "no file named *.gif" in fails(4, "batch", "sharpen", "in", "out", "--pattern", "*.gif")
    assert "is the output folder" in fails(2, "batch", "sharpen", "in", "in")
    assert "did you mean sharpen" in fails(3, "batch", "sharpn", "in", "out")
    assert not (tmp_path / "out").exists()
