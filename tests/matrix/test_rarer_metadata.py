"""Rarer metadata: non-ASCII text, IPTC, cICP, GeoTIFF tags, metadata of single pages and of animations."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
import pyvips
import tifffile
from PIL import Image as Pillow
from PIL import IptcImagePlugin, PngImagePlugin
from skimage.color import deltaE_ciede2000

from tests.matrix.animations import SUFFIXES as ANIMATED
from tests.matrix.animations import frames
from tests.matrix.by_pillow import save
from tests.matrix.by_vips import vips
from tests.matrix.labels import LABELS, SUFFIXES, XMP, encode, exif, read_pillow, read_tifffile, read_vips
from tests.matrix.pictures import picture
from tests.matrix.test_colour import RGB_PROFILES, to_lab

WORDS = "Größe ≥ 3 mm, 図"


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", ["jpeg", "png"])
def test_a_comment_in_any_alphabet_is_kept(source, target, tmp_path, run_ok):
    if source == "jpeg":
        data = encode("jpeg", {"comment": WORDS.encode()})
    else:
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("Comment", WORDS)
        data = save(Pillow.fromarray(picture()), "PNG", pnginfo=texts)
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(data)
    run_ok("apply", "identity", path, out)
    with Pillow.open(out) as image:
        found = image.info.get("comment", image.info.get("Comment", image.getexif().get(270)))
    # Pillow decodes EXIF text as Latin-1.
    written = found if isinstance(found, bytes) else found.encode("utf-8" if target == "png" else "latin-1")
    assert written.decode("utf-8") == WORDS


def iptc(caption: bytes) -> bytes:
    """Return Photoshop image resources with caption and city; fields as in IPTC-IIM 4.2: marker, record, number, length."""
    fields = b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(t)) + t for number, t in ((90, b"Ulm"), (120, caption)))
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(fields)) + fields + bytes(len(fields) % 2)


@pytest.mark.parametrize("target", [".jpg", ".tif"])
def test_iptc_is_kept(target, tmp_path, run_ok):
    """The result is converted to JPEG, from which Pillow reads IPTC."""
    segment = b"Photoshop 3.0\0" + iptc(b"A caption")
    data = save(Pillow.fromarray(picture()), "JPEG")
    (tmp_path / "in.jpg").write_bytes(data[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + data[2:])
    assert run_ok("apply", "identity", tmp_path / "in.jpg", tmp_path / f"between{target}") == ""
    assert run_ok("apply", "identity", tmp_path / f"between{target}", tmp_path / "out.jpg") == ""
    with Pillow.open(tmp_path / "out.jpg") as image:
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 90): b"Ulm", (2, 120): b"A caption"}
    if target == ".tif":
        with tifffile.TiffFile(tmp_path / "between.tif") as file:
            assert iptc(b"A caption") in bytes(file.pages[0].tags[34377].value)


@pytest.mark.parametrize("target", SUFFIXES)
def test_cicp_is_kept_or_becomes_a_profile(target, tmp_path, run_ok):
    """The cICP chunk declares the primaries of P3 and the curve of sRGB (ITU-T H.273)."""
    chunks, out = PngImagePlugin.PngInfo(), tmp_path / f"out{SUFFIXES[target]}"
    chunks.add(b"cICP", bytes((12, 13, 0, 1)))
    (tmp_path / "in.png").write_bytes(save(Pillow.fromarray(picture()), "PNG", pnginfo=chunks))
    run_ok("apply", "identity", tmp_path / "in.png", out)
    if target == "png":
        assert b"cICP\x0c\x0d\0\x01" in out.read_bytes()
        return
    difference = deltaE_ciede2000(to_lab(picture(), read_pillow(out)["icc"]), to_lab(picture(), RGB_PROFILES["P3 of libvips"]))
    assert difference.max() <= 1


def test_geotiff_tags_are_kept(tmp_path, run_ok):
    """GeoTIFF 1.1: pixel scale, tie point and geo keys; also GDAL's nodata value."""
    tags = {33550: (0.5, 0.25, 0.0), 33922: (0.0, 0.0, 0.0, 500_000.5, 5_400_000.25, 0.0)}
    keys = (1, 1, 0, 1, 1024, 0, 1, 1)
    extra = [(tag, 12, len(values), values, True) for tag, values in tags.items()]
    extra += [(34735, 3, len(keys), keys, True), (42113, 2, 0, "-9999", True)]
    tifffile.imwrite(tmp_path / "in.tif", picture("i2", 1), photometric="minisblack", extratags=extra)
    run_ok("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        found = {tag.code: tag.value for tag in file.pages[0].tags}
    assert {tag: found[tag] for tag in tags} == tags
    assert found[34735] == keys
    assert found[42113] == "-9999"


def test_each_page_keeps_its_metadata(tmp_path, run_ok):
    labels = [
        {**LABELS, "description": f"page {n}", "orientation": o, "resolution": (d, 2 * d)}
        for n, o, d in ((1, 1, 96.0), (2, 6, 72.0))
    ]
    first, second = (Pillow.open(io.BytesIO(encode("tiff", words))) for words in labels)
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for words, image in zip(labels, (first, second), strict=True):
            tags = [(274, 3, 1, words["orientation"], True), (700, 1, len(XMP), XMP, True)]
            options = {"resolution": words["resolution"][::-1], "resolutionunit": 2, "extratags": tags}
            pixels = picture("u1", 3 if image is first else 1)
            kind = "rgb" if image is first else "minisblack"
            file.write(
                pixels, photometric=kind, description=words["description"], metadata=None, iccprofile=words["icc"], **options
            )
    notes = run_ok("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        pages = [{tag.name: tag.value for tag in page.tags} for page in file.pages]
    for words, page in zip(labels, pages, strict=True):
        assert page["ImageDescription"] == words["description"]
        assert page["Orientation"] == words["orientation"]
        assert page["XMP"] == XMP
        assert (page["YResolution"][0] / page["YResolution"][1], page["XResolution"][0] / page["XResolution"][1]) == words[
            "resolution"
        ]
    assert pages[0]["InterColorProfile"] == LABELS["icc"]
    assert "InterColorProfile" not in pages[1]  # the second page is grey
    assert "left out the colour profile" in notes
    run_ok("apply", "identity", "--auto-orient", tmp_path / "in.tif", tmp_path / "up.tif")
    with tifffile.TiffFile(tmp_path / "up.tif") as file:
        assert [page.shape for page in file.pages] == [(41, 58, 3), (58, 41)]


@pytest.mark.parametrize("target", ["webp", "png", "avif"])
@pytest.mark.parametrize("source", ["webp", "png", "avif"])
def test_metadata_of_an_animation_is_kept(source, target, tmp_path, run_ok):
    first, *rest = map(Pillow.fromarray, frames())
    labels = {name: LABELS[name] for name in ("description", "artist", "latitude", "exposure", "icc")}
    options = {"lossless": True, "xmp": XMP} if source == "webp" else {"xmp": XMP} if source == "avif" else {}
    path, out = tmp_path / f"in{ANIMATED[source]}", tmp_path / f"out{ANIMATED[target]}"
    first.save(path, save_all=True, append_images=rest, duration=50, exif=exif(labels), icc_profile=labels["icc"], **options)
    assert run_ok("apply", "identity", path, out) == ""
    for found in [read_pillow(out)] + ([] if target == "avif" else [read_vips(out)]):  # no animated AVIF
        assert {name: found.get(name) for name in labels} == labels
        assert found.get("xmp") == options.get("xmp")


def test_a_comment_of_a_gif_is_kept(tmp_path, run_ok):
    first, *rest = map(Pillow.fromarray, frames())
    first.save(tmp_path / "in.gif", save_all=True, append_images=rest, comment="made by hand")
    run_ok("apply", "identity", tmp_path / "in.gif", tmp_path / "out.gif")
    run_ok("apply", "identity", tmp_path / "in.gif", tmp_path / "out.png")
    run_ok("apply", "identity", "--pages", "0", tmp_path / "in.gif", tmp_path / "out.tif")
    assert read_pillow(tmp_path / "out.gif")["comment"] == read_pillow(tmp_path / "out.png")["comment"] == "made by hand"
    assert read_tifffile(tmp_path / "out.tif")["description"] == "made by hand"


@pytest.mark.parametrize("space", ["labs", "lab"])
def test_lab_in_other_types_is_converted_or_rejected(space, tmp_path, run):
    image = vips(picture()).colourspace(space)
    image.write_to_file(str(tmp_path / "in.tif"))
    result = run("apply", "identity", "--depth", "8", tmp_path / "in.tif", tmp_path / "out.png")
    if result.code == 0:
        found = pyvips.Image.new_from_file(str(tmp_path / "out.png")).numpy()
        assert np.abs(found.astype(int) - picture()).mean() < 2
    else:
        assert result.code == 4
        assert "Lab" in result.err


def test_a_long_comment_is_kept_or_its_loss_is_reported(tmp_path, run_ok):
    """A JPEG segment is limited to 64 KiB."""
    for length in (65_000, 65_533, 65_534, 200_000):
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", "x" * length)
        (tmp_path / "in.png").write_bytes(save(Pillow.fromarray(picture()), "PNG", pnginfo=texts))
        notes = run_ok("apply", "identity", tmp_path / "in.png", tmp_path / "out.jpg")
        kept = read_pillow(tmp_path / "out.jpg").get("comment") == "x" * length
        assert kept != ("comment" in notes)
        assert kept == (length <= 65_533)
