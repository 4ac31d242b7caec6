"""Values as text (`.txt`, `.csv`) on the command line: files, stdout, folders, reports, and text that is no image."""

from __future__ import annotations

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest

import imgconv


def values(path) -> np.ndarray:
    return np.loadtxt(path, delimiter="," if path.suffix == ".csv" else None, ndmin=2)


@pytest.fixture
def laplacian(grey):
    """The expected values of `imgconv apply laplacian grey.png`."""
    return imgconv.correlate(grey, "laplacian")


@pytest.mark.parametrize("name", ["out.csv", "out.txt"])
def test_the_values_of_a_result_are_written(done, grey, laplacian, tmp_path, name):
    done("apply", "laplacian", "grey.png", name)
    assert np.array_equal(values(tmp_path / name), laplacian)
    done("apply", "laplacian", "grey.png", "floats.csv", "--depth", "32f", "--levels", "keep")
    expected = imgconv.correlate(grey.astype(np.float32), "laplacian")
    assert np.array_equal(values(tmp_path / "floats.csv"), expected)
    assert expected.min() < 0


def test_the_format_is_chosen_by_its_option(done, grey, laplacian, tmp_path):
    done("apply", "laplacian", "grey.png", "values.dat", "--format", "txt")
    (tmp_path / "values.dat").rename(tmp_path / "values.txt")
    assert np.array_equal(values(tmp_path / "values.txt"), laplacian)
    done("apply", "laplacian", "grey.png", "folder/", "--format", "csv")
    assert np.array_equal(values(tmp_path / "folder" / "grey.csv"), laplacian)


def test_values_are_written_to_stdout(root, grey, laplacian, tmp_path):
    command = [sys.executable, "-m", "imgconv", "apply", "laplacian", str(tmp_path / "grey.png"), "-", "--format", "csv"]
    result = subprocess.run(command, cwd=root, capture_output=True, timeout=60)
    assert result.returncode == 0
    (tmp_path / "out.csv").write_bytes(result.stdout)
    assert np.array_equal(values(tmp_path / "out.csv"), laplacian)


def test_colour_is_an_error_before_anything_is_written(done, fails, photo, tmp_path):
    before = sorted(tmp_path.iterdir())
    message = fails(5, "apply", "sharpen", "photo.png", "out.csv")
    assert "out.csv: CSV cannot store colour; choose --gray, or another format (.npy, .png, .jpg, .tif)" in message
    assert sorted(tmp_path.iterdir()) == before
    done("apply", "sharpen", "photo.png", "out.csv", "--gray")
    assert values(tmp_path / "out.csv").shape == photo.shape[:2]


def test_reports_and_permissions_are_those_of_all_formats(done, fails, grey, laplacian, tmp_path):
    report = json.loads(done("apply", "laplacian", "grey.png", "out.txt", "--json"))
    assert (report["output"]["path"], report["output"]["dtype"]) == ("out.txt", "uint8")
    assert np.array_equal(values(tmp_path / "out.txt"), laplacian)
    before = (tmp_path / "out.txt").read_bytes()
    assert "already exists" in fails(5, "apply", "box", "grey.png", "out.txt", "--no-clobber")
    assert (tmp_path / "out.txt").read_bytes() == before
    done("apply", "box", "grey.png", "out.txt", "--backup")
    assert (tmp_path / "out.txt~").read_bytes() == before


def test_a_batch_writes_text_and_ignores_it_in_folders(run, grey, laplacian, tmp_path):
    (tmp_path / "in").mkdir()
    cv2.imwrite(str(tmp_path / "in" / "a.png"), grey)
    (tmp_path / "in" / "kernel.csv").write_text("1,2,1\n")
    (tmp_path / "in" / "notes.txt").write_text("words\n")
    result = run("batch", "laplacian", "in", "out", "--format", "csv", "--no-isolate", "--range", "clip")
    assert (result.code, result.out) == (0, "")
    assert "ignored 2 files without the extension of a supported format: 1 .csv, 1 .txt" in result.err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["a.csv"]
    assert np.array_equal(values(tmp_path / "out" / "a.csv"), laplacian)
    result = run("batch", "laplacian", "in", "other", "--pattern", "*.txt", "--no-isolate")
    assert result.code == 6
    assert "notes.txt: is not an image in a supported format" in result.err.splitlines()[0]


def test_text_is_not_read_as_an_image_but_as_a_kernel(done, fails, grey, load, tmp_path):
    weights = np.array([[1, 2, 4], [0, -3, 5]], np.int8)
    imgconv.write_image(tmp_path / "kernel.csv", weights)
    message = fails(4, "apply", "sharpen", "kernel.csv", "out.png")
    assert message.endswith("format; imgconv writes CSV, but reads it only as a kernel (@kernel.csv)")
    assert message.startswith("imgconv: kernel.csv: is not an image in a supported ")
    assert not (tmp_path / "out.png").exists()
    done("apply", "@kernel.csv", "grey.png", "out.png", "--range", "clip")
    assert np.array_equal(load("out.png"), imgconv.correlate(grey, weights))
