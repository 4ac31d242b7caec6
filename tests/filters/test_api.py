"""`imgconv.apply`, and plans that are carried out."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

import imgconv
from imgconv.errors import KernelError, RangeError, UsageError
from imgconv.kernels.kernel import Kernel

IMAGE = np.random.default_rng(7).integers(0, 256, (23, 31), np.uint8)
SKEW = np.array([[1, 2, 0], [0, -3, 5]])


def test_a_chain_is_rounded_once():
    first = ndimage.correlate(IMAGE.astype(float), np.full((3, 3), 1 / 9), mode="reflect")
    second = ndimage.correlate(first, SKEW, mode="reflect")
    expected = np.clip(np.rint(second), 0, 255)
    found = imgconv.apply(IMAGE, "box", Kernel(SKEW), border="reflect")
    assert found.dtype == np.uint8
    assert np.abs(found - expected).max() <= 1
    assert np.mean(found == expected) > 0.999


@pytest.mark.parametrize("channels", [(), (3,), (5,)])
def test_channels_are_independent(channels):
    image = np.random.default_rng(1).random((12, 17, *channels)).astype(np.float32)
    found = imgconv.apply(image, "gaussian:sigma=1.5", border="replicate")
    axes = {"axes": (0, 1)} if channels else {}
    expected = ndimage.gaussian_filter(image.astype(float), 1.5, mode="nearest", truncate=4, **axes)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_scale_delta_range_and_type():
    sums = ndimage.correlate(IMAGE.astype(float), SKEW, mode="mirror")
    kernel = Kernel(SKEW)
    assert np.array_equal(imgconv.apply(IMAGE, kernel, scale=2, delta=-3, dtype=np.int32), sums * 2 - 3)
    assert np.array_equal(imgconv.apply(IMAGE, kernel, range_policy="abs"), np.clip(np.abs(sums), 0, 255))
    with pytest.raises(RangeError):
        imgconv.apply(IMAGE, kernel, range_policy="error")


def test_filters_texts_and_kernels_can_be_mixed(tmp_path):
    (tmp_path / "mine.yaml").write_text("kernels: {soft: {matrix: [[1, 2, 1]], scale: 1/4}}")
    catalog = imgconv.load_catalog(tmp_path / "mine.yaml")
    built = imgconv.parse_filter("sharpen", border="wrap")
    found = imgconv.apply(IMAGE, "soft", built, "sobel:x", catalog=catalog, border="wrap", dtype="float64")
    chain = imgconv.parse_filter(["soft", "sharpen", "sobel:x"], catalog, border="wrap")
    assert np.array_equal(found, chain(IMAGE, dtype="float64"))
    assert chain.name == "soft sharpen edges:operator=sobel,output=x"


def test_arrays_and_lists_are_filters():
    expected = imgconv.apply(IMAGE, "box", Kernel(SKEW), "sharpen")
    assert np.array_equal(imgconv.apply(IMAGE, ["box", SKEW, "sharpen"]), expected)
    assert np.array_equal(imgconv.apply(IMAGE, "box", SKEW.tolist(), ("sharpen",)), expected)
    assert np.array_equal(imgconv.parse_filter(iter(["box", SKEW, "sharpen"]))(IMAGE), expected)
    assert imgconv.parse_filter(SKEW).kernel == imgconv.parse_filter([[1, 2, 0], [0, -3, 5]]).kernel == Kernel(SKEW)


@pytest.mark.parametrize("shape", [(23, 31), (12, 17, 3)])
def test_masked_values_have_no_part_in_the_sums(shape):
    rng = np.random.default_rng(5)
    image = np.ma.MaskedArray(rng.random(shape), rng.random(shape) < 0.2)
    weights = np.array([[1.0, 2, 0], [0, 3, 5]]).reshape(2, 3, *[1] * (len(shape) - 2))
    sums, shares = (ndimage.correlate(part, weights, mode="mirror") for part in (image.filled(0), 1.0 - image.mask))
    found = imgconv.apply(image, Kernel(weights.reshape(2, 3)))
    assert np.array_equal(found.mask, image.mask)
    expected = sums[~image.mask] / shares[~image.mask] * weights.sum()
    np.testing.assert_allclose(found.compressed(), expected, rtol=1e-6)
    gradient = imgconv.apply(image, "[-1 1]:anchor=0 0", border="replicate")
    right = np.ma.concatenate([image[:, 1:], image[:, -1:]], axis=1)
    expected = np.where(right.mask, 0, right.filled(0) - image.filled(0))  # a masked neighbour counts as equal
    np.testing.assert_allclose(gradient.compressed(), expected[~image.mask], atol=1e-6)


def test_a_masked_array_gives_a_masked_array():
    masked = np.ma.MaskedArray(IMAGE, IMAGE > 200)
    found = imgconv.apply(masked, "gaussian:sigma=1", "sharpen", stride=2, dtype=np.int16, range_policy="clip")
    assert isinstance(found, np.ma.MaskedArray)
    assert (found.dtype, found.shape) == (np.int16, (6, 8))
    whole = imgconv.apply(np.ma.MaskedArray(IMAGE), "sharpen")
    assert isinstance(whole, np.ma.MaskedArray)
    assert np.array_equal(whole.data, imgconv.apply(IMAGE, "sharpen"))
    assert not whole.mask.any()
    stack = np.ma.MaskedArray(np.ones((4, 9, 8)), np.arange(9 * 8 * 4).reshape(4, 9, 8) % 7 == 0)
    blurred = imgconv.apply(stack, "box", axes=(1, 2))
    assert np.array_equal(blurred.mask, stack.mask)
    np.testing.assert_allclose(blurred.compressed(), 1)
    for wrong in (np.ma.MaskedArray(3, True), np.ma.MaskedArray([1, 2], [True, False])):
        with pytest.raises(UsageError, match="an image has the shape"):
            imgconv.apply(wrong, "box")


def test_errors():
    with pytest.raises(KernelError, match="at least one filter"):
        imgconv.apply(IMAGE)
    with pytest.raises(KernelError, match="did you mean sharpen"):
        imgconv.apply(IMAGE, "box", "sharpn")
    with pytest.raises(KernelError, match="a filter is text, a Kernel, an array, or a sequence of filters, found int"):
        imgconv.apply(IMAGE, 3)
    with pytest.raises(KernelError, match="at least one filter"):
        imgconv.parse_filter([])


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_a_plan_is_carried_out(engine):
    plan = imgconv.make_plan(IMAGE.shape, IMAGE.dtype, SKEW, border="wrap", engine=engine)
    expected = np.clip(ndimage.correlate(IMAGE.astype(float), SKEW, mode="wrap"), 0, 255)
    assert np.array_equal(plan(IMAGE), expected)
    with pytest.raises(UsageError, match="the plan is for uint8 of shape"):
        plan(IMAGE[:5])
    with pytest.raises(UsageError, match="the plan is for uint8 of shape"):
        plan(IMAGE.astype(np.uint16))


@pytest.mark.parametrize(
    ("shape", "axes"),
    [((5, 12, 17), (1, 2)), ((2, 5, 12, 17), (-2, -1)), ((3, 12, 17, 4), (1, 2)), ((12, 5, 17), (2, 0)), ((12, 17), (1, 0))],
)
def test_stacks_are_filtered_along_two_axes(shape, axes):
    stack = np.random.default_rng(3).random(shape)
    kernel = np.array([[1.0, 2, 0], [0, -3, 5]])
    rows, columns = (axis % stack.ndim for axis in axes)
    others = tuple(axis for axis in range(stack.ndim) if axis not in (rows, columns))
    weights = np.expand_dims(kernel if rows < columns else kernel.T, others)
    found = imgconv.apply(stack, Kernel(kernel), border="reflect", axes=axes)
    np.testing.assert_allclose(found, ndimage.correlate(stack, weights, mode="reflect"), atol=1e-12)


def test_a_stride_along_the_axes():
    stack = np.arange(2 * 8 * 9).reshape(2, 8, 9).astype(np.float32)
    found = imgconv.apply(stack, "identity", axes=(1, 2), stride=(2, 3))
    assert np.array_equal(found, stack[:, ::2, ::3])


@pytest.mark.parametrize("axes", [(0, 0), (0, 3), (-4, 1), (0, -3), (1,), (0, 1, 2), 1, "ab", (0.5, 1)])
def test_axes_that_do_not_fit(axes):
    with pytest.raises(UsageError, match=r"axes are two different axes of the image \(rows, columns\), which has 3"):
        imgconv.apply(np.zeros((4, 5, 6)), "box", axes=axes)
