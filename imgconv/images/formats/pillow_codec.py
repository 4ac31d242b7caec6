"""Pillow's decoders, without its own limit on the size of a picture."""

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
    """Call Pillow without its own limit on the size of a picture: imgconv has checked it.

    Raises:
        HeaderError: as `decoder_errors` does.
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
    """Return a file opened with one plugin of Pillow, such as `BmpImagePlugin:BmpImageFile`; no pixel is decoded yet."""
    module, _, name = plugin.partition(":")
    return getattr(importlib.import_module(f"PIL.{module}"), name)(io.BytesIO(view))


@contextmanager
def opened(plugin: str, view: memoryview) -> Iterator[Any]:
    """Open a file with one plugin of Pillow; no pixel is decoded yet.

    Raises:
        HeaderError: as `decoder_errors` does.
    """
    with lifted_limit(), file_of(plugin, view) as file:
        yield file


def header_of(plugin: str, file: FileBytes) -> Header:
    """Return the header of a file with 8 bits per sample, as Pillow reads it from the first bytes."""
    with opened(plugin, memoryview(file.head)) as picture:
        return Header.of(picture.height, picture.width, _channels(picture), np.uint8)


def pixels_of(plugin: str, file: FileBytes) -> NDArray[Any]:
    """Return the pixels of a file with 8 bits per sample. Palettes are looked up; the result is grey where all colours are."""
    with opened(plugin, file.view) as picture:
        if picture.mode == "P":
            picture = picture.convert("L" if _channels(picture) == 1 else "RGB")
        found = np.asarray(picture)  # which is read-only
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
