"""`CASES`: image files of many kinds, written by OpenCV, Pillow, tifffile and imgconv, or byte by byte here."""

from __future__ import annotations

import io
import itertools
import os
import pathlib
import struct
import tempfile
from collections.abc import Callable

import cv2
import imagecodecs
import numpy as np
import tifffile
from PIL import Image as Pillow
from PIL import features

import imgconv
from imgconv.images.formats.picture import Result
from imgconv.images.formats.registry import writable_formats
from imgconv.images.pages import Header

FORMATS = {f.name: f for f in writable_formats() if f.readable}

ROWS, COLUMNS = 40, 33
RGBA = np.random.default_rng(5).integers(0, 256, (ROWS, COLUMNS, 4), np.uint8)
RGB, GREY = RGBA[:, :, :3].copy(), RGBA[:, :, 0].copy()
MID_LEVELS = {"bool": 1, "uint32": 70_000, "float16": 0.5}
MID_LEVELS |= {"uint8": 127, "int8": 60, "uint16": 32_000, "int16": 9_000, "int32": 70_000, "float32": 0.5, "float64": 0.25}

Case = Callable[[], bytes]


def pillow(kind: str, mode: str, **options: object) -> Case:
    def make() -> bytes:
        image = Pillow.fromarray(GREY.astype(np.uint16)) if mode == "I;16" else Pillow.fromarray(RGBA).convert("RGB")
        if mode == "LAB":
            image = Pillow.merge("LAB", image.split())
        elif mode != "I;16":
            image = Pillow.fromarray(RGBA) if mode in ("RGBA", "LA") else image
            image = image.quantize(16) if mode == "P" else image.convert(mode)
        frames = [image.transpose(Pillow.Transpose.FLIP_TOP_BOTTOM)] if options.get("save_all") else []
        file = io.BytesIO()
        image.save(file, kind, **{**options, **({"append_images": frames} if frames else {})})
        return file.getvalue()

    return make


def tiff(pixels: np.ndarray, photometric: str, **options: object) -> Case:
    def make() -> bytes:
        file = io.BytesIO()
        tifffile.imwrite(file, pixels, photometric=photometric, **options)
        return file.getvalue()

    return make


def imgconv_file(name: str, dtype: str, channels: int) -> Case:
    pixels = (np.ones((ROWS, COLUMNS, channels)) * MID_LEVELS[dtype]).astype(dtype)
    pixels[::3] = 0

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            imgconv.write_image(f"{folder}/out", pixels if channels > 1 else pixels[:, :, 0], format=name)
            return pathlib.Path(f"{folder}/out").read_bytes()

    return make


def opencv(extension: str, pixels: np.ndarray, *parameters: int) -> Case:
    return lambda: cv2.imencode(extension, pixels, parameters)[1].tobytes()


def bmp(bits: int, compression: int = 0, size: int = 40, table: bytes = b"", used: int = 0, rows: int = 2) -> Case:
    masks = {16: (0xF800, 0x7E0, 0x1F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0xFF << 24)}.get(bits, ()) if compression == 3 else ()
    head = struct.pack("<IiiHHIIiiII", size, 3, rows, 1, bits, compression, 0, 0, 0, used, 0)
    head += struct.pack(f"<{len(masks)}I", *masks).ljust(max(0, size - 40), b"\0")
    if size == 12:
        head = struct.pack("<IHHHH", 12, 3, 2, 1, bits)
    return lambda: b"BM" + struct.pack("<IHHI", 0, 0, 0, 14 + len(head + table)) + head + table + bytes(99)


def sun(bits: int, table: bytes = b"", encoding: int = 1) -> Case:
    head = struct.pack(">8I", 0x59A66A95, 4, 2, bits, 0, encoding, bool(table), len(table))
    return lambda: head + table + bytes(99)


def gif(*transparent: int | None, canvas: tuple[int, int] = (2, 2)) -> Case:
    """A GIF with frames of 2 x 2 pixels, 0 and 1; for each, its transparent colour, -1 for none, None for no extension."""
    found = b"GIF89a" + struct.pack("<HHBBB", *canvas[::-1], 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    for colour in transparent:
        if colour is not None:
            found += struct.pack("<3sBHBB", b"\x21\xf9\x04", colour >= 0, 0, max(colour, 0), 0)
        found += b"\x2c" + struct.pack("<4HB", 0, 0, 2, 2, 0) + b"\x02\x03\x44\x02\x05\0"
    return lambda: found + b";"


def colours(count: int) -> bytes:
    return b"".join(bytes([i, 2, 3, 0]) for i in range(count))


def greys(count: int) -> bytes:
    return b"".join(bytes([i, i, i, 0]) for i in range(count))


def literal(data: bytes) -> Case:
    return lambda: data


EXIF = Pillow.Exif()
EXIF[0x0112] = 6
HDR = b"#?RGBE\n# made by hand\nEXPOSURE=1\nFORMAT=32-bit_rle_rgbe\n\n-Y 2 +X 3\n" + bytes(99)

CASES: dict[str, Case] = {
    **{
        f"{name} {dtype} {channels}": imgconv_file(name, dtype, channels)
        for name, dtype, channels in itertools.product(FORMATS, MID_LEVELS, (1, 2, 3, 4))
        if not FORMATS[name].optional and not FORMATS[name].limitation(Result(Header.of(ROWS, COLUMNS, channels, dtype)))
    },
    **{f"png {m}": pillow("PNG", m) for m in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")},
    **{f"png frames {m}": pillow("PNG", m, save_all=True) for m in ("1", "L", "LA", "P", "RGB", "RGBA")},
    **{f"png transparent {m}": pillow("PNG", m, transparency=t) for m, t in (("1", 0), ("L", 3), ("P", 0), ("I;16", 7))},
    "png transparent RGB": pillow("PNG", "RGB", transparency=(1, 2, 3)),
    "png transparent palette": pillow("PNG", "P", transparency=b"\0\x80\xff"),
    "png palette of 4 bits": pillow("PNG", "P", bits=4),
    "png with a profile before the transparency": pillow("PNG", "RGB", icc_profile=os.urandom(70_000), transparency=(1, 2, 3)),
    **{f"jpeg {m}": pillow("JPEG", m, progressive=m == "L") for m in ("L", "RGB", "CMYK", "YCbCr")},
    "jpeg with EXIF": pillow("JPEG", "RGB", exif=EXIF.tobytes(), icc_profile=os.urandom(200_000), comment="x" * 9999),
    "jpeg progressive": pillow("JPEG", "RGB", progressive=True, subsampling=2),
    "jpeg with fill bytes": lambda: pillow("JPEG", "RGB")().replace(b"\xff\xdb", b"\xff\xff\xff\xdb", 1),
    **{f"gif {m}": pillow("GIF", m) for m in ("1", "L", "P", "RGB", "RGBA")},
    **{f"gif frames {m}": pillow("GIF", m, save_all=True) for m in ("P", "RGB")},
    **{f"gif transparent {c}": gif(*c) for c in ((None,), (-1,), (0,), (1,), (0, None), (-1, 0), (None, 0))},
    "gif on a canvas": gif(0, canvas=(5, 4)),
    "gif on an opaque canvas": gif(-1, canvas=(5, 4)),
    **{
        f"webp {m} {kind}": pillow("WEBP", m, **options)
        for m in ("RGB", "RGBA")
        for kind, options in {
            "lossy": {},
            "lossless": {"lossless": True},
            "with EXIF": {"exif": EXIF.tobytes()},
            "lossless with EXIF": {"exif": EXIF.tobytes(), "lossless": True},
            "frames": {"save_all": True},
        }.items()
    },
    **{f"jp2 {m}": pillow("JPEG2000", m) for m in ("L", "LA", "RGB", "RGBA", "I;16", "YCbCr")},
    **{f"codestream {m}": pillow("JPEG2000", m, no_jp2=True) for m in ("L", "LA", "RGB", "RGBA", "I;16")},
    "jp2 in tiles": pillow("JPEG2000", "RGB", tile_size=(16, 16)),
    **{f"tiff {m} {c}": pillow("TIFF", m, compression=c)
       for m in ("1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I", "F") for c in ("raw", "tiff_lzw")},
    **{f"tiff {m} jpeg": pillow("TIFF", m, compression="jpeg") for m in ("L", "RGB", "CMYK")},
    **{f"tiff {d} {s}{' big' * big}{order}": tiff(np.ones(s, d), kind, bigtiff=big, byteorder=order)
       for d in ("uint8", "int8", "uint16", "int16", "int32", "float32", "float64")
       for s, kind in (((7, 5), "minisblack"), ((7, 5, 3), "rgb"), ((7, 5, 4), "rgb"))
       for big in (False, True) for order in "<>"},
    **{f"tiff orientation {o} {d}": tiff(np.ones((7, 5, 3), d), "rgb", extratags=[(274, 3, 1, o, True)])
       for o in range(1, 9) for d in ("uint8", "uint16", "float32")},
    "tiff planes": tiff(np.ones((3, 7, 5), np.uint8), "rgb", planarconfig="separate"),
    "tiff tiles": tiff(np.ones((70, 90, 3), np.uint16), "rgb", tile=(32, 32)),
    "tiff pages": tiff(np.ones((4, 7, 5), np.uint8), "minisblack"),
    "tiff bits": tiff(np.ones((7, 5), bool), "minisblack"),
    "tiff white is zero": tiff(np.ones((7, 5), np.uint16), "miniswhite"),
    "tiff minisblack 3 channels": tiff(np.ones((7, 5, 3), np.uint8), "minisblack", planarconfig="contig"),
    "tiff minisblack 3 floats": tiff(np.ones((7, 5, 3), np.float32), "minisblack", planarconfig="contig"),
    "tiff cmyk": tiff(np.ones((7, 5, 4), np.uint8), "separated"),
    **{f"tiff {a}": tiff(RGBA, "rgb", extrasamples=[a]) for a in ("assocalpha", "unassalpha", "unspecified")},
    **{f"bmp {m}": pillow("BMP", m) for m in ("1", "L", "P", "RGB", "RGBA")},
    **{f"bmp {b} colours": bmp(b, table=colours(1 << b)) for b in (1, 4, 8)},
    **{f"bmp {b} greys": bmp(b, table=greys(1 << b)) for b in (1, 4, 8)},
    "bmp few greys": bmp(8, table=greys(3), used=3),
    "bmp few colours": bmp(8, table=colours(3), used=3),
    **{f"bmp {b} of OS/2": bmp(b, size=12, table=bytes(3 << b) if b < 9 else b"") for b in (8, 24)},
    **{f"bmp {b} {c} in {s}": bmp(b, c, s) for b, c, s in ((16, 0, 40), (16, 3, 40), (24, 0, 124), (32, 0, 108), (32, 3, 108))},
    "bmp top-down": bmp(24, rows=-2),
    **{f"ras {b}": sun(b, encoding=b % 2) for b in (1, 8, 24)},
    "jpeg of 12 bits": lambda: imagecodecs.jpeg8_encode(GREY.astype(np.uint16) * 16, bitspersample=12),
    "jp2 of 12 bits": lambda: imagecodecs.jpeg2k_encode(GREY.astype(np.uint16) * 16, bitspersample=12),
    "ras run-length encoded": sun(8, encoding=2),
    "ras rgb": sun(24, encoding=3),
    "ras colours": sun(8, bytes(range(256)) + bytes(512)),
    "ras greys": sun(8, bytes(range(256)) * 3),
    "ras few colours": sun(8, bytes([1, 2, 3] * 2)),
    **{f"pnm {m}": pillow("PPM", m) for m in ("1", "L", "RGB", "I;16")},
    **{f"pnm {d[:14]!r}": literal(d) for d in (
        b"P1\n3 2\n1 0 1 0 1 0\n", b"P2 2 1 15 7 8\n", b"P2 2 1 1000 7 8\n", b"P3 1 2 255 1 2 3 4 5 6\n",
        b"P4 #c\n 9 #d\n2 " + bytes(4),
        b"P5 # c\n2 1 4095 " + bytes(4), b"P6\t2\r\n1\n255\n" + bytes(6), b"P5 2#\n1 255\n" + bytes(2))},
    "pfm with a header in lines": literal(b"Pf\n2\n1\n-1.0\n" + bytes(8)),
    "hdr flat": literal(HDR),
    "hdr with a long comment": literal(HDR.replace(b"# made", b"# " + (b"a" * 90 + b"\n# ") * 100)),
}  # fmt: skip

if features.check("avif"):
    CASES |= {f"avif {m}": pillow("AVIF", m) for m in ("L", "LA", "RGB", "RGBA")}
    CASES |= {f"avif frames {m}": pillow("AVIF", m, save_all=True) for m in ("RGB", "RGBA")}
    CASES |= {
        "avif with EXIF": pillow("AVIF", "RGB", exif=EXIF.tobytes()),
        "avif of another brand": lambda: pillow("AVIF", "RGBA")().replace(b"ftypavif", b"ftypmif1"),
        "avif without colours": pillow("AVIF", "RGB", subsampling="4:0:0"),
    }
CASES |= {
    f"avif {bits} bits {channels}": opencv(
        ".avif", (RGBA[:, :, :channels].astype(np.uint16) << 2).squeeze(), cv2.IMWRITE_AVIF_DEPTH, bits
    )
    for bits, channels in itertools.product((10, 12), (3, 4))
}
