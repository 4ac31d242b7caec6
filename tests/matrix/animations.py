"""Animations in four formats, and what other libraries find in them."""

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

# libvips would remember what a file of the same name held before.
pyvips.cache_set_max(0)

#: Milliseconds, in whole hundredths of a second, which is how GIF counts.
DURATIONS = (50, 70, 120, 200)
#: How many times it is played.
PLAYED = 3

SUFFIXES = {"gif": ".gif", "webp": ".webp", "png": ".png", "avif": ".avif"}

# In a GIF stands how often it is repeated.
_TOLD = {"gif": {"loop": PLAYED - 1}, "webp": {"loop": PLAYED, "lossless": True}, "png": {"loop": PLAYED}}


class Played(NamedTuple):
    """What is found in an animation: frames, red first; how many milliseconds each; how often it is played, 0 for ever."""

    frames: list[NDArray]
    durations: tuple[float, ...] | None = None
    played: int | None = None


def frames(alpha: bool = False) -> list[NDArray]:
    """Return four pictures of at most 64 colours, so that a GIF holds them; with `alpha`, each has a hole of its own."""
    colours = picture() // 64 * 85
    found = [np.ascontiguousarray(np.roll(colours, (3 * i, 5 * i), (0, 1))) for i in range(4)]
    if not alpha:
        return found
    holes = [np.full((*frame.shape[:2], 1), 255, np.uint8) for frame in found]
    for i, hole in enumerate(holes):
        hole[4 + 6 * i : 18 + 6 * i, 5:21] = 0
    return [np.where(hole > 0, np.concatenate([frame, hole], axis=2), 0) for frame, hole in zip(found, holes, strict=True)]


def made(kind: str, *, alpha: bool = False, **options: object) -> bytes:
    """Return the frames as an animation of a format; lossless, but for AVIF."""
    first, *rest = map(Pillow.fromarray, frames(alpha))
    told = {"quality": 100, "subsampling": "4:4:4"} if kind == "avif" else {**_TOLD[kind], **options}
    if kind in ("gif", "png"):
        told["disposal"] = 2 if kind == "gif" and alpha else 0
    file = io.BytesIO()
    first.save(file, kind.upper(), save_all=True, append_images=rest, duration=list(DURATIONS), **told)
    return file.getvalue()


def by_pillow(path: Path) -> Played:
    """Return what Pillow finds."""
    found, durations = [], []
    with Pillow.open(path) as image:
        loop = image.info.get("loop", 1 if path.suffix == ".gif" else None)
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            found.append(np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB")))
            durations.append(float(image.info.get("duration", 0)))
        if path.suffix == ".gif" and "loop" in image.info:
            loop = loop + 1 if loop else 0
    return Played(found, tuple(durations), None if path.suffix == ".avif" else loop)


def by_vips(path: Path) -> Played:
    """Return what libvips finds in a GIF or WebP."""
    image = pyvips.Image.new_from_file(str(path), n=-1)
    rows = image.get("page-height") if "page-height" in image.get_fields() else image.height
    durations = image.get("delay") if "delay" in image.get_fields() else None
    played = image.get("loop") if "loop" in image.get_fields() else None
    return Played(np.split(image.numpy(), image.height // rows), durations and tuple(map(float, durations)), played)


def by_png_library(path: Path) -> Played:
    """Return the frames that libpng finds in an APNG."""
    return Played(list(imagecodecs.apng_decode(path.read_bytes())))


def by_avif_library(path: Path) -> Played:
    """Return the frames that libavif finds."""
    return Played(list(imagecodecs.avif_decode(path.read_bytes())))


#: Two for each format.
PLAYERS: dict[str, tuple[Callable[[Path], Played], ...]] = {
    "gif": (by_pillow, by_vips),
    "webp": (by_pillow, by_vips),
    "png": (by_pillow, by_png_library),
    "avif": (by_pillow, by_avif_library),
}
