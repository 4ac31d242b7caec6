"""The programs that `peers.py` compares with imgconv, and their command lines."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

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
OWN = "imgconv"
LONGEST, LONGEST_OF_GM = 120_000, 1_000  # maximum argument length in bytes; the limit of Linux is 131072


class Kernel(NamedTuple):
    """A kernel in the formats of the programs."""

    name: str
    sigma: int
    weights: np.ndarray
    rows: Path
    masks: dict[str, Path]


Command = Callable[[str, str, Kernel], list[str] | None]


def peers() -> dict[str, Command]:
    """Return for each installed program a function that maps source, target and kernel to arguments, or None if too long."""
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
        found["gm"] = lambda s, t, k: if_short_enough([gm, "convert", s, "-convolve", numbers(k.weights, 4), t], LONGEST_OF_GM)
    if magick := shutil.which("magick") or shutil.which("convert"):
        found["magick"] = lambda s, t, k: if_short_enough(
            [magick, s, "-morphology", "Convolve", matrix_text(k.weights[::-1, ::-1]), t]
        )
    if gmic := shutil.which("gmic"):
        # G'MIC computes in floats. It truncates them in integer files without `round`, and writes a float TIFF without `uchar`.
        steps = ["correlate[0]", "[1]", "remove[1]", "round", "cut", "0,255", "output"]
        found["gmic"] = lambda s, t, k: [gmic, s, str(k.rows), *steps, f"{t},uchar" if t.endswith("tif") else t]
    for name in ("vips", "gm", "magick", "gmic"):
        if not any(word.split()[0] == name for word in found):
            print(f"{name} is not installed (omitted)")
    return found


def vips_command(vips: str, precision: str) -> Command:
    def command(source: str, target: str, kernel: Kernel) -> list[str]:
        if kernel.sigma:
            return [vips, "gaussblur", source, target, str(kernel.sigma), "--min-ampl", "0.001", "--precision", precision]
        return [vips, "conv", source, target, str(kernel.masks[precision]), "--precision", precision]

    return command


def pyvips_command(precision: str) -> Command:
    """Return the function for the libvips in the wheel of pyvips, run from Python."""
    return lambda source, target, kernel: [
        *(sys.executable, "-c", PYVIPS),
        *(source, target, precision, str(kernel.masks[precision]), str(kernel.sigma)),
    ]


def numbers(weights: np.ndarray, digits: int = 9) -> str:
    return ",".join(f"{weight:.{digits}g}" for weight in weights.ravel())


def matrix_text(weights: np.ndarray) -> str:
    return f"{weights.shape[1]}x{weights.shape[0]}:{numbers(weights)}"


def if_short_enough(command: list[str], longest: int = LONGEST) -> list[str] | None:
    return command if max(map(len, command)) < longest else None


def versions() -> str:
    """Return the first line of the version output of each program."""
    options = {"vips": ["--version"], "gm": ["version"], "magick": ["-version"], "convert": ["-version"], "gmic": ["version"]}
    lines = []
    for name, arguments in options.items():
        if shutil.which(name) and not (name == "convert" and shutil.which("magick")):
            result = subprocess.run([name, *arguments], capture_output=True, text=True, check=False)
            plain = re.sub(r"\x1b\[[\d;]*m", "", result.stdout + result.stderr)
            text = [line for line in plain.splitlines() if re.search(r"\d+\.\d+", line)]
            lines.append(f"{name}: {' '.join(text[0].split())[:100]}" if text else name)
    return "\n".join(lines)
