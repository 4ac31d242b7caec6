"""Benchmark cells: each pairs a picture with a kernel of a given kind and size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import UsageError
from imgconv.kernels.catalog import parse_kernel
from imgconv.kernels.kernel import Kernel

#: Sides of the square kernels.
SIZES = (3, 5, 7, 9, 11, 15, 21, 31, 63)
QUICK_SIZES = (3, 7, 15, 31)
#: `random` has full rank and no symmetry, so no method can exploit structure. A Gaussian is separable, a box is constant.
KINDS = ("random", "gaussian", "box")
#: Rows and columns of the picture in a quick run; larger pictures of the user are cropped to their centre.
QUICK_SHAPE = (480, 640)

_LONGEST_SIDE = 511


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels for the benchmark.

    Attributes:
        name: name of the picture in reports.
        pixels: shape (H, W) or (H, W, C).
    """

    name: str
    pixels: NDArray[Any]

    @property
    def size(self) -> str:
        """Rows and columns as text."""
        return f"{self.pixels.shape[0]} x {self.pixels.shape[1]}"

    @property
    def largest(self) -> float:
        """The largest absolute pixel value."""
        return max(abs(float(self.pixels.min())), abs(float(self.pixels.max())))


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture and a kernel."""

    picture: Picture
    kind: str
    size: int

    @property
    def kernel(self) -> Kernel:
        """The kernel. Its weights sum to 1, so that results stay in the range of the picture."""
        if self.kind != "random":
            return parse_kernel(f"{self.kind}:size={self.size}")
        weights = np.random.default_rng(self.size).random((self.size, self.size))
        return Kernel(weights / weights.sum(), name=f"random:size={self.size}")

    def __str__(self) -> str:
        return f"{self.picture.name}, {self.kind} {self.size}x{self.size}"


def make_pictures(*, quick: bool = False) -> Iterator[Picture]:
    """Yield synthetic pictures: grey in float32 and uint8, and, unless `quick`, colour in the size of a photograph."""
    grey = _draw(QUICK_SHAPE if quick else (1000, 1000), seed=0)
    yield Picture("grey float32", grey)
    yield Picture("grey uint8", _eight_bits(grey))
    if not quick:
        yield Picture("colour uint8", np.dstack([_eight_bits(_draw((3000, 4000), seed)) for seed in (1, 2, 3)]))


def given_picture(name: str, pixels: NDArray[Any], *, quick: bool = False) -> Picture:
    """Return pixels of the user as a picture; for a quick run only their centre.

    Args:
        name: name of the picture in reports.
        pixels: shape (H, W) or (H, W, C).
        quick: whether to crop the picture to `QUICK_SHAPE`.

    Raises:
        UsageError: the pixels contain NaN or infinity, for which results differ between libraries.
    """
    if not np.isfinite(pixels).all():
        raise UsageError(f"{name}: contains NaN or infinite pixels; choose a picture with finite pixels only")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if quick:
        starts = [max(0, (side - most) // 2) for side, most in zip(pixels.shape, QUICK_SHAPE, strict=False)]
        pixels = pixels[starts[0] : starts[0] + QUICK_SHAPE[0], starts[1] : starts[1] + QUICK_SHAPE[1]]
    return Picture(f"{name} {pixels.dtype.name}", np.ascontiguousarray(pixels))


def make_cells(pictures: Sequence[Picture], sizes: Sequence[int] = SIZES, kinds: Sequence[str] = KINDS) -> tuple[Cell, ...]:
    """Return every combination of picture and kernel, in order of increasing size.

    Raises:
        UsageError: a size is not odd or out of range, or no size is given.
    """
    if not sizes or any(size < 3 or size > _LONGEST_SIDE or size % 2 == 0 for size in sizes):
        found = ",".join(map(str, sizes)) or "none"
        raise UsageError(f"kernel sizes must be odd numbers from 3 to {_LONGEST_SIDE}, found {found}")
    return tuple(Cell(picture, kind, size) for picture in pictures for kind in kinds for size in sorted(set(sizes)))


def _draw(shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Return a synthetic picture with values between 0 and 1: slow waves in several directions with slight noise."""
    rng = np.random.default_rng(seed)
    rows, columns = np.ogrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    image = np.full(shape, 0.5, np.float32)
    for _ in range(6):
        down, across, phase = rng.uniform(-40, 40), rng.uniform(-40, 40), rng.uniform(0, 6)
        image += np.sin(down * rows + across * columns + phase).astype(np.float32) * np.float32(0.06)
    image += rng.normal(0, 0.02, shape).astype(np.float32)
    clipped: NDArray[np.float32] = np.clip(image, np.float32(0.01), np.float32(0.99))
    return clipped


def _eight_bits(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(image * 255).astype(np.uint8)
