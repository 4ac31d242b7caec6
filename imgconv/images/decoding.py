"""The bytes of a file as an image: pixels as they are stored, and what OpenCV does not say of them."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images import avif, formats, netpbm, tiff
from imgconv.images.encoding import XMP_IN_JPEG
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import count_pages
from imgconv.opencv import load_cv2

#: The types that an image keeps; others become one of these where that loses nothing.
_KEPT = ("uint8", "int8", "uint16", "int16", "int32", "float32", "float64")
_WIDENED = {"bool": "uint8", "uint32": "float64", "float16": "float32"}  # what no format of the table holds

# OpenCV's own limits, as `cv::imread` documents them, where the environment sets no others.
_LIMITS = {"PIXELS": 1 << 30, "WIDTH": 1 << 20, "HEIGHT": 1 << 20}

_MINISWHITE, _LAST_PLAIN = 0, 2  # photometric interpretations: white is zero, black is zero, RGB
_STRAIGHT_ALPHA, _UNSPECIFIED = 2, 0
_SEPARATE = 2  # planar configuration: a plane for each channel
_FLOATS = 3

_SAMPLE_FORMATS = {1: "", 2: " signed", 3: " floating-point", 5: " complex", 6: " complex"}


def decode(data: bytes | memoryview, name: str = "image") -> Image:
    """Return the image that a file holds, in its own depth, with its alpha and its metadata.

    The pixels are as stored: an EXIF orientation stays a tag. (A TIFF has no EXIF here; OpenCV turns its pixels upright.)
    Of several pages or frames it is the first.

    Args:
        data: the whole file.
        name: what a message calls it, fit to be shown.

    Raises:
        ReadError: the data are empty, damaged, too large or no image, or of a kind that would lose something.
    """
    view = memoryview(data).cast("B")
    if not view:
        raise ReadError(f"{name}: the file is empty")
    kind = formats.sniffed(view)
    try:
        pixels, metadata = _netpbm(view) or _decoded(view, kind, name)
        pixels = _kept(pixels, name)
        pages = count_pages(view, kind)
    except MemoryError as error:
        raise ReadError(f"{name}: the image does not fit into memory") from error
    return Image(pixels, metadata, kind, pages, kind != "tiff" or not tiff.is_uncompressed(view))


def _netpbm(view: memoryview) -> tuple[NDArray[Any], Metadata] | None:
    header = netpbm.header_of(view)
    if header is None or header.columns * header.rows > _limit("PIXELS"):
        return None  # OpenCV says of the limit what there is to say
    pixels = netpbm.decoded(view, header)
    return None if pixels is None else (netpbm.scaled(pixels, header), Metadata())


def _decoded(view: memoryview, kind: str, name: str) -> tuple[NDArray[Any], Metadata]:
    cv2 = load_cv2()
    prepared = _with_straight_alpha(view) if kind == "tiff" else view
    try:
        found = cv2.imdecodeWithMetadata(np.frombuffer(prepared, np.uint8), flags=cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ReadError(f"{name}: {_fault(error)}") from error
    pixels: NDArray[Any] | None = found[0]
    if pixels is None or not pixels.size:
        raise ReadError(f"{name}: {_unreadable(view, kind)}")
    if kind == "tiff":
        pixels = _checked_tiff(pixels, view, name)
    elif kind == "gif" and pixels.ndim == 3 and pixels.shape[2] == 4 and bool((pixels[:, :, 3] == 255).all()):
        # Most writers of GIF reserve a transparent colour for animation, whether a pixel has it or not.
        pixels = np.ascontiguousarray(pixels[:, :, :3])
    elif kind == "pnm" and (header := netpbm.header_of(view)) and header.greatest > 255:
        # A PGM or PPM that is text; up to 255 OpenCV scales those itself.
        pixels = netpbm.scaled(pixels, header)
    metadata = _metadata(cv2, found[1], found[2])
    if kind == "avif":
        metadata = replace(metadata, icc=metadata.icc or avif.profile(view)).oriented(avif.orientation(view))
    return pixels, metadata


def _metadata(cv2: Any, kinds: Any, blocks: Any) -> Metadata:
    names = {
        cv2.IMAGE_METADATA_EXIF: "exif",
        cv2.IMAGE_METADATA_XMP: "xmp",
        cv2.IMAGE_METADATA_ICCP: "icc",
        getattr(cv2, "IMAGE_METADATA_CICP", -2): "cicp",
    }
    found = {names[int(k)]: np.asarray(block).tobytes() for k, block in zip(kinds, blocks, strict=True) if int(k) in names}
    # Each container frames the same block in its own way: a JPEG with names before it, OpenCV's PNG with a zero after it.
    exif = found.pop("exif", b"").removeprefix(b"Exif\0\0")
    xmp = found.pop("xmp", b"").removeprefix(XMP_IN_JPEG).rstrip(b"\0")
    return Metadata(exif=exif, xmp=xmp, **found)


def _kept(pixels: NDArray[Any], name: str) -> NDArray[Any]:
    """Return the pixels in a type that an image keeps, or refuse them."""
    dtype = pixels.dtype.name
    if dtype not in _KEPT and dtype not in _WIDENED:
        raise ReadError(f"{name}: {dtype} pixels cannot be kept as they are; convert it to at most 32 bits a sample")
    if pixels.ndim == 3 and not 1 <= pixels.shape[2] <= 4:
        raise ReadError(f"{name}: has {pixels.shape[2]} channels, at most 4 can be read; split it")
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    return pixels.astype(_WIDENED[dtype]) if dtype in _WIDENED else pixels


def _with_straight_alpha(view: memoryview) -> memoryview | bytearray:
    """Return a TIFF that says nothing of what its alpha means.

    Of one that says it is straight, libtiff multiplies the colour of 8-bit pixels by it, and that cannot be undone.
    """
    layout = tiff.layout_of(view)
    entry = tiff.entries(view, layout, layout.first).get(tiff.EXTRA_SAMPLES) if layout else None
    if layout is None or entry is None or entry.values[0] != _STRAIGHT_ALPHA or entry.kind != tiff.SHORT:
        return view
    changed = bytearray(view)
    changed[entry.position : entry.position + 2] = bytes(2)
    return changed


def _checked_tiff(pixels: NDArray[Any], view: memoryview, name: str) -> NDArray[Any]:
    """Return the pixels of a TIFF, or refuse them where OpenCV has cut something off without a word."""
    bits, samples, photometric, _ = _described(view)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if samples in (2,) or samples > 4:
        raise ReadError(f"{name}: a TIFF of {samples} samples a pixel cannot be read whole; split it, or save it as PNG")
    if bits > 8 and samples > 1 and _is_in_planes(view):  # OpenCV takes the planes for pixels, and gives nonsense
        raise ReadError(f"{name}: a {_tiff_in_words(view)}, each in a plane of its own, cannot be read; save it interleaved")
    if bits > 8 * pixels.dtype.itemsize or (bits > 8 and photometric > _LAST_PLAIN):
        raise ReadError(f"{name}: a {_tiff_in_words(view)} cannot be read whole; save it as RGB or grey")
    if photometric == _MINISWHITE and pixels.dtype == np.uint16:
        pixels = 65_535 - pixels  # in 8 bits OpenCV does so itself
    if channels == 4 and samples == 4 and photometric > _LAST_PLAIN:
        return np.ascontiguousarray(pixels[:, :, :3])  # the fourth ink of CMYK: the alpha is made up
    return pixels


def _is_in_planes(view: memoryview) -> bool:
    layout = tiff.layout_of(view)
    entry = tiff.entries(view, layout, layout.first).get(tiff.PLANAR) if layout else None
    return entry is not None and entry.values[0] == _SEPARATE


def _described(view: memoryview) -> tuple[int, int, int, int]:
    """Return bits, samples a pixel, photometric interpretation and format of the samples of a TIFF's first page."""
    layout = tiff.layout_of(view)
    found = tiff.entries(view, layout, layout.first) if layout else {}
    # The values that TIFF 6.0 gives where an entry is missing.
    defaults = ((tiff.BITS, 1), (tiff.SAMPLES, 1), (tiff.PHOTOMETRIC, 1), (tiff.SAMPLE_FORMAT, 1))
    bits, samples, photometric, kind = (max(found[t].values) if t in found else missing for t, missing in defaults)
    return bits, samples, photometric, kind


def _tiff_in_words(view: memoryview) -> str:
    bits, samples, photometric, kind = _described(view)
    words = f"{bits}-bit{_SAMPLE_FORMATS.get(kind, '')} TIFF of {samples} sample{'s' * (samples > 1)} a pixel"
    colours = {5: "CMYK", 6: "YCbCr", 8: "Lab", 9: "Lab", 10: "Lab"}.get(photometric)
    return f"{words} ({colours})" if colours else words


def _unreadable(view: memoryview, kind: str) -> str:
    """Return why OpenCV may have found no image in the data."""
    if not kind:
        return "is not an image that OpenCV can read"
    title = formats.FORMATS[kind].title
    if kind == "tiff":
        bits, _, _, sample_format = _described(view)
        if (sample_format == _FLOATS and bits not in (32, 64)) or bits > 16:
            return f"is damaged or cut short, or of a kind that OpenCV does not read: a {_tiff_in_words(view)}"
    return f"is damaged or cut short: it begins like {title}, but OpenCV cannot read it"


def _fault(error: Exception) -> str:
    """Return in one line what an exception of OpenCV says of a file."""
    text = " ".join(str(error).split())
    limit = re.search(r"CV_IO_MAX_IMAGE_(PIXELS|WIDTH|HEIGHT)", text)
    if limit:
        what = {"PIXELS": "pixels", "WIDTH": "columns", "HEIGHT": "rows"}[limit[1]]
        variable = f"OPENCV_IO_MAX_IMAGE_{limit[1]}"
        return f"has more than {_limit(limit[1])} {what}, OpenCV's limit; set the environment variable {variable} higher"
    if "allocate" in text or "(-4:" in text:
        return "the image does not fit into memory"
    return f"OpenCV cannot read it ({text[:200]})"


def _limit(which: str) -> int:
    try:
        return int(os.environ.get(f"OPENCV_IO_MAX_IMAGE_{which}", _LIMITS[which]))
    except ValueError:
        return _LIMITS[which]
