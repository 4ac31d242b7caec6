"""One image file: read, filtered, written; and a report of what was done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from imgconv.convolution.plan import Plan
from imgconv.images.coding import Coding
from imgconv.images.image import Image
from imgconv.images.limits import MAX_PIXELS
from imgconv.images.pages import PageRange
from imgconv.images.writing import check_target, write_pages
from imgconv.running.reading_ahead import Opened, Reading, opened
from imgconv.running.task import Task

#: Makes a context in which bytes that nobody knows are decoded.
Guard: TypeAlias = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True)
class Report:
    """What was done with one image.

    Attributes:
        source: the file read, as it was named.
        target: the file written.
        shape: of the image read.
        dtype: type of its pixels.
        output_shape: of the image written.
        output_dtype: type of its pixels.
        pages: how many were filtered; the shapes are those of the first.
        clipped: values that the output could not hold; -1 where they were not counted.
        samples: values computed, alpha not among them.
        seconds: from opening the one file to having written the other.
        plans: how each convolution was computed.
        notes: what the user should know.
    """

    source: str
    target: str
    shape: tuple[int, ...]
    dtype: str
    output_shape: tuple[int, ...]
    output_dtype: str
    pages: int
    clipped: int
    samples: int
    seconds: float
    plans: tuple[Plan, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for JSON."""
        return {
            "input": {"path": self.source, "shape": list(self.shape), "dtype": self.dtype},
            "output": {"path": self.target, "shape": list(self.output_shape), "dtype": self.output_dtype},
            "pages": self.pages,
            "clipped": None if self.clipped < 0 else self.clipped,
            "seconds": round(self.seconds, 6),
            "plans": [plan.as_dict() for plan in self.plans],
            "notes": list(self.notes),
        }


def run_file(
    source: str,
    target: str,
    task: Task,
    *,
    overwrite: bool = True,
    file_format: str = "",
    coding: Coding | None = None,
    pages: PageRange | None = None,
    max_pixels: int = MAX_PIXELS,
    auto_orient: bool = False,
    strip: bool = False,
    within: str = "",
    reading: Reading | None = None,
    guard: Guard = nullcontext,
) -> Report:
    """Filter one file into another, page by page; `-` is stdin or stdout.

    Args:
        source: the image file to read.
        target: the file to write; it may be the same one.
        task: what to do.
        overwrite: whether a file that exists may be replaced.
        file_format: name or extension of the format to write where the target's name does not.
        coding: how the pixels are to be stored; what it does not say is as in the source.
        pages: which pages or frames; all of them unless given.
        max_pixels: a picture of more is refused.
        auto_orient: whether pixels are turned upright first.
        strip: whether metadata are left out.
        within: a folder that nothing is written outside of; anywhere where it is "".
        reading: of the source, where it has begun already.
        guard: what every reading of bytes of the source is done in.

    Raises:
        ReadError: the source cannot be read.
        WriteError: the target cannot be written.
        UsageError: the task does not fit the picture, or there is no such page.
    """
    start = time.perf_counter() if reading is None else reading.started
    with guard():
        found = opened(source, pages, max_pixels) if reading is None else reading.opened()
    work = _Pages(found, task, guard, auto_orient=auto_orient, strip=strip)
    first, timing = work.first, found.pages.timing
    dtype = task.output_dtype(first.pixels.dtype)
    check_target(
        target,
        overwrite=overwrite,
        dtype=dtype,
        shape=task.output_shape(first.pixels.shape),
        opaque=first.is_opaque,
        bits=first.coding.bits if dtype == first.pixels.dtype else None,
        count=len(found.wanted),
        frames=timing is not None,
        coding=coding,
        format=file_format,
        source_format=first.format,
        within=within,
    )
    notes = write_pages(
        target,
        work.results(),
        len(found.wanted),
        None if timing is None else timing.of(found.wanted),
        overwrite=overwrite,
        format=file_format,
        coding=coding,
        within=within,
        source_format=first.format,
    )
    return Report(
        source,
        target,
        first.pixels.shape,
        first.pixels.dtype.name,
        work.shape,
        np.dtype(dtype).name,
        len(found.wanted),
        work.clipped,
        work.samples,
        time.perf_counter() - start,
        work.plans,
        (*work.notes, *notes),
    )


class _Pages:
    """The pages of a file on their way through a filter, and what is to be told of them in the end."""

    def __init__(self, found: Opened, task: Task, guard: Guard, *, auto_orient: bool, strip: bool) -> None:
        self._found, self._task, self._guard = found, task, guard
        self._auto_orient, self._strip = auto_orient, strip
        self.first = self._taken(found.first)
        self.shape: tuple[int, ...] = ()
        self.clipped = self.samples = 0
        self.plans: tuple[Plan, ...] = ()
        self.notes: tuple[str, ...] = ()

    def results(self) -> Iterator[Image]:
        """Yield every page filtered, one at a time."""
        for index in self._found.wanted:
            if not self.shape:
                image = self.first
            else:
                with self._guard():
                    image = self._taken(self._found.pages.page(index))
            result, clipped, plans = self._task.run(image)
            if not self.shape:
                self.shape, self.plans = result.pixels.shape, plans
            self.notes = (*self.notes, *(note for note in result.notes if note not in self.notes))
            self.clipped = -1 if clipped < 0 or self.clipped < 0 else self.clipped + clipped
            self.samples += result.colour.size
            yield result.stripped() if self._strip else result

    def _taken(self, image: Image) -> Image:
        return image.upright() if self._auto_orient else image
