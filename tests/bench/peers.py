"""Time `imgconv apply` as a whole process against other convolution programs, and report the error of each.

    python tests/bench/peers.py [--runs 5] [--formats ppm,jpg,png,tif] [--kernels 3x3,9x9,31x31,sigma1,sigma4,sigma16]

Programs that are not installed are omitted; the Debian packages are libvips-tools, graphicsmagick, imagemagick and gmic. Bare
Python scripts with OpenCV (cv2.imread, cv2.filter2D, cv2.imwrite) and SciPy are timed too.

The image is a colour photograph from scikit-image's package, 12 megapixels; the input TIFF is uncompressed. The matrices have
random positive weights of full rank that sum to 1. ImageMagick rotates its kernel, so it gets the rotated kernel; all others
apply it as is. With `--precision integer` libvips rounds each weight to an integer, so it gets integers up to 255 with their
sum as the divisor. GraphicsMagick limits options to less than 1024 bytes, so it gets four digits and no large kernels. libvips
computes Gaussians by `gaussblur --min-ampl 0.001`, imgconv by name, the others from a matrix of four sigma to each side.

All programs use all processors. Each command is run once to warm up, then all commands of a table in turn; seconds are medians.
Outputs are deleted before each run, since replacing a file may wait for the disk. Programs that exceed --limit are omitted, and
programs that need a sixth of it or more run only once.

Errors are in levels, for a part of the result away from the border, against the rounded float64 sums of SciPy. Float outputs
are compared with the unrounded sums. In JPEG most of the error is due to the encoder, at the quality that each program uses.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import scipy
from pictures import photograph, pixels_of
from programs import OWN, Kernel, peers, versions
from scipy import ndimage

START = "import numpy, cv2"

FORMATS = ("ppm", "jpg", "png", "tif")
KERNELS = ("3x3", "9x9", "31x31", "sigma1", "sigma4", "sigma16")
CROP = slice(1000, 1256), slice(1500, 1756)
REACH = 64  # halo of the largest kernel
SHARE_FOR_ONE_RUN = 6


class Result(NamedTuple):
    """Result of one program: the seconds of each run, or an empty list and the reason if it was omitted."""

    seconds: list[float]
    worst: float = 0.0
    rms: float = 0.0
    megabytes: float = 0.0
    why: str = ""


def make_kernel(name: str, folder: Path) -> Kernel:
    sigma = int(name.removeprefix("sigma")) if name.startswith("sigma") else 0
    if sigma:
        line = np.exp(-(np.arange(-4 * sigma, 4 * sigma + 1) ** 2) / (2 * sigma**2))
        weights = np.outer(line, line) / line.sum() ** 2
    else:
        side = int(name.split("x")[0])
        weights = np.random.default_rng(side).random((side, side))
        weights /= weights.sum()
    rows = folder / f"{name}.dlm"
    np.savetxt(rows, weights, fmt="%.17g")
    masks = {}
    for precision, values in (("integer", np.rint(weights * (255 / weights.max()))), ("float", weights)):
        masks[precision] = folder / f"{name}.{precision}.mat"
        head = f"{len(weights)} {len(weights)} {int(values.sum()) if precision == 'integer' else 1} 0"
        np.savetxt(masks[precision], values, fmt="%.17g", header=head, comments="")
    return Kernel(name, sigma, weights, rows, masks)


def write_photograph(folder: Path) -> np.ndarray:
    """Write the photograph in every format and return its pixels before compression."""
    pixels = photograph()
    for extension in FORMATS:
        cv2.imwrite(str(folder / f"in.{extension}"), pixels, [cv2.IMWRITE_TIFF_COMPRESSION, 1] if extension == "tif" else [])
    return pixels


def exact_sums(pixels: np.ndarray, kernel: Kernel) -> np.ndarray:
    """Return the float64 sums of the compared part."""
    around = tuple(slice(part.start - REACH, part.stop + REACH) for part in CROP)
    part = pixels[around].astype(np.float64)
    planes = []
    for channel in range(3):
        if kernel.sigma:
            sums = ndimage.gaussian_filter(part[..., channel], kernel.sigma, truncate=4)
        else:
            sums = ndimage.correlate(part[..., channel], kernel.weights)
        planes.append(sums[REACH:-REACH, REACH:-REACH])
    return np.dstack(planes)


def seconds(command: list[str], target: Path, limit: float) -> float:
    target.unlink(missing_ok=True)
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    timer = threading.Timer(limit, process.kill)  # `wait` with a timeout would poll every 50 ms
    timer.start()
    code, taken = process.wait(), time.perf_counter() - start
    timer.cancel()
    if taken >= limit:
        raise subprocess.TimeoutExpired(command, limit)
    if code:
        raise subprocess.CalledProcessError(code, command)
    return taken


def compare(
    commands: dict[str, list[str] | None], target: Path, sums: np.ndarray, runs: int, limit: float
) -> dict[str, Result]:
    results = {}
    for name, command in commands.items():
        if command is None:
            results[name] = Result([], why="the kernel is too long for its command line")
            continue
        try:
            first = seconds(command, target, limit)
        except subprocess.TimeoutExpired:
            results[name] = Result([], why=f"takes longer than {limit:g} s")
            continue
        except subprocess.CalledProcessError as error:
            results[name] = Result([], why=f"fails with code {error.returncode}")
            continue
        results[name] = Result([first], *errors(target, sums), target.stat().st_size / 1e6)
    again = [name for name, result in results.items() if result.seconds and result.seconds[0] * SHARE_FOR_ONE_RUN < limit]
    for name in again:
        results[name].seconds.clear()
    for _ in range(runs):
        for name in again:
            results[name].seconds.append(seconds(commands[name] or [], target, limit))
    return results


def errors(target: Path, sums: np.ndarray) -> tuple[float, float]:
    """Return the maximum and the root mean square difference between a result and the sums, in levels."""
    found = pixels_of(target)
    expected = sums if found.dtype.kind == "f" else np.clip(np.rint(sums), 0, 255)
    difference = found[CROP].astype(np.float64) - expected
    return float(np.abs(difference).max()), float(np.sqrt((difference**2).mean()))


def print_table(title: str, results: dict[str, Result], start: float) -> None:
    own = statistics.median(results[OWN].seconds)
    print(f"\n{title:22} {'seconds':>8} {'ratio':>7} {'max error':>10} {'RMS':>8} {'MB':>7}")
    medians = {}
    for name, result in results.items():
        if not result.seconds:
            print(f"{name:22} {result.why}")
            continue
        medians[name] = statistics.median(result.seconds)
        once = " (one run)" if len(result.seconds) == 1 else ""
        print(f"{name:22} {medians[name]:8.3f} {medians[name] / own:7.2f}", end=" ")
        print(f"{result.worst:10.3g} {result.rms:8.3f} {result.megabytes:7.2f}{once}")
    faster = sorted((s, name) for name, s in medians.items() if s < own)
    for taken, name in faster:
        print(f"  {name} is faster, {own / taken:.2f}: {reason(name, own, taken, start, results)}")


def reason(name: str, own: float, taken: float, start: float, results: dict[str, Result]) -> str:
    """Return known reasons why a program is faster than imgconv."""
    ours, theirs = results[OWN], results[name]
    found = []
    if name not in ("script", "scipy"):
        rest = own - start
        first = "less" if rest < taken else "more"
        found.append(f"starting Python, NumPy and OpenCV takes imgconv {start:.3f} s; the rest, {rest:.3f} s, is {first}")
    if theirs.worst > ours.worst + 0.5:
        found.append(f"it is up to {theirs.worst:.3g} levels off, imgconv {ours.worst:.3g}")
    if theirs.megabytes < 0.9 * ours.megabytes:
        found.append(f"it writes {theirs.megabytes:.1f} MB, imgconv {ours.megabytes:.1f}")
    return "; ".join(found) or "the filter itself, or reading and writing"


def main() -> None:
    parser = argparse.ArgumentParser(description="Time imgconv against other programs; see the docstring of this file.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--kernels", default=",".join(KERNELS))
    parser.add_argument("--limit", type=float, default=60.0, help="time limit per run in seconds")
    options = parser.parse_args()
    print(
        f"{platform.machine()}, {os.cpu_count()} processors; Python {platform.python_version()}, NumPy {np.__version__},",
        end=" ",
    )
    print(f"OpenCV {cv2.__version__}, SciPy {scipy.__version__}; medians of {options.runs} runs\n{versions()}")
    programs = peers()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_photograph(folder)
        nothing = [sys.executable, "-c", START]
        start = statistics.median(seconds(nothing, folder / "none", options.limit) for _ in range(options.runs + 1))
        print(f"starting Python with NumPy and OpenCV: {start:.3f} s")
        for extension in options.formats.split(","):
            source, target = str(folder / f"in.{extension}"), folder / f"out.{extension}"
            pixels = cv2.imread(source)
            for kernel in (make_kernel(word, folder) for word in options.kernels.split(",")):
                commands = {who: command(source, str(target), kernel) for who, command in programs.items()}
                results = compare(commands, target, exact_sums(pixels, kernel), options.runs, options.limit)
                print_table(f"{extension} {kernel.name}", results, start)


if __name__ == "__main__":
    main()
