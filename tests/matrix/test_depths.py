"""`--depth` from every sample type to every depth of every format: black and white are kept, the levels between are scaled."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from tests.matrix.pictures import full_scale
from tests.matrix.readers import READERS
from tests.matrix.targets import TARGETS, as_rgba

_DTYPES = {"1": "bool", "8": "uint8", "16": "uint16", "16f": "float16", "32f": "float32", "64f": "float64"}
_SOURCES = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64")

#: Without AVIF (no 16 bits, 8 bits lossy), JPEG (lossy) and GIF (a palette).
_TARGETS = [t for t in TARGETS if t not in ("avif", "jpeg", "gif")]
_CELLS = [(s, d, t) for s, d, t in itertools.product(_SOURCES, _DTYPES, _TARGETS) if _DTYPES[d] in TARGETS[t].dtypes]


def wedge(dtype: str) -> np.ndarray:
    """Return a grey picture, 33 x 36: black, a ramp, white."""
    shares = np.concatenate([np.zeros(12), np.linspace(0, 1, 12), np.ones(12)])
    levels = np.outer(np.ones(33), shares * full_scale(dtype))
    return np.rint(levels).astype(dtype) if np.dtype(dtype).kind != "f" else levels.astype(dtype)


@pytest.mark.parametrize(("source", "depth", "target"), _CELLS)
def test_depth_keeps_black_and_white(source, depth, target, tmp_path, run_ok):
    pixels, out = wedge(source), tmp_path / f"out{TARGETS[target].suffix}"
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="minisblack")
    run_ok("apply", "identity", "--depth", depth, tmp_path / "in.tif", out)
    dtype = "uint8" if depth == "1" else _DTYPES[depth]  # readers return 0 and 255 for one bit
    for reader in READERS[target]:
        found = TARGETS[target].as_written(reader(out), _DTYPES[depth])
        if dtype == "float16" and found.dtype == np.float32:  # libvips has no float16
            found = found.astype(np.float16)
        assert found.dtype == dtype
        levels = as_rgba(found)[:, :, :3]
        assert (levels[:, :12] == 0).all()
        assert (levels[:, 24:] == full_scale(dtype)).all()
        shares, expected = levels[:, :, 0].astype(float) / full_scale(dtype), pixels.astype(float) / full_scale(source)
        if depth == "1":
            expected = (expected > 0.5).astype(float)
        step = 1 / 256 if target == "hdr" else np.finfo(dtype).eps if dtype[0] == "f" else 0.5 / full_scale(dtype)
        step += np.finfo(source).eps if source[0] == "f" else 0
        assert np.abs(shares - expected).max() <= step * (1 + 1e-6) + 1e-7


@pytest.mark.parametrize("target", [t for t in TARGETS if "bool" in TARGETS[t].dtypes])
def test_depth_1_is_stored_in_one_bit(target, tmp_path, run_ok):
    tifffile.imwrite(tmp_path / "in.tif", wedge("uint8"), photometric="minisblack")
    out = tmp_path / f"out{TARGETS[target].suffix}"
    run_ok("apply", "identity", "--depth", "1", tmp_path / "in.tif", out)
    if target == "npy":
        assert np.load(out).dtype == bool
        return
    if not TARGETS[target].typed:
        assert set(out.read_text(encoding="ascii")) == {"0", "1", "\n", *" ,"[target == "csv"]}
        return
    with Pillow.open(out) as image:
        assert image.mode == "1"


@pytest.mark.parametrize("depth", ["8", "16"])
@pytest.mark.parametrize("target", ["png", "tiff", "jp2"])
def test_depth_keeps_opaque_and_transparent(depth, target, tmp_path, run_ok):
    source = "uint16" if depth == "8" else "uint8"
    pixels = np.dstack([wedge(source)[:, ::-1], *[wedge(source)] * 3])
    tifffile.imwrite(tmp_path / "in.tif", pixels, photometric="rgb", extrasamples=["unassalpha"])
    out = tmp_path / f"out{TARGETS[target].suffix}"
    run_ok("apply", "identity", "--depth", depth, tmp_path / "in.tif", out)
    for reader in READERS[target]:
        alpha = reader(out)[:, :, 3]
        assert (alpha[:, :12] == 0).all()
        assert (alpha[:, 24:] == full_scale(_DTYPES[depth])).all()


@pytest.mark.parametrize(
    ("depth", "target"),
    [(d, t) for d, t in itertools.product(_DTYPES, TARGETS) if _DTYPES[d] not in TARGETS[t].dtypes or (d, t) == ("16", "avif")],
)
def test_a_depth_that_the_format_does_not_support_is_an_error(depth, target, tmp_path, run_error):
    tifffile.imwrite(tmp_path / "in.tif", wedge("uint8"), photometric="minisblack")
    line = run_error(5, "apply", "identity", "--depth", depth, tmp_path / "in.tif", tmp_path / f"out{TARGETS[target].suffix}")
    assert "--depth" in line or "another format" in line
