"""Pillow's decoders, without Pillow's limit on the number of pixels."""

from __future__ import annotations

import importlib
import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.images.file_bytes import FileBytes, decoder_errors
from imgconv.images.formats.opencv_codec import swapped
from imgconv.images.pages import Header

_lock = threading.Lock()


@contextmanager
def lifted_limit() -> Iterator[None]:
    """Disable Pillow's limit on the number of pixels, because imgconv checks sizes itself.

    Raises:
        HeaderError: for errors of Pillow, see `decoder_errors`.
    """
    from PIL import Image as Pillow

    with _lock:
        before = Pillow.MAX_IMAGE_PIXELS
        Pillow.MAX_IMAGE_PIXELS = None
        try:
            with decoder_errors(), warnings.catch_warnings(action="ignore"):
                yield
        finally:
            Pillow.MAX_IMAGE_PIXELS = before


def file_of(plugin: str, view: memoryview) -> Any:
    """Open a file with a plugin of Pillow, such as `BmpImagePlugin:BmpImageFile`, without decoding pixels."""
    module, _, name = plugin.partition(":")
    return getattr(importlib.import_module(f"PIL.{module}"), name)(io.BytesIO(view))


@contextmanager
def opened(plugin: str, view: memoryview) -> Iterator[Any]:
    """Open a file with a plugin of Pillow, without decoding pixels, and close it on exit.

    Raises:
        HeaderError: for errors of Pillow, see `decoder_errors`.
    """
    with lifted_limit(), file_of(plugin, view) as file:
        yield file


def header_of(plugin: str, file: FileBytes) -> Header:
    """Return the header of a file with 8 bits per sample. Pillow reads it from the first bytes of the file."""
    with opened(plugin, memoryview(file.head)) as picture:
        return Header.of(picture.height, picture.width, _channels(picture), np.uint8)


def pixels_of(plugin: str, file: FileBytes) -> NDArray[Any]:
    """Return the pixels of a file with 8 bits per sample. A palette of greys gives one channel, other palettes three."""
    with opened(plugin, file.view) as picture:
        if picture.mode == "P":
            picture = picture.convert("L" if _channels(picture) == 1 else "RGB")
        found = np.asarray(picture)  # read-only
    if found.ndim == 2:
        return found * np.uint8(255) if found.dtype == bool else found.copy()
    return swapped(found)


def _channels(picture: Any) -> int:
    if picture.mode != "P":
        return {"1": 1, "L": 1, "RGB": 3, "RGBA": 4}[picture.mode]
    mode = picture.palette.rawmode or picture.palette.mode
    table = np.frombuffer(bytes(picture.palette.palette), np.uint8)
    table = table.reshape(3, -1).T if mode.endswith(";L") else table.reshape(-1, len(mode))[:, :3]
    return 1 if bool((table == table[:, :1]).all()) else 3
