"""Time the command as a whole process against a minimal equivalent.

    python tests/bench/command.py [RUNS]

Print the median seconds of both commands of each pair and the median ratio of alternating runs; there are no limits. Use an
idle machine with imgconv installed.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
from pictures import photograph

SHARPEN = """
import cv2, numpy as np
image = cv2.imread({source!r}, cv2.IMREAD_UNCHANGED)
kernel = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32)
cv2.imwrite({target!r}, cv2.filter2D(image, -1, kernel))
"""


def write_photograph(folder: Path) -> Path:
    """Write the photograph as PPM and return its path."""
    path = folder / "photograph.ppm"
    cv2.imwrite(str(path), photograph())
    return path


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def compare(label: str, ours: list[str], theirs: list[str], runs: int) -> None:
    for command in (ours, theirs):
        seconds(command)
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(runs)]
    a, b = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = sorted(x / y for x, y in pairs)
    middle = statistics.median(ratios)
    print(f"{label:44} {a:8.3f} {b:8.3f} {middle:7.2f}   ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    imgconv = str(Path(sys.executable).with_name("imgconv"))
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, ", end="")
    print(f"NumPy {np.__version__}, OpenCV {cv2.__version__}; medians of {runs} runs")
    print(f"{'':44} {'imgconv':>8} {'other':>8} {'ratio':>7}")
    compare("list / import click, yaml", [imgconv, "list"], [sys.executable, "-c", "import click, yaml"], runs)
    with tempfile.TemporaryDirectory() as folder:
        source = write_photograph(Path(folder))
        out, bare = str(Path(folder) / "imgconv.ppm"), str(Path(folder) / "bare.ppm")
        ours = [imgconv, "apply", "sharpen", str(source), out]
        theirs = [sys.executable, "-c", SHARPEN.format(source=str(source), target=bare)]
        compare("apply sharpen, 12 megapixels / bare script", ours, theirs, runs)
        same = Path(out).read_bytes() == Path(bare).read_bytes()
        print(f"the two results are {'the same bytes' if same else 'NOT the same'}")


if __name__ == "__main__":
    main()
