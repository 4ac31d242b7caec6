"""OpenCV's decoders and encoders for single pictures, and conversion of channel order and range.

`Image` and OpenCV store blue, green, red at full range; other libraries use red, green, blue or fewer bits.
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

#: OpenCV's constants for the blocks of `Metadata` that it can write.
_KINDS = {"exif": "IMAGE_METADATA_EXIF", "xmp": "IMAGE_METADATA_XMP", "icc": "IMAGE_METADATA_ICCP"}


def decoded(view: memoryview, chosen: Format, name: str) -> NDArray[Any]:
    """Return the pixels of a file, (H, W) or (H, W, C), decoded by OpenCV. Raises a `ReadError` on failure."""
    cv2 = load_cv2()
    try:
        pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(view, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise ReadError(f"{name}: {_reason(error)}") from error
    if pixels is None or not pixels.size:
        if not chosen.is_built_in():
            raise ReadError(f"{name}: is {chosen.title}, which is not supported by this build of OpenCV")
        raise chosen.damaged(name, "OpenCV cannot read it")
    return pixels[:, :, 0] if pixels.ndim == 3 and pixels.shape[2] == 1 else pixels


def encoded(
    pixels: NDArray[Any], extension: str, parameters: tuple[tuple[str, int], ...], metadata: Metadata | None = None
) -> memoryview | None:
    """Return pixels encoded as a file by OpenCV, with EXIF, XMP and colour profile; None if OpenCV fails.

    Parameters are pairs of the name of an OpenCV constant and a value. Constants that this OpenCV lacks are ignored.
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
    """Return whether this OpenCV can write files with an extension."""
    cv2 = load_cv2()
    try:
        return bool(cv2.haveImageWriter(extension))
    except cv2.error:  # the codec was built in, but not enabled when OpenCV was loaded
        return False


def swapped(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return pixels, (H, W) or (H, W, C), with red and blue exchanged, as a contiguous array.

    The first three of three or more channels are colour. Pixels with fewer channels are not changed.
    """
    if pixels.ndim == 2 or pixels.shape[2] < 3:
        return np.ascontiguousarray(pixels)
    if pixels.shape[2] > 4 or pixels.itemsize > 4 or pixels.dtype == bool:
        return np.take(pixels, [2, 1, 0, *range(3, pixels.shape[2])], axis=2)
    cv2 = load_cv2()
    # `cvtColor` moves the values without interpreting them, so a type of the same size can stand in for any other.
    kind = {1: np.uint8, 2: np.uint16, 4: np.float32}[pixels.itemsize]
    code = cv2.COLOR_RGBA2BGRA if pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    found: NDArray[Any] = cv2.cvtColor(np.require(pixels, requirements="A").view(kind), code)
    return found.view(pixels.dtype)


def scaled(pixels: NDArray[Any], bits: int) -> NDArray[Any]:
    """Return samples of up to 16 bits scaled to the full range of uint8 or, above 8 bits, of uint16."""
    return scaled_from(pixels, (1 << bits) - 1)


def scaled_from(pixels: NDArray[Any], greatest: int) -> NDArray[Any]:
    """Return samples, uint8 or uint16, scaled from 0 to `greatest` to the full range of uint8 or, above 255, of uint16.

    Samples above `greatest` are clipped.
    """
    dtype, full = (np.uint8, 255) if greatest < 256 else (np.uint16, 65_535)
    if greatest == full and pixels.dtype == dtype:
        return pixels
    levels = np.arange(np.iinfo(pixels.dtype).max + 1) * (full / greatest)
    found: NDArray[Any] = np.rint(np.minimum(levels, full)).astype(dtype)[pixels]
    return found


def _reason(error: Exception) -> str:
    """Return a one-line description of an OpenCV error."""
    text = " ".join(str(error).split())
    if "allocate" in text or "(-4:" in text:
        return "the image does not fit into memory"
    return f"OpenCV cannot read it ({text[:200]})"
