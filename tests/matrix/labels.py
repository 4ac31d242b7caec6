"""What files say beside their pixels: files of five formats that say all of it, and what two other libraries find there."""

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

# libvips would remember what a file of the same name held before.
pyvips.cache_set_max(0)

Said = dict[str, Any]

DOWN, ACROSS = 200.0, 300.0  # dots per inch

XMP = (
    b'<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/></x:xmpmeta><?xpacket end="w"?>'
)

#: What every one of the files says.
LABELS: Said = {
    "description": "A picture of nobody",
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

# Dots a millimetre that libvips gives a picture that has none: 1, or 72 an inch.
_NO_RESOLUTION = ("1.00", "2.83")

SUFFIXES = {"jpeg": ".jpg", "png": ".png", "webp": ".webp", "avif": ".avif", "tiff": ".tif"}


def exif(said: Said, *, resolution: bool = False) -> Pillow.Exif:
    """Return EXIF that says what is said, with the resolution where it is to stand there."""
    found = Pillow.Exif()
    for tag, name in ((_DESCRIPTION, "description"), (_ARTIST, "artist"), (_ORIENTATION, "orientation")):
        if name in said:
            found[tag] = said[name]
    if resolution and "resolution" in said:
        found[_ACROSS], found[_DOWN], found[_UNIT] = said["resolution"][1], said["resolution"][0], 2
    if "latitude" in said:
        found.get_ifd(_GPS).update({1: "N", _LATITUDE: tuple(map(float, said["latitude"]))})
    if "exposure" in said:
        found.get_ifd(_EXIF).update({_EXPOSURE: IFDRational(said["exposure"])})
    return found


def made(kind: str, said: Said, pixels: NDArray | None = None) -> bytes:
    """Return a picture as a file of a format that says what is said; lossless where that is possible."""
    image, file = Pillow.fromarray(picture() if pixels is None else pixels), io.BytesIO()
    options: dict[str, Any] = {"icc_profile": said["icc"]} if "icc" in said else {}
    dpi = {"dpi": said["resolution"][::-1]} if "resolution" in said else {}
    if kind in ("jpeg", "webp", "avif") and "xmp" in said:
        options["xmp"] = said["xmp"]
    options["exif"] = exif(said, resolution=kind in ("webp", "avif"))
    if kind == "jpeg":
        comment = {"comment": said["comment"]} if "comment" in said else {}
        image.save(file, "JPEG", quality=90, subsampling=1, **options, **dpi, **comment)
    elif kind == "png":
        texts = PngImagePlugin.PngInfo()
        if "xmp" in said:
            texts.add_itxt("XML:com.adobe.xmp", said["xmp"].decode())
        if "comment" in said:
            texts.add_text("Comment", said["comment"])
        image.save(file, "PNG", pnginfo=texts, **options, **dpi)
    elif kind == "tiff":
        if "xmp" in said:
            options["exif"][_XMP_TAG] = said["xmp"]
        options["exif"] = options["exif"].tobytes()  # else Pillow leaves out the directories below it
        image.save(file, "TIFF", **options, **dpi)
    else:
        image.save(file, kind.upper(), **options, **({"lossless": True, "exact": True} if kind == "webp" else {"quality": 95}))
    return file.getvalue()


def to_pillow(path: Path) -> Said:
    """Return what Pillow finds in a file."""
    with Pillow.open(path) as image:
        if path.suffix == ".png":  # whose texts may stand behind the pixels
            image.load()
        found, info = image.getexif(), image.info
        said: Said = {
            "description": found.get(_DESCRIPTION),
            "artist": found.get(_ARTIST),
            "orientation": found.get(_ORIENTATION),
            "latitude": _fractions(found.get_ifd(_GPS).get(_LATITUDE)),
            "exposure": _fractions(found.get_ifd(_EXIF).get(_EXPOSURE)),
            "xmp": info.get("xmp"),
            "icc": info.get("icc_profile"),
            "comment": info.get("comment", info.get("Comment")),
        }
        if info.get("dpi", (1, 1)) != (1, 1):  # which it says of a TIFF that says nothing
            said["resolution"] = info["dpi"][::-1]
        elif _ACROSS in found:
            said["resolution"] = (float(found[_DOWN]), float(found[_ACROSS]))
    if isinstance(said["comment"], bytes):
        said["comment"] = said["comment"].decode()
    return {name: value for name, value in said.items() if value}


def to_tifffile(path: Path) -> Said:
    """Return what tifffile finds in a TIFF."""
    with tifffile.TiffFile(path) as file:
        tags = {tag.code: tag.value for tag in file.pages[0].tags}
    said: Said = {
        "description": tags.get(_DESCRIPTION),
        "artist": tags.get(_ARTIST),
        "orientation": tags.get(_ORIENTATION),
        "latitude": _pairs(tags.get(_GPS, {}).get("GPSLatitude")),
        "exposure": (*_pairs(tags.get(_EXIF, {}).get("ExposureTime")), None)[0],
        "xmp": tags.get(_XMP_TAG),
        "icc": tags.get(_PROFILE),
    }
    if _ACROSS in tags:
        said["resolution"] = (float(*_pairs(tags[_DOWN])), float(*_pairs(tags[_ACROSS])))
        assert tags[_UNIT] == 2
    return {name: value for name, value in said.items() if value}


def to_vips(path: Path) -> Said:
    """Return what libvips finds in a JPEG, PNG, WebP or AVIF. It turns an AVIF by itself, and keeps silent about it."""
    image = pyvips.Image.new_from_file(str(path))
    fields = set(image.get_fields())

    def words(name: str) -> str:
        """Return a field of EXIF, which is followed by itself in other words, its type and its length."""
        return image.get(name).split(" (", 1)[0] if name in fields else ""

    said: Said = {
        "description": words("exif-ifd0-ImageDescription"),
        "artist": words("exif-ifd0-Artist"),
        "orientation": image.get("orientation") if "orientation" in fields else None,
        "latitude": tuple(map(Fraction, words("exif-ifd3-GPSLatitude").split())),
        "exposure": Fraction(words("exif-ifd2-ExposureTime") or 0),
        "xmp": image.get("xmp-data") if "xmp-data" in fields else None,
        "icc": image.get("icc-profile-data") if "icc-profile-data" in fields else None,
        "resolution": (image.yres * 25.4, image.xres * 25.4) if f"{image.xres:.2f}" not in _NO_RESOLUTION else None,
        "comment": next((image.get(name) for name in sorted(fields) if name.startswith("png-comment")), None),
    }
    if path.suffix in (".webp", ".avif") and "exif-data" in fields:
        said["resolution"] = tuple(float(Fraction(words(f"exif-ifd0-{axis}Resolution"))) for axis in "YX")
    if path.suffix == ".avif":
        del said["orientation"]
    return {name: value for name, value in said.items() if value}


def _fractions(value: Any) -> Any:
    if value is None or isinstance(value, tuple):
        return value and tuple(map(_fractions, value))
    return Fraction(float(value)).limit_denominator(10_000)


def _pairs(values: Any) -> tuple[Fraction, ...]:
    return tuple(Fraction(n, d) for n, d in zip(values[::2], values[1::2], strict=True)) if values else ()


#: Who is asked about a format.
LISTENERS: dict[str, tuple[Callable[[Path], Said], ...]] = {
    **dict.fromkeys(SUFFIXES, (to_pillow, to_vips)),
    "tiff": (to_pillow, to_tifffile),
}


def seen(path: Path) -> NDArray:
    """Return the picture as Pillow shows it, upright."""
    with Pillow.open(path) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def seen_by_vips(path: Path) -> NDArray:
    """Return the picture as libvips shows it, upright."""
    image = pyvips.Image.new_from_file(str(path))
    return (image if path.suffix == ".avif" else image.autorot()).colourspace("srgb").numpy()[:, :, :3]
