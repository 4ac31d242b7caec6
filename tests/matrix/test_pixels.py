"""Pixels of every source in every format: decoded values, outputs read by other libraries, and rejected combinations."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

import imgconv
from tests.matrix import by_tifffile
from tests.matrix.by_others import swap_bgr
from tests.matrix.pictures import full_scale, picture
from tests.matrix.readers import READERS
from tests.matrix.source import Source, known
from tests.matrix.sources import BY_NAME, SOURCES
from tests.matrix.targets import TARGETS, Target, as_rgba, channels_of, nearest_target

#: Every source with its own format and one more, in turn, so that every format gets many sources. Sources with fewer bits
#: than their type also go into two formats that store all bits.
CELLS = [
    (source.name, target)
    for number, source in enumerate(SOURCES)
    for target in dict.fromkeys(
        (nearest_target(source).name, [*TARGETS][number % len(TARGETS)], *(("png", "jp2") if source.bits else ()))
    )
]


def mean_difference(found: NDArray, expected: NDArray) -> float:
    """Return the mean difference of samples, ignoring the colour of transparent pixels."""
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    if channels_of(expected) % 2 == 0:
        difference[:, :, :-1] *= expected[:, :, -1:] > 0
    return float(difference.mean())


@pytest.mark.parametrize("name", BY_NAME)
def test_a_file_is_decoded_exactly_or_within_tolerance(name, tmp_path):
    source = BY_NAME[name]
    image = imgconv.read_image(source.write(tmp_path))
    found, expected = swap_bgr(image.pixels) if image.colours == 3 else image.pixels, source.pixels
    assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
    assert not source.bits or image.coding.bits == source.bits
    if source.tolerance == 0 and source.suffix != ".gif":  # transparent pixels of GIF have no defined colour
        np.testing.assert_array_equal(found, expected)
    assert mean_difference(found, expected) <= source.tolerance


@pytest.mark.parametrize(("name", "target"), CELLS)
def test_a_file_is_converted(name, target, tmp_path, run_ok, run_error):
    check_conversion(BY_NAME[name], TARGETS[target], tmp_path, run_ok, run_error)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("dtype", "channels"), [("u1", 2), ("u1", 4), ("u2", 2), ("u2", 4)])
def test_opaque_alpha_is_dropped_for_formats_without_alpha(dtype, channels, target, tmp_path, run_ok, run_error):
    pixels = picture(dtype, channels)
    opaque = np.dstack([pixels[:, :, :-1], np.full_like(pixels[:, :, -1], full_scale(dtype))])
    source = Source("opaque", ".png", lambda: imagecodecs.png_encode(opaque), known(opaque))
    plain = Source("plain", ".png", lambda: imagecodecs.png_encode(opaque), known(opaque[:, :, :-1].squeeze()))
    chosen = TARGETS[target]
    check_conversion(source if chosen.supports(source) else plain, chosen, tmp_path, run_ok, run_error)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", BY_NAME)
def test_every_file_is_converted_to_every_format(name, target, tmp_path, run_ok, run_error):
    check_conversion(BY_NAME[name], TARGETS[target], tmp_path, run_ok, run_error)


@pytest.mark.long
@pytest.mark.parametrize("cell", by_tifffile.ALL, ids=lambda cell: " ".join(map(str, cell)))
def test_every_kind_of_tiff_is_converted(cell, tmp_path, run_ok, run_error):
    check_conversion(by_tifffile.source_of(cell), TARGETS["tiff"], tmp_path, run_ok, run_error)


def check_conversion(source: Source, target: Target, folder, run_ok, run_error) -> None:
    path, out = source.write(folder), folder / f"out{target.suffix}"
    if not target.supports(source):
        line = run_error(5, "apply", "identity", path, out)
        assert "--depth" in line or "another format" in line or "choose another" in line
        return
    run_ok("apply", "identity", path, out)
    expected = source.pixels
    found = [target.as_written(reader(out), expected.dtype) for reader in READERS[target.name]]
    if source.bits and target.name == "avif" and expected.dtype == np.uint16:
        expected = np.rint(expected * (((1 << source.bits) - 1) / 65_535)).astype(np.uint16)
    for pixels in found:
        check_pixels(pixels, expected, source, target)
    assert mean_difference(as_rgba(found[0]), as_rgba(found[1])) <= target.tolerance_for(source)


def check_pixels(found: NDArray, expected: NDArray, source: Source, target: Target) -> None:
    assert (found.shape[:2], found.dtype) == (expected.shape[:2], expected.dtype)
    number = channels_of(expected)
    opaque = number in (2, 4) and bool((expected[:, :, -1] == full_scale(expected.dtype)).all())
    assert str(channels_of(found)) in target.channels[number - 1] + target.channels[number - 2] * opaque
    found, expected = as_rgba(found), as_rgba(expected)
    if target.name == "gif":
        expected = np.dstack([expected[:, :, :3], 255 * (expected[:, :, 3] >= 128)])  # GIF alpha is binary
    # Colour is multiplied by alpha and divided again, which may change the last bit of a float.
    last_bit = np.finfo(found.dtype).eps if found.dtype.kind == "f" and channels_of(source.pixels) % 2 == 0 else 0.0
    tolerance = source.tolerance + target.tolerance_for(source) + last_bit
    assert mean_difference(found, expected) <= tolerance
