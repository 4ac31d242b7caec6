"""What fewer files say: other alphabets, IPTC, code points of colour, tags of maps, of single pages and of animations."""

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
from tests.matrix.by_pillow import saved
from tests.matrix.by_vips import vips
from tests.matrix.labels import LABELS, SUFFIXES, XMP, exif, made, to_pillow, to_tifffile, to_vips
from tests.matrix.pictures import picture
from tests.matrix.test_colour import SPACES, seen_as

WORDS = "Größe ≥ 3 mm, 図"


@pytest.mark.parametrize("target", SUFFIXES)
@pytest.mark.parametrize("source", ["jpeg", "png"])
def test_a_comment_in_any_alphabet_goes_along(source, target, tmp_path, done):
    if source == "jpeg":
        data = made("jpeg", {"comment": WORDS.encode()})
    else:
        texts = PngImagePlugin.PngInfo()
        texts.add_itxt("Comment", WORDS)
        data = saved(Pillow.fromarray(picture()), "PNG", pnginfo=texts)
    path, out = tmp_path / f"in{SUFFIXES[source]}", tmp_path / f"out{SUFFIXES[target]}"
    path.write_bytes(data)
    done("apply", "identity", path, out)
    with Pillow.open(out) as image:
        found = image.info.get("comment", image.info.get("Comment", image.getexif().get(270)))
    # Pillow takes the text of EXIF for Latin-1.
    written = found if isinstance(found, bytes) else found.encode("utf-8" if target == "png" else "latin-1")
    assert written.decode("utf-8") == WORDS


def iptc(caption: bytes) -> bytes:
    """Return Photoshop's image resources with a caption and a city, after IPTC-IIM 4.2: a marker, record, number, length."""
    fields = b"".join(struct.pack(">BBBH", 0x1C, 2, number, len(t)) + t for number, t in ((90, b"Ulm"), (120, caption)))
    return b"8BIM\x04\x04\0\0" + struct.pack(">I", len(fields)) + fields + bytes(len(fields) % 2)


@pytest.mark.parametrize("target", [".jpg", ".tif"])
def test_iptc_goes_along(target, tmp_path, done):
    """Back into a JPEG, from where Pillow reads it."""
    segment = b"Photoshop 3.0\0" + iptc(b"A caption")
    data = saved(Pillow.fromarray(picture()), "JPEG")
    (tmp_path / "in.jpg").write_bytes(data[:2] + b"\xff\xed" + struct.pack(">H", len(segment) + 2) + segment + data[2:])
    assert done("apply", "identity", tmp_path / "in.jpg", tmp_path / f"between{target}") == ""
    assert done("apply", "identity", tmp_path / f"between{target}", tmp_path / "out.jpg") == ""
    with Pillow.open(tmp_path / "out.jpg") as image:
        assert IptcImagePlugin.getiptcinfo(image) == {(2, 90): b"Ulm", (2, 120): b"A caption"}
    if target == ".tif":
        with tifffile.TiffFile(tmp_path / "between.tif") as file:
            assert iptc(b"A caption") in bytes(file.pages[0].tags[34377].value)


@pytest.mark.parametrize("target", SUFFIXES)
def test_code_points_stay_or_become_a_profile(target, tmp_path, done):
    """cICP in a PNG: the primaries of P3, the curve of sRGB (ITU-T H.273)."""
    chunks, out = PngImagePlugin.PngInfo(), tmp_path / f"out{SUFFIXES[target]}"
    chunks.add(b"cICP", bytes((12, 13, 0, 1)))
    (tmp_path / "in.png").write_bytes(saved(Pillow.fromarray(picture()), "PNG", pnginfo=chunks))
    done("apply", "identity", tmp_path / "in.png", out)
    if target == "png":
        assert b"cICP\x0c\x0d\0\x01" in out.read_bytes()
        return
    apart = deltaE_ciede2000(seen_as(picture(), to_pillow(out)["icc"]), seen_as(picture(), SPACES["P3 of libvips"]))
    assert apart.max() <= 1


def test_the_tags_of_maps_go_along(tmp_path, done):
    """GeoTIFF 1.1: the size of a pixel, where the corner lies, which coordinates."""
    tags = {33550: (0.5, 0.25, 0.0), 33922: (0.0, 0.0, 0.0, 500_000.5, 5_400_000.25, 0.0)}
    keys = (1, 1, 0, 1, 1024, 0, 1, 1)
    extra = [(tag, 12, len(values), values, True) for tag, values in tags.items()]
    extra += [(34735, 3, len(keys), keys, True), (42113, 2, 0, "-9999", True)]
    tifffile.imwrite(tmp_path / "in.tif", picture("i2", 1), photometric="minisblack", extratags=extra)
    done("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        found = {tag.code: tag.value for tag in file.pages[0].tags}
    assert {tag: found[tag] for tag in tags} == tags
    assert found[34735] == keys
    assert found[42113] == "-9999"


def test_each_page_keeps_what_it_says(tmp_path, done):
    said = [
        {**LABELS, "description": f"page {n}", "orientation": o, "resolution": (d, 2 * d)}
        for n, o, d in ((1, 1, 96.0), (2, 6, 72.0))
    ]
    first, second = (Pillow.open(io.BytesIO(made("tiff", words))) for words in said)
    with tifffile.TiffWriter(tmp_path / "in.tif") as file:
        for words, image in zip(said, (first, second), strict=True):
            tags = [(274, 3, 1, words["orientation"], True), (700, 1, len(XMP), XMP, True)]
            options = {"resolution": words["resolution"][::-1], "resolutionunit": 2, "extratags": tags}
            pixels = picture("u1", 3 if image is first else 1)
            kind = "rgb" if image is first else "minisblack"
            file.write(
                pixels, photometric=kind, description=words["description"], metadata=None, iccprofile=words["icc"], **options
            )
    told = done("apply", "identity", tmp_path / "in.tif", tmp_path / "out.tif")
    with tifffile.TiffFile(tmp_path / "out.tif") as file:
        pages = [{tag.name: tag.value for tag in page.tags} for page in file.pages]
    for words, page in zip(said, pages, strict=True):
        assert page["ImageDescription"] == words["description"]
        assert page["Orientation"] == words["orientation"]
        assert page["XMP"] == XMP
        assert (page["YResolution"][0] / page["YResolution"][1], page["XResolution"][0] / page["XResolution"][1]) == words[
            "resolution"
        ]
    assert pages[0]["InterColorProfile"] == LABELS["icc"]
    assert "InterColorProfile" not in pages[1]  # a profile of colour beside grey
    assert "left out the colour profile" in told
    done("apply", "identity", "--auto-orient", tmp_path / "in.tif", tmp_path / "up.tif")
    with tifffile.TiffFile(tmp_path / "up.tif") as file:
        assert [page.shape for page in file.pages] == [(41, 58, 3), (58, 41)]


@pytest.mark.parametrize("target", ["webp", "png", "avif"])
@pytest.mark.parametrize("source", ["webp", "png", "avif"])
def test_labels_of_an_animation_go_along(source, target, tmp_path, done):
    first, *rest = map(Pillow.fromarray, frames())
    said = {name: LABELS[name] for name in ("description", "artist", "latitude", "exposure", "icc")}
    options = {"lossless": True, "xmp": XMP} if source == "webp" else {"xmp": XMP} if source == "avif" else {}
    path, out = tmp_path / f"in{ANIMATED[source]}", tmp_path / f"out{ANIMATED[target]}"
    first.save(path, save_all=True, append_images=rest, duration=50, exif=exif(said), icc_profile=said["icc"], **options)
    assert done("apply", "identity", path, out) == ""
    for found in [to_pillow(out)] + ([] if target == "avif" else [to_vips(out)]):  # libvips knows no moving AVIF
        assert {name: found.get(name) for name in said} == said
        assert found.get("xmp") == options.get("xmp")


def test_a_comment_of_a_gif_goes_along(tmp_path, done):
    first, *rest = map(Pillow.fromarray, frames())
    first.save(tmp_path / "in.gif", save_all=True, append_images=rest, comment="made by hand")
    done("apply", "identity", tmp_path / "in.gif", tmp_path / "out.gif")
    done("apply", "identity", tmp_path / "in.gif", tmp_path / "out.png")
    done("apply", "identity", "--pages", "0", tmp_path / "in.gif", tmp_path / "out.tif")
    assert to_pillow(tmp_path / "out.gif")["comment"] == to_pillow(tmp_path / "out.png")["comment"] == "made by hand"
    assert to_tifffile(tmp_path / "out.tif")["description"] == "made by hand"


@pytest.mark.parametrize("space", ["labs", "lab"])
def test_lab_in_other_types_is_read_right_or_not_at_all(space, tmp_path, run):
    image = vips(picture()).colourspace(space)
    image.write_to_file(str(tmp_path / "in.tif"))
    result = run("apply", "identity", "--depth", "8", tmp_path / "in.tif", tmp_path / "out.png")
    if result.code == 0:
        found = pyvips.Image.new_from_file(str(tmp_path / "out.png")).numpy()
        assert np.abs(found.astype(int) - picture()).mean() < 2
    else:
        assert result.code == 4
        assert "Lab" in result.err


def test_a_text_of_every_length_is_told_or_kept(tmp_path, done):
    """64 KiB are the end of a segment of a JPEG."""
    for length in (65_000, 65_533, 65_534, 200_000):
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", "x" * length)
        (tmp_path / "in.png").write_bytes(saved(Pillow.fromarray(picture()), "PNG", pnginfo=texts))
        told = done("apply", "identity", tmp_path / "in.png", tmp_path / "out.jpg")
        kept = to_pillow(tmp_path / "out.jpg").get("comment") == "x" * length
        assert kept != ("comment" in told)
        assert kept == (length <= 65_533)
