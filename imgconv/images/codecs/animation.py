"""Animations read frame by frame, each frame as it is seen: what it draws, over what the frames before it have left."""

from __future__ import annotations

from collections.abc import Callable

from imgconv.errors import ReadError
from imgconv.images.codecs.apng_reading import ApngPages
from imgconv.images.codecs.avif_reading import AvifPages
from imgconv.images.codecs.gif_reading import GifPages
from imgconv.images.codecs.webp_reading import WebpPages
from imgconv.images.limits import MAX_PIXELS
from imgconv.images.pages import Pages

_READERS: dict[str, Callable[[memoryview, str, int], Pages]] = {
    "gif": GifPages,
    "png": ApngPages,
    "webp": WebpPages,
    "avif": AvifPages,
}

#: The formats that have animations.
ANIMATED = frozenset(_READERS)


def open_animation(view: memoryview, kind: str, name: str, max_pixels: int = MAX_PIXELS) -> Pages:
    """Return the frames of an animation, of which none is decoded yet.

    Taken in their order each costs its own decoding; going back may begin with the first one again. They have one size and
    one type, alpha all of them or none, and the metadata of the file. Only one thread at a time may take them.

    Args:
        view: the whole file.
        kind: one of `ANIMATED`.
        name: what a message calls the file, fit to be shown.
        max_pixels: the most pixels that all frames together may have.

    Raises:
        ReadError: it is damaged, or its frames are too large.
    """
    try:
        return _READERS[kind](view, name, max_pixels)
    except MemoryError as error:
        raise ReadError(f"{name}: the image does not fit into memory") from error
