"""One image file: read, filtered, written; and a report of what was done."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from imgconv.convolution.plan import Plan
from imgconv.images.reading import read_image
from imgconv.images.writing import check_target, write_image
from imgconv.running.reading_ahead import Reading
from imgconv.running.task import Task


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
        clipped: values that the output could not hold; -1 where they were not counted.
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
    clipped: int
    seconds: float
    plans: tuple[Plan, ...]
    notes: tuple[str, ...]

    @property
    def samples(self) -> int:
        """Number of values computed, alpha not among them."""
        channels = self.output_shape[2] if len(self.output_shape) == 3 else 1
        return self.output_shape[0] * self.output_shape[1] * (channels - (channels in (2, 4)))

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain data, for JSON."""
        return {
            "input": {"path": self.source, "shape": list(self.shape), "dtype": self.dtype},
            "output": {"path": self.target, "shape": list(self.output_shape), "dtype": self.output_dtype},
            "clipped": None if self.clipped < 0 else self.clipped,
            "seconds": round(self.seconds, 6),
            "plans": [plan.as_dict() for plan in self.plans],
            "notes": list(self.notes),
        }


def run_file(
    source: str, target: str, task: Task, *, overwrite: bool = True, file_format: str = "", reading: Reading | None = None
) -> Report:
    """Filter one file into another; `-` is stdin or stdout.

    Args:
        source: the image file to read.
        target: the file to write; it may be the same one.
        task: what to do.
        overwrite: whether a file that exists may be replaced.
        file_format: name or extension of the format to write where the target's name does not.
        reading: of the source, where it has begun already.

    Raises:
        ReadError: the source cannot be read.
        WriteError: the target cannot be written.
    """
    start = time.perf_counter() if reading is None else reading.started
    image = read_image(source) if reading is None else reading.image()
    dtype = task.output_dtype(image.pixels.dtype)
    check_target(
        target,
        overwrite=overwrite,
        dtype=dtype,
        shape=image.pixels.shape,
        opaque=image.is_opaque,
        format=file_format,
        source_format=image.format,
    )
    result, clipped = task.run(image)
    notes = write_image(target, result, overwrite=overwrite, format=file_format)
    if image.pages > 1:
        notes = (f"{source} has {image.pages} pages; the first one was filtered", *notes)
    return Report(
        source,
        target,
        image.pixels.shape,
        image.pixels.dtype.name,
        result.pixels.shape,
        np.dtype(dtype).name,
        clipped,
        time.perf_counter() - start,
        task.plans(image.colour.shape, image.pixels.dtype) if task.count else (),
        tuple(notes),
    )
