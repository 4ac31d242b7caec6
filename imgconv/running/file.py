"""One image file: what is read of it, filtered, written; and a report of what was done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from imgconv.convolution.plan import Plan
from imgconv.images.files import Input, ReadContext, ReadingAhead
from imgconv.images.formats.picture import Result
from imgconv.images.image import Image
from imgconv.images.output import Output
from imgconv.images.pages import Header
from imgconv.running.picture_path import PicturePath, filter_picture
from imgconv.running.task import Task


@dataclass(frozen=True)
class Report:
    """What was done with one file.

    Attributes:
        source: name of the file read.
        target: name of the file written.
        shape: of the image read; where there are several pages, of the first.
        dtype: type of its pixels.
        output_shape: of the image written.
        output_dtype: type of its pixels.
        pages: how many were filtered.
        clipped: values that the output could not hold; -1 where they were not counted.
        samples: values computed, alpha not among them.
        seconds: from opening the one file to having written the other.
        plans: how each convolution was computed.
        notes: lines for the user.
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
        task: what to do.
        reading: returns a context for each time that the source is read.
        progress: called when a page was filtered, with the number of pages done and of all.

    Raises:
        ReadError: the source cannot be read.
        WriteError: the target cannot be written; what can be checked is checked before the work.
        UsageError: the task does not fit the picture, or there is no such page.
    """
    start = time.perf_counter()
    with reading():
        found = source.open()
    first, count, timing = found.first, len(found.indices), found.timing
    header = PicturePath.of(Header.of_image(first), task).output_header
    bits = first.coding.bits if header.dtype == first.pixels.dtype else None
    target.check(first.format, Result(header, first.is_opaque, bits, count, timing is not None))
    results = _Results()
    images = results.of(found.images(reading), task, lambda done: progress(done, count))
    written = target.write(images, count, timing, first.format)
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
        (*results.notes, *written.notes),
    )


class _Results:
    """The filtered pages of a file, and the facts that are reported of them."""

    def __init__(self) -> None:
        self.clipped = self.samples = 0
        self.plans: tuple[Plan, ...] = ()
        self.notes: tuple[str, ...] = ()

    def of(self, images: Iterator[Image], task: Task, progress: Callable[[int], None]) -> Iterator[Image]:
        """Yield each image filtered, when it is asked for."""
        for number, image in enumerate(images):
            result, clipped, plans = filter_picture(image, task)
            if not number:
                self.plans = plans
            self.notes += tuple(note for note in result.notes if note not in self.notes)
            self.clipped = -1 if min(clipped, self.clipped) < 0 else self.clipped + clipped
            self.samples += result.colour.size
            progress(number + 1)
            yield result
