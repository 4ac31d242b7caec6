"""Times every method of the registry against what the planner predicts.

    python tests/bench/methods.py [MEGAPIXELS]

Prints, for each image type and kernel size, the milliseconds of each method (median of 5), the prediction in parentheses,
and an asterisk at the planner's choice. `imgconv/convolution/costs.py` was fitted to this table.
"""

from __future__ import annotations

import statistics
import sys
import time

import numpy as np

from imgconv.convolution.execution import execute
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.errors import UsageError

SIZES = (3, 5, 7, 9, 11, 13, 15, 21, 31)
# A method predicted to take longer than this is not timed.
LONGEST = 8.0


def milliseconds(plan, image) -> float:
    execute(plan, image)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        execute(plan, image)
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def row(image: np.ndarray, kernel: np.ndarray) -> str:
    cells = []
    for name, method in METHODS.items():
        try:
            plan = make_plan(image.shape, image.dtype, kernel, engine=method.engine, method=name)
        except UsageError:
            cells.append(f"{'-':>18}")
            continue
        chosen = make_plan(image.shape, image.dtype, kernel, engine=method.engine).method == name
        taken = f"{milliseconds(plan, image):8.1f}" if plan.seconds < LONGEST else "       -"
        cells.append(f"{taken} ({plan.seconds * 1e3:6.0f}){'*' if chosen else ' '}")
    return "".join(cells)


def main() -> None:
    megapixels = float(sys.argv[1]) if len(sys.argv) > 1 else 3.0
    rng = np.random.default_rng(1)
    height = round((megapixels * 1e6 * 3 / 4) ** 0.5)
    print(f"{'':26}" + "".join(f"{name:>18}" for name in METHODS))
    for dtype, channels in (("uint8", 3), ("uint16", 3), ("float32", 3), ("float64", 1)):
        shape = (height, height * 4 // 3, channels) if channels > 1 else (height, height * 4 // 3)
        image = (rng.random(shape) * (1 if "f" in dtype else 255)).astype(dtype)
        for size in SIZES:
            for kind, kernel in (("whole", rng.integers(1, 9, (size, size))), ("real", rng.random((size, size)))):
                print(f"{dtype:8}{channels:2} {size:3}x{size:<3} {kind:8}" + row(image, kernel), flush=True)


if __name__ == "__main__":
    main()
