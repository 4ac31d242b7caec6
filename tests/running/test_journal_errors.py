"""Errors of `Journal`: locks, damaged files, places that cannot be written, failures of the database."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from imgconv.errors import WriteError
from imgconv.running.folder import dry_run, run_batch
from imgconv.running.journal import NAME, SCHEMA, Journal, Update

DAMAGED = "is not a journal of imgconv, or is damaged; delete it to make every result again"


@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
def test_a_second_journal_on_the_same_folder_is_an_error(tmp_path, used) -> None:
    if used:
        Journal(tmp_path / "out").close()
    with Journal(tmp_path / "out"), pytest.raises(WriteError) as caught:
        Journal(tmp_path / "out")
    assert str(caught.value) == f"{tmp_path / 'out'}: another batch is writing to this folder"
    Journal(tmp_path / "out").close()


HOLD = """
import sys
from imgconv.running.journal import Journal
with Journal(sys.argv[1]):
    print("open", flush=True)
    sys.stdin.read()
"""


def test_a_journal_of_another_process_is_an_error_until_it_ends(tmp_path, root) -> None:
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", HOLD, tmp_path / "out"]
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "open\n"
        with pytest.raises(WriteError, match="another batch is writing to this folder"):
            Journal(tmp_path / "out")
        other.kill()
    Journal(tmp_path / "out").close()


def of_another_version(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")


def of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE notes (text)")


def with_other_columns(path: Path) -> None:
    of_another_program(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE files (output)")
        connection.execute(f"PRAGMA user_version = {SCHEMA}")


def without_a_middle(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\x55" * (len(data) - 4096))


DAMAGES = {
    "text": lambda path: path.write_text("no database" * 100),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "damaged": without_a_middle,
    "another version": of_another_version,
    "another program": of_another_program,
    "other columns": with_other_columns,
}


@pytest.mark.parametrize("read_only", [False, True], ids=["to write", "to read"])
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_file_that_is_no_journal_is_an_error_and_is_kept(recorded, tmp_path, damage, read_only) -> None:
    path = tmp_path / "out" / NAME
    damage(path)
    before = path.read_bytes()
    with pytest.raises(WriteError) as caught:
        Journal(tmp_path / "out", read_only=read_only)
    assert str(caught.value) == f"{path}: {DAMAGED}"
    assert path.read_bytes() == before
    path.unlink()
    with Journal(tmp_path / "out", read_only=read_only) as journal:
        assert journal.reason(*recorded, "r") == "not in the journal"


@pytest.mark.parametrize("read_only", [False, True], ids=["to write", "to read"])
def test_a_folder_in_place_of_the_journal_is_an_error(tmp_path, read_only) -> None:
    (tmp_path / "out" / NAME).mkdir(parents=True)
    with pytest.raises(WriteError, match=f"{NAME}: ") as caught:
        Journal(tmp_path / "out", read_only=read_only)
    assert "\n" not in str(caught.value)


def test_a_link_out_of_the_folder_is_an_error(tmp_path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / NAME).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteError, match="leads out of the output folder"):
        Journal(tmp_path / "out")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_an_error(tmp_path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(WriteError, match="out: the folder is read-only"):
        Journal(tmp_path / "out")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_journal_is_an_error(recorded, tmp_path) -> None:
    (tmp_path / "out" / NAME).chmod(0o400)
    with pytest.raises(WriteError, match=f"out/{NAME}: is read-only"):
        Journal(tmp_path / "out")


def test_a_file_in_place_of_the_folder_is_an_error(tmp_path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(WriteError, match="out: the folder cannot be created"):
        Journal(tmp_path / "out")


def test_an_error_of_the_database_fails_no_file(tree, tmp_path, make_task, monkeypatch) -> None:
    """A limit on the number of pages has the effect of a full disk."""
    work = [(tree / "a.jpg", tmp_path / "out" / "a.jpg"), (tree / "b.png", tmp_path / "out" / "b.png")]
    recipe = "r" * 100_000
    connect = sqlite3.connect

    def limited(*arguments, **options):
        connection = connect(*arguments, **options)
        connection.execute("PRAGMA max_page_count = 5").fetchall()
        return connection

    monkeypatch.setattr(sqlite3, "connect", limited)
    with Journal(tmp_path / "out") as journal:
        outcomes = run_batch(work, make_task(), jobs=1, update=Update(journal, recipe))
        assert "full" in journal.failure
    assert [outcome.status for outcome in outcomes] == ["done", "done"]
    monkeypatch.undo()
    with Journal(tmp_path / "out") as journal:
        assert [o.message for o in dry_run(work, make_task(), update=Update(journal, recipe))] == ["not in the journal"] * 2
