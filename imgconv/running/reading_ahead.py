"""A picture that is read on a thread of its own, while whoever wants it makes ready what to do with it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from typing import NamedTuple

from imgconv.images.image import Image
from imgconv.images.limits import MAX_PIXELS
from imgconv.images.names import shown
from imgconv.images.pages import PageRange, Pages
from imgconv.images.reading import open_image
from imgconv.opencv import load_cv2


class Opened(NamedTuple):
    """A file of which some pages are wanted, and the first of these, read."""

    pages: Pages
    wanted: tuple[int, ...]
    first: Image


def opened(source: str, wanted: PageRange | None = None, max_pixels: int = MAX_PIXELS) -> Opened:
    """Open an image file and read the first page of those wanted, all of them unless a range is given.

    Raises:
        ReadError: it cannot be read, as `open_image` says.
        UsageError: it has no such page.
    """
    pages = open_image(source, max_pixels=max_pixels)
    indices = tuple(range(pages.count)) if wanted is None else wanted.indices(pages.count, shown(source))
    return Opened(pages, indices, pages.page(indices[0]))


class Reading:
    """The reading of an image file, begun when this is made; the arguments are those of `opened`.

    Attributes:
        started: when that was, by `time.perf_counter`.

    Raises:
        DependencyError: OpenCV cannot be imported.
    """

    def __init__(self, source: str, wanted: PageRange | None = None, max_pixels: int = MAX_PIXELS) -> None:
        load_cv2()  # here, and not over there: the imports of two threads would wait for each other
        self.started = time.perf_counter()
        self._found: Future[Opened] = Future()
        # A daemon: where it waits for a pipe, nobody who has given up on the picture waits for it.
        arguments = (source, wanted, max_pixels)
        threading.Thread(target=self._read, args=arguments, name="imgconv-reading", daemon=True).start()

    def _read(self, source: str, wanted: PageRange | None, max_pixels: int) -> None:
        try:
            self._found.set_result(opened(source, wanted, max_pixels))
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            self._found.set_exception(error)

    def opened(self) -> Opened:
        """Return what `opened` does, as soon as it is there.

        Raises:
            ReadError: it cannot be read.
            UsageError: it has no such page.
        """
        return self._found.result()
