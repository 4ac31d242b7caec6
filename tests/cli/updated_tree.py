"""The results of `imgconv batch in out --recursive --update` with the tree of the fixture `folder`."""

from __future__ import annotations

import cv2
import numpy as np

JOURNAL = ".imgconv.sqlite"
ALL = ["a.png", "b.jpg", "deep/er/c.png"]


def times(root):
    """Return the modification time of each result."""
    return {path.relative_to(root).as_posix(): path.stat().st_mtime_ns for path in root.rglob("*.*g")}


def rewritten(folder, out):
    """Write another picture as in/a.png."""
    cv2.imwrite(str(folder / "a.png"), np.zeros((5, 6), np.uint8))
