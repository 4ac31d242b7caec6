"""PNG and animated PNG (PNG, third edition).

Pictures are decoded by libpng through imagecodecs, which supports all depths and kinds of transparency. OpenCV converts grey
with alpha to colour and ignores a transparent shade of grey. Animations are read and written by Pillow.
"""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from imgconv.images.atomic import Piece
from imgconv.images.file_bytes import FileBytes, HeaderError, decoder_errors
from imgconv.images.formats.animation import AnimatedFormat, Animation
from imgconv.images.formats.base import COMMON_METADATA
from imgconv.images.formats.opencv_codec import swapped
from imgconv.images.formats.picture import Picture
from imgconv.images.formats.png_chunks import MOST_DOTS, SIGNATURE, XMP, Blocks, chunk, chunks, density, text_chunk
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Fitted, Metadata, exif_in, text_of, with_exif_read
from imgconv.images.pages import Header, Timing

_HEADER_END = len(SIGNATURE) + 25  # the signature and IHDR

# Valid bits per sample and number of channels of each colour type; a palette has three channels.
_COLOUR_TYPES = {0: ((1, 2, 4, 8, 16), 1), 2: ((8, 16), 3), 3: ((1, 2, 4, 8), 3), 4: ((8, 16), 2), 6: ((8, 16), 4)}

_MOST_LOOPS = (1 << 31) - 1
_LONGEST = 65_535  # seconds, because a duration is a fraction of two 16-bit integers
_KEEP, _RESTORE = 0, 2  # dispose_op of a frame
_OVER = 1  # blend_op

_EXTRA = "left out the fallback picture for programs without animation support: it is not a frame of the animation"


class Png(AnimatedFormat):
    """PNG (W3C, third edition)."""

    name = "png"
    title = "PNG"
    extensions = (".png", ".apng")
    signatures = (SIGNATURE,)
    dtypes = ("bool", "uint8", "uint16")
    frame_dtypes = ("bool", "uint8")
    alpha = grey_alpha = True
    places = COMMON_METADATA | {"cicp", "texts"}
    compressions = tuple("0123456789")
    plugin = "PngImagePlugin:PngImageFile"
    max_duration = 1000.0 * _LONGEST
    max_side = 1_000_000  # the limit of libpng

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture, read from IHDR and tRNS."""
        kind, columns, rows, bits, colour_type = file.numbers(">4sIIBB", 12)
        depths, channels = _COLOUR_TYPES.get(colour_type, ((), 0))
        if kind != b"IHDR" or bits not in depths:
            raise HeaderError
        if channels in (1, 3):
            channels += any(kind == b"tRNS" and size > 0 for kind, _, size in chunks(file, b"IDAT"))
        return Header.of(rows, columns, channels, np.uint16 if bits == 16 else np.uint8)

    def animation(self, file: FileBytes) -> Animation | None:
        """Return number and durations of the frames from acTL and fcTL (11.3.6)."""
        start = next((start for kind, start, _ in chunks(file, b"IDAT") if kind == b"acTL"), 0)
        if not start:
            return None
        claimed, loop = file.numbers(">II", start)
        durations: list[float] = []
        extra = False
        for kind, start, _ in chunks(file):
            if kind == b"fcTL":
                delay, unit = struct.unpack(">HH", file.block(start + 20, 4))
                durations.append(1000 * delay / (unit or 100))
            elif kind == b"IDAT" and not durations:
                extra = True
        if claimed < 2 and not (extra and durations):
            return None
        if file.numbers(">B", 24) == (16,):
            raise HeaderError("an animated PNG with 16 bits per sample is not supported; save its frames in 8 bits or as TIFF")
        if claimed != len(durations):
            raise HeaderError(f"is damaged or truncated: it has {len(durations)} of {claimed} frames")
        return Animation(Timing(tuple(durations), loop), int(extra), (_EXTRA,) if extra else ())

    def pillow_file(self, view: memoryview) -> Any:
        """Return a file opened with Pillow, with three bugs in its composition of frames corrected."""
        from PIL import _imaging
        from PIL.PngImagePlugin import PngImageFile

        class Composed(PngImageFile):
            def load_end(self) -> None:
                before, drawn = self._prev_im and self._prev_im.copy(), self.im
                super().load_end()
                if before and self.blend_op == _OVER and self.mode in ("LA", "RGBA"):  # Pillow blends alpha like colour
                    place = self.dispose_extent
                    self.im.paste(_imaging.alpha_composite(self._crop(before, place), self._crop(drawn, place)), place)
                self._prev_im = before  # Pillow has overwritten it, but a later frame may restore it
                if self.default_image and self.tell() == 0:  # not a frame, so it must not show through the first frame
                    self.im.paste(0, (0, 0, *self.size))

        return Composed(io.BytesIO(view))

    def metadata(self, file: FileBytes) -> tuple[Metadata, Coding]:
        """Return the metadata, and the bits per sample if fewer than 8."""
        found = Blocks(file)
        bits, colour_type = file.head[24:26] if len(file.head) >= _HEADER_END else (8, 0)
        metadata = Metadata(
            exif=exif_in(found.single(b"eXIf")),
            xmp=found.text(XMP),
            icc=found.profile(colours=1 if colour_type in (0, 4) else 3),
            cicp=found.single(b"cICP", 4),
            comment=text_of(found.text(b"Comment") or found.text(b"Description")),
            resolution=found.resolution(),
            texts=tuple(found.other_texts()),
        )
        return with_exif_read(metadata), Coding(bits=bits if bits in (1, 2, 4) else None)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture. Samples of fewer than 8 bits are scaled to 8."""
        from imagecodecs import png_decode

        content: Any = file.view
        with decoder_errors():
            pixels = swapped(png_decode(content))
        if pixels.shape != header.shape:  # libpng ignores a damaged tRNS
            pixels = np.dstack([pixels, np.full(pixels.shape[:2], np.iinfo(pixels.dtype).max, pixels.dtype)])
        return self.image(pixels, header, *self.metadata(file))

    def fit(self, metadata: Metadata, colours: int) -> Fitted:
        """Return the metadata that PNG can store."""
        kept, lost = super().fit(metadata, colours)
        if kept.resolution and not density(kept.resolution):
            lost["resolution"] = f"PNG stores only whole dots per metre from 1 to {MOST_DOTS}"
            kept = replace(kept, resolution=None)
        return kept, lost

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the encoder parameters for bilevel pixels and the compression level."""
        found = [("IMWRITE_PNG_BILEVEL", 1)] if np.dtype(dtype) == np.bool_ else []
        return (*found, ("IMWRITE_PNG_COMPRESSION", int(coding.compression))) if coding.compression else tuple(found)

    def encode(self, picture: Picture, coding: Coding, where: str) -> Iterable[Piece]:
        """Return a file with one picture. Grey with alpha is encoded by imagecodecs, because OpenCV does not support it."""
        if picture.header.channels != 2:
            return super().encode(picture, coding, where)
        from imagecodecs import png_encode

        found = memoryview(png_encode(picture.pixels(), level=int(coding.compression or 1)))
        return self.with_metadata(found, picture.metadata)

    def encode_frames(
        self, frames: Sequence[NDArray[Any]], timing: Timing, coding: Coding, metadata: Metadata, where: str
    ) -> Iterable[Piece]:
        """Return a file with an animation."""
        # Pillow merges equal frames unless their disposals differ. Restoring the area below an equal frame changes nothing.
        disposals = [_KEEP]
        for before, pixels in itertools.pairwise(frames):
            disposals.append(_RESTORE if disposals[-1] == _KEEP and np.array_equal(before, pixels) else _KEEP)
        found = self.encode_with_pillow(
            frames,
            where,
            duration=[1000 * float(_seconds(duration)) for duration in timing.durations],
            loop=min(timing.loop, _MOST_LOOPS),
            disposal=disposals,
            compress_level=int(coding.compression or 1),
        )
        return self.with_metadata(found, metadata)

    def with_metadata(self, encoded: memoryview, metadata: Metadata) -> list[Piece]:
        """Return an encoded file with metadata inserted after IHDR, before the palette and the first frame."""
        found = b""
        if metadata.cicp:
            found += chunk(b"cICP", metadata.cicp)
        if metadata.icc:
            found += chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(metadata.icc))
        if metadata.resolution:
            found += chunk(b"pHYs", density(metadata.resolution))
        if metadata.exif:
            found += chunk(b"eXIf", metadata.exif)
        if metadata.xmp:
            found += chunk(b"iTXt", XMP + bytes(5) + metadata.xmp)  # uncompressed, no language, no translated keyword
        if metadata.comment and ("Description", metadata.comment) not in metadata.texts:
            found += text_chunk("Comment", metadata.comment)
        for keyword, text in metadata.texts:
            found += text_chunk(keyword, text)
        return [encoded[:_HEADER_END], found, encoded[_HEADER_END:]] if found else [encoded]


def _seconds(milliseconds: float) -> Fraction:
    """Return a duration in seconds as the nearest fraction of two 16-bit integers, which keeps 1/60 s exact."""
    seconds = Fraction(milliseconds) / 1000
    return seconds.limit_denominator(int(_LONGEST / max(float(seconds), 1)))
