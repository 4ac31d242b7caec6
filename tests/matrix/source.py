"""An input file of the matrix: how it is generated, and the pixels that it stores."""

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
    """A generated file and the pixels that a reader must return.

    Attributes:
        name: the library that writes the file, and the options.
        suffix: the extension, with its dot.
        make: returns the bytes of the file.
        truth: returns the expected pixels for these bytes: grey, or red, green, blue; alpha is the last channel.
        tolerance: largest mean difference between two decoders, over all samples; 0 for lossless files.
        bits: significant bits of a sample, if fewer than those of the type.
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
        """The expected pixels."""
        return _pixels(self)


@functools.cache
def content(source: Source) -> bytes:
    """Return the bytes of a file, generated once."""
    return source.make()


@functools.cache
def _pixels(source: Source) -> NDArray:
    return source.truth(content(source))


def known(pixels: NDArray) -> Callable[[bytes], NDArray]:
    """Return a `truth` function that returns these pixels for any file."""
    return lambda data: pixels


def pillow_decoder(mode: str = "") -> Callable[[bytes], NDArray]:
    """Return a `truth` function that decodes a file with Pillow, and converts it to `mode` if given."""

    def decoded(data: bytes) -> NDArray:
        with Pillow.open(io.BytesIO(data)) as image:
            return np.asarray(image.convert(mode) if mode else image)

    return decoded
