"""Time `imgconv batch` on many photographs, with and without isolation, against decoding and encoding alone.

    python tests/bench/batch.py [--files 1000] [--runs 5] [--jobs 2] [--spec sharpen] [--folder DIR]

The inputs are distinct JPEGs of one megapixel and quality 90, parts of a photograph from scikit-image's package. The baselines
are bare Python scripts with --jobs threads in one process, where OpenCV uses one thread. They call `cv2.imread` and
`cv2.imwrite` at the quality that imgconv uses; the second script calls `cv2.filter2D` in between. In the third script the C
library also keeps allocated memory, as in the processes of imgconv.

All contestants are whole processes that run in turn, and each round starts with a different one. Outputs are deleted before
each run. Seconds are medians; ratios are medians over runs of the same round. On a machine with other load, use the processor
time of all processes: it determines the speed when all processors are busy. `--folder /dev/shm` avoids the disk.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import skimage
from PIL import Image as Pillow

from imgconv.kernels.catalog import parse_kernel

SIDE, QUALITY = 1000, 90
BARE = """
import os, sys
from concurrent.futures import ThreadPoolExecutor
import cv2
import numpy as np
source, target, jobs, quality, rows = sys.argv[1:]
kernel = np.loadtxt(rows.split(";"), ndmin=2) if rows else None
def work(name):
    image = cv2.imread(f"{source}/{name}", cv2.IMREAD_UNCHANGED)
    if kernel is not None:
        image = cv2.filter2D(image, -1, kernel)
    cv2.imwrite(f"{target}/{name}", image, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
cv2.setNumThreads(1)
os.makedirs(target)
with ThreadPoolExecutor(int(jobs)) as pool:
    list(pool.map(work, sorted(os.listdir(source))))
"""
ALONE = "decode + encode"
KEEPING = {"GLIBC_TUNABLES": f"glibc.malloc.mmap_threshold={1 << 28}:glibc.malloc.trim_threshold={1 << 29}"}


class Contestant(NamedTuple):
    """A command and its additional environment variables."""

    command: list[str]
    environment: dict[str, str]


class Run(NamedTuple):
    """Seconds of one run: elapsed time, and processor time of all processes."""

    wall: float
    processor: float


def make_pictures(folder: Path, files: int) -> None:
    """Write the input files."""
    folder.mkdir()
    image = cv2.imread(str(Path(skimage.__file__).parent / "data" / "astronaut.png"))
    tiles = np.tile(image, (4, 4, 1))
    for number in range(files):
        top, left = number * 37 % 512, number * 91 % 512
        part = tiles[top : top + SIDE, left : left + SIDE]
        cv2.imwrite(str(folder / f"{number:05}.jpg"), part, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])


def contestants(source: Path, target: Path, spec: str, jobs: int) -> dict[str, Contestant]:
    """Return the contestants by name."""
    weights = parse_kernel(spec).weights
    rows = ";".join(" ".join(f"{weight:.17g}" for weight in row) for row in weights)
    own = Path(sys.executable).with_name("imgconv")
    start = [str(own)] if own.exists() else [sys.executable, "-m", "imgconv"]
    batch = [*start, "batch", spec, str(source), str(target), "--jobs", str(jobs)]
    bare = [sys.executable, "-c", BARE, str(source), str(target), str(jobs), str(QUALITY)]
    blas = {"OPENBLAS_NUM_THREADS": "1"}  # as in imgconv; reduces the start time
    return {
        ALONE: Contestant([*bare, ""], blas),
        "imgconv --isolate": Contestant([*batch, "--isolate"], {}),
        "imgconv --no-isolate": Contestant([*batch, "--no-isolate"], {}),
        "decode + filter2D + encode": Contestant([*bare, rows], blas),
        "the same, keeping memory": Contestant([*bare, rows], {**blas, **KEEPING}),
    }


def run_timed(contestant: Contestant, target: Path) -> Run:
    """Run a contestant and return its times."""
    shutil.rmtree(target, ignore_errors=True)
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(contestant.command, env={**os.environ, **contestant.environment}, check=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return Run(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def check_quality(source: Path, target: Path) -> None:
    """Print a warning if imgconv has not used the compression quality of the scripts."""
    name = sorted(os.listdir(source))[0]
    with Pillow.open(source / name) as one, Pillow.open(target / name) as other:
        if one.quantization != other.quantization:
            print(f"NOT the same: the compression quality of imgconv is not {QUALITY}")


def print_table(results: dict[str, list[Run]]) -> None:
    print(f"{'':28} {'seconds':>8} {'ratio':>6} {'processor':>10} {'ratio':>6}")
    for name, runs in results.items():
        wall, processor = (statistics.median(getattr(run, field) for run in runs) for field in Run._fields)
        pairs = list(zip(runs, results[ALONE], strict=True))
        ratios = [statistics.median(getattr(a, field) / getattr(b, field) for a, b in pairs) for field in Run._fields]
        print(f"{name:28} {wall:8.2f} {ratios[0]:6.2f} {processor:10.2f} {ratios[1]:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Time imgconv batch; see the docstring of this file.")
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--spec", default="sharpen")
    parser.add_argument("--folder", type=Path, default=None, help="folder of the temporary files")
    options = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors; Python {platform.python_version()}, OpenCV {cv2.__version__}")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        source, target = Path(name) / "in", Path(name) / "out"
        make_pictures(source, options.files)
        entrants = contestants(source, target, options.spec, options.jobs)
        results: dict[str, list[Run]] = {name: [] for name in entrants}
        names = list(entrants)
        for number in range(-1, options.runs):  # the first round warms up
            turn = max(number, 0) % len(names)
            for contestant in names[turn:] + names[:turn]:
                run = run_timed(entrants[contestant], target)
                if number >= 0:
                    results[contestant].append(run)
                elif contestant == "imgconv --isolate":
                    check_quality(source, target)
        load = os.getloadavg()[0]
    print(f"{options.files} files, {options.jobs} at a time, {options.spec}; {options.runs} runs, load at the end {load:.1f}\n")
    print_table(results)


if __name__ == "__main__":
    main()
