"""The journal of `imgconv batch --update`: dry runs, reports, failures, interrupted runs."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import cv2
import numpy as np
import pytest

from tests.cli.updated_tree import ALL, JOURNAL, rewritten, times


def rows(root):
    with closing(sqlite3.connect(root / JOURNAL)) as connection:
        return [row[0] for row in connection.execute("SELECT output FROM files ORDER BY output")]


# Reports


def test_verbose_reports_what_is_up_to_date(run, update):
    update()
    result = run("batch", "box", "in", "out", "--update", "--verbose", "--no-isolate")
    *skipped, totals = result.err.splitlines()
    assert skipped == [f"imgconv: skipped: out/{name} is up to date" for name in ALL[:2]]
    assert totals.startswith("imgconv: 2 skipped, ")


@pytest.mark.parametrize("as_json", [False, True], ids=["text", "json"])
def test_a_dry_run_lists_the_reasons(run, update, folder, tmp_path, as_json):
    (folder / "gone.png").write_bytes((folder / "a.png").read_bytes())
    update()
    (tmp_path / "out" / "gone.png").unlink()
    rewritten(folder, tmp_path / "out")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    result = run("batch", "box", "in", "out", "--update", "--dry-run", *["--json"] * as_json)
    assert (result.code, result.err) == (0, "")
    if as_json:
        found = {file["output"]: (file["status"], file["message"]) for file in json.loads(result.out)["files"]}
        assert found == {
            "out/a.png": ("replaced", "the input changed"),
            "out/b.jpg": ("skipped", "out/b.jpg is up to date"),
            "out/gone.png": ("new", ""),
        }
    else:
        assert result.out.splitlines() == [
            "replaced  out/a.png (the input changed)",
            "skipped   out/b.jpg",
            "new       out/gone.png",
            "1 new, 1 replaced, 1 skipped, 0 refused",
        ]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("options", [[], ["--recursive"]])
def test_a_dry_run_creates_nothing(done, folder, tmp_path, options):
    before = sorted(tmp_path.rglob("*"))
    printed = done("batch", "box", "in", "out", "--update", "--dry-run", *options)
    assert printed.splitlines()[-1].startswith(f"{2 + len(options)} new, 0 replaced")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_dry_run_explains_results_that_are_not_in_the_journal(done, folder):
    done("batch", "box", "in", "out", "--no-isolate")
    printed = done("batch", "box", "in", "out", "--update", "--dry-run")
    assert printed.splitlines()[0] == "replaced  out/a.png (not in the journal)"


def test_a_replaced_result_is_kept_with_backup(update, folder, tmp_path):
    update()
    before = (tmp_path / "out" / "a.png").read_bytes()
    rewritten(folder, tmp_path / "out")
    update("--backup")
    assert (tmp_path / "out" / "a.png~").read_bytes() == before
    assert update() == dict.fromkeys(ALL, "skipped")


# Failures


def test_a_failed_file_is_not_recorded_and_tried_again(update, folder, tmp_path):
    update()
    good = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(good[:500])
    (folder / "bad.png").write_bytes(b"no picture")
    for _ in range(2):
        assert update(code=6) == {"a.png": "failed", "b.jpg": "skipped", "bad.png": "failed", "deep/er/c.png": "skipped"}
    assert rows(tmp_path / "out") == ALL
    (folder / "a.png").write_bytes(good)
    (folder / "bad.png").write_bytes(good)
    assert update() == {"a.png": "done", "b.jpg": "skipped", "bad.png": "done", "deep/er/c.png": "skipped"}


def test_update_and_no_clobber_contradict_each_other(fails, folder, tmp_path):
    assert "--update and --no-clobber contradict each other" in fails(
        2, "batch", "box", "in", "out", "--update", "--no-clobber"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("options", [[], ["--dry-run"]], ids=["batch", "dry run"])
def test_a_damaged_journal_stops_the_run_before_any_file(fails, folder, tmp_path, options):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / JOURNAL).write_text("no journal")
    message = fails(5, "batch", "box", "in", "out", "--update", *options)
    assert message.startswith(f"imgconv: out/{JOURNAL}: is not a journal of imgconv, or is damaged; delete it")
    assert os.listdir(tmp_path / "out") == [JOURNAL]


def test_a_second_batch_on_a_folder_is_an_error(fails, update, tmp_path):
    update()
    with closing(sqlite3.connect(tmp_path / "out" / JOURNAL, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        other.execute("BEGIN EXCLUSIVE")
        message = fails(5, "batch", "box", "in", "out", "--update", "--no-isolate")
    assert message == "imgconv: out: another batch is writing to this folder"


def test_a_mistake_in_a_filter_creates_no_folder(fails, folder, tmp_path):
    fails(3, "batch", "gaussian:sigma=-1", "in", "out", "--update", "--no-isolate")
    assert not (tmp_path / "out").exists()


def test_results_that_cannot_be_recorded_are_reported_in_one_note(run, update, monkeypatch):
    """Rows are rejected, as they are by a full disk."""
    update()
    connect = sqlite3.connect

    def read_only(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.set_authorizer(lambda action, *_: sqlite3.SQLITE_DENY if action == sqlite3.SQLITE_INSERT else 0)
        return connection

    with monkeypatch.context() as patched:
        patched.setattr(sqlite3, "connect", read_only)
        result = run("batch", "box:5", "in", "out", "--update", "--no-isolate")
    assert result.code == 0
    [line] = result.err.splitlines()
    assert line.startswith(f"imgconv: out/{JOURNAL}: some results are not recorded and will be made again: ")
    assert set(update(spec=("box:5",)).values()) == {"done"}


@pytest.mark.parametrize("isolate", ["--isolate", "--no-isolate"])
def test_a_killed_run_continues_where_it_stopped(update, folder, tmp_path, root, isolate):
    noise = np.random.default_rng(0).integers(0, 256, (400, 500, 3), np.uint8)
    many = [f"n{number:02}.png" for number in range(30)]
    for name in many:
        cv2.imwrite(str(folder / name), noise)
    command = [sys.executable, "-m", "imgconv", "batch", "box", "in", "out", "--update", "--jobs", "2", isolate, "-r"]
    with subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(root)}) as running:
        end = time.monotonic() + 30
        while not (tmp_path / "out").exists() or len(times(tmp_path / "out")) < 6:
            assert time.monotonic() < end
            time.sleep(0.005)
        running.kill()
    before = times(tmp_path / "out")
    statuses = update()
    skipped = {name for name, status in statuses.items() if status == "skipped"}
    after = times(tmp_path / "out")
    assert 4 <= len(skipped) <= len(before)
    assert {name for name in after if after[name] == before.get(name)} == skipped
    assert sorted(after) == sorted(statuses) == rows(tmp_path / "out") == sorted([*ALL, *many])
    update(out="fresh")
    for name in after:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "fresh" / name).read_bytes()
    assert set(update().values()) == {"skipped"}
