"""Time `imgconv.correlate` against `cv2.filter2D` in one process, on a colour image of 12 megapixels.

    python tests/bench/filter2d.py [--types uint8,uint16,float32] [--kinds random,gaussian,box,log,disk] [--sizes 3,5,...]

The table has a row for each type, kernel and size. It shows the milliseconds of `cv2.filter2D(image, -1, kernel)` and
`imgconv.correlate(image, kernel)` (medians of alternating runs on all processors), the speedup of imgconv and its method. The
errors are maxima relative to the float64 definition (`scipy.ndimage.correlate` on a corner of the image), in levels for
integers, else relative to the brightest pixel. A larger error than that of a plain sum stops the script. Use an idle machine.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
from functools import partial

import cv2
import numpy as np
from pictures import photograph
from scipy import ndimage

import imgconv
from imgconv.benchmark.timing import time_in_turn

SIZES = (3, 5, 7, 9, 11, 13, 15, 21, 31, 63)
KINDS = ("random", "gaussian", "box", "log", "disk")
TYPES = ("uint8", "uint16", "float32")
# Rows with a lower ratio are marked as slower.
LOST = 0.95
NOTES = {
    "filter2d": "the same call of OpenCV; the difference is planning, some tenths of a millisecond, and measurement noise",
    "bands": "OpenCV's own sum of products, on strips; OpenCV distributes the work better over its threads",
    "dft": "float32 pixels are transformed in float64, since rounding errors of bright pixels would hide dark ones in float32",
}


def make_picture(dtype: str) -> np.ndarray:
    """Return a photograph of shape (3000, 4000, 3); 16-bit values use the full range, floats are from 0 to 1."""
    picture = photograph()
    if dtype == "float32":
        return picture.astype(np.float32) / 255
    return picture.astype(dtype) * (257 if dtype == "uint16" else 1)


def make_kernel(kind: str, size: int) -> imgconv.Kernel:
    """Return a kernel of shape (size, size): `random` has full rank and no symmetry; the others are from the catalog."""
    if kind == "random":
        weights = np.random.default_rng(size).random((size, size))
        return imgconv.Kernel(weights / weights.sum())
    spec = {
        "log": f"laplacian_of_gaussian:sigma={max(size - 1, 3) / 6},size={size}",
        "disk": f"disk:radius={size / 2}",
    }.get(kind, f"{kind}:size={size}")
    return imgconv.parse_kernel(spec)


def error_of(result: np.ndarray, expected: np.ndarray) -> float:
    """Return the maximum error of a result; for integers in levels, minus the half level of rounding."""
    if result.dtype.kind == "f":
        return float(np.abs(result - expected).max())
    limits = np.iinfo(result.dtype)
    return max(0.0, float(np.abs(result - np.clip(expected, limits.min, limits.max)).max()) - 0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, words in (("types", TYPES), ("kinds", KINDS), ("sizes", map(str, SIZES))):
        parser.add_argument(f"--{name}", default=",".join(words))
    parser.add_argument("--seconds", type=float, default=1.0, help="timing per function and cell")
    given = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, NumPy {np.__version__}, OpenCV {cv2.__version__}; medians, ms")
    print(f"{'':22} {'filter2D':>9} {'imgconv':>9} {'times as':>9}  {'method':12} {'error of':>9} {'error of':>9}")
    print(f"{'':22} {'':>9} {'':>9} {'fast':>9}  {'':12} {'filter2D':>9} {'imgconv':>9}")
    ratios: list[float] = []
    lost: list[tuple[str, float, str]] = []
    for dtype in given.types.split(","):
        picture = make_picture(dtype)
        corner = np.ascontiguousarray(picture[:320, :340])
        for kind in given.kinds.split(","):
            own: list[float] = []
            for size in map(int, given.sizes.split(",")):
                kernel = make_kernel(kind, size)
                theirs = partial(cv2.filter2D, picture, -1, kernel.weights)
                ours = partial(imgconv.correlate, picture, kernel)
                expected = ndimage.correlate(corner.astype(np.float64), kernel.weights[..., None], mode="mirror")
                errors = [error_of(f.func(corner, *f.args[1:]), expected) for f in (theirs, ours)]
                assert errors[1] <= (0.5 if dtype != "float32" else 1e-5), f"{dtype} {kind} {size}: off by {errors[1]}"
                first, second = time_in_turn([theirs, ours], seconds=given.seconds, rounds=4, most=24)
                ratio = first.median / second.median
                method = imgconv.make_plan(picture.shape, dtype, kernel).method
                label = f"{dtype} {kind} {size}x{size}"
                print(
                    f"{label:22} {first.median * 1e3:9.1f} {second.median * 1e3:9.1f} {ratio:9.2f}  {method:12} "
                    f"{errors[0]:9.2g} {errors[1]:9.2g}{'   slower' if ratio < LOST else ''}",
                    flush=True,
                )
                own.append(ratio)
                if ratio < LOST:
                    lost.append((label, ratio, method))
            print(f"{dtype} {kind}: {statistics.geometric_mean(own):.2f} times as fast, {min(own):.2f} at least\n", flush=True)
            ratios += own
    print(f"all {len(ratios)} cells: {statistics.geometric_mean(ratios):.2f} times as fast, {min(ratios):.2f} at least")
    for label, ratio, method in lost:
        print(f"slower: {label}, {ratio:.2f} ({method}: {NOTES.get(method, 'repeat the measurement')})")


if __name__ == "__main__":
    main()
