"""Draw the sample pictures: `python samples/draw.py [FOLDER]` (this folder, unless another is given).

For the examples of the documentation:

    noisy_scene.png   8-bit colour. A landscape, slightly out of focus, with sensor noise: a stand-in for a photograph that
                      is free of copyright.
    logo.png          8-bit colour with alpha. A sign with soft edges; its transparent pixels are black.
    scan.tif          16-bit grey, two pages at 150 pixels per inch. A page of print with uneven light.
    heights.tif       32-bit float. A height map in metres; -9999 marks missing values, as the GDAL_NODATA tag states.
    loop.gif          An animation of eight frames that repeats.
    photos/           Three JPEGs, one of them in a subfolder and stored on its side, with an EXIF orientation.
    mask.png          8-bit grey. A soft oval of the size of photos/house.jpg, for `--mask`.
    kernel.txt        A kernel as rows of numbers.
    psf.png           8-bit grey, 21 x 21. The image of a point by a camera that was moved: a kernel in a picture.

Test patterns:

    zone_plate.png    8-bit grey. Every frequency up to the Nyquist limit, in every direction: the frequency response of a
                      filter is visible at once, and so is aliasing.
    slanted_edge.png  16-bit grey. An edge of 5 degrees, as in ISO 12233, from which sharpness is measured. Its contrast is
                      4:1, which leaves room for the overshoot of a sharpening filter.
    text.png          8-bit grey. Letters of several sizes, dark on light and light on dark. The letters are those of
                      OpenCV 5; OpenCV 4 draws others.

Everything is computed and the random numbers are seeded: every run draws the same pictures.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import tifffile
from PIL import Image
from scene import draw_scene, fractal

# Noise and texture do not repeat themselves: the strategy for filtered data saves a tenth of the scene.
SMALL = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED]


def draw_zone_plate(size: int = 512) -> np.ndarray:
    offset = np.arange(size) - size // 2
    squared = offset[:, None] ** 2 + offset[None, :] ** 2
    # The phase pi r^2 / size turns by r / size cycles a pixel: half a cycle, the Nyquist limit, at r = size / 2.
    # Along a row or a column the frequency is never higher, the corners included. Taking the whole turns off while
    # the numbers are integers keeps the cosine exact.
    wave = np.cos(np.pi * (squared % (2 * size)) / size)
    return np.rint(128 + 127 * wave).astype(np.uint8)


def draw_slanted_edge(rows: int = 240, columns: int = 320, degrees: float = 5.0) -> np.ndarray:
    across, down = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    row = np.arange(rows)[:, None] - (rows - 1) / 2
    column = np.arange(columns)[None, :] - (columns - 1) / 2
    distance = across * column + down * row

    # The share of a unit square that lies beyond a straight edge, exactly: a box of width `across` convolved with a
    # box of width `down` is the profile of the square along the normal, and its integral is this second difference.
    def bend(shift: float) -> np.ndarray:
        return np.maximum(distance + shift, 0) ** 2

    outer, inner = (across + down) / 2, (across - down) / 2
    share = (bend(outer) - bend(inner) - bend(-inner) + bend(-outer)) / (2 * across * down)
    dark, light = 0.2, 0.8
    return np.rint(65535 * (dark + (light - dark) * share)).astype(np.uint16)


def draw_text(rows: int = 400, columns: int = 560) -> np.ndarray:
    image = np.full((rows, columns), 245, np.uint8)
    image[rows * 5 // 8 :] = 28
    plain, fancy = cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX
    lines = [
        (30, 0.35, 1, plain, "how small may letters be before a blur of one pixel takes them away? 0123456789"),
        (54, 0.5, 1, plain, "the quick brown fox jumps over the lazy dog, 0123456789 times"),
        (88, 0.8, 1, plain, "Pack my box with five dozen jugs"),
        (136, 1.4, 2, plain, "out = sum of w * src"),
        (220, 2.9, 5, fancy, "Kernel 3x5"),
        (294, 1.3, 2, fancy, "Sphinx of black quartz"),
        (328, 0.8, 1, plain, "judge my vow; light on dark"),
        (356, 0.5, 1, plain, "constant, replicate, reflect, reflect101, wrap, renormalize"),
        (380, 0.35, 1, plain, "same, valid, full; down the rows, along the columns; anchor, delta, stride, dilation"),
    ]
    for baseline, scale, thickness, font, words in lines:
        ink = 20 if baseline < rows * 5 // 8 else 235
        cv2.putText(image, words, (18, baseline), font, scale, ink, thickness, cv2.LINE_AA)
    return image


def draw_logo(size: int = 200, finer: int = 4) -> np.ndarray:
    """Return a rounded sign with a 3x3 grid on it, (size, size, 4) with red first."""
    row, column = (np.indices((size * finer, size * finer)) + 0.5) / finer - size / 2
    outside = np.maximum(np.maximum(np.abs(row), np.abs(column)) - 0.22 * size, 0)
    corner = np.hypot(np.maximum(np.abs(row) - 0.22 * size, 0), np.maximum(np.abs(column) - 0.22 * size, 0))
    sign = np.where(outside > 0, corner, 0) < 0.2 * size
    cell = 0.21 * size
    within = (np.maximum(np.abs(row), np.abs(column)) < 1.5 * cell) & (np.abs((row / cell + 0.5) % 1 - 0.5) < 0.42)
    within &= np.abs((column / cell + 0.5) % 1 - 0.5) < 0.42
    centre = np.maximum(np.abs(row), np.abs(column)) < 0.5 * cell
    colour = np.where(within[..., None], np.where(centre[..., None], (250, 190, 60), (245, 245, 240)), (30, 90, 150))
    painted = np.dstack([colour * sign[..., None], 255.0 * sign])
    mean = painted.reshape(size, finer, size, finer, 4).mean(axis=(1, 3))
    alpha = mean[..., 3:]
    mean[..., :3] = np.divide(255 * mean[..., :3], alpha, out=np.zeros_like(mean[..., :3]), where=alpha > 0)
    return np.rint(mean).astype(np.uint8)


def draw_scan(seed: int = 1841, rows: int = 180, columns: int = 240) -> list[np.ndarray]:
    """Return two pages, each (rows, columns): the ink, under light that falls off to one side, and sensor noise."""
    rng = np.random.default_rng(seed)
    pages = []
    for number in (1, 2):
        ink = np.zeros((rows * 4, columns * 4), np.uint8)
        cv2.rectangle(ink, (60, 60), (columns * 4 - 60, 150), 255, 6)
        cv2.rectangle(ink, (60, 60), (60 + 180 * number, 150), 255, -1)
        for line in range(200, rows * 4 - 60, 44):
            end = 60
            while end < columns * 4 - 160:
                start, end = end + 22, end + 22 + int(rng.integers(30, 130))
                cv2.rectangle(ink, (start, line), (end, line + 14), 255, -1)
        inked = cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_AREA) / 255
        light = 1 - 0.25 * np.linspace(0, 1, columns)[None, :] - 0.1 * np.linspace(0, 1, rows)[:, None]
        level = light * (0.92 - 0.78 * cv2.GaussianBlur(inked, (0, 0), 0.7)) + rng.normal(0, 0.004, (rows, columns))
        pages.append(np.rint(np.clip(level, 0, 1) * 4095).astype(np.uint16) * 16)
    return pages


def draw_heights(seed: int = 1786, rows: int = 160, columns: int = 220) -> np.ndarray:
    """Return heights in metres, to the centimetre, of (rows, columns); -9999 where the survey has gaps."""
    rng = np.random.default_rng(seed)
    heights = 1400 + 260 * fractal(rng, rows, columns, (3, 4), 6)
    gaps = fractal(rng, rows, columns, (6, 8), 3) > 2.1
    gaps[:, : columns // 16] = True
    return np.where(gaps, -9999, np.round(heights, 2)).astype(np.float32)


def draw_loop(size: int = 64, frames: int = 8) -> list[np.ndarray]:
    """Return the frames of a disk that travels around the picture once, each (size, size, 3)."""
    row, column = np.indices((size, size))
    pictures = []
    for turn in 2 * np.pi * np.arange(frames) / frames:
        far = np.hypot(row - size * (0.5 + 0.28 * np.sin(turn)), column - size * (0.5 + 0.28 * np.cos(turn)))
        disk = np.clip(size / 7 - far + 0.5, 0, 1)[..., None]
        pictures.append(np.rint((1 - disk) * (30, 60, 90) + disk * (250, 190, 60)).astype(np.uint8))
    return pictures


def draw_mask(rows: int = 190, columns: int = 210) -> np.ndarray:
    """Return an oval, white in the middle of a black picture, with soft edges."""
    row, column = np.indices((rows, columns))
    far = np.hypot((row - 0.55 * rows) / (0.42 * rows), (column - 0.5 * columns) / (0.36 * columns))
    return np.rint(255 * np.clip((1 - far) / 0.3, 0, 1)).astype(np.uint8)


def draw_psf(size: int = 21, points: int = 400) -> np.ndarray:
    """Return the trail of a point, curved and brighter where the movement was slow."""
    time = np.linspace(0, 1, points)
    row, column = size * (0.75 - 0.5 * time**2), size * (0.2 + 0.6 * time - 0.15 * np.sin(np.pi * time))
    trail = np.zeros((size, size))
    np.add.at(trail, (np.rint(row).astype(int), np.rint(column).astype(int)), 1)
    return np.rint(255 * trail / trail.max()).astype(np.uint8)


def write_photos(folder: Path, scene: np.ndarray) -> None:
    """Write parts of the scene, (H, W, 3) with red first, as JPEGs."""
    (folder / "below").mkdir(parents=True, exist_ok=True)
    for name, part in (("house.jpg", scene[150:340, 80:290]), ("meadow.jpg", scene[250:432, 330:576])):
        Image.fromarray(part).save(folder / name, quality=88, dpi=(300, 300))
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: the first row is the right side
    exif[0x010F] = "imgconv samples"  # Make
    sideways = np.ascontiguousarray(np.rot90(scene[170:350, 430:570]))
    Image.fromarray(sideways).save(folder / "below" / "tree.jpg", quality=88, exif=exif)


def main(folder: Path) -> None:
    scene = draw_scene()
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        "zone_plate": draw_zone_plate(),
        "slanted_edge": draw_slanted_edge(),
        "text": draw_text(),
        "noisy_scene": scene,
    }
    for name, picture in pictures.items():
        path = folder / f"{name}.png"
        if not cv2.imwrite(str(path), picture, SMALL):
            raise SystemExit(f"cannot write {path}")
    Image.fromarray(draw_logo()).save(folder / "logo.png", optimize=True)
    Image.fromarray(draw_mask()).save(folder / "mask.png", optimize=True)
    Image.fromarray(draw_psf()).save(folder / "psf.png", optimize=True)
    with tifffile.TiffWriter(folder / "scan.tif") as tiff:
        for page in draw_scan():
            tiff.write(page, compression="zlib", predictor=2, resolution=(150, 150), resolutionunit="INCH", metadata=None)
    nodata = (42113, "s", 0, "-9999", True)  # GDAL_NODATA
    options = {"compression": "zlib", "predictor": 3, "metadata": None, "extratags": [nodata]}
    tifffile.imwrite(folder / "heights.tif", draw_heights(), **options)
    first, *others = map(Image.fromarray, draw_loop())
    first.save(folder / "loop.gif", save_all=True, append_images=others, duration=80, loop=0)
    write_photos(folder / "photos", scene[:, :, ::-1])
    (folder / "kernel.txt").write_text("0 -1 0\n-1 5 -1\n0 -1 0\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
