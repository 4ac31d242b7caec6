"""Pillow's own idea of how large a picture may be, and how it gets out of the way where the size has been looked at before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()


@contextmanager
def any_size(pixels: int) -> Iterator[None]:
    """Let Pillow open a picture of so many pixels, whatever its limit is: one for the whole process, put back after that."""
    from PIL import Image as Pillow

    if Pillow.MAX_IMAGE_PIXELS is None or pixels <= Pillow.MAX_IMAGE_PIXELS:
        yield
        return
    with _lock:
        before = Pillow.MAX_IMAGE_PIXELS
        Pillow.MAX_IMAGE_PIXELS = None
        try:
            yield
        finally:
            Pillow.MAX_IMAGE_PIXELS = before
