"""OpenCV's decoders and encoders, for one picture without its metadata.

Also pixels as other libraries order and scale them, and as `Image` and OpenCV do: blue, green, red, at full range.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import ReadError
from imgconv.images.metadata import Metadata
from imgconv.opencv import load_cv2

if TYPE_CHECKING:
    from imgconv.images.formats.base import Format

#: OpenCV's names for blocks of `Metadata`.
_KINDS = {"exif": "IMAGE_METADATA_EXIF", "xmp": "IMAGE_METADATA_XMP", "icc": "IMAGE_METADATA_ICCP"}


def decoded(view: memoryview, chosen: Format, name: str) -> NDArray[Any]:
    """Return the pixels of a file as OpenCV decodes them, (H, W) or (H, W, C), or raise a `ReadError`."""
    cv2 = load_cv2()
    try:
        pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(view, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ReadError(f"{name}: {_reason(error)}") from error
    if pixels is None or not pixels.size:
        if not chosen.is_built_in():
            raise ReadError(f"{name}: is {chosen.title}, which is not among the formats that this OpenCV was built with")
        raise chosen.damaged(name, "OpenCV cannot read it")
    return pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def encoded(
    pixels: NDArray[Any], extension: str, parameters: tuple[tuple[str, int], ...], metadata: Metadata | None = None
) -> memoryview | None:
    """Return the file that OpenCV encodes pixels to, with EXIF, XMP and colour profile, or None where it cannot.

    Parameters are names of OpenCV's constants with their values; those that this OpenCV lacks are left out.
    """
    cv2 = load_cv2()
    numbers = [n for name, value in parameters if hasattr(cv2, name) for n in (getattr(cv2, name), value)]
    blocks = {} if metadata is None else {n: b for n, b in metadata.blocks().items() if n in _KINDS}
    try:
        if blocks:
            kinds = [getattr(cv2, _KINDS[name]) for name in blocks]
            arrays = [np.frombuffer(block, np.uint8) for block in blocks.values()]
            done, found = cv2.imencodeWithMetadata(extension, pixels, kinds, arrays, numbers)
        else:
            done, found = cv2.imencode(extension, pixels, numbers)
    except cv2.error:
        return None
    return found.data if done and found is not None and len(found) else None


def has_writer(extension: str) -> bool:
    """Return whether this OpenCV can write a format."""
    cv2 = load_cv2()
    try:
        return bool(cv2.haveImageWriter(extension))
    except cv2.error:  # it is built in, but was not enabled when OpenCV was loaded
        return False


def swapped(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return pixels, (H, W) or (H, W, C), with red and blue exchanged, contiguous.

    From three channels on, the first three are colour; without colour pixels are returned as they are.
    """
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        return np.ascontiguousarray(pixels)
    if pixels.shape[2] > 4 or pixels.itemsize > 4 or pixels.dtype == bool:
        return np.take(pixels, [2, 1, 0, *range(3, pixels.shape[2])], axis=2)
    cv2 = load_cv2()
    # OpenCV moves the values without looking at them, and supports three types.
    kind = {1: np.uint8, 2: np.uint16, 4: np.float32}[pixels.itemsize]
    code = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    found: NDArray[Any] = cv2.cvtColor(np.require(pixels, requirements="A").view(kind), code)
    return found.view(pixels.dtype)


def scaled(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return samples of `bits` bits, 16 at most, scaled to the full range of uint8 or, beyond 8 bits, of uint16."""
    return scaled_from(pixels, (1 << bits) - 1)


def scaled_from(pixels: NDArray[Any], greatest: int) -> NDArray[Any]:
    """Return samples, uint8 or uint16, from 0 to `greatest` scaled to the full range of uint8 or, beyond 255, of uint16.

    Larger samples are clipped.
    """
    dtype, full = (np.uint8, 255) if greatest < 256 else (np.uint16, 65_535)
    if greatest == full and pixels.dtype == dtype:
        return pixels
    levels = np.arange(np.iinfo(pixels.dtype).max + 1) * (full / greatest)
    found: NDArray[Any] = np.rint(np.minimum(levels, full)).astype(dtype)[pixels]
    return found


def _reason(error: Exception) -> str:
    """Return in one line why OpenCV could not read a file."""
    text = " ".join(str(error).split())
    if "allocate" in text or "(-4:" in text:
        return "the image does not fit into memory"
    return f"OpenCV cannot read it ({text[:200]})"
