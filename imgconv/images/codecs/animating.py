"""Animations written frame by frame: no more than two of them, and the file, are in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from imgconv.errors import WriteError
from imgconv.images.atomic import Piece
from imgconv.images.codecs import apng_writing, avif_writing, gif_writing, webp_writing
from imgconv.images.codecs.frames import Frames
from imgconv.images.coding import Coding
from imgconv.images.image import Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Timing

_WRITERS: dict[str, Callable[[Frames, Timing, Coding, Metadata], Iterator[Piece]]] = {
    "gif": gif_writing.encoded,
    "png": apng_writing.encoded,
    "webp": webp_writing.encoded,
    "avif": avif_writing.encoded,
}


def encode_animation(
    images: Iterable[Image], timing: Timing, kind: str, coding: Coding, metadata: Metadata, where: str = "output"
) -> Iterator[Piece]:
    """Yield the file of an animation in pieces; the first of the images is asked for with the first piece.

    A file has as many frames as there are images, with their durations, even where two of them are alike. GIF has hundredths
    of a second, WebP and AVIF milliseconds, of which AVIF has one at least, PNG fractions. What is written without loss (all
    but GIF of more than 256 colours a frame, AVIF, and WebP of a quality) is read back with the same bits; of GIF alpha is on
    from 128 on.

    Args:
        images: as many as the timing has durations, of one shape and type: uint8, and bool or uint16 for PNG; (H, W),
            (H, W, 2), (H, W, 3) or (H, W, 4).
        timing: when they are shown.
        kind: `gif`, `png`, `webp` or `avif`.
        coding: quality, loss, compression, where the format has a choice.
        metadata: of the file, as `containers.fitted` has returned it.
        where: the name of the output, fit to be shown in a message.

    Raises:
        WriteError: a duration or a frame cannot be written, or frames differ in shape or type. From the call, or from one for
            a piece.
    """
    wrong = next((f"{d:g} ms" for d in timing.durations if not 0 <= d < float("inf")), "")
    if wrong:
        raise WriteError(f"{where}: a frame cannot be shown for {wrong}; give each 0 ms or more")
    if timing.loop < 0:
        raise WriteError(f"{where}: an animation cannot be played {timing.loop} times; 0 is for ever")
    return _WRITERS[kind](Frames(images, len(timing.durations), where), timing, coding, metadata)
