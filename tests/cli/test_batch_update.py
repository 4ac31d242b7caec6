"""`imgconv batch --update`: what is filtered again, and what is skipped. `test_batch_journal` tests the journal."""

from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from imgconv.running import isolation
from tests.cli.updated_tree import ALL, JOURNAL, rewritten, times


@pytest.mark.parametrize("isolate", [False, True], ids=["in this process", "isolated"])
def test_a_second_run_skips_all_results(update, tmp_path, isolate):
    assert update(isolate=isolate) == dict.fromkeys(ALL, "done")
    before = times(tmp_path / "out")
    assert sorted(before) == ALL
    assert update(isolate=isolate) == dict.fromkeys(ALL, "skipped")
    assert times(tmp_path / "out") == before
    assert [name for name in os.listdir(tmp_path / "out") if name.startswith(".")] == [JOURNAL]


def replaced_by_an_older_file(folder, out):
    rewritten(folder, out)
    os.utime(folder / "a.png", ns=(0, 0))


def edited(folder, out):
    with open(out / "a.png", "ab") as file:
        file.write(b"more")


@pytest.mark.parametrize(
    "change",
    [
        rewritten,
        replaced_by_an_older_file,
        edited,
        lambda folder, out: os.utime(folder / "a.png"),
        lambda folder, out: (out / "a.png").unlink(),
    ],
    ids=["input rewritten", "input older", "result edited", "input touched", "result deleted"],
)
def test_one_change_makes_one_result_again(update, folder, tmp_path, change):
    update()
    change(folder, tmp_path / "out")
    before = times(tmp_path / "out")
    assert update() == {"a.png": "done", "b.jpg": "skipped", "deep/er/c.png": "skipped"}
    after = times(tmp_path / "out")
    assert {name for name in after if after[name] != before.get(name)} == {"a.png"}
    assert update() == dict.fromkeys(ALL, "skipped")


@pytest.mark.parametrize(
    "options",
    [
        ["--border", "wrap"],
        ["--depth", "8", "--range", "abs"],
        ["--delta", "3"],
        ["--region", "1,2,10,20"],
        ["--channels", "0"],
        ["--linear"],
        ["--pages", "0"],
        ["--auto-orient"],
        ["--strip"],
        ["--engine", "numpy"],
    ],
    ids=" ".join,
)
def test_another_option_makes_all_results_again(update, options):
    update()
    assert update(*options) == dict.fromkeys(ALL, "done")
    assert update(*options) == dict.fromkeys(ALL, "skipped")
    assert update() == dict.fromkeys(ALL, "done")


@pytest.mark.parametrize("options", [["--quality", "50"], ["--depth", "16", "--format", "png"]], ids=" ".join)
def test_another_quality_or_depth_makes_results_again(update, options):
    of_one_format = ["--pattern", "*.jpg"]
    update(*of_one_format)
    [name] = update(*of_one_format, *options)
    assert update(*of_one_format, *options) == {name: "skipped"}
    assert update(*of_one_format) == {"b.jpg": "done" if name == "b.jpg" else "skipped"}


def test_another_filter_makes_all_results_again(update):
    update()
    for spec in (("box:5",), ("box", "box"), ("edges",), ("edges:operator=sobel",)):
        assert update(spec=spec) == dict.fromkeys(ALL, "done")
        assert update(spec=spec) == dict.fromkeys(ALL, "skipped")


@pytest.mark.parametrize(
    ("file", "spec", "options", "contents"),
    [
        ("kernel.txt", "@kernel.txt", [], ("1 2 3\n", "1 2 4\n", "# a comment\n1 2 4\n")),
        (
            "mine.yaml",
            "mine",
            ["--kernels", "mine.yaml"],
            [f"kernels:\n  mine:\n    about: {about}\n    matrix: [[1, {n}]]\n" for about, n in (("a", 2), ("a", 3), ("b", 3))],
        ),
    ],
)
def test_a_changed_kernel_makes_all_results_again_but_a_comment_none(update, tmp_path, file, spec, options, contents):
    for content, expected in zip(contents, ("done", "done", "skipped"), strict=True):
        (tmp_path / file).write_text(content)
        assert update(*options, spec=(spec,)) == dict.fromkeys(ALL, expected)


def test_a_changed_mask_makes_the_result_again(update, folder, tmp_path, photo):
    for level, expected in ((0, "done"), (0, "skipped"), (9, "done")):
        cv2.imwrite(str(tmp_path / "mask.png"), np.full(photo.shape[:2], level, np.uint8))
        assert update("--mask", "mask.png", "--pattern", "a.*") == {"a.png": expected}


@pytest.mark.parametrize(
    "options",
    [["--jobs", "1"], ["--jobs", "3"], ["--verbose"], ["--max-pixels", "9M"], ["--backup"], ["--follow-symlinks"]],
    ids=" ".join,
)
def test_an_option_without_effect_on_results_makes_none_again(update, options):
    update()
    assert update(*options) == dict.fromkeys(ALL, "skipped")


def test_isolation_makes_no_result_again(update):
    update()
    assert update("--timeout", "50", "--memory", "3G", isolate=True) == dict.fromkeys(ALL, "skipped")


def test_no_process_is_started_if_all_results_are_up_to_date(update, monkeypatch):
    update()
    started = []
    monkeypatch.setattr(isolation, "Process", started.append)
    assert update(isolate=True) == dict.fromkeys(ALL, "skipped")
    assert started == []


def test_results_made_without_update_are_made_again(run, update, tmp_path):
    assert run("batch", "box", "in", "out", "--no-isolate").code == 0
    assert not (tmp_path / "out" / JOURNAL).exists()
    assert update() == dict.fromkeys(ALL, "done")
    assert run("batch", "box", "in", "out", "--no-isolate").code == 0
    assert update() == {"a.png": "done", "b.jpg": "done", "deep/er/c.png": "skipped"}


def test_a_renamed_output_folder_is_up_to_date(update, tmp_path):
    update()
    (tmp_path / "moved").mkdir()
    (tmp_path / "out").rename(tmp_path / "moved" / "other")
    assert update(out="moved/other") == dict.fromkeys(ALL, "skipped")


def test_a_renamed_input_folder_makes_all_results_again(update, folder, tmp_path):
    update()
    folder.rename(tmp_path / "other")
    assert update(source="other") == dict.fromkeys(ALL, "done")


def test_new_files_are_added(update, folder):
    update()
    os.link(folder / "a.png", folder / "new.png")
    assert update() == {**dict.fromkeys(ALL, "skipped"), "new.png": "done"}


def test_files_with_unusual_names_are_up_to_date(update, folder, tmp_path):
    others = ["two\nlines.png", "é'\";--.png", "-x.png", os.fsdecode(b"\xff.png")]
    for name in others:
        os.link(folder / "a.png", folder / name)
    assert set(update().values()) == {"done"}
    assert update() == dict.fromkeys([*ALL, *others], "skipped")
