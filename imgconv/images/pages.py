"""The pages or frames of a file, decoded one at a time, so that a long one needs no more memory than a short one."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import NamedTuple

from imgconv.errors import UsageError
from imgconv.images.image import Image


class Timing(NamedTuple):
    """When the frames of an animation are shown.

    Attributes:
        durations: how long each frame stays, in milliseconds.
        loop: how many times it is played; 0 for ever.
    """

    durations: tuple[float, ...]
    loop: int = 0

    def of(self, indices: tuple[int, ...]) -> Timing:
        """Return the timing of some of the frames."""
        return Timing(tuple(self.durations[i] for i in indices), self.loop)


class Pages(ABC):
    """What a file holds, page by page."""

    #: How many there are.
    count: int = 1
    #: When they are shown; None where they are pages, not frames.
    timing: Timing | None = None

    @abstractmethod
    def page(self, index: int) -> Image:
        """Return a page, counted from 0. Those of an animation are whole pictures, as they are seen.

        Raises:
            ReadError: it cannot be read; one line, that names the file.
        """


class OnePage(Pages):
    """A file with one picture, which is there already."""

    def __init__(self, image: Image) -> None:
        self._image = image

    def page(self, index: int) -> Image:
        """Return the picture."""
        return self._image


class PageRange(NamedTuple):
    """Some of the pages of a file.

    Attributes:
        parts: first and last page of each part, counted from 0; None for the last one that there is.
    """

    parts: tuple[tuple[int, int | None], ...]

    def indices(self, count: int, name: str) -> tuple[int, ...]:
        """Return the pages of a file of `count`, in the order in which they were asked for.

        Raises:
            UsageError: it has no such page; the message calls it `name`.
        """
        found: list[int] = []
        for first, last in self.parts:
            stop = count - 1 if last is None else last
            if max(first, stop) >= count:
                has = f"{count} pages, 0 to {count - 1}" if count > 1 else "one page, 0"
                raise UsageError(f"{name}: has {has}; --pages asks for {max(first, stop)}")
            found += range(first, stop + 1)
        return tuple(found)


def parse_page_range(text: str) -> PageRange:
    """Return the pages that a text names, such as `0,3-5` or `2-`, counted from 0.

    Raises:
        UsageError: it names none.

    Example:
        >>> parse_page_range("0,3-5").indices(9, "in.tif")
        (0, 3, 4, 5)
    """
    parts: list[tuple[int, int | None]] = []
    for part in text.split(","):
        match = _PART.fullmatch(part.strip())
        first, dash, last = (match[1], match[2], match[3]) if match else ("", "", "")
        if not first or (last and int(last) < int(first)):
            raise UsageError(f"pages are numbers from 0 up and ranges, such as 0,3-5, found {text!r}")
        parts.append((int(first), int(last) if last else (None if dash else int(first))))
    return PageRange(tuple(parts))


_PART = re.compile(r"([0-9]{1,9})(?:(-)([0-9]{1,9})?)?")
