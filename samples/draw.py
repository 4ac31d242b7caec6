"""Draw the sample images: `python samples/draw.py [FOLDER]` (default: this folder).

    zone_plate.png    8-bit grey. Rings whose frequency increases linearly from 0 in the middle to the Nyquist limit at
                      the middle of each side, so that every direction and frequency occurs once. A low-pass leaves a
                      disc of rings, a derivative removes directions it does not respond to, and phase errors are visible.
    slanted_edge.png  16-bit grey. One edge, 5 degrees off the vertical, as in sharpness measurement by ISO 12233. Its
                      contrast is 4:1, which leaves room for the overshoot of a sharpening filter.
    text.png          8-bit grey. Sizes from barely legible to large, dark on light and light on dark, to show the
                      effect of a filter on thin strokes and the gaps between them. The letters are drawn by OpenCV 5;
                      those of OpenCV 4 differ.
    noisy_scene.png   8-bit colour. A landscape, slightly out of focus, with sensor noise: a copyright-free substitute
                      for a photograph, for sharpening, smoothing and edges.

All images are computed with a fixed random seed and are therefore reproducible.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from scene import draw_scene

# Noise and texture have few repetitions: the strategy for filtered data makes the scene a tenth smaller.
SMALL = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED]


def draw_zone_plate(size: int = 512) -> np.ndarray:
    offset = np.arange(size) - size // 2
    squared = offset[:, None] ** 2 + offset[None, :] ** 2
    # The phase pi r^2 / size changes by r / size cycles per pixel: half a cycle, the Nyquist limit, at r = size / 2.
    # Along a row or a column the frequency is never higher, even in the corners. Removing whole turns from the integers
    # keeps the cosine accurate.
    wave = np.cos(np.pi * (squared % (2 * size)) / size)
    return np.rint(128 + 127 * wave).astype(np.uint8)


def draw_slanted_edge(rows: int = 240, columns: int = 320, degrees: float = 5.0) -> np.ndarray:
    across, down = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    row = np.arange(rows)[:, None] - (rows - 1) / 2
    column = np.arange(columns)[None, :] - (columns - 1) / 2
    distance = across * column + down * row

    # The exact fraction of a unit square beyond a straight edge. The profile of the square along the normal is a box of
    # width `across` convolved with a box of width `down`; its integral is this second difference.
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


def main(folder: Path) -> None:
    pictures = {
        "zone_plate": draw_zone_plate(),
        "slanted_edge": draw_slanted_edge(),
        "text": draw_text(),
        "noisy_scene": draw_scene(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        path = folder / f"{name}.png"
        if not cv2.imwrite(str(path), picture, SMALL):
            raise SystemExit(f"cannot write {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
