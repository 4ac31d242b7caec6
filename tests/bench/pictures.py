"""The input image of the benchmarks in this folder, and a reader for their outputs."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import numpy as np
import skimage


def photograph() -> np.ndarray:
    """Return a photograph from scikit-image's package at 12 megapixels: uint8, shape (3000, 4000, 3), in BGR order."""
    image = cv2.imread(str(Path(skimage.__file__).parent / "data" / "astronaut.png"))
    return cv2.resize(image, (4000, 3000), interpolation=cv2.INTER_CUBIC)


def pixels_of(path: Path) -> np.ndarray:
    """Return the pixels of a file in BGR order. PFM is parsed here, since OpenCV rejects the header comment of libvips."""
    data = path.read_bytes()
    if header := re.match(rb"PF\n(?:#.*\n)*(\d+) (\d+)\n(-?)[\d.]+\n", data):
        columns, rows = int(header[1]), int(header[2])
        floats = np.frombuffer(data, "<f4" if header[3] else ">f4", offset=header.end())
        return floats.reshape(rows, columns, 3)[:, :, ::-1]  # rows are stored from top to bottom, contrary to the PFM format
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None:
        raise SystemExit(f"{path.name}: OpenCV cannot read the output")
    return found
