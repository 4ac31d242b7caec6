"""The journal of an output folder: how each result in it was made, so that a batch can skip results that are up to date.

It is an SQLite database in the folder. `recipe` computes the recipes in it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple, Self

from imgconv.errors import WriteError
from imgconv.images import atomic
from imgconv.images.names import displayed, reason

#: Name of the file in the output folder.
NAME = ".imgconv.sqlite"

#: Version of the tables, stored as `user_version` of the database. Raise it with every change to them.
SCHEMA = 1

# Sizes are in bytes and times in nanoseconds. A name that is not valid UTF-8 is a BLOB of its bytes.
_TABLES = """
    CREATE TABLE files (
        output TEXT PRIMARY KEY,  -- relative to the folder, in POSIX form
        input TEXT NOT NULL,  -- absolute, without links
        input_size INTEGER NOT NULL,
        input_mtime INTEGER NOT NULL,
        output_size INTEGER NOT NULL,
        output_mtime INTEGER NOT NULL,
        recipe TEXT NOT NULL
    ) WITHOUT ROWID
"""
_COLUMNS = "output, input, input_size, input_mtime, output_size, output_mtime, recipe"

# Recent rows are in a second file until the journal is closed, or for good if the process was killed.
_RECENT = "-wal"
_ATTEMPTS = 10

_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_ERROR}


class FileState(NamedTuple):
    """Size in bytes and modification time in nanoseconds of a file."""

    size: int
    mtime: int

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> FileState | None:
        """Return the state of a file, following links; None if there is no such file."""
        try:
            status = os.stat(path)
        except (OSError, ValueError):
            return None
        return cls(status.st_size, status.st_mtime_ns)


class Journal:
    """The journal of an output folder. While it is open for writing, no other process can open it so.

    Methods are thread-safe. Use it as a context manager, which closes it.

    Args:
        folder: the output folder. It is created, unless the journal is only read.
        read_only: whether to read a copy of the journal and write nothing into the folder. Not in a process that also has it
            open for writing.

    Attributes:
        name: name of the file for messages.
        failure: the first error of the database after opening; "" if there was none. Results were not recorded then.

    Raises:
        WriteError: another process writes to the journal, the file is not a journal of this version or is damaged, or it
            cannot be created. The message is one line.
    """

    def __init__(self, folder: str | os.PathLike[str], *, read_only: bool = False) -> None:
        self._folder, self.failure = os.fspath(folder), ""
        self._lock = threading.Lock()
        path = os.path.join(self._folder, NAME)
        self.name = displayed(path)
        with contextlib.ExitStack() as stack:
            if read_only:
                own = stack.enter_context(tempfile.TemporaryDirectory(prefix="imgconv-", ignore_cleanup_errors=True))
                opened = os.path.join(own, NAME)
                _copy(path, opened, self._folder)
            else:
                _require_place(path, self._folder)
                opened = path
            try:
                self._connection = _connect(os.path.abspath(opened))
            except sqlite3.Error as error:
                raise _opening_error(path, self._folder, error) from None
            stack.callback(self._connection.close)
            self._resources = stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the journal; the folder then holds one file of it."""
        with self._lock:
            self._resources.close()

    def reason(self, source: Path, target: Path, recipe: str) -> str:
        """Return why a result must be made, for a message; "" if it is up to date.

        It is up to date if the recipe, the path of the input, and size and time of both files are those of the journal.
        """
        if not os.path.lexists(target):
            return "new"
        row = self._row(target)
        if row is None:
            return "not in the journal"
        name, size, mtime, *made, used = row
        if (name, (size, mtime)) != (_stored(os.path.realpath(source)), FileState.of(source)):
            return "the input changed"
        if used != recipe:
            return "made with other filters or options"
        if tuple(made) != FileState.of(target):
            return "the result changed"
        return ""

    def record(self, source: Path, read: FileState, target: Path, recipe: str) -> None:
        """Record a result that is in place. An error of the database is kept in `failure`.

        Args:
            source: the input.
            read: the state of the input before it was read: an input that changes later differs from it.
            target: the result.
            recipe: the recipe of the result.
        """
        made = FileState.of(target)
        if made is None:  # removed already
            return
        row = (self._key(target), _stored(os.path.realpath(source)), *read, *made, recipe)
        with self._lock:
            try:
                self._connection.execute(f"INSERT OR REPLACE INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            except (sqlite3.Error, OverflowError) as error:  # OverflowError: a time after the year 2262
                self.failure = self.failure or _one_line(error)

    def _row(self, target: Path) -> tuple[Any, ...] | None:
        """Return the row of a result without its key; None if there is none, or it cannot be read."""
        with self._lock:
            try:
                found = self._connection.execute(f"SELECT {_COLUMNS} FROM files WHERE output = ?", (self._key(target),))
                row: tuple[Any, ...] | None = found.fetchone()
            except sqlite3.Error as error:
                self.failure = self.failure or _one_line(error)
                return None
        return None if row is None else row[1:]

    def _key(self, target: Path) -> str | bytes:
        return _stored(Path(os.path.relpath(target, self._folder)).as_posix())


class Update(NamedTuple):
    """What a batch needs to skip results that are up to date: the journal of the folder, and the recipe of the results."""

    journal: Journal
    recipe: str

    def reason(self, source: Path, target: Path) -> str:
        """Return why a result must be made; "" if it is up to date."""
        return self.journal.reason(source, target, self.recipe)

    def state(self, source: Path) -> FileState | None:
        """Return the state of an input for `record`; call it before the input is read."""
        return FileState.of(source)

    def record(self, source: Path, read: FileState | None, target: Path) -> None:
        """Record a result that is in place. `read` is the state of the input before it was read."""
        if read is not None:
            self.journal.record(source, read, target, self.recipe)


def _connect(path: str) -> sqlite3.Connection:
    """Open or create a journal, and lock it.

    Each statement is a transaction. With a write-ahead log, one that was committed survives the end of the process; without
    `fsync` after each, a power failure can remove the last ones, but does not damage the journal. With an exclusive lock,
    which must be set first, SQLite needs no shared memory, which network file systems lack.
    """
    connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        is_new = _is_new(connection)
        for setting in ("journal_mode = WAL", "synchronous = NORMAL"):
            connection.execute(f"PRAGMA {setting}").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        if is_new:
            connection.execute(_TABLES)
            connection.execute(f"PRAGMA user_version = {SCHEMA}")
        connection.execute("COMMIT")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_new(connection: sqlite3.Connection) -> bool:
    """Return whether a database is empty.

    Raises:
        DatabaseError: it is neither empty nor an undamaged journal of this version.
    """
    [[version]] = connection.execute("PRAGMA user_version")
    [[tables]] = connection.execute("SELECT count(*) FROM sqlite_master")
    if not version and not tables:
        return True
    if version != SCHEMA or connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
        raise sqlite3.DatabaseError("another version, or damaged")
    connection.execute(f"SELECT {_COLUMNS} FROM files LIMIT 1").fetchall()
    return False


def _require_place(path: str, folder: str) -> None:
    """Create the folder of a journal, and check that the journal can be written there.

    Raises:
        WriteError: it cannot.
    """
    atomic.make_folder(folder)
    atomic.require_within(path, folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise WriteError(f"{displayed(folder)}: the folder is read-only; choose another")
    if os.path.exists(path) and not os.access(path, os.R_OK | os.W_OK):
        raise WriteError(f"{displayed(path)}: is read-only; make it readable and writable")


def _copy(path: str, target: str, folder: str) -> None:
    """Copy a journal, if it exists, in the state of one moment.

    A connection that only reads would create files in the folder, or miss recent rows. The copy must not be made in a process
    that has the journal open for writing: POSIX drops the locks of a process when it closes any descriptor of the file.

    Raises:
        WriteError: another process writes to it all the time, or it cannot be read.
    """
    names = [path, path + _RECENT]
    for _ in range(_ATTEMPTS):
        before = [FileState.of(name) for name in names]
        for name, end in zip(names, ("", _RECENT), strict=True):
            try:
                shutil.copyfile(name, target + end)
            except FileNotFoundError:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(target + end)
            except OSError as error:
                raise WriteError(f"{displayed(name)}: cannot be read: {reason(error)}") from None
        if before == [FileState.of(name) for name in names]:
            return
    raise WriteError(_busy(folder))


def _opening_error(path: str, folder: str, error: sqlite3.Error) -> WriteError:
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF  # without the bits of extended codes
    if code in _LOCKED:
        return WriteError(_busy(folder))
    if code in _DAMAGED:
        return WriteError(
            f"{displayed(path)}: is not a journal of imgconv, or is damaged; delete it to make every result again"
        )
    return WriteError(f"{displayed(path)}: cannot be written: {_one_line(error)}")


def _busy(folder: str) -> str:
    return f"{displayed(folder)}: another batch is writing to this folder"


def _stored(name: str) -> str | bytes:
    """Return a name as it is stored: text, or bytes if it is not valid UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
