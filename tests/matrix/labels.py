"""Metadata: files of five formats with every label, and the labels that two other libraries read from each format."""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pyvips
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageOps, PngImagePlugin
from PIL.TiffImagePlugin import IFDRational

from tests.matrix.pictures import picture

# libvips caches files by name; the tests overwrite them.
pyvips.cache_set_max(0)

Labels = dict[str, Any]

DOWN, ACROSS = 200.0, 300.0  # dots per inch

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta><?xpacket end="w"?>'
)

#: Metadata of every file.
LABELS: Labels = {
    "description": "A picture of a hill",
    "artist": "Ada",
    "orientation": 6,
    "latitude": (Fraction(48), Fraction(51), Fraction(148, 5)),
    "exposure": Fraction(1, 250),
    "xmp": XMP,
    "icc": imagecodecs.cms_profile("adobergb"),
    "resolution": (DOWN, ACROSS),
}

_DESCRIPTION, _ORIENTATION, _ACROSS, _DOWN, _UNIT, _ARTIST = 270, 274, 282, 283, 296, 315
_EXIF, _GPS, _EXPOSURE, _LATITUDE = 34665, 34853, 33434, 2
_XMP_TAG, _PROFILE = 700, 34675

# Dots per millimetre that libvips reports without a resolution: 1, or 72 dpi.
_NO_RESOLUTION = ("1.00", "2.83")

SUFFIXES = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "avif": ".avif", "tiff": ".tif"}


def exif(labels: Labels, *, resolution: bool = False) -> Pillow.Exif:
    """Return EXIF with the given labels, including the resolution if `resolution`."""
    found = Pillow.Exif()
    for tag, name in ((_DESCRIPTION, "description"), (_ARTIST, "artist"), (_ORIENTATION, "orientation")):
        if name in labels:
            found[tag] = labels[name]
    if resolution and "resolution" in labels:
        found[_ACROSS], found[_DOWN], found[_UNIT] = labels["resolution"][1], labels["resolution"][0], 2
    if "latitude" in labels:
        found.get_ifd(_GPS).update({1: "N", _LATITUDE: tuple(map(float, labels["latitude"]))})
    if "exposure" in labels:
        found.get_ifd(_EXIF).update({_EXPOSURE: IFDRational(labels["exposure"])})
    return found


def encode(kind: str, labels: Labels, pixels: NDArray | None = None) -> bytes:
    """Return a picture with the given labels, encoded in a format, losslessly if possible."""
    image, file = Pillow.fromarray(picture() if pixels is None else pixels), io.BytesIO()
    options: dict[str, Any] = {"icc_profile": labels["icc"]} if "icc" in labels else {}
    dpi = {"dpi": labels["resolution"][::-1]} if "resolution" in labels else {}
    if kind in ("jpeg", "webp", "avif") and "xmp" in labels:
        options["xmp"] = labels["xmp"]
    options["exif"] = exif(labels, resolution=kind in ("webp", "avif"))
    if kind == "jpeg":
        comment = {"comment": labels["comment"]} if "comment" in labels else {}
        image.save(file, "JPEG", quality=90, subsampling=1, **options, **dpi, **comment)
    elif kind == "png":
        texts = PngImagePlugin.PngInfo()
        if "xmp" in labels:
            texts.add_itxt("XML:com.adobe.xmp", labels["xmp"].decode())
        if "comment" in labels:
            texts.add_text("Comment", labels["comment"])
        image.save(file, "PNG", pnginfo=texts, **options, **dpi)
    elif kind == "tiff":
        if "xmp" in labels:
            options["exif"][_XMP_TAG] = labels["xmp"]
        options["exif"] = options["exif"].tobytes()  # as an Exif object, Pillow drops the sub-directories
        image.save(file, "TIFF", **options, **dpi)
    else:
        image.save(file, kind.upper(), **options, **({"lossless": True, "exact": True} if kind == "webp" else {"quality": 95}))
    return file.getvalue()


def read_pillow(path: Path) -> Labels:
    """Return the labels that Pillow reads from a file."""
    with Pillow.open(path) as image:
        if path.suffix == ".png":  # text chunks may follow the pixels
            image.load()
        found, info = image.getexif(), image.info
        labels: Labels = {
            "description": found.get(_DESCRIPTION),
            "artist": found.get(_ARTIST),
            "orientation": found.get(_ORIENTATION),
            "latitude": _as_fractions(found.get_ifd(_GPS).get(_LATITUDE)),
            "exposure": _as_fractions(found.get_ifd(_EXIF).get(_EXPOSURE)),
            "xmp": info.get("xmp"),
            "icc": info.get("icc_profile"),
            "comment": info.get("comment", info.get("Comment")),
        }
        if info.get("dpi", (1, 1)) != (1, 1):  # Pillow's value for a TIFF without a resolution
            labels["resolution"] = info["dpi"][::-1]
        elif _ACROSS in found:
            labels["resolution"] = (float(found[_DOWN]), float(found[_ACROSS]))
    if isinstance(labels["comment"], bytes):
        labels["comment"] = labels["comment"].decode()
    return {name: value for name, value in labels.items() if value}


def read_tifffile(path: Path) -> Labels:
    """Return the labels that tifffile reads from a TIFF."""
    with tifffile.TiffFile(path) as file:
        tags = {tag.code: tag.value for tag in file.pages[0].tags}
    labels: Labels = {
        "description": tags.get(_DESCRIPTION),
        "artist": tags.get(_ARTIST),
        "orientation": tags.get(_ORIENTATION),
        "latitude": _pairs(tags.get(_GPS, {}).get("GPSLatitude")),
        "exposure": (*_pairs(tags.get(_EXIF, {}).get("ExposureTime")), None)[0],
        "xmp": tags.get(_XMP_TAG),
        "icc": tags.get(_PROFILE),
    }
    if _ACROSS in tags:
        labels["resolution"] = (float(*_pairs(tags[_DOWN])), float(*_pairs(tags[_ACROSS])))
        assert tags[_UNIT] == 2
    return {name: value for name, value in labels.items() if value}


def read_vips(path: Path) -> Labels:
    """Return the labels that libvips reads from a JPEG, PNG, WebP or AVIF; it always applies the orientation of an AVIF."""
    image = pyvips.Image.new_from_file(str(path))
    fields = set(image.get_fields())

    def exif_text(name: str) -> str:
        """Return the value of an EXIF field without the description, type and length that libvips appends."""
        return image.get(name).split(" (", 1)[0] if name in fields else ""

    labels: Labels = {
        "description": exif_text("exif-ifd0-ImageDescription"),
        "artist": exif_text("exif-ifd0-Artist"),
        "orientation": image.get("orientation") if "orientation" in fields else None,
        "latitude": tuple(map(Fraction, exif_text("exif-ifd3-GPSLatitude").split())),
        "exposure": Fraction(exif_text("exif-ifd2-ExposureTime") or 0),
        "xmp": image.get("xmp-data") if "xmp-data" in fields else None,
        "icc": image.get("icc-profile-data") if "icc-profile-data" in fields else None,
        "resolution": (image.yres * 25.4, image.xres * 25.4) if f"{image.xres:.2f}" not in _NO_RESOLUTION else None,
        "comment": next((image.get(name) for name in sorted(fields) if name.startswith("png-comment")), None),
    }
    if path.suffix in (".webp", ".avif") and "exif-data" in fields:
        labels["resolution"] = tuple(float(Fraction(exif_text(f"exif-ifd0-{axis}Resolution"))) for axis in "YX")
    if path.suffix == ".avif":
        del labels["orientation"]
    return {name: value for name, value in labels.items() if value}


def _as_fractions(value: Any) -> Any:
    if value is None or isinstance(value, tuple):
        return value and tuple(map(_as_fractions, value))
    return Fraction(float(value)).limit_denominator(10_000)


def _pairs(values: Any) -> tuple[Fraction, ...]:
    return tuple(Fraction(n, d) for n, d in zip(values[::2], values[1::2], strict=True)) if values else ()


#: Two readers for each format.
LABEL_READERS: dict[str, tuple[Callable[[Path], Labels], ...]] = {
    **dict.fromkeys(SUFFIXES, (read_pillow, read_vips)),
    "tiff": (read_pillow, read_tifffile),
}


def view_pillow(path: Path) -> NDArray:
    """Return the picture decoded by Pillow, with its orientation applied."""
    with Pillow.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def view_vips(path: Path) -> NDArray:
    """Return the picture decoded by libvips, with its orientation applied."""
    image = pyvips.Image.new_from_file(str(path))
    return (image if path.suffix == ".avif" else image.autorot()).colourspace("srgb").numpy()[:, :, :3]
