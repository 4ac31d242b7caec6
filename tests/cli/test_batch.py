"""`imgconv batch`: folders, files, lists, failures and dry runs."""

from __future__ import annotations

import io
import json
import os
import re

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

import imgconv
from imgconv.running.folder import Outcome


def names(path):
    return sorted(str(p.relative_to(path)) for p in path.rglob("*") if p.is_file())


def test_without_recursive_subfolders_are_ignored(done, folder, tmp_path, photo, load):
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


def test_chains_and_options_of_apply(done, folder, photo, load):
    options = ("--border", "wrap", "--range", "abs", "--engine", "numpy")
    done("batch", "gaussian:sigma=1", "laplacian", "in", "out", *options, "--no-isolate")
    done("apply", "gaussian:sigma=1", "laplacian", "in/a.png", "one.png", *options)
    assert np.array_equal(load("out/a.png"), load("one.png"))


def test_a_damaged_file_does_not_stop_the_others(run, folder, tmp_path):
    (folder / "bad.png").write_bytes((folder / "a.png").read_bytes()[:500])
    (folder / "empty.jpg").write_bytes(b"")
    result = run("batch", "sharpen", "in", "out", "--range", "clip")
    assert result.code == 6
    assert names(tmp_path / "out") == ["a.png", "b.jpg"]
    bad, empty, summary = result.err.splitlines()
    assert "bad.png" in bad
    assert "truncated" in bad
    assert "empty.jpg: the file is empty" in empty
    assert re.fullmatch(r"imgconv: 2 done, 2 failed, \d+\.\d s; the errors are listed above", summary)


def test_notes_of_many_files_are_grouped(run, folder, tmp_path):
    result = run("batch", "laplacian", "in", "out", "--recursive", "--no-isolate")
    pattern = r"imgconv: 3 files: more than 1 % of the values were clipped; at most \d+ % in in/\S+; --range, .* can avoid it\n"
    assert re.fullmatch(pattern, result.err), result.err
    assert len(re.findall("clipped", run("batch", "laplacian", "in", "out", "--json", "--no-isolate").out)) >= 2
    for name in ("a.png", "deep/er/c.png"):
        with Image.open(folder / name) as picture:
            picture.save(folder / name, comment="x", pnginfo=_texts())
    result = run("batch", "identity", "in", "out", "-r", "--format", "ppm", "--gray", "--no-isolate")
    assert re.search(r"^imgconv: in/a.png and 1 other file: left out .*text", result.err, re.MULTILINE), result.err


def _texts():
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Title", "a test")
    return texts


def test_an_interrupt_states_how_to_continue(run, folder, monkeypatch):
    def interrupted(work, *_, progress, **__):
        progress(Outcome(*work[0], "skipped"))
        raise KeyboardInterrupt

    monkeypatch.setattr("imgconv.running.folder.run_batch", interrupted)
    for options, hint in (((), "with --no-clobber it continues"), (("--no-clobber",), "the same command continues")):
        result = run("batch", "box", "in", "out", "--no-isolate", *options)
        assert (result.code, result.out) == (130, "")
        assert result.err == f"imgconv: 1 of 2 files were processed; {hint}\nimgconv: interrupted\n"


def test_json(run, folder):
    (folder / "empty.jpg").write_bytes(b"")
    result = run("batch", "sharpen", "in", "out", "--json", "--no-isolate")
    report = json.loads(result.out)
    assert (report["done"], report["failed"], report["skipped"]) == (2, 1, 0)
    assert [f["status"] for f in report["files"]] == ["done", "done", "failed"]
    assert report["files"][0]["report"]["clipped"] > 0


def test_no_clobber_skips_existing_results(done, run, folder, load, tmp_path):
    done("batch", "identity", "in", "out", "--no-isolate")
    before = (tmp_path / "out" / "a.png").read_bytes()
    result = run("batch", "box", "in", "out", "--recursive", "--no-clobber", "--verbose", "--no-isolate")
    assert result.code == 0
    assert "1 done, 2 skipped" in result.err
    assert (tmp_path / "out" / "a.png").read_bytes() == before


def test_bad_input(fails, folder, tmp_path):
    assert "no such file or folder" in fails(4, "batch", "sharpen", "nowhere", "out")
    assert "no file named *.gif" in fails(4, "batch", "sharpen", "in", "out", "--pattern", "*.gif")
    assert "the output folder holds the input" in fails(2, "batch", "sharpen", "in", "in")
    assert "did you mean sharpen" in fails(3, "batch", "sharpn", "in", "out")
    assert not (tmp_path / "out").exists()
    assert "in/*.png: no such file or folder; a pattern in quotes is not expanded" in fails(
        4, "batch", "box", "in/*.png", "out"
    )
    assert "all.png looks like a file; name a folder for the results, or write all.png/" in fails(
        2, "batch", "box", "in", "all.png"
    )
    assert not (tmp_path / "all.png").exists()


def test_files_and_folders_are_inputs(done, folder, tmp_path, photo):
    cv2.imwrite(str(tmp_path / "one.png"), photo)
    done("batch", "gaussian:sigma=1", "sharpen", "one.png", "in/a.png", "in", "out", "--no-isolate")
    assert names(tmp_path / "out") == ["a.png", "b.jpg", "one.png"]


def test_a_name_of_a_filter_is_a_filter_and_a_path_is_an_input(done, fails, folder, tmp_path, grey, load):
    folder.rename(tmp_path / "box")
    done("batch", "sharpen", "./box", "out", "--no-isolate")
    done("batch", "sharpen", "box", "other", "--no-isolate")  # no other input
    assert names(tmp_path / "out") == names(tmp_path / "other") == ["a.png", "b.jpg"]
    done("batch", "sharpen", "box", "./box", "both", "--no-isolate")
    done("apply", "sharpen", "box", "box/a.png", "one.png")
    assert np.array_equal(load("both/a.png"), load("one.png"))
    assert "write ./sobel for a folder" in fails(2, "batch", "sharpen", "sobel", "out")


def test_a_list_of_files(done, fails, folder, tmp_path, monkeypatch):
    (tmp_path / "list.txt").write_text("in/a.png\n\nin/deep/er/c.png\n")
    done("batch", "box", "out", "--from-file", "list.txt", "--no-isolate")
    assert names(tmp_path / "out") == ["a.png", "c.png"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"in/b.jpg\r\n")))
    done("batch", "box", "in/a.png", "out2", "--from-file", "-", "--no-isolate")
    assert names(tmp_path / "out2") == ["a.png", "b.jpg"]
    assert "the list of files cannot be read" in fails(4, "batch", "box", "out", "--from-file", "none.txt")


def test_a_missing_file_among_several_fails_by_name(run, folder, tmp_path):
    result = run("batch", "box", "in/a.png", "in/none.png", "out", "--no-isolate")
    assert result.code == 6
    assert "in/none.png: no such file" in result.err
    (tmp_path / "list.txt").write_text("in/a.png\nin/none.png\n")
    result = run("batch", "box", "out", "--from-file", "list.txt", "--no-isolate")
    assert result.code == 6
    assert "in/none.png: no such file" in result.err
    assert names(tmp_path / "out") == ["a.png"]


def test_files_of_other_types_are_counted_in_one_note(run, folder):
    for name in ("a.heic", "b.heic", "film.MP4", "README"):
        (folder / name).touch()
    result = run("batch", "box", "in", "out", "--no-isolate")
    expected = "ignored 4 files without the extension of a supported format: 2 .heic, 1 .mp4, 1 README"
    assert (result.code, result.err) == (0, f"imgconv: {expected}\n")
    assert run("batch", "box", "in", "out", "--pattern", "*.png", "--no-isolate").err == ""


def test_an_output_that_is_a_file(fails, folder, tmp_path):
    (tmp_path / "file").touch()
    assert "file: is a file; name a folder" in fails(5, "batch", "box", "in", "file")


def test_an_input_beside_its_result_is_not_replaced(fails, folder):
    assert "the output folder holds the input" in fails(2, "batch", "box", "in/a.png", "in")


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_dry_run_lists_what_a_batch_would_do(run, folder, tmp_path, as_json):
    (folder / "bad.png").write_bytes(b"no picture")
    (folder / "c.png").symlink_to("a.png")
    cv2.imwrite(str(folder / "d.tif"), np.zeros((5, 6), np.float32))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.jpg").touch()
    before = names(tmp_path)
    result = run("batch", "box", "in", "out", "--format", "jpg", "--dry-run", *["--json"] * as_json)
    assert result.code == 6
    assert result.err == "imgconv: 2 of 5 files would fail\n"
    statuses = {"a": "replaced", "bad": "refused", "b": "new", "c": "new", "d": "refused"}
    if as_json:
        report = json.loads(result.out)
        assert {stem_of(file): file["status"] for file in report["files"]} == statuses
        assert (report["new"], report["replaced"], report["skipped"], report["refused"]) == (2, 1, 0, 2)
    else:
        *lines, totals = result.out.splitlines()
        assert [line.split()[0] for line in lines] == ["replaced", "new", "refused", "new", "refused"]
        assert "--depth 8" in lines[4]
        assert totals == "2 new, 1 replaced, 0 skipped, 2 refused"
    assert names(tmp_path) == before
    assert (tmp_path / "out" / "a.jpg").read_bytes() == b""


def stem_of(file):
    return file["input"].removeprefix("in/").partition(".")[0]


def test_a_dry_run_agrees_with_the_batch(run, done, folder, tmp_path):
    (folder / "a.bmp").write_bytes(cv2.imencode(".bmp", np.zeros((4, 5), np.uint8))[1])  # its result would be a.png, too
    dry = json.loads(run("batch", "box", "in", "out", "-r", "--format", "png", "--dry-run", "--json").out)
    wet = json.loads(run("batch", "box", "in", "out", "-r", "--format", "png", "--json", "--no-isolate").out)
    assert [f["status"] == "refused" for f in dry["files"]] == [f["status"] == "failed" for f in wet["files"]]
    assert dry["refused"] == 1
    dry = json.loads(done("batch", "box", "in", "out", "--no-clobber", "--pattern", "*.png", "--dry-run", "--json"))
    assert (dry["skipped"], dry["new"]) == (1, 0)


@pytest.mark.parametrize("separator", ["\n", "\0"])
def test_a_list_of_unusual_names(done, tmp_path, grey, separator):
    names_of_files = ["a b.png", "x\x0by.png", "caf\u00e9\u2028.png", os.fsdecode(b"\xff.png")]
    for name in names_of_files:
        cv2.imwrite("plain.png", grey)
        os.replace("plain.png", name)
    (tmp_path / "list").write_bytes(os.fsencode(separator.join(names_of_files)))
    done("batch", "box", "out", "--from-file", "list", "--no-isolate")
    assert sorted(os.listdir(tmp_path / "out")) == sorted(names_of_files)


def test_words_that_are_missing_or_empty(fails, folder, tmp_path):
    (tmp_path / "empty").touch()
    assert "empty: lists no files" in fails(4, "batch", "box", "out", "--from-file", "empty")
    assert "is empty" in fails(2, "batch", "box", "", "out")
    assert "SPEC, INPUT and OUT_DIR are missing" in fails(2, "batch")
    assert "INPUT and OUT_DIR are missing" in fails(2, "batch", "box")
    assert "INPUT or OUT_DIR is missing" in fails(2, "batch", "box", "in")
    assert "typo.png: no such file" in fails(4, "batch", "box", "typo.png", "out")


def test_a_fifo_is_ignored_with_a_note(run, folder, tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    result = run("batch", "box", "pipe.png", "in/a.png", "out", "--no-isolate")
    assert (result.code, result.err) == (0, "imgconv: ignored pipe.png: it is not a regular file\n")
