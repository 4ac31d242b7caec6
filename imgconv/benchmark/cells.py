"""What is measured: pictures, and kernels of several sizes and kinds; each pair of them is a cell."""

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
#: `random` has full rank and no symmetry: no method finds a short cut in it. A Gaussian is separable, a box is flat.
KINDS = ("random", "gaussian", "box")
#: Rows and columns of the picture of a quick run; of a larger one that the user gives its middle is taken.
QUICK_SHAPE = (480, 640)

_LONGEST_SIDE = 511


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels to time on.

    Attributes:
        name: what to call them.
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
        """The largest magnitude of a pixel."""
        return max(abs(float(self.pixels.min())), abs(float(self.pixels.max())))


@dataclass(frozen=True, eq=False)
class Cell:
    """A picture, and a kernel to lay on it."""

    picture: Picture
    kind: str
    size: int

    @property
    def kernel(self) -> Kernel:
        """The kernel: its weights sum to 1, so that results stay in the range of the picture."""
        if self.kind != "random":
            return parse_kernel(f"{self.kind}:size={self.size}")
        weights = np.random.default_rng(self.size).random((self.size, self.size))
        return Kernel(weights / weights.sum(), name=f"random:size={self.size}")

    def __str__(self) -> str:
        return f"{self.picture.name}, {self.kind} {self.size}x{self.size}"


def make_pictures(*, quick: bool = False) -> Iterator[Picture]:
    """Yield the pictures to time on, drawn: grey in float32 and in uint8, and, unless `quick`, a colour photograph's size."""
    grey = _draw(QUICK_SHAPE if quick else (1000, 1000), seed=0)
    yield Picture("grey float32", grey)
    yield Picture("grey uint8", _eight_bits(grey))
    if not quick:
        yield Picture("colour uint8", np.dstack([_eight_bits(_draw((3000, 4000), seed)) for seed in (1, 2, 3)]))


def given_picture(name: str, pixels: NDArray[Any], *, quick: bool = False) -> Picture:
    """Return the user's pixels as a picture; for a quick run no more than its middle.

    Args:
        name: what to call it.
        pixels: shape (H, W) or (H, W, C).
        quick: whether to cut it down to `QUICK_SHAPE`.

    Raises:
        UsageError: it holds NaN or infinity, of which no two libraries make the same.
    """
    if not np.isfinite(pixels).all():
        raise UsageError(f"{name}: has pixels that are NaN or infinite; time on a picture without")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if quick:
        starts = [max(0, (side - most) // 2) for side, most in zip(pixels.shape, QUICK_SHAPE, strict=False)]
        pixels = pixels[starts[0] : starts[0] + QUICK_SHAPE[0], starts[1] : starts[1] + QUICK_SHAPE[1]]
    return Picture(f"{name} {pixels.dtype.name}", np.ascontiguousarray(pixels))


def make_cells(pictures: Sequence[Picture], sizes: Sequence[int] = SIZES, kinds: Sequence[str] = KINDS) -> tuple[Cell, ...]:
    """Return every picture with every kernel, sizes going up.

    Raises:
        UsageError: a size that is not odd, or beyond what is worth measuring; or none at all.
    """
    if not sizes or any(size < 3 or size > _LONGEST_SIDE or size % 2 == 0 for size in sizes):
        found = ",".join(map(str, sizes)) or "none"
        raise UsageError(f"sizes of kernels are odd numbers from 3 to {_LONGEST_SIDE}, found {found}")
    return tuple(Cell(picture, kind, size) for picture in pictures for kind in kinds for size in sorted(set(sizes)))


def _draw(shape: tuple[int, int], seed: int) -> NDArray[np.float32]:
    """Return something like a photograph, between 0 and 1: slow waves in several directions, and a little noise."""
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
