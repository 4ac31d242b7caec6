"""`Journal`: reasons to make a result, rows, and reading without writing."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

import pytest

from imgconv.running import folder as folders
from imgconv.running.folder import dry_run, run_batch
from imgconv.running.journal import NAME, FileState, Journal, Update
from tests.running.journal_rows import record, rows


def later(path: Path) -> None:
    """Set the modification time of a file one nanosecond later."""
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


# Reasons


def larger(path: Path) -> None:
    status = path.stat()
    path.write_text("longer than before")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


@pytest.mark.parametrize("read_only", [False, True], ids=["to write", "to read"])
@pytest.mark.parametrize(
    ("change", "recipe", "expected"),
    [
        (lambda source, target: None, "r", ""),
        (lambda source, target: None, "other", "made with other filters or options"),
        (lambda source, target: later(source), "r", "the input changed"),
        (lambda source, target: larger(source), "r", "the input changed"),
        (lambda source, target: source.unlink(), "r", "the input changed"),
        (lambda source, target: later(target), "r", "the result changed"),
        (lambda source, target: larger(target), "r", "the result changed"),
        (lambda source, target: target.unlink(), "r", "new"),
        (lambda source, target: os.utime(source), "other", "the input changed"),
    ],
)
def test_the_reason_to_make_a_result(recorded, tmp_path, change, recipe, expected, read_only) -> None:
    change(*recorded)
    with Journal(tmp_path / "out", read_only=read_only) as journal:
        assert journal.reason(*recorded, recipe) == expected


def test_another_input_with_the_same_size_and_time_is_another_input(recorded, tmp_path) -> None:
    other = tmp_path / "b.png"
    shutil.copy2(recorded[0], other)
    assert FileState.of(other) == FileState.of(recorded[0])
    with Journal(tmp_path / "out") as journal:
        assert journal.reason(other, recorded[1], "r") == "the input changed"


def test_a_link_to_the_input_is_the_same_input(recorded, tmp_path, monkeypatch) -> None:
    (tmp_path / "link").symlink_to("in")
    monkeypatch.chdir(tmp_path)
    with Journal("out") as journal:
        assert journal.reason(Path("link/a.png"), Path("out/sub/a.png"), "r") == ""


def test_a_result_without_a_row_is_not_in_the_journal(pair, tmp_path) -> None:
    with Journal(tmp_path / "out") as journal:
        assert journal.reason(*pair, "r") == "not in the journal"


def test_an_input_that_changes_while_it_is_read_is_made_again(pair, tmp_path) -> None:
    source, target = pair
    with Journal(tmp_path / "out") as journal:
        before = FileState.of(source)
        later(source)
        journal.record(source, before, target, "r")
        assert journal.reason(source, target, "r") == "the input changed"


def test_an_input_that_changes_during_a_batch_is_made_again(tree, tmp_path, make_task, monkeypatch) -> None:
    original = folders.run_file

    def changing(source, *rest, **options):
        report = original(source, *rest, **options)
        if source.path.endswith("a.jpg"):
            later(tree / "a.jpg")
        return report

    monkeypatch.setattr(folders, "run_file", changing)
    work = [(tree / name, tmp_path / "out" / name) for name in ("a.jpg", "b.png")]
    with Journal(tmp_path / "out") as journal:
        assert [o.status for o in run_batch(work, make_task(), jobs=1, update=Update(journal, "r"))] == ["done", "done"]
        found = [(o.status, o.message) for o in dry_run(work, make_task(), update=Update(journal, "r"))]
    assert found == [("replaced", "the input changed"), ("skipped", f"{work[1][1]} is up to date")]


# Rows


def test_a_row_holds_names_sizes_times_and_the_recipe(recorded, tmp_path) -> None:
    source, target = recorded
    record_ = (*FileState.of(source), *FileState.of(target))
    assert rows(tmp_path / "out") == [("sub/a.png", os.path.realpath(source), *record_, "r")]


def test_a_result_that_is_made_again_replaces_its_row(recorded, tmp_path) -> None:
    with Journal(tmp_path / "out") as journal:
        record(journal, *recorded, "new")
        assert journal.reason(*recorded, "new") == ""
    assert [row[-1] for row in rows(tmp_path / "out")] == ["new"]


def test_a_result_that_is_removed_at_once_is_not_recorded(pair, tmp_path) -> None:
    pair[1].unlink()
    with Journal(tmp_path / "out") as journal:
        record(journal, *pair)
        assert journal.failure == ""
    assert rows(tmp_path / "out") == []


@pytest.mark.parametrize("name", ["two\nlines.png", "é ü.png", "'; --.png", os.fsdecode(b"\xff.png")])
def test_a_file_may_have_any_name(pair, tmp_path, name) -> None:
    try:
        paths = [path.rename(path.with_name(name)) for path in pair]
    except (OSError, UnicodeEncodeError):
        pytest.skip("the file system does not support the name")
    for _ in range(2):
        with Journal(tmp_path / "out") as journal:
            record(journal, *paths)
        with Journal(tmp_path / "out", read_only=True) as journal:
            assert journal.reason(*paths, "r") == ""
    [[stored, *_]] = rows(tmp_path / "out")
    assert os.fsencode(stored) == os.fsencode(f"sub/{name}")


def test_the_folder_may_have_any_name(pair, tmp_path) -> None:
    folder = Path(shutil.move(tmp_path / "out", tmp_path / os.fsdecode(b"\xff ?#%.d")))
    with Journal(folder) as journal:
        record(journal, pair[0], folder / "sub" / "a.png")
    with Journal(folder, read_only=True) as journal:
        assert journal.reason(pair[0], folder / "sub" / "a.png", "r") == ""


def test_many_threads_record_at_once(pair, tmp_path) -> None:
    targets = [tmp_path / "out" / f"{number}.png" for number in range(40)]
    with Journal(tmp_path / "out") as journal:

        def write(target: Path) -> None:
            target.touch()
            record(journal, pair[0], target)

        threads = [threading.Thread(target=write, args=(target,)) for target in targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert journal.failure == ""
    assert sorted(row[0] for row in rows(tmp_path / "out")) == sorted(target.name for target in targets)


def test_a_closed_journal_is_one_file(recorded, tmp_path) -> None:
    assert [name for name in os.listdir(tmp_path / "out") if name != "sub"] == [NAME]


# Reading


def test_reading_creates_nothing(pair, tmp_path) -> None:
    with Journal(tmp_path / "nowhere", read_only=True) as journal:
        assert journal.reason(*pair, "r") == "not in the journal"
    with Journal(tmp_path / "out", read_only=True) as journal:
        assert journal.reason(*pair, "r") == "not in the journal"
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]
    assert os.listdir(tmp_path / "out") == ["sub"]


def test_reading_after_a_crash_finds_every_row_and_changes_nothing(pair, tmp_path) -> None:
    with Journal(tmp_path / "out") as journal:
        record(journal, *pair)
        shutil.copytree(tmp_path / "out", tmp_path / "crashed")  # as the files are when the process is killed
    crashed = tmp_path / "crashed"
    shutil.copystat(pair[1], crashed / "sub" / "a.png")
    before = {path: path.read_bytes() for path in crashed.iterdir() if path.is_file()}
    assert len(before) == 2
    with Journal(crashed, read_only=True) as journal:
        assert journal.reason(pair[0], crashed / "sub" / "a.png", "r") == ""
    assert {path: path.read_bytes() for path in crashed.iterdir() if path.is_file()} == before
    with Journal(crashed) as journal:
        assert journal.reason(pair[0], crashed / "sub" / "a.png", "r") == ""
    assert [path.name for path in crashed.iterdir() if path.is_file()] == [NAME]
