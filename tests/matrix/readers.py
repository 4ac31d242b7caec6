"""Two independent readers for each format: no code of imgconv, and where possible no code in common.

Each reader returns pixels in the type of the file: grey, or red, green, blue; alpha is the last channel. Bilevel images
return 0 and 255. An AVIF of more than 8 bits returns its native levels, up to 1023 or 4095.
"""

from __future__ import annotations

import ast
import csv
import warnings
from collections.abc import Callable
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pyvips
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow

from tests.matrix.by_others import swap_bgr
from tests.matrix.by_tifffile import as_levels

# libvips caches files by name; the tests overwrite them.
pyvips.cache_set_max(0)

Reader = Callable[[Path], NDArray]


def pillow(path: Path) -> NDArray:
    """Read the first picture with Pillow."""
    with Pillow.open(path) as image:
        if image.mode == "1":
            return np.asarray(image.convert("L"))
        if image.mode in ("P", "PA"):
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        return np.asarray(image)


def vips(path: Path) -> NDArray:
    """Read the first picture with libvips."""
    image = pyvips.Image.new_from_file(str(path), fail_on="error")
    pixels = image.numpy().reshape((image.height, image.width, image.bands)[: 2 + (image.bands > 1)])
    if path.suffix == ".avif" and pixels.dtype == np.uint16:  # libvips shifts levels to the upper bits
        pixels = pixels >> (16 - image.get("bits-per-sample"))
    return pixels


def tiff_file(path: Path) -> NDArray:
    """Read the first page of a TIFF with tifffile."""
    with warnings.catch_warnings(), tifffile.TiffFile(path) as file:
        warnings.simplefilter("ignore", DeprecationWarning)
        page = file.pages[0]
        pixels = page.asarray()
        assert page.planarconfig == 1
        if page.photometric == 0:
            pixels = ~pixels
        return as_levels(pixels)


def tiff_library(path: Path) -> NDArray:
    """Read the first page of a TIFF with libvips; Zstandard, float16 and float64, which it lacks or converts, with libtiff."""
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        needs_libtiff = page.compression == 50000 or page.dtype in (np.float16, np.float64)
    return as_levels(imagecodecs.tiff_decode(path.read_bytes(), index=0)) if needs_libtiff else vips(path)


def png_codec(path: Path) -> NDArray:
    """Read a PNG with libpng."""
    return imagecodecs.png_decode(path.read_bytes())


def avif_codec(path: Path) -> NDArray:
    """Read an AVIF with libavif."""
    return imagecodecs.avif_decode(path.read_bytes())


def jpeg_2000_codec(path: Path) -> NDArray:
    """Read a JPEG 2000 with OpenJPEG."""
    return imagecodecs.jpeg2k_decode(path.read_bytes())


def jpeg_2000_picture(path: Path) -> NDArray:
    """Read a JPEG 2000 with Pillow, or with OpenCV if Pillow would reduce it to 8 bits."""
    data = path.read_bytes()
    bits = data[data.index(b"ihdr") + 14] + 1  # ITU-T T.800, I.5.3.1: rows, columns, components, bits less one
    return pillow(path) if bits == 8 else opencv(path)


def hdr_codec(path: Path) -> NDArray:
    """Read a Radiance HDR with imagecodecs."""
    return imagecodecs.rgbe_decode(path.read_bytes())


def opencv(path: Path) -> NDArray:
    """Read a picture with OpenCV."""
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return swap_bgr(pixels)


def floats(path: Path) -> NDArray:
    """Read a PFM as specified at pauldebevec.com/Research/HDR/PFM: the bottom row comes first."""
    kind, size, scale, body = path.read_bytes().split(b"\n", 3)
    columns, rows = map(int, size.split())
    pixels = np.frombuffer(body, "<f4" if float(scale) < 0 else ">f4").astype("f4")
    return pixels.reshape(rows, columns, 3)[::-1] if kind == b"PF" else pixels.reshape(rows, columns)[::-1]


def netpbm(path: Path) -> NDArray:
    """Read a binary PBM, PGM or PPM without comments, as specified at netpbm.sourceforge.net."""
    kind, columns, rows, body = path.read_bytes().split(maxsplit=3)
    columns, rows = int(columns), int(rows)
    if kind == b"P4":
        lines = np.frombuffer(body, np.uint8).reshape(rows, -1)
        return np.uint8(255) * (1 - np.unpackbits(lines, axis=1)[:, :columns])
    greatest, body = body.split(b"\n", 1)
    samples = np.frombuffer(body, {b"255": "u1", b"65535": ">u2"}[greatest])
    found = samples.astype(samples.dtype.newbyteorder("="))
    return found.reshape((rows, columns) if kind == b"P5" else (rows, columns, 3))


def numpy_file(path: Path) -> NDArray:
    """Read an array with NumPy."""
    return bilevel(np.load(path, allow_pickle=False))


def numpy_specification(path: Path) -> NDArray:
    """Read an array as specified in NumPy's NEP 1: a dictionary in Python's notation, then the values."""
    data = path.read_bytes()
    length = int.from_bytes(data[8:10], "little")
    header = ast.literal_eval(data[10 : 10 + length].decode("ascii"))
    assert data[:8] == b"\x93NUMPY\x01\x00"
    assert not header["fortran_order"]
    return bilevel(np.frombuffer(data[10 + length :], header["descr"]).reshape(header["shape"]))


def numpy_text(path: Path) -> NDArray:
    """Read values from text with NumPy."""
    return np.loadtxt(path, delimiter="," if path.suffix == ".csv" else None, ndmin=2)


def lines_of_numbers(path: Path) -> NDArray:
    """Read values from text, in which each line ends with a line break, with the csv module."""
    with path.open(encoding="ascii", newline="") as file:
        lines = list(csv.reader(file, delimiter="," if path.suffix == ".csv" else " ", lineterminator="\n"))
    return np.array([list(map(float, line)) for line in lines])


def bilevel(pixels: NDArray) -> NDArray:
    return pixels * np.uint8(255) if pixels.dtype == bool else pixels


#: Two readers for each format.
READERS: dict[str, tuple[Reader, Reader]] = {
    "png": (png_codec, vips),
    "tiff": (tiff_file, tiff_library),
    "jpeg": (pillow, vips),
    "webp": (pillow, vips),
    "avif": (avif_codec, vips),
    "jp2": (jpeg_2000_codec, jpeg_2000_picture),
    "gif": (pillow, vips),
    "bmp": (pillow, opencv),
    "ppm": (netpbm, opencv),
    "pgm": (netpbm, opencv),
    "pbm": (netpbm, pillow),
    "pnm": (netpbm, opencv),
    "pfm": (floats, opencv),
    "hdr": (hdr_codec, opencv),
    "npy": (numpy_file, numpy_specification),
    "txt": (numpy_text, lines_of_numbers),
    "csv": (numpy_text, lines_of_numbers),
}
