"""Small valid files in every format, depth, layout and compression that four other libraries write."""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import imagecodecs
import numpy as np
import pyvips
import tifffile
from PIL import Image, ImageCms, PngImagePlugin

ROWS, COLUMNS = 17, 24
EXIF = Image.Exif()
EXIF.update({0x0112: 6, 0x010E: "a picture", 0x8769: {0x9003: "2001:02:03 04:05:06", 0x829A: 0.01}})
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a/></x:xmpmeta>'
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


class Seed(NamedTuple):
    """An undamaged file: its name, its format, and its bytes."""

    name: str
    format: str
    data: bytes


def picture(channels: int = 3, dtype: str = "uint8") -> np.ndarray:
    """Return noise on a ramp over the range of the type (0 to 1 for floats), shape (17, 24[, channels])."""
    noise = np.random.default_rng(channels).random((ROWS, COLUMNS, channels)) / 3
    share = noise + np.linspace(0, 0.6, COLUMNS)[None, :, None]
    kind = np.dtype(dtype)
    if kind.kind in "iu":
        low, high = float(np.iinfo(kind).min), float(np.iinfo(kind).max)
        share = low + share * (high - low)
    return share.astype(kind).squeeze()


def pillow(mode: str, **more: object) -> Image.Image:
    grey = Image.fromarray(picture(1))
    if mode == "P":
        image = Image.fromarray(picture(3)).quantize(int(more.get("colors", 200)))
    elif mode in ("RGBA", "LA"):
        image = Image.fromarray(picture(4)).convert(mode)
    elif mode == "I;16":
        image = Image.fromarray(picture(1, "uint16"))
    else:
        image = (grey if mode in ("1", "L", "F") else Image.fromarray(picture(3))).convert(mode)
    return image


def save(image: Image.Image, format: str, **options: object) -> bytes:  # noqa: A002 - as in Pillow
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def opencv(extension: str, pixels: np.ndarray, *flags: int) -> bytes:
    done, data = cv2.imencode(extension, pixels, flags)
    assert done, extension
    return data.tobytes()


def vips(target: str, pixels: np.ndarray, **options: object) -> bytes:
    return pyvips.Image.new_from_array(pixels).write_to_buffer(target, **options)


def tiff(pixels: np.ndarray, **options: object) -> bytes:
    file = io.BytesIO()
    outer = {name: options.pop(name) for name in ("bigtiff", "byteorder") if name in options}
    with tifffile.TiffWriter(file, **outer) as writer:
        pages = options.pop("pages", 1)
        for _ in range(pages):
            writer.write(pixels, resolution=(300, 200), metadata=None, contiguous=False, **options)
    return file.getvalue()


def frames(mode: str = "RGB") -> list[Image.Image]:
    return [Image.fromarray(np.roll(picture(3 + (mode == "RGBA")), 5 * n, axis=n % 2)).convert(mode) for n in range(3)]


def animated(format: str, mode: str, **options: object) -> bytes:  # noqa: A002
    first, *others = frames(mode)
    return save(first, format, save_all=True, append_images=others, duration=[40, 70, 100], loop=2, **options)


def png() -> Iterator[tuple[str, bytes]]:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", "grün", zip=True)
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    for mode in ("1", "L", "LA", "I;16", "RGB", "RGBA"):
        yield mode, save(pillow(mode), "PNG", exif=EXIF, icc_profile=ICC, pnginfo=info, dpi=(300, 200))
    for bits in (1, 2, 4, 8):
        yield (
            f"P{bits}",
            save(pillow("P", colors=2**bits - (bits == 8) * 56), "PNG", bits=bits, transparency=b"\0\x80" * (bits > 1)),
        )
        yield f"grey{bits}", vips(".png", picture(1), bitdepth=bits)
    yield "key", save(pillow("RGB"), "PNG", transparency=(1, 2, 3))
    for channels in (1, 3, 4):
        yield f"{channels}x16", opencv(".png", picture(channels, "uint16"))
        yield f"{channels}x16i", vips(".png", picture(channels, "uint16"), interlace=True)
        yield f"{channels}x8i", vips(".png", picture(channels), interlace=True)
    yield "apng", animated("PNG", "RGBA", default_image=False)
    yield "apng-P", save(pillow("P"), "PNG", save_all=True, append_images=[pillow("P").rotate(180)], default_image=True)


def jpeg() -> Iterator[tuple[str, bytes]]:
    metadata = {"exif": EXIF, "icc_profile": ICC, "xmp": XMP, "comment": b"hello", "dpi": (300, 200)}
    for name, mode, options in (
        ("420", "RGB", {"subsampling": 2}),
        ("444", "RGB", {"subsampling": 0}),
        ("422", "RGB", {"subsampling": 1, "restart_marker_blocks": 1}),
        ("progressive", "RGB", {"progressive": True}),
        ("grey", "L", {}),
        ("cmyk", "CMYK", {}),
        ("rgb", "RGB", {"keep_rgb": True}),
    ):
        yield name, save(pillow(mode), "JPEG", **options, **metadata)
    yield "plain", save(pillow("RGB"), "JPEG", quality=30, optimize=True)
    yield "mpo", save(pillow("RGB"), "MPO", save_all=True, append_images=[pillow("RGB").rotate(180)])
    yield "vips", vips(".jpg", picture(3), Q=90, trellis_quant=True, interlace=True)
    yield "lossless", imagecodecs.ljpeg_encode(picture(1, "uint16"))


def tiffs() -> Iterator[tuple[str, bytes]]:
    types = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32)] + [
        "float16",
        "float32",
        "float64",
        "uint64",
        "complex64",
    ]
    for dtype in types:
        yield f"grey-{dtype}", tiff(picture(1, dtype), photometric="minisblack", byteorder="<>"[len(dtype) % 2])
        yield f"rgb-{dtype}", tiff(picture(3, dtype), photometric="rgb", rowsperstrip=5)
    for method in ("lzw", "zlib", "packbits", "zstd", "lzma", "lerc", "jpeg", "webp", "png", "jpeg2000", "jpegxl"):
        predictor = {"predictor": True} if method in ("lzw", "zlib", "zstd") else {}
        yield method, tiff(picture(3), photometric="rgb", compression=method, rowsperstrip=8, iccprofile=ICC, **predictor)
        yield f"{method}-tiles", tiff(picture(3), photometric="rgb", compression=method, tile=(16, 16))
    for dtype in ("uint16", "uint32", "float16", "float32", "float64"):
        yield (
            f"zlib-{dtype}",
            tiff(picture(4, dtype), photometric="rgb", compression="zlib", predictor=True, extrasamples=["unassalpha"]),
        )
    planes = np.moveaxis(picture(3, "uint16"), -1, 0)
    yield "planar", tiff(planes, photometric="rgb", planarconfig="separate", compression="lzw", rowsperstrip=4)
    yield "premultiplied", tiff(picture(4), photometric="rgb", extrasamples=["assocalpha"], datetime=True, description="summer")
    yield "cmyk", tiff(picture(4), photometric="separated")
    yield "ycbcr", tiff(picture(3), photometric="ycbcr", compression="jpeg", subsampling=(2, 2), tile=(16, 16))
    yield "lab", tiff(picture(3), photometric="cielab")
    yield "palette", tiff(picture(1), photometric="palette", colormap=np.arange(768, dtype="uint16").reshape(3, 256) * 85)
    yield "white", tiff(picture(1, "uint16"), photometric="miniswhite")
    yield "bilevel", tiff(picture(1) > 100, photometric="minisblack")
    for bits in (2, 4, 10, 12):
        pixels = picture(1) >> (8 - bits) if bits < 8 else picture(1, "uint16") >> (16 - bits)
        yield f"{bits}-bit", tiff(pixels, photometric="minisblack", bitspersample=bits, rowsperstrip=ROWS)
    yield "big", tiff(picture(3), photometric="rgb", bigtiff=True, rowsperstrip=3, extratags=[(700, 1, len(XMP), XMP, True)])
    yield "pages", tiff(picture(3, "uint16"), photometric="rgb", pages=3, compression="zlib")
    yield "ome", _ome()
    for method in ("group3", "group4", "packbits", "tiff_lzw"):
        yield f"1-{method}", save(pillow("1"), "TIFF", compression=method)
    yield "P", save(pillow("P"), "TIFF", dpi=(300, 200))
    for more in (
        {"tile": True},
        {"pyramid": True, "tile": True, "subifd": True},
        {"bitdepth": 1},
        {"compression": "ccittfax4", "bitdepth": 1},
    ):
        pixels = picture(1) if "bitdepth" in more else picture(3)
        yield f"vips-{'-'.join(map(str, more))}", vips(".tif", pixels, tile_width=16, tile_height=16, **more)
    yield "opencv", opencv(".tiff", picture(3, "float32"))
    yield "pages-opencv", cv2.imencodemulti(".tiff", [picture(3), picture(1, "uint16")])[1].tobytes()


def _ome() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.stack([picture(1, "uint16")] * 3), ome=True, metadata={"axes": "CYX"}, photometric="minisblack")
    return file.getvalue()


def webp() -> Iterator[tuple[str, bytes]]:
    metadata = {"exif": EXIF.tobytes(), "icc_profile": ICC, "xmp": XMP}
    for mode in ("RGB", "RGBA"):
        yield f"{mode}-lossy", save(pillow(mode), "WEBP", quality=60, **metadata)
        yield f"{mode}-lossless", save(pillow(mode), "WEBP", lossless=True, **metadata)
        yield f"{mode}-animated", animated("WEBP", mode, lossless=mode == "RGB")
    yield "plain", save(pillow("RGB"), "WEBP")
    yield "opencv", opencv(".webp", picture(4), cv2.IMWRITE_WEBP_QUALITY, 101)


def avif() -> Iterator[tuple[str, bytes]]:
    for bits in (8, 10, 12):
        for channels in (1, 3, 4):
            pixels = picture(channels, "uint8" if bits == 8 else "uint16") >> (0 if bits == 8 else 16 - bits)
            level = {"level": 60, "speed": 9, "bitspersample": bits}
            yield f"{channels}x{bits}", imagecodecs.avif_encode(pixels, **level)
    yield "420", save(pillow("RGB"), "AVIF", subsampling="4:2:0", exif=EXIF, icc_profile=ICC, xmp=XMP, speed=9)
    yield "alpha", save(pillow("RGBA"), "AVIF", quality=100, speed=9)
    yield "animated", animated("AVIF", "RGB", speed=9)


def bmp() -> Iterator[tuple[str, bytes]]:
    for mode in ("1", "L", "P", "RGB", "RGBA"):
        yield mode, save(pillow(mode), "BMP", dpi=(300, 200))
    for channels in (1, 3, 4):
        yield f"opencv{channels}", opencv(".bmp", picture(channels))
    palette = bytes(range(16)) * 4
    runs = b"".join(b"\x18" + bytes([n % 16]) + b"\0\0" for n in range(ROWS)) + b"\0\1"
    yield "rle8", _bitmap(8, 1, palette, runs)
    yield "rle8-escapes", _bitmap(8, 1, palette, b"\0\2\3\1\0\5abcde\0" + runs)
    yield "rle4", _bitmap(4, 2, palette, b"".join(b"\x18\x5a\0\0" for _ in range(ROWS)) + b"\0\1")
    yield "565", _bitmap(16, 3, struct.pack("<3I", 0xF800, 0x7E0, 0x1F), picture(1, "uint16").tobytes())
    yield "555", _bitmap(16, 0, b"", picture(1, "uint16").tobytes())
    yield "fields", _bitmap(32, 3, struct.pack("<3I", 0x3FF00000, 0xFFC00, 0x3FF), picture(1, "uint32").tobytes())


def _bitmap(bits: int, compression: int, table: bytes, pixels: bytes) -> bytes:
    colours = 16 if bits <= 8 else 0
    header = struct.pack("<IiiHHIIiiII", 40, COLUMNS, ROWS, 1, bits, compression, len(pixels), 2835, 2835, colours, 0)
    start = 14 + len(header) + len(table)
    return struct.pack("<2sIHHI", b"BM", start + len(pixels), 0, 0, start) + header + table + pixels


def netpbm() -> Iterator[tuple[str, bytes]]:
    for extension, channels, dtype in (
        *((e, c, d) for e, c in ((".pgm", 1), (".ppm", 3)) for d in ("uint8", "uint16")),
        *((".pam", c, d) for c in (1, 3, 4) for d in ("uint8", "uint16")),
    ):
        yield f"{extension}{channels}{dtype}", opencv(extension, picture(channels, dtype))
    header = f"P7\nWIDTH {COLUMNS}\nHEIGHT {ROWS}\nDEPTH 2\nMAXVAL 255\nTUPLTYPE GRAYSCALE_ALPHA\nENDHDR\n"
    yield "pam2", header.encode() + picture(2).tobytes()
    yield "pfm1", opencv(".pfm", picture(1, "float32"))
    yield "pfm3", opencv(".pfm", picture(3, "float32"))
    yield "pbm", save(pillow("1"), "PPM")
    for letter, dtype in (("1", "bool"), ("2", "uint8"), ("3", "uint16")):
        pixels = picture(3 if letter == "3" else 1, dtype)
        values = " ".join(map(str, pixels.astype(int).ravel()))
        limit = f"{np.iinfo(pixels.dtype).max}\n" if letter > "1" else ""
        yield f"P{letter}", f"P{letter}\n{COLUMNS} {ROWS}\n{limit}{values}\n".encode()
    yield "comments", b"P3 # width\n2 # height\n2\n# white\n7\n" + b"1 2 3  4 5 6  7 0 1  2 3 4\n"


def jpeg2000() -> Iterator[tuple[str, bytes]]:
    for channels in (1, 3, 4):
        yield f"{channels}x8", opencv(".jp2", picture(channels).repeat(2, axis=0).repeat(2, axis=1))  # OpenCV's minimum size
        yield f"{channels}x16", imagecodecs.jpeg2k_encode(picture(channels, "uint16"), codecformat="jp2", reversible=True)
    yield "12-bit", imagecodecs.jpeg2k_encode(picture(1, "uint16") >> 4, bitspersample=12, codecformat="jp2")
    yield "j2k", save(pillow("RGB"), "JPEG2000", no_jp2=True, irreversible=True, quality_layers=[10, 2])
    yield "tiles", save(pillow("RGBA"), "JPEG2000", tile_size=(16, 16), progression="RPCL")


def gif() -> Iterator[tuple[str, bytes]]:
    yield "P", save(pillow("P"), "GIF", comment=b"hello")
    yield "L", save(pillow("L"), "GIF", interlace=0)
    yield "transparent", save(pillow("P"), "GIF", transparency=3)
    yield "animated", animated("GIF", "P", disposal=2, comment=b"hello")
    yield "animated-alpha", animated("GIF", "RGBA", disposal=3)


def others() -> Iterator[tuple[str, bytes]]:
    yield "hdr", opencv(".hdr", picture(3, "float32"))
    yield "hdr-runs", opencv(".hdr", np.tile(picture(3, "float32"), (1, 3, 1)), cv2.IMWRITE_HDR_COMPRESSION, 1)
    for channels in (1, 3):
        yield f"ras{channels}", opencv(".ras", picture(channels))


#: Generators of the files of each format; the names of `others` start with the format.
MAKERS: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "png": png, "jpeg": jpeg, "tiff": tiffs, "webp": webp, "avif": avif, "bmp": bmp, "pnm": netpbm, "jp2": jpeg2000, "gif": gif,
}  # fmt: skip


@functools.cache
def all_seeds() -> tuple[Seed, ...]:
    """Return every seed, in a fixed order."""
    found = [Seed(name, kind, data) for kind, make in MAKERS.items() for name, data in make()]
    return (*found, *(Seed(name, name[:3], data) for name, data in others()))
