"""Times `imgconv apply` as a whole process against other programs that convolve, and says how far each is off.

    python tests/bench/peers.py [--runs 5] [--formats ppm,jpg,png,tif] [--kernels 3x3,9x9,31x31,sigma1,sigma4,sigma16]

The others are looked for by name, and what is missing is left out. Debian has them in libvips-tools, graphicsmagick,
imagemagick and gmic. With them goes a bare Python script: cv2.imread, cv2.filter2D, cv2.imwrite.

The picture is a photograph of scikit-image's package, 12 megapixels of colour; TIFF goes in uncompressed. The matrices hold
random positive weights of full rank that sum to 1. ImageMagick rotates its kernel and is given it rotated; all others lay it on
as it is. With `--precision integer` libvips rounds each weight to a whole number, so it is given whole numbers up to 255 and
their sum to divide by. GraphicsMagick takes options of less than 1024 bytes: it gets four digits, and no large kernels. libvips
is given Gaussians as `gaussblur --min-ampl 0.001`, imgconv by name, the others as a matrix of four sigma to each side.

All work on all processors. Each command is run once to warm up, then all of a table in turn; the seconds are medians. Outputs
are deleted before each run, since a file system may wait for the disk where a file is replaced. Who takes longer than --limit
is left out, and who takes a sixth of it runs only once.

The errors, in levels, are those of a part of the result that no border reaches, against the sums in float64 (SciPy), rounded;
what is written as floats is compared as floats. In JPEG they are for the most part the encoder's, at the quality that each
takes.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import scipy
from pictures import photograph, pixels_of
from scipy import ndimage

SCRIPT = """
import sys, cv2, numpy as np
image = cv2.imread(sys.argv[1], cv2.IMREAD_UNCHANGED)
cv2.imwrite(sys.argv[2], cv2.filter2D(image, -1, np.loadtxt(sys.argv[3])))
"""
SCIPY = """
import sys, cv2, numpy as np
from scipy import ndimage
source, target, rows, sigma = sys.argv[1:]
image = cv2.imread(source, cv2.IMREAD_UNCHANGED)
if sigma != "0":
    result = ndimage.gaussian_filter(image, float(sigma), axes=(0, 1), output=np.float32)
else:
    result = ndimage.correlate(image, np.loadtxt(rows)[..., None], output=np.float32)
cv2.imwrite(target, np.clip(np.rint(result), 0, 255).astype(np.uint8))
"""
PYVIPS = """
import sys, pyvips
source, target, precision, mask, sigma = sys.argv[1:]
image = pyvips.Image.new_from_file(source, access="sequential")
if sigma != "0":
    image.gaussblur(float(sigma), min_ampl=0.001, precision=precision).write_to_file(target)
else:
    image.conv(pyvips.Image.new_from_file(mask), precision=precision).write_to_file(target)
"""
START = "import numpy, cv2"
OWN = "imgconv"

FORMATS = ("ppm", "jpg", "png", "tif")
KERNELS = ("3x3", "9x9", "31x31", "sigma1", "sigma4", "sigma16")
CROP = slice(1000, 1256), slice(1500, 1756)
REACH = 64  # of the largest kernel
LONGEST, LONGEST_OF_GM = 120_000, 1_000  # bytes of an argument; Linux takes 131072
SHARE_FOR_ONE_RUN = 6


class Kernel(NamedTuple):
    """A kernel as each program takes it."""

    name: str
    sigma: int
    weights: np.ndarray
    rows: Path
    masks: dict[str, Path]


class Result(NamedTuple):
    """What became of one program: its seconds, run by run; none where it was left out, and then why."""

    seconds: list[float]
    worst: float = 0.0
    rms: float = 0.0
    megabytes: float = 0.0
    why: str = ""


Command = Callable[[str, str, Kernel], list[str] | None]


def peers() -> dict[str, Command]:
    """Return how each program that is there is called: source, target and kernel to arguments, or None where it cannot."""
    own = Path(sys.executable).with_name("imgconv")
    start = [str(own)] if own.exists() else [sys.executable, "-m", "imgconv"]
    found: dict[str, Command] = {
        OWN: lambda s, t, k: [*start, "apply", f"gaussian:sigma={k.sigma}" if k.sigma else f"@{k.rows}", s, t],
        "script": lambda s, t, k: [sys.executable, "-c", SCRIPT, s, t, str(k.rows)],
        "scipy": lambda s, t, k: [sys.executable, "-c", SCIPY, s, t, str(k.rows), str(k.sigma)],
    }
    for precision in ("integer", "float"):
        if vips := shutil.which("vips"):
            found[f"vips {precision}"] = vips_command(vips, precision)
        elif importlib.util.find_spec("pyvips"):
            found[f"vips {precision}"] = pyvips_command(precision)
    if gm := shutil.which("gm"):
        found["gm"] = lambda s, t, k: fit_metadata([gm, "convert", s, "-convolve", numbers(k.weights, 4), t], LONGEST_OF_GM)
    if magick := shutil.which("magick") or shutil.which("convert"):
        found["magick"] = lambda s, t, k: fit_metadata([magick, s, "-morphology", "Convolve", sized(k.weights[::-1, ::-1]), t])
    if gmic := shutil.which("gmic"):
        # Its results are floats, also in a TIFF, and whole numbers are cut off from them, unless it is told otherwise.
        steps = ["correlate[0]", "[1]", "remove[1]", "round", "cut", "0,255", "output"]
        found["gmic"] = lambda s, t, k: [gmic, s, str(k.rows), *steps, f"{t},uchar" if t.endswith("tif") else t]
    for name in ("vips", "gm", "magick", "gmic"):
        if not any(word.split()[0] == name for word in found):
            print(f"{name} is not installed, and left out")
    return found


def vips_command(vips: str, precision: str) -> Command:
    def command(source: str, target: str, kernel: Kernel) -> list[str]:
        if kernel.sigma:
            return [vips, "gaussblur", source, target, str(kernel.sigma), "--min-ampl", "0.001", "--precision", precision]
        return [vips, "conv", source, target, str(kernel.masks[precision]), "--precision", precision]

    return command


def pyvips_command(precision: str) -> Command:
    """Return the same in Python, for the libvips of the wheel of pyvips."""
    return lambda source, target, kernel: [
        *(sys.executable, "-c", PYVIPS),
        *(source, target, precision, str(kernel.masks[precision]), str(kernel.sigma)),
    ]


def numbers(weights: np.ndarray, digits: int = 9) -> str:
    return ",".join(f"{weight:.{digits}g}" for weight in weights.ravel())


def sized(weights: np.ndarray) -> str:
    return f"{weights.shape[1]}x{weights.shape[0]}:{numbers(weights)}"


def fit_metadata(command: list[str], longest: int = LONGEST) -> list[str] | None:
    return command if max(map(len, command)) < longest else None


def versions() -> str:
    """Return the first line that each program says of itself."""
    asked = {"vips": ["--version"], "gm": ["version"], "magick": ["-version"], "convert": ["-version"], "gmic": ["version"]}
    lines = []
    for name, arguments in asked.items():
        if shutil.which(name) and not (name == "convert" and shutil.which("magick")):
            said = subprocess.run([name, *arguments], capture_output=True, text=True, check=False)
            plain = re.sub(r"\x1b\[[\d;]*m", "", said.stdout + said.stderr)
            text = [line for line in plain.splitlines() if re.search(r"\d+\.\d+", line)]
            lines.append(f"{name}: {' '.join(text[0].split())[:100]}" if text else name)
    return "\n".join(lines)


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
    """Write the picture in every format and return its pixels, as lossless formats keep them."""
    pixels = photograph()
    for extension in FORMATS:
        cv2.imwrite(str(folder / f"in.{extension}"), pixels, [cv2.IMWRITE_TIFF_COMPRESSION, 1] if extension == "tif" else [])
    return pixels


def defined(pixels: np.ndarray, kernel: Kernel) -> np.ndarray:
    """Return the sums of the part that is compared, in float64."""
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
    timer = threading.Timer(limit, process.kill)  # to wait with a limit is to look every 50 ms
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
    """Return the greatest and the root mean square difference of a result to the sums, in levels."""
    found = pixels_of(target)
    expected = sums if found.dtype.kind == "f" else np.clip(np.rint(sums), 0, 255)
    difference = found[CROP].astype(np.float64) - expected
    return float(np.abs(difference).max()), float(np.sqrt((difference**2).mean()))


def tell(title: str, results: dict[str, Result], start: float) -> None:
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
    ahead = sorted((s, name) for name, s in medians.items() if s < own)
    for taken, name in ahead:
        print(f"  {name} is ahead, {own / taken:.2f}: {reason(name, own, taken, start, results)}")


def reason(name: str, own: float, taken: float, start: float, results: dict[str, Result]) -> str:
    """Return what is known of why a program is faster than imgconv."""
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
    parser = argparse.ArgumentParser(description="Time imgconv against other programs; see the head of this file.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--formats", default=",".join(FORMATS))
    parser.add_argument("--kernels", default=",".join(KERNELS))
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that a program may take")
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
                results = compare(commands, target, defined(pixels, kernel), options.runs, options.limit)
                tell(f"{extension} {kernel.name}", results, start)


if __name__ == "__main__":
    main()
