"""Rows of a journal, written and read by the tests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from imgconv.running.journal import NAME, FileState, Journal


def record(journal: Journal, source: Path, target: Path, recipe: str = "r") -> None:
    state = FileState.of(source)
    assert state is not None
    journal.record(source, state, target, recipe)


def rows(folder: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / NAME)) as connection:
        return connection.execute("SELECT * FROM files ORDER BY output").fetchall()
