"""Animations in four formats, and the frames, durations and loop counts that other libraries read from them."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import imagecodecs
import numpy as np
import pyvips
from numpy.typing import NDArray
from PIL import Image as Pillow

from tests.matrix.pictures import picture

# libvips caches files by name; the tests overwrite them.
pyvips.cache_set_max(0)

#: Frame durations in milliseconds; multiples of 10, the unit of GIF.
DURATIONS = (50, 70, 120, 200)
#: Loop count: how often the animation plays.
LOOPS = 3

SUFFIXES = {"gif": ".gif", "webp": ".webp", "png": ".png", "avif": ".avif"}

# GIF stores the number of repetitions, one less than the loop count.
_LOOP_OPTIONS = {"gif": {"loop": LOOPS - 1}, "webp": {"loop": LOOPS, "lossless": True}, "png": {"loop": LOOPS}}


class Animation(NamedTuple):
    """An animation as decoded: RGB(A) frames, their durations in milliseconds, and the loop count (0: for ever)."""

    frames: list[NDArray]
    durations: tuple[float, ...] | None = None
    loops: int | None = None


def frames(alpha: bool = False) -> list[NDArray]:
    """Return four frames of at most 64 colours, exact in GIF; with `alpha`, each has a different transparent area."""
    colours = picture() // 64 * 85
    found = [np.ascontiguousarray(np.roll(colours, (3 * i, 5 * i), (0, 1))) for i in range(4)]
    if not alpha:
        return found
    alphas = [np.full((*frame.shape[:2], 1), 255, np.uint8) for frame in found]
    for i, plane in enumerate(alphas):
        plane[4 + 6 * i : 18 + 6 * i, 5:21] = 0
    return [np.where(plane > 0, np.concatenate([frame, plane], axis=2), 0) for frame, plane in zip(found, alphas, strict=True)]


def encode(kind: str, *, alpha: bool = False, **options: object) -> bytes:
    """Return the frames encoded as an animation, lossless except in AVIF."""
    first, *rest = map(Pillow.fromarray, frames(alpha))
    options_of_kind = {"quality": 100, "subsampling": "4:4:4"} if kind == "avif" else {**_LOOP_OPTIONS[kind], **options}
    if kind in ("gif", "png"):
        options_of_kind["disposal"] = 2 if kind == "gif" and alpha else 0
    file = io.BytesIO()
    first.save(file, kind.upper(), save_all=True, append_images=rest, duration=list(DURATIONS), **options_of_kind)
    return file.getvalue()


def read_with_pillow(path: Path) -> Animation:
    """Read an animation with Pillow."""
    found, durations = [], []
    with Pillow.open(path) as image:
        loop = image.info.get("loop", 1 if path.suffix == ".gif" else None)
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB")))
            durations.append(float(image.info.get("duration", 0)))
        if path.suffix == ".gif" and "loop" in image.info:
            loop = loop + 1 if loop else 0
    return Animation(found, tuple(durations), None if path.suffix == ".avif" else loop)


def read_with_vips(path: Path) -> Animation:
    """Read a GIF or WebP with libvips."""
    image = pyvips.Image.new_from_file(str(path), n=-1)
    rows = image.get("page-height") if "page-height" in image.get_fields() else image.height
    durations = image.get("delay") if "delay" in image.get_fields() else None
    loops = image.get("loop") if "loop" in image.get_fields() else None
    return Animation(np.split(image.numpy(), image.height // rows), durations and tuple(map(float, durations)), loops)


def read_with_libpng(path: Path) -> Animation:
    """Read the frames of an APNG with libpng."""
    return Animation(list(imagecodecs.apng_decode(path.read_bytes())))


def read_with_libavif(path: Path) -> Animation:
    """Read the frames of an AVIF with libavif."""
    return Animation(list(imagecodecs.avif_decode(path.read_bytes())))


#: Two readers for each format.
READERS: dict[str, tuple[Callable[[Path], Animation], ...]] = {
    "gif": (read_with_pillow, read_with_vips),
    "webp": (read_with_pillow, read_with_vips),
    "png": (read_with_pillow, read_with_libpng),
    "avif": (read_with_pillow, read_with_libavif),
}
