"""Pixels from every kind of file into every format: what is read, what others find in what is written, what is refused."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

import imgconv
from tests.matrix import by_tifffile
from tests.matrix.by_others import blue_first
from tests.matrix.pictures import full_scale, picture
from tests.matrix.readers import READERS
from tests.matrix.source import Source, holds
from tests.matrix.sources import BY_NAME, SOURCES
from tests.matrix.targets import TARGETS, Target, channels_of, in_four, own_of

#: Every source into its own format, and each into one more: the next in turn, so that every format is met by many. Those of
#: fewer bits than their type go into two that have no fewer.
CELLS = [
    (source.name, target)
    for number, source in enumerate(SOURCES)
    for target in dict.fromkeys(
        (own_of(source).name, [*TARGETS][number % len(TARGETS)], *(("png", "jp2") if source.bits else ()))
    )
]


def levels_apart(found: NDArray, wanted: NDArray) -> float:
    """Return the mean difference of samples; of colour only where it is to be seen."""
    apart = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
    if channels_of(wanted) % 2 == 0:
        apart[:, :, :-1] *= wanted[:, :, -1:] > 0
    return float(apart.mean())


@pytest.mark.parametrize("name", BY_NAME)
def test_a_file_is_read_as_what_it_holds(name, tmp_path):
    source = BY_NAME[name]
    image = imgconv.read_image(source.write(tmp_path))
    found, wanted = blue_first(image.pixels) if image.colours == 3 else image.pixels, source.pixels
    assert (found.shape, found.dtype) == (wanted.shape, wanted.dtype)
    assert not source.bits or image.coding.bits == source.bits
    if source.tolerance == 0 and source.suffix != ".gif":  # where what is transparent has no colour
        np.testing.assert_array_equal(found, wanted)
    assert levels_apart(found, wanted) <= source.tolerance


@pytest.mark.parametrize(("name", "target"), CELLS)
def test_a_file_is_passed_on(name, target, tmp_path, done, refused):
    pass_on(BY_NAME[name], TARGETS[target], tmp_path, done, refused)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("dtype", "channels"), [("u1", 2), ("u1", 4), ("u2", 2), ("u2", 4)])
def test_alpha_that_says_nothing_is_in_nobodys_way(dtype, channels, target, tmp_path, done, refused):
    pixels = picture(dtype, channels)
    opaque = np.dstack([pixels[:, :, :-1], np.full_like(pixels[:, :, -1], full_scale(dtype))])
    source = Source("opaque", ".png", lambda: imagecodecs.png_encode(opaque), holds(opaque))
    plain = Source("plain", ".png", lambda: imagecodecs.png_encode(opaque), holds(opaque[:, :, :-1].squeeze()))
    chosen = TARGETS[target]
    pass_on(source if chosen.holds(source) else plain, chosen, tmp_path, done, refused)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", BY_NAME)
def test_every_file_is_passed_on_into_every_format(name, target, tmp_path, done, refused):
    pass_on(BY_NAME[name], TARGETS[target], tmp_path, done, refused)


@pytest.mark.long
@pytest.mark.parametrize("cell", by_tifffile.ALL, ids=lambda cell: " ".join(map(str, cell)))
def test_every_kind_of_tiff_is_passed_on(cell, tmp_path, done, refused):
    pass_on(by_tifffile.source_of(cell), TARGETS["tiff"], tmp_path, done, refused)


def pass_on(source: Source, target: Target, folder, done, refused) -> None:
    path, out = source.write(folder), folder / f"out{target.suffix}"
    if not target.holds(source):
        line = refused(5, "apply", "identity", path, out)
        assert "--depth" in line or "another format" in line or "choose another" in line
        return
    done("apply", "identity", path, out)
    wanted = source.pixels
    found = [reader(out) for reader in READERS[target.name]]
    if source.bits and target.name == "avif" and wanted.dtype == np.uint16:
        wanted = np.rint(wanted * (((1 << source.bits) - 1) / 65_535)).astype(np.uint16)
    for pixels in found:
        hold(pixels, wanted, source, target)
    assert levels_apart(in_four(found[0]), in_four(found[1])) <= target.tolerance_for(source)


def hold(found: NDArray, wanted: NDArray, source: Source, target: Target) -> None:
    assert (found.shape[:2], found.dtype) == (wanted.shape[:2], wanted.dtype)
    number = channels_of(wanted)
    opaque = number in (2, 4) and bool((wanted[:, :, -1] == full_scale(wanted.dtype)).all())
    assert str(channels_of(found)) in target.channels[number - 1] + target.channels[number - 2] * opaque
    found, wanted = in_four(found), in_four(wanted)
    if target.name == "gif":
        wanted = np.dstack([wanted[:, :, :3], 255 * (wanted[:, :, 3] >= 128)])  # alpha is on or off
    # Colour is multiplied by alpha and divided by it again: of floats a last bit may be another one.
    last_bit = np.finfo(found.dtype).eps if found.dtype.kind == "f" and channels_of(source.pixels) % 2 == 0 else 0.0
    tolerance = source.tolerance + target.tolerance_for(source) + last_bit
    assert levels_apart(found, wanted) <= tolerance
