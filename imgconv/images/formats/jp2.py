"""JPEG 2000, decoded by OpenJPEG through imagecodecs and encoded by OpenCV.

OpenCV's decoder returns palette indices instead of colours, does not scale 9 to 15 bits to full range, and rejects signed
samples, fewer than 8 bits and grey with alpha.
"""

from __future__ import annotations

from typing import NamedTuple, cast

from numpy.typing import DTypeLike

from imgconv.images.file_bytes import FileBytes, HeaderError, decoder_errors
from imgconv.images.formats.base import Format
from imgconv.images.formats.iso_boxes import Box
from imgconv.images.formats.opencv_codec import scaled, swapped
from imgconv.images.image import Coding, Image
from imgconv.images.metadata import Metadata
from imgconv.images.pages import Header

_CODESTREAM = b"\xff\x4f\xff\x51"  # the markers SOC and SIZ (ISO/IEC 15444-1, A.5.1)
_SIGNED = 0x80

# Enumerated colour spaces (ISO/IEC 15444-1, table I.10; 15444-2, table M.25). OpenJPEG converts sYCC to RGB.
_CMYK = 12
_RGB_OR_GREY = (0, 16, 17, 18, 20, 21)  # none or a profile, sRGB, grey, sYCC, e-sRGB, ROMM-RGB

_OPACITY = (1, 2)  # channel types in `cdef` that denote alpha


class _Samples(NamedTuple):
    """Size, number of components, bits per sample and colour space of the decoded picture."""

    rows: int
    columns: int
    components: int
    bits: int
    signed: bool
    cmyk: bool
    has_alpha: bool


class Jp2(Format):
    """JPEG 2000, as a JP2 file or a bare codestream."""

    name = "jp2"
    title = "JPEG 2000"
    extensions = (".jp2",)
    signatures = (b"\0\0\0\x0cjP  ", _CODESTREAM)
    dtypes = ("uint8", "uint16")
    alpha = True
    min_side = 32  # OpenCV cannot write smaller pictures

    def header(self, file: FileBytes) -> Header:
        """Return the header of the picture, read from boxes and codestream. CMYK becomes RGB."""
        found = _samples(file)
        dtype = f"{'' if found.signed else 'u'}int{8 if found.bits <= 8 else 16}"
        channels = 3 if found.cmyk else found.components
        return Header.of(found.rows, found.columns, channels, dtype, found.has_alpha, 3 if channels > 2 else 1)

    def decode(self, file: FileBytes, name: str, header: Header) -> Image:
        """Return the picture. Unsigned samples are scaled to full range; signed samples are kept."""
        from imagecodecs import jpeg2k_decode

        found, data = _samples(file), cast(bytes, file.view)  # imagecodecs accepts any buffer
        with decoder_errors():
            pixels = jpeg2k_decode(data)
        if pixels.dtype != header.dtype or (*pixels.shape, 1)[:3] != (found.rows, found.columns, found.components):
            raise HeaderError
        coding = Coding(bits=found.bits if found.bits not in (8, 16) else None)
        if not found.signed:
            pixels = scaled(pixels, found.bits)
        metadata, notes = Metadata(), []
        if found.cmyk:
            from imgconv.images.colour.mixing import cmyk_to_rgb

            pixels, profile, note = cmyk_to_rgb(pixels, b"")
            metadata, notes = Metadata(icc=profile), [note]
        return self.image(swapped(pixels), header, metadata, coding, tuple(notes))

    def parameters(self, coding: Coding, dtype: DTypeLike) -> tuple[tuple[str, int], ...]:
        """Return the encoder parameter for lossless compression. OpenCV's default is lossy."""
        return (("IMWRITE_JPEG2000_COMPRESSION_X1000", 1000),)


def _samples(file: FileBytes) -> _Samples:
    """Return the properties of the samples, read from boxes and codestream.

    Raises:
        HeaderError: the boxes are damaged, or the samples are not supported.
    """
    bare = file.head.startswith(_CODESTREAM)
    whole = Box.whole(file)
    boxes = {} if bare else {box.name: box for box in reversed(list(whole.first(b"jp2h").inner()))}
    start = 0 if bare else whole.first(b"jp2c").start
    marker, right, bottom, left, top, components = file.numbers(">4s4xIIII16xH", start)
    if marker != _CODESTREAM:
        raise HeaderError
    if not 1 <= components <= 4:
        raise HeaderError(f"a JPEG 2000 with {components} components is not supported; save it as PNG or TIFF")
    sizes = file.read(start + 42, 3 * components)  # bits, horizontal and vertical subsampling of each component
    depths, across, down = set(sizes[::3]), sizes[1], sizes[2]
    space = _colour_space(boxes.get(b"colr"))
    if b"pclr" in boxes:  # a palette: number of entries, number of channels, and bits of each channel
        (components,) = boxes[b"pclr"].numbers(">2xB")
        depths = set(boxes[b"pclr"].numbers(f">{components}B", 3))
    if not across or not down or not 1 <= components <= 4:
        raise HeaderError
    if len(depths) > 1:
        raise HeaderError("a JPEG 2000 whose components differ in depth is not supported; save it as PNG or TIFF")
    (depth,) = depths
    bits, signed = (depth & ~_SIGNED) + 1, bool(depth & _SIGNED)
    if bits > 16 or (signed and bits not in (8, 16)):
        kind = " signed" * signed
        raise HeaderError(f"a JPEG 2000 with {bits}{kind} bits per sample is not supported; save it with 8 or 16 bits")
    if space not in (*_RGB_OR_GREY, _CMYK):
        raise HeaderError("a JPEG 2000 in a colour space other than grey, RGB or CMYK is not supported; save it as RGB")
    cmyk = space == _CMYK
    if cmyk and (components != 4 or signed):
        raise HeaderError
    rows, columns = -(-bottom // down) - -(-top // down), -(-right // across) - -(-left // across)
    alpha = components in (2, 4) and not cmyk and _is_opacity(boxes.get(b"cdef"), components - 1)
    return _Samples(rows, columns, components, bits, signed, cmyk, alpha)


def _colour_space(box: Box | None) -> int:
    """Return the enumerated colour space; 0 for a profile or a missing box."""
    return int(box.numbers(">I", 3)[0]) if box is not None and box.numbers(">B")[0] == 1 else 0


def _is_opacity(box: Box | None, channel: int) -> bool:
    """Return whether a channel is alpha by its definition in the `cdef` box; True if the box is missing."""
    if box is None:
        return True
    numbers = box.numbers(f">{3 * box.numbers('>H')[0]}H", 2)  # number, type and association of each channel
    return dict(zip(numbers[::3], numbers[1::3], strict=True)).get(channel) in _OPACITY
