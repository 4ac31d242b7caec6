"""Pillow's decoders: the lock on its own size limit, and pictures of rarer formats that it reads as they are."""

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

from imgconv.images.file_bytes import HeaderError
from imgconv.images.formats.opencv_codec import swapped

_lock = threading.Lock()


@contextmanager
def lifted_limit() -> Iterator[None]:
    """Call Pillow without its own limit on the size of a picture: imgconv has checked it.

    Raises:
        HeaderError: the block raises anything but a `HeaderError`.
        MemoryError: there is not enough memory.
    """
    from PIL import Image as Pillow

    with _lock:
        before = Pillow.MAX_IMAGE_PIXELS
        Pillow.MAX_IMAGE_PIXELS = None
        try:
            with warnings.catch_warnings(action="ignore"):
                yield
        except (HeaderError, MemoryError):
            raise
        except Exception as error:  # each plugin has exceptions of its own
            raise HeaderError(f"cannot be read ({' '.join(str(error).split())[:200]})") from error
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
        HeaderError: Pillow cannot open the file, or the block in which it is open raises anything but a `HeaderError`.
        MemoryError: there is not enough memory.
    """
    with lifted_limit(), file_of(plugin, view) as file:
        yield file


def channels_of(picture: Any) -> int:
    """Return the number of channels that `pixels_of` returns for a picture that has been opened; nothing is decoded."""
    if picture.mode != "P":
        return {"1": 1, "L": 1, "RGB": 3, "RGBA": 4}[picture.mode]
    mode = picture.palette.rawmode or picture.palette.mode
    table = np.frombuffer(bytes(picture.palette.palette), np.uint8)
    table = table.reshape(3, -1).T if mode.endswith(";L") else table.reshape(-1, len(mode))[:, :3]
    return 1 if bool((table == table[:, :1]).all()) else 3


def pixels_of(picture: Any) -> NDArray[Any]:
    """Return the pixels of a picture that Pillow has opened, uint8, in the order of `Image`.

    Palettes are looked up; the result is grey where all colours of the palette are.
    """
    if picture.mode == "P":
        picture = picture.convert("L" if channels_of(picture) == 1 else "RGB")
    found = np.asarray(picture)  # which is read-only
    if found.ndim == 2:
        return found * np.uint8(255) if found.dtype == bool else found.copy()
    return swapped(found)
