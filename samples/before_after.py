"""Draw the image of the README: `python samples/before_after.py [FOLDER]` (default: this folder).

before_after.png  A part of noisy_scene.png in three versions: unfiltered, filtered by `imgconv apply` with the chain
                  in its label, and filtered by `imgconv edges`. The whole image is filtered, then cropped, and
                  enlarged by a factor of two.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

import imgconv

HERE = Path(__file__).parent
#: Rows and columns of the part: the house, with noise on its walls, fine courses of bricks and long edges.
PART = (slice(186, 332), slice(118, 254))
LARGER = 2
GAP = 6
#: Height of the labels above the panels, in rows.
LABELS = 26
PAPER, INK = 255, 40
CHAIN = ("gaussian:sigma=1", "unsharp:sigma=1.5,amount=2")
OPERATOR = "scharr"
SMALL = [cv2.IMWRITE_PNG_COMPRESSION, 9, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_FILTERED]


def filtered(pixels: np.ndarray) -> np.ndarray:
    """Return the image filtered by the chain, without rounding between its steps."""
    steps = pixels.astype(np.float32)
    for step in CHAIN:
        steps = imgconv.correlate(steps, step)
    return np.clip(np.rint(steps), 0, 255).astype(np.uint8)


def panel(pixels: np.ndarray, label: str) -> np.ndarray:
    part = pixels[PART].repeat(LARGER, axis=0).repeat(LARGER, axis=1)
    band = np.full((LABELS, *part.shape[1:]), PAPER, np.uint8)
    cv2.putText(band, label, (0, LABELS - 9), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (INK,) * 3, 1, cv2.LINE_AA)
    return np.vstack([band, part])


def draw_before_after() -> np.ndarray:
    """Return the image, shape (H, W, 3), in the order blue, green, red."""
    scene = imgconv.read_image(HERE / "noisy_scene.png").pixels
    panels = [
        panel(scene, "noisy_scene.png"),
        panel(filtered(scene), " ".join(CHAIN)),
        panel(imgconv.find_edges(scene, OPERATOR), f"edges --operator {OPERATOR}"),
    ]
    gap = np.full((panels[0].shape[0], GAP, 3), PAPER, np.uint8)
    return np.hstack([panels[0], gap, panels[1], gap, panels[2]])


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "before_after.png"
    if not cv2.imwrite(str(path), draw_before_after(), SMALL):
        raise SystemExit(f"cannot write {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
