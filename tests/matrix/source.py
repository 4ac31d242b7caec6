"""One file of the matrix: how it is made, and what it holds."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow


@dataclass(frozen=True)
class Source:
    """A file, and what whoever reads it has to find in it.

    Attributes:
        name: says which library made it, and how.
        suffix: of its name, with the dot.
        make: makes its bytes.
        truth: tells from its bytes the pixels that are to be read: grey, or red, green, blue; alpha the last one.
        tolerance: how far another decoder may be off, as the mean over all samples; 0 where nothing is lost.
        bits: bits a sample that carry anything, where they are fewer than those of the type.
    """

    name: str
    suffix: str
    make: Callable[[], bytes]
    truth: Callable[[bytes], NDArray]
    tolerance: float = 0.0
    bits: int | None = None

    def write(self, folder: Path) -> Path:
        """Write the file and return its path."""
        path = folder / f"in{self.suffix}"
        path.write_bytes(content(self))
        return path

    @property
    def pixels(self) -> NDArray:
        """The pixels that are to be read."""
        return _pixels(self)


@functools.cache
def content(source: Source) -> bytes:
    """Return the bytes of a file, made once."""
    return source.make()


@functools.cache
def _pixels(source: Source) -> NDArray:
    return source.truth(content(source))


def holds(pixels: NDArray) -> Callable[[bytes], NDArray]:
    """Return what tells these pixels of any file."""
    return lambda data: pixels


def as_pillow_decodes(mode: str = "") -> Callable[[bytes], NDArray]:
    """Return what tells the pixels of a file as Pillow decodes them, in a mode."""

    def decoded(data: bytes) -> NDArray:
        with Pillow.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert(mode) if mode else image)

    return decoded
