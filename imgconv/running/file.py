"""Filtering of one image file into another, with a report."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from imgconv.convolution.plan import Plan
from imgconv.filters.base import NOTED_SHARE
from imgconv.images.files import Input, ReadContext, ReadingAhead
from imgconv.images.formats.picture import Result
from imgconv.images.image import Image
from imgconv.images.names import is_standard_stream
from imgconv.images.output import Output
from imgconv.images.pages import Header
from imgconv.running.picture_path import PicturePath, filter_picture
from imgconv.running.task import Task

#: Advice to append to a note on clipped values.
AGAINST_CLIPPING = "`range`, `scale` or `depth` 32f can avoid it"


def percent(share: float) -> str:
    """Return a share as text in percent."""
    return f"{100 * share:.{0 if share > 0.1 else 1}f} %"


@dataclass(frozen=True)
class Report:
    """Report on one filtered file.

    Attributes:
        source: name of the input file.
        target: name of the output file.
        shape: shape of the input image, or of its first page.
        dtype: pixel type of the input.
        output_shape: shape of the output image.
        output_dtype: pixel type of the output.
        pages: number of filtered pages.
        clipped: number of clipped values; -1 if they were not counted.
        samples: number of computed values, without alpha.
        seconds: elapsed time from opening the input to closing the output.
        plans: the plan of each convolution.
        notes: messages for the user, one line each, apart from that on clipped values.
        clipping: share of clipped values, estimated if they were not counted; 0 if it is too small for a note, or intended.
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
    clipping: float

    @property
    def all_notes(self) -> tuple[str, ...]:
        """The notes, with that on clipped values."""
        if not self.clipping:
            return self.notes
        about = "" if self.clipped >= 0 else "about "
        return (*self.notes, f"{about}{percent(self.clipping)} of the values were clipped; {AGAINST_CLIPPING}")

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for JSON."""
        return {
            "input": {"path": self.source, "shape": list(self.shape), "dtype": self.dtype},
            "output": {"path": self.target, "shape": list(self.output_shape), "dtype": self.output_dtype},
            "pages": self.pages,
            "clipped": None if self.clipped < 0 else self.clipped,
            "seconds": round(self.seconds, 6),
            "plans": [plan.as_dict() for plan in self.plans],
            "notes": list(self.all_notes),
        }


def run_file(
    source: Input | ReadingAhead,
    target: Output,
    task: Task,
    *,
    reading: ReadContext = nullcontext,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Report:
    """Filter one file into another, page by page. Both may be the same file.

    Args:
        source: the file to read.
        target: the file to write.
        task: the filter and its options.
        reading: factory of a context manager that is entered around each read of the source.
        progress: called when a page was filtered, with the number of pages done and of all.

    Raises:
        ReadError: the source cannot be read.
        WriteError: the target cannot be written. The format and the destination are checked before filtering.
        UsageError: the task does not fit the image, or a selected page does not exist.
    """
    start = time.perf_counter()
    with reading():
        found = source.open()
    first, count, timing = found.first, len(found.indices), found.timing
    header = PicturePath.of(Header.of_image(first), task).output_header
    bits = first.coding.bits if header.dtype == first.pixels.dtype else None
    is_opaque = first.is_opaque and task.as_alpha is None
    target.check(first.format, Result(header, is_opaque, bits, count, timing is not None, task.as_alpha is not None))
    results = _Results()
    images = results.of(found.images(reading), task, lambda done: progress(done, count))
    written = target.write(images, count, timing, first.format)
    notes = (*results.notes, *written.notes)
    if written.format != first.format and not target.format and _is_same_file(source.path, target.path):
        names = first.format.upper(), written.format.upper()
        notes += (f"the file was {names[0]} in spite of its name; now it is {names[1]} (`format` {first.format} keeps it)",)
    return Report(
        source.path,
        str(target.path),
        first.pixels.shape,
        first.pixels.dtype.name,
        written.header.shape,
        written.header.dtype.name,
        count,
        results.clipped,
        results.samples,
        time.perf_counter() - start,
        results.plans,
        notes,
        0.0 if task.range_policy == "clip" else results.clipping,
    )


def _is_same_file(source: str, target: str | os.PathLike[str]) -> bool:
    return not is_standard_stream(source) and os.path.realpath(source) == os.path.realpath(target)


class _Results:
    """Filtered pages of a file, and the statistics for its report."""

    def __init__(self) -> None:
        self.clipped = self.samples = 0
        self._clipping = 0.0
        self.plans: tuple[Plan, ...] = ()
        self.notes: tuple[str, ...] = ()

    def of(self, images: Iterator[Image], task: Task, progress: Callable[[int], None]) -> Iterator[Image]:
        """Yield the filtered images lazily."""
        for number, image in enumerate(images):
            result, clipped, clipping, plans = filter_picture(image, task)
            if not number:
                self.plans = plans
            self.notes += tuple(note for note in result.notes if note not in self.notes)
            self.clipped = -1 if min(clipped, self.clipped) < 0 else self.clipped + clipped
            self.samples += result.colour.size
            self._clipping += clipping * result.colour.size
            progress(number + 1)
            yield result

    @property
    def clipping(self) -> float:
        """The share of clipped values if it is worth a note, else 0."""
        share = self._clipping / max(self.samples, 1)
        return share if share > NOTED_SHARE else 0.0
