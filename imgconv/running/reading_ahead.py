"""A picture that is read on a thread of its own, while whoever wants it makes ready what to do with it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future

from imgconv.images.image import Image
from imgconv.images.reading import read_image
from imgconv.opencv import load_cv2


class Reading:
    """The reading of an image file, begun when this is made.

    Attributes:
        started: when that was, by `time.perf_counter`.

    Raises:
        DependencyError: OpenCV cannot be imported.
    """

    def __init__(self, source: str) -> None:
        load_cv2()  # here, and not over there: the imports of two threads would wait for each other
        self.started = time.perf_counter()
        self._image: Future[Image] = Future()
        # A daemon: where it waits for a pipe, nobody who has given up on the picture waits for it.
        threading.Thread(target=self._read, args=(source,), name="imgconv-reading", daemon=True).start()

    def _read(self, source: str) -> None:
        try:
            self._image.set_result(read_image(source))
        except BaseException as error:  # whatever it is, it belongs to the one who waits
            self._image.set_exception(error)

    def image(self) -> Image:
        """Return the image as soon as it is there.

        Raises:
            ReadError: it cannot be read, as `read_image` says.
        """
        return self._image.result()
