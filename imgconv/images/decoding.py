"""The bytes of a file as images: who reads which format, once it is known that the picture is not too large."""

from __future__ import annotations

from imgconv.errors import ReadError
from imgconv.images import containers
from imgconv.images.codecs import netpbm, opencv
from imgconv.images.counting import count_pages
from imgconv.images.headers import header_of
from imgconv.images.image import Image
from imgconv.images.limits import MAX_PIXELS, require_size
from imgconv.images.pages import OnePage, Pages
from imgconv.images.seeking import FileBytes


def decode(data: bytes | memoryview, name: str = "image") -> Image:
    """Return the first or only picture that a file holds; see `open_pages`."""
    return open_pages(data, name).page(0)


def open_pages(data: bytes | memoryview, name: str = "image", max_pixels: int = MAX_PIXELS) -> Pages:
    """Return what a file holds, page by page, each in its own depth, with its alpha and its metadata.

    The pixels are as stored: an EXIF orientation stays a tag.

    Args:
        data: the whole file.
        name: what a message calls it, fit to be shown.
        max_pixels: a picture of more is refused.

    Raises:
        ReadError: the data are empty, damaged, too large or no image, or of a kind that would lose something.
    """
    view = memoryview(data).cast("B")
    header = header_of(FileBytes(view), name)
    require_size(header.shape, header.dtype, name, max_pixels)
    try:
        if header.format == "tiff":
            from imgconv.images.codecs.tagged import open_tiff

            return open_tiff(view, name, max_pixels)
        if count_pages(view, header.format) > 1:
            from imgconv.images.codecs.animation import open_animation

            return open_animation(view, header.format, name, max_pixels)
        return OnePage(_still(view, header.format, name, max_pixels))
    except MemoryError as error:
        raise ReadError(f"{name}: the image does not fit into memory") from error


def _still(view: memoryview, kind: str, name: str, max_pixels: int) -> Image:
    """Return the one picture of a file, from the first reader that takes it."""
    found = netpbm.read(view, name) if kind == "pnm" else None
    if found is None:
        from imgconv.images.codecs import stills

        found = stills.read_still(view, kind, name, max_pixels)
    return found or opencv.read(view, kind, name, *containers.read(view, kind))
