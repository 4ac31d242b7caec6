"""Progress on the terminal: a bar for batches, and for single files that take longer than a second."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

#: Seconds before the progress of a single file is displayed.
_DELAY = 1.0


@contextmanager
def batch_progress(total: int) -> Iterator[Callable[[bool], None]]:
    """Yield a function to call after each file, with whether it failed; the display has count, rate and time left."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("imgconv"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[failures]}"),
    )
    failures, started = 0, time.monotonic()
    with Progress(*columns, console=_console(), transient=True) as display:
        task = display.add_task("", total=total, rate="", failures="")

        def advance(failed: bool) -> None:
            nonlocal failures
            failures += failed
            display.advance(task)
            # Files end in groups, one for each worker: the rate of rich, over the last of them, is far too high.
            rate = display.tasks[0].completed / max(time.monotonic() - started, 1e-3)
            display.update(task, rate=f"{rate:.1f} files/s", failures=f"{failures} failed" if failures else "")

        yield advance


@contextmanager
def file_progress(name: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function to call after each page, with the number of pages done and of all; the display begins after a second."""
    ended = threading.Event()
    pages: dict[str, Any] = {"completed": 0, "total": None}
    thread = threading.Thread(target=_display, args=(name, pages, ended), name="imgconv-progress", daemon=True)
    thread.start()

    def advance(done: int, total: int) -> None:
        pages.update(completed=done, total=total if total > 1 else None)

    try:
        yield advance
    finally:
        ended.set()
        thread.join()


def _display(name: str, pages: dict[str, Any], ended: threading.Event) -> None:
    started = time.monotonic()
    if ended.wait(_DELAY):
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = TextColumn("imgconv: {task.description}"), BarColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn()
    with Progress(*columns, console=_console(), transient=True) as display:
        task = display.add_task(name, total=None, text="")
        display.tasks[0].start_time = started
        while not ended.wait(0.1):
            total = pages["total"]
            display.update(task, **pages, text=f"page {min(pages['completed'] + 1, total)} of {total}" if total else "")


def _console() -> Any:
    from rich.console import Console

    return Console(file=sys.stderr)
