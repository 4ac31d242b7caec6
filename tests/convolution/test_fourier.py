"""The method `fourier`: whole sums at its error bound, tiles of every shape, and pixels that would spoil a tile.

Errors cancel in noise, so the bound is tested with the images that give the largest sums.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage, signal

from imgconv.convolution.api import correlate
from imgconv.convolution.methods import METHODS
from imgconv.convolution.planner import make_plan
from imgconv.convolution.sums import prepared_sums
from imgconv.errors import UsageError
from tests import definition

FOURIER, SHIFTS = METHODS["fourier"], METHODS["shifts"]
GOLDEN = (1 + 5**0.5) / 2
SHAPE = (150, 170)


def job(shape, of, kernel, **options):
    return make_plan(shape, of, kernel, engine="numpy", **options).job


def fourier(image, kernel, **options):
    return correlate(image, kernel, engine="numpy", method="fourier", **options)


# Whole sums, as large as the method supports


def box():
    return np.ones((9, 12), np.int64)


def checkers():
    return np.where(np.indices((11, 8)).sum(0) % 2, -1, 1)


def waves():
    """Return a kernel of high frequencies only, with weights of many magnitudes."""
    return np.rint(9 * np.cos(np.arange(13)[:, None] * 3.0) * np.sin(np.arange(10) * 2.9 + 1)).astype(np.int64)


def noise():
    return np.random.default_rng(1).integers(-99, 100, (15, 7))


def constant(kernel, low, high):
    return np.full(SHAPE, high)


def column_signs(kernel, low, high):
    """Return rows that repeat the signs of the kernel's first column."""
    return np.where(np.resize(kernel > 0, (SHAPE[0], kernel.shape[1])).repeat(SHAPE[1], 1)[:, : SHAPE[1]], high, low)


def tiled_signs(kernel, low, high):
    times = [-(-n // taps) for n, taps in zip(SHAPE, kernel.shape, strict=True)]
    return np.where(np.tile(kernel > 0, times)[: SHAPE[0], : SHAPE[1]], high, low)


def alternating(kernel, low, high):
    return np.where(np.indices(SHAPE).sum(0) % 2, low, high)


def fibonacci(kernel, low, high):
    """Return the Fibonacci word along both axes, which is not periodic."""
    rows, columns = (np.diff(np.floor(np.arange(n + 1) / GOLDEN)).astype(bool) for n in SHAPE)
    return np.where(rows[:, None] ^ columns[None, :], high, low)


def impulse(kernel, low, high):
    image = np.full(SHAPE, low)
    image[77, 91] = high
    return image


KERNELS = (box, checkers, waves, noise)
IMAGES = (constant, column_signs, tiled_signs, alternating, fibonacci, impulse)


def multiples_at_limit(kernel, dtype):
    """Return the largest multiple of a kernel that the method supports, and the next one; adding 1 prevents a common scale."""

    def times(n):
        weights = n * kernel
        weights.flat[np.flatnonzero(kernel)[0]] += 1
        return weights

    low, high = 1, 2**52 // int(np.abs(kernel).sum() * 2 * np.iinfo(dtype).max)
    while high - low > 1:
        middle = (low + high) // 2
        rejected = FOURIER.supports(job(SHAPE, dtype, times(middle), mode="valid"))
        low, high = (low, middle) if rejected else (middle, high)
    return times(low), times(low + 1)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("kernel", KERNELS)
def test_whole_sums_are_exact_up_to_the_bound_and_rejected_beyond_it(kernel, dtype):
    limits, (most, beyond) = np.iinfo(dtype), multiples_at_limit(kernel(), dtype)
    for image in IMAGES:
        pixels = image(kernel(), limits.min, limits.max).astype(dtype)
        expected = signal.correlate2d(pixels.astype(np.int64), most, mode="valid")
        got = fourier(pixels, most, mode="valid", dtype="float64")
        assert np.array_equal(got.astype(np.int64), expected), image.__name__
    assert np.abs(expected).max() > 2**30  # a float32 would hold 2**24
    with pytest.raises(UsageError, match=r"method fourier cannot do this: its error bound is 0\.5\d* levels of the sum; whole"):
        fourier(pixels, beyond, mode="valid")


def test_whole_sums_are_supported_up_to_half_a_level_of_error():
    inside, outside = (job(SHAPE, "uint16", kernel, mode="valid") for kernel in multiples_at_limit(noise(), "uint16"))
    assert inside.arithmetic.whole
    assert FOURIER.error(inside) * 65535 < 0.5 <= FOURIER.error(outside) * 65535


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("shape", [(3, 5), (21, 17), (40, 63)], ids=str)
@pytest.mark.parametrize("size", [(90, 101), (300, 280)], ids=str)
def test_measured_errors_are_below_the_bound_by_a_factor_of_2e5_at_most(size, shape, dtype):
    kernel, top = np.random.default_rng(2).normal(size=shape), np.iinfo(dtype).max
    options = {"mode": "valid", "dtype": "float64", "tolerance": 1e-3}
    bound, found = FOURIER.error(job(size, dtype, kernel, **options)), []
    drawn = np.random.default_rng(3).integers(0, top, size, dtype, endpoint=True)
    for image in (np.full(size, top, dtype), np.where(np.resize(kernel > 0, size), top, 0).astype(dtype), drawn):
        windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.longdouble), shape)[::7, ::5]
        exact = np.einsum("yxij,ij->yx", windows, kernel.astype(np.longdouble))
        found.append(float(np.abs(fourier(image, kernel, **options)[::7, ::5] - exact).max()) / top)
    assert 0 < max(found) <= bound <= 2e5 * max(found)  # the bound uses norms: errors rarely all add up in one place


# Tiles

TILES = [
    ((40, 30), (61, 45), {}),  # a kernel that is larger than the image
    ((1, 1), (9, 4), {"border": "replicate"}),
    ((700, 40), (521, 3), {"mode": "valid"}),  # larger than the longest side of a tile
    ((40, 700), (3, 521), {"mode": "full", "border": "wrap"}),
    ((760, 600), (31, 17), {"border": "reflect,wrap"}),  # several tiles both ways
    ((1030, 60), (20, 50), {"mode": "full"}),
    ((600, 560), (12, 9), {"stride": (3, 2), "dilation": (2, 5), "border": "constant", "border_value": 9}),
    ((520, 530), (15, 14), {"stride": (40, 37), "anchor": (14, 0)}),  # a stride that skips pixels
    ((60, 50, 3), (9, 8), {"border": "renormalize", "mode": "full"}),
    ((20, 23, 2), (5, 4), {"border": "constant", "border_value": [7, 250]}),
]


@pytest.mark.parametrize(("size", "shape", "options"), TILES, ids=str)
def test_tiles_of_every_shape_give_exact_sums(size, shape, options):
    rng = np.random.default_rng(size)
    image = rng.integers(0, 256, size, np.uint8)
    kernel = rng.integers(-9, 10, shape) * (
        rng.random(shape) < 6 / np.prod(shape)
    )  # few nonzero taps: the reference adds them one by one
    kernel[0, 0], kernel[-1, -1] = 3, 5  # nonzero corners, so that a tile needs the full halo
    kernel[-1, 0] += kernel.sum() == 0
    arguments = {k: v for k, v in options.items() if k != "border"}
    for name in ("stride", "dilation"):
        arguments.setdefault(name, (1, 1))
    names = options.get("border", "reflect101").split(",")
    sums = definition.correlate(image, kernel, border=(names[0], names[-1]), **arguments)
    normalizes = "renormalize" in names
    expected = definition.fit_exactly(sums, np.int32, normalizes=normalizes)
    assert np.array_equal(fourier(image, kernel, dtype="int32", **options), expected)


def test_a_large_image_is_split_into_tiles_without_seams():
    image = np.random.default_rng(4).integers(0, 65536, (700, 1300), np.uint16)
    kernel = np.random.default_rng(5).integers(-9, 10, (25, 19))
    planned = job(image.shape, "uint16", kernel)
    assert FOURIER.rows(planned) < 700
    assert FOURIER.work(planned).calls >= 12 * 6  # six tiles or more
    expected = ndimage.correlate(image.astype(np.float64), kernel, mode="mirror")  # whole numbers: exact
    assert np.array_equal(fourier(image, kernel, dtype="float64"), expected)


# Pixels that would spoil a whole tile

PATTERN = np.random.default_rng(6).uniform(0.1, 1, (33, 31)) * (np.indices((33, 31)).sum(0) % 3 != 1)
BRIGHT = np.random.default_rng(7).uniform(0.5, 1, (900, 250)).astype(np.float32)
CLEAN = ndimage.correlate(BRIGHT.astype(np.float64), PATTERN, mode="constant")


@pytest.fixture
def recomputed_strips(monkeypatch):
    """Return the row ranges of the strips recomputed by `shifts`, which supports any pixels."""
    done, prepare = [], type(SHIFTS).prepare

    def counted(self, part):
        run = prepare(self, part)

        def counting(source, sums):
            done.append(source.rows)
            run(source, sums)

        return counting

    monkeypatch.setattr(type(SHIFTS), "prepare", counted)
    prepared_sums.cache_clear()
    return done


def weight_of(pixel, size, kernel):
    """Return the weight of one pixel in each output of a correlation, for a kernel of odd size."""
    (rows, columns), halo = kernel.shape, [n // 2 for n in kernel.shape]
    padded = np.zeros([n + taps - 1 for n, taps in zip(size, kernel.shape, strict=True)])
    padded[pixel[0] : pixel[0] + rows, pixel[1] : pixel[1] + columns] = kernel[::-1, ::-1]
    return padded[halo[0] : halo[0] + size[0], halo[1] : halo[1] + size[1]]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -3e38, 1e-30], ids=str)
@pytest.mark.parametrize("where", ["first row", "above the seam", "below the seam", "last row"])
def test_a_bad_pixel_affects_only_its_windows_and_only_its_strips_are_recomputed(monkeypatch, recomputed_strips, where, bad):
    monkeypatch.setattr(type(FOURIER), "rows", lambda self, job: 300)  # fewer rows than a tile has
    at = {"first row": (0, 0), "above the seam": (280, 100), "below the seam": (303, 31), "last row": (899, 249)}[where]
    image, weight = BRIGHT.copy(), weight_of(at, BRIGHT.shape, PATTERN)
    image[at] = bad
    got = fourier(image, PATTERN, border="constant")
    assert np.allclose(got[weight == 0], CLEAN[weight == 0], rtol=1e-5, atol=0)
    expected = CLEAN[weight != 0] + weight[weight != 0] * (float(bad) - float(BRIGHT[at]))
    assert np.allclose(got[weight != 0], expected, rtol=1e-5, atol=0, equal_nan=True)
    assert len(recomputed_strips) == (2 if where == "below the seam" else 1)


@pytest.mark.parametrize(("dark", "recomputed"), [(1e-3, True), (1.0, False), (0.0, False)])
def test_dark_pixels_beside_bright_ones_keep_their_precision(recomputed_strips, dark, recomputed):
    kernel = PATTERN / PATTERN.sum()
    image = np.full((200, 300), 1e6, np.float32)  # a pixel may be darker by a factor of 2**22, 4e6
    image[:, 150:] = dark
    got = fourier(image, kernel, border="replicate")
    expected = ndimage.correlate(image.astype(np.float64), kernel, mode="nearest")
    assert bool(recomputed_strips) == recomputed
    assert np.allclose(got, expected, rtol=1e-5, atol=FOURIER.error(job(image.shape, "float32", kernel)) * 1e6 * (dark == 0))


def test_a_nan_border_value_affects_only_outputs_that_reach_the_border():
    image = np.random.default_rng(8).uniform(0.5, 1, (90, 80)).astype(np.float32)
    got = fourier(image, PATTERN, border="constant", border_value=np.nan)
    assert np.isfinite(got[16:-16, 15:-15]).all()
    assert np.isnan(got[0]).all()
    inner = signal.correlate2d(image.astype(np.float64), PATTERN, mode="valid")
    assert np.allclose(got[16:-16, 15:-15], inner, rtol=1e-5, atol=0)


def test_sums_are_correct_if_only_the_transform_overflows():
    image = np.full((100, 90), 1e305)
    image[::2] /= 4
    kernel = np.full((9, 7), 1 / 63)
    got = fourier(image, kernel, tolerance=1e-6)
    assert np.allclose(got, ndimage.correlate(image, kernel, mode="mirror"), rtol=1e-6, atol=0)


@pytest.mark.parametrize("options", [{"border": "renormalize"}, {"nan": "ignore"}], ids=str)
def test_renormalized_sums_of_float_images_are_rejected(options):
    reason = FOURIER.supports(job((60, 50), "float32", PATTERN, **options))
    assert reason == "where little weight lies inside, the division would magnify the errors of distant pixels"
    assert FOURIER.supports(job((60, 50), "float32", PATTERN)) is None
    assert FOURIER.supports(job((60, 50), "uint8", np.rint(9 * PATTERN), **options)) is None
