"""`imgconv plan`: it prints the plans of `apply`, without decoding the image."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
import tifffile

import imgconv
from imgconv.convolution.methods import METHODS
from imgconv.images.pages import Page


@pytest.fixture
def sightless(monkeypatch):
    """Make everything that decodes an image fail."""

    def decode(*_, **__):
        pytest.fail("pixels were read")

    monkeypatch.setattr(Page, "image", decode)
    for name in ("imread", "imdecode", "imreadmulti", "imreadanimation"):
        monkeypatch.setattr(cv2, name, decode, raising=False)


def methods(text: str) -> list[str]:
    """Return the methods in the tables, the one chosen first in each."""
    return [line.split()[1] for line in text.splitlines() if line.startswith("* ")]


def test_the_table_has_the_properties_of_the_job(done, photo, sightless):
    text = done("plan", "sharpen", "photo.png", "--engine", "numpy", "--jobs", 3)
    plan = imgconv.make_plan(photo.shape, photo.dtype, "sharpen", engine="numpy", jobs=3)
    for fact in (
        "100 x 130 x 3 uint8 -> 100 x 130 x 3 uint8",
        "sharpen, 3 x 3, rank 2, 5 of 9 weights",
        "border:   reflect101",
        "float32; exact",
        "numpy, 3 threads",
        f"method:   {plan.method}: ",
    ):
        assert fact in text
    assert methods(text) == [plan.method]


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
@pytest.mark.parametrize("spec", ["sharpen", "gaussian:sigma=9", "[1 1j; 2 3]"])
def test_every_method_of_both_engines_is_listed_once(done, spec, engine):
    words = ["--dtype", "complex64"] if "j" in spec else []
    text = done("plan", spec, "--shape", "300x400", "--engine", engine, *words)
    first = [line[1:].split()[0] for line in text.splitlines() if line[:2] in ("* ", "+ ", "  ") and line[2] != " "]
    assert {name: first.count(name) for name in METHODS} == dict.fromkeys(METHODS, 1)
    for line in text.splitlines():
        name, engine, *_ = [*line[1:].split(), "", ""]
        if name in METHODS and engine in ("opencv", "numpy", "both"):
            assert engine == ("both" if METHODS[name].shared else METHODS[name].engine)


def test_the_choices_of_both_engines_are_marked(done):
    text = done("plan", "disk:radius=9", "--shape", "3000x4000x3")
    opencv, numpy = (imgconv.make_plan((3000, 4000, 3), "uint8", "disk:radius=9", engine=e).method for e in ("opencv", "numpy"))
    assert f"numpy:    would use {numpy}: " in text
    assert methods(text) == [opencv]
    assert [line.split()[1] for line in text.splitlines() if line.startswith("+ ")] == [numpy]
    other = done("plan", "disk:radius=9", "--shape", "3000x4000x3", "--engine", "numpy")
    assert f"opencv:   would use {opencv}: " in other
    assert methods(other) == [numpy]


@pytest.mark.parametrize("columns", [80, 100, 300])
@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_the_table_fits_the_terminal(done, monkeypatch, columns, engine):
    monkeypatch.setenv("COLUMNS", str(columns))
    text = done("plan", "gaussian:sigma=9", "edges", "--shape", "30000x40000x3", "--engine", engine, "--depth", "16")
    assert max(map(len, text.splitlines())) <= min(columns, 120)


EDGES = ["gaussian:sigma=1", "edges:operator=sobel"]


@pytest.mark.parametrize(
    ("specs", "options"),
    [
        *((s, o) for s in (["sharpen"], ["gaussian:sigma=7"], EDGES) for o in ([], ["--depth", "16"], ["--range", "abs"])),
        (["crisp"], ["--tolerance", "3", "--engine", "numpy"]),
        (["sharpen"], ["--border", "renormalize", "--scale", "2"]),
    ],
    ids=str,
)
def test_the_plans_are_those_of_apply(done, grey, specs, options):
    planned = json.loads(done("plan", *specs, "grey.png", "--json", *options))
    applied = json.loads(done("apply", *specs, "grey.png", "out.png", "--json", *options))
    others = [plan.pop("other_engine") for plan in planned]
    assert planned == applied["plans"]
    assert all(other["engine"] != plan["engine"] for other, plan in zip(others, planned, strict=True))
    assert planned[-1]["image"]["shape"] == [100, 120]
    assert planned[0]["image"]["dtype"] == "uint8"


def test_the_last_plan_is_for_the_type_of_the_output(done, grey, sightless):
    [plan] = json.loads(done("plan", "sharpen", "grey.png", "--json", "--depth", "16"))
    assert plan["output"] == {"shape": [100, 120], "dtype": "uint16"}
    assert "uint8 -> 100 x 120 uint16" in done("plan", "sharpen", "grey.png", "--depth", "16")


def test_alpha_is_not_planned(done, tmp_path, photo, sightless):
    cv2.imwrite(str(tmp_path / "alpha.png"), np.dstack([photo, photo[..., 0]]))
    [plan] = json.loads(done("plan", "sharpen", "alpha.png", "--json"))
    assert plan["image"]["shape"] == [100, 130, 3]


@pytest.mark.parametrize("extension", ["png", "jpg", "tiff", "webp", "bmp", "ppm"])
def test_a_truncated_file_can_be_planned(done, photo, tmp_path, sightless, extension):
    path = tmp_path / f"in.{extension}"
    if extension == "tiff":  # OpenCV writes the header of a TIFF behind the pixels
        tifffile.imwrite(path, photo, photometric="rgb")
    else:
        cv2.imwrite(str(path), photo)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "100 x 130 x 3 uint8" in done("plan", "sharpen", path.name)


def test_without_a_file(done, sightless):
    text = done("plan", "box:size=5", "--shape", "3000x4000x3", "--dtype", "uint16", "--stride", "2")
    assert "3000 x 4000 x 3 uint16 -> 1500 x 2000 x 3 uint16" in text
    assert "; stride 2" in text
    assert "300 x 400 uint8" in done("plan", "box:size=5", "--shape", "300x400")


def test_a_chain_has_a_table_for_each_convolution_and_a_sum(done):
    text = done("plan", "gaussian:sigma=2", "edges", "--shape", "300x400")
    assert [f"convolution {n} of 3" in text for n in (1, 2, 3)] == [True] * 3
    assert len(methods(text)) == 3
    plans = json.loads(done("plan", "gaussian:sigma=2", "edges", "--shape", "300x400", "--json"))
    assert [p["kernel"]["name"] for p in plans] == ["gaussian:sigma=2", "scharr_x", "scharr_y"]
    assert text.splitlines()[-1].startswith("all 3 convolutions: ")


def test_the_plan_has_the_options_of_the_convolution(done):
    options = ["--border", "wrap,reflect", "--mode", "valid", "--stride", "2,3", "--dilation", "2", "--tolerance", "0.5"]
    [plan] = json.loads(done("plan", "[1 2; 3 4]", "--shape", "30x40", "--json", "--anchor", "0,1", "--convolve", *options))
    assert plan["border"] == "wrap,reflect"
    assert (plan["mode"], plan["stride"], plan["dilation"], plan["tolerance"]) == ("valid", [2, 3], [2, 2], 0.5)
    assert plan["kernel"]["anchor"] == [1, 0]
    assert "rotated by 180 degrees" in done("plan", "[1 2; 3 4]", "--shape", "30x40", "--convolve")


def test_a_named_method_is_planned(done):
    text = done("plan", "gaussian:sigma=2", "--shape", "300x400", "--engine", "numpy", "--method", "im2col")
    assert methods(text) == ["im2col"]
    assert "requested" in text
    assert "times the" in text


def test_bad_input(fails, grey):
    assert "IN is missing" in fails(2, "plan", "sharpen")
    assert "--dtype is the type of pixels with --shape" in fails(2, "plan", "sharpen", "grey.png", "--dtype", "uint8")
    assert "ROWSxCOLUMNS[xBANDS]" in fails(2, "plan", "sharpen", "--shape", "300")
    assert "from 1 up" in fails(2, "plan", "sharpen", "--shape", "300x0")
    assert "--shape replaces the image, found grey.png too" in fails(2, "plan", "sharpen", "grey.png", "--shape", "30x40")
    assert "is not a NumPy dtype" in fails(2, "plan", "sharpen", "--shape", "30x40", "--dtype", "uint9")
    assert "cannot be convolved" in fails(2, "plan", "sharpen", "--shape", "30x40", "--dtype", "object")
    assert "no such file" in fails(4, "plan", "sharpen", "nowhere.png")
    assert "cannot do this" in fails(2, "plan", "sharpen", "grey.png", "--method", "box_filter")
    assert "gives an empty result" in fails(2, "plan", "box:size=9", "--shape", "3x3", "--mode", "valid")
    assert "an angle" in fails(2, "plan", "edges:output=direction", "--shape", "30x40", "--delta", "1")


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_a_printed_plan_is_the_table(done, monkeypatch, engine):
    monkeypatch.setenv("COLUMNS", "100")
    printed = done("plan", "gaussian:sigma=3", "--shape", "300x400x3", "--engine", engine, "--border", "wrap")
    plan = imgconv.make_plan((300, 400, 3), "uint8", "gaussian:sigma=3", engine=engine, border="wrap")
    assert printed == f"{plan}\n"
