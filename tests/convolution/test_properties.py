"""Properties of every convolution, tested by Hypothesis with arbitrary numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imgconv.convolution.api import convolve, correlate
from imgconv.kernels.kernel import Kernel

BORDERS = st.tuples(*[st.sampled_from(("constant", "replicate", "reflect", "reflect101", "wrap"))] * 2)
MODES = st.sampled_from(("same", "valid", "full"))
ENGINES = st.sampled_from(("opencv", "numpy"))
DTYPES = st.sampled_from(("uint8", "int8", "uint16", "int16", "int32", "float32", "float64"))
PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))


def whole(least, most, shape):
    return arrays.arrays(np.int64, shape, elements=st.integers(least, most))


def images(least=1, most=9):
    return whole(0, 100, arrays.array_shapes(min_dims=2, max_dims=3, min_side=least, max_side=most))


@st.composite
def kernels(draw, most=5):
    """Draw a kernel of whole numbers with an arbitrary anchor."""
    weights = draw(whole(-9, 9, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=most)))
    return Kernel(weights, tuple(draw(st.integers(0, n - 1)) for n in weights.shape))


def exact(image, kernel, **options):
    """Correlate in float64, in which all of these whole sums are exact."""
    return correlate(np.asarray(image, np.float64), kernel, **options)


@given(images(), images(), kernels(), st.integers(-5, 5), BORDERS, MODES, ENGINES)
def test_correlation_is_linear_in_the_image(first, second, kernel, factor, border, mode, engine):
    shape = tuple(min(a, b) for a, b in zip(first.shape[:2], second.shape[:2], strict=True))
    first, second = (np.atleast_3d(image)[: shape[0], : shape[1], 0] for image in (first, second))
    mode = "same" if mode == "valid" and any(n < taps for n, taps in zip(shape, kernel.shape, strict=True)) else mode
    options = {"border": border, "mode": mode, "engine": engine}
    together = exact(first + factor * second, kernel, **options)
    assert np.array_equal(together, exact(first, kernel, **options) + factor * exact(second, kernel, **options))


@given(images(), kernels(), st.data(), BORDERS, ENGINES)
def test_correlation_is_linear_in_the_kernel(image, kernel, data, border, engine):
    other = Kernel(data.draw(whole(-9, 9, kernel.shape)), kernel.anchor)
    both = Kernel(kernel.weights + 3 * other.weights, kernel.anchor)
    options = {"border": border, "engine": engine}
    assert np.array_equal(exact(image, both, **options), exact(image, kernel, **options) + 3 * exact(image, other, **options))


@given(images(least=6), kernels(most=3), PAIRS, ENGINES)
def test_a_shifted_image_gives_a_shifted_result(image, kernel, shift, engine):
    moved = np.roll(image, shift, (0, 1))
    assert np.array_equal(
        exact(moved, kernel, border="wrap", engine=engine),
        np.roll(exact(image, kernel, border="wrap", engine=engine), shift, (0, 1)),
    )
    cut = exact(image[shift[0] :, shift[1] :], kernel, mode="valid", engine=engine)
    assert np.array_equal(cut, exact(image, kernel, mode="valid", engine=engine)[shift[0] :, shift[1] :])


@given(kernels(), ENGINES, st.sampled_from(("uint8", "int16", "float32")))
def test_convolving_an_impulse_gives_the_kernel(kernel, engine, dtype):
    impulse, (rows, columns), (row, column) = np.zeros((11, 11), dtype), kernel.shape, kernel.anchor
    impulse[5, 5] = 1
    response = convolve(impulse, kernel, dtype="int16", engine=engine)
    expected = np.zeros((11, 11))
    expected[5 - row : 5 - row + rows, 5 - column : 5 - column + columns] = kernel.weights
    assert np.array_equal(response, expected)


@given(images(), DTYPES, PAIRS, st.data(), st.sampled_from(("reflect101", "renormalize", "wrap", "constant")), ENGINES)
def test_a_single_weight_of_1_at_the_anchor_is_the_identity(image, dtype, shape, data, border, engine):
    weights = np.zeros(shape)
    anchor = tuple(data.draw(st.integers(0, n - 1)) for n in shape)
    weights[anchor] = 1
    image = image.astype(dtype)
    assert np.array_equal(correlate(image, weights, anchor=anchor, border=border, engine=engine), image)


@given(images(least=9, most=11), kernels(), kernels(), ENGINES)
def test_two_steps_equal_the_composed_kernel(image, first, second, engine):
    steps = exact(exact(image, first, mode="valid", engine=engine), second, mode="valid", engine=engine)
    assert np.array_equal(exact(image, first.composed(second), mode="valid", engine=engine), steps)


@given(images(least=9, most=11), kernels(), kernels(), st.integers(-9, 9), st.integers(-9, 9))
def test_the_composed_kernel_includes_the_deltas_of_both(image, first, second, one, other):
    first, second = Kernel(first, delta=one), Kernel(second, delta=other)
    steps = exact(exact(image, first, mode="valid"), second, mode="valid")
    assert np.array_equal(exact(image, first.composed(second), mode="valid"), steps)


@given(
    images(),
    kernels(),
    DTYPES,
    st.sampled_from((1, 6, 9, 10, 16, 1000)),
    st.sampled_from((0, 3, 0.5, 0.1, -7.3)),
    BORDERS,
    st.sampled_from(("same", "full")),
    PAIRS,
    PAIRS,
)
def test_the_engines_give_the_same_bits(image, kernel, dtype, divisor, delta, border, mode, stride, dilation):
    image, kernel = image.astype(dtype), Kernel(kernel.weights / divisor, kernel.anchor)
    options = {"border": border, "border_value": 7, "mode": mode, "stride": stride, "dilation": dilation, "delta": delta}
    one, other = (correlate(image, kernel, engine=engine, **options) for engine in ("opencv", "numpy"))
    assert one.dtype == other.dtype == image.dtype
    if image.dtype.kind == "f" and (divisor != 1 or delta % 0.5):  # for floats, only sums of whole numbers are exact
        assert np.allclose(one, other, rtol=1e-5 if dtype == "float32" else 1e-13, atol=1e-3 if dtype == "float32" else 1e-10)
    else:
        assert np.array_equal(one, other)


@given(images(), kernels(), PAIRS, BORDERS, st.sampled_from(("same", "full")), ENGINES)
def test_a_stride_keeps_every_nth_output(image, kernel, stride, border, mode, engine):
    options = {"border": border, "mode": mode, "engine": engine}
    every = exact(image, kernel, **options)
    assert np.array_equal(exact(image, kernel, stride=stride, **options), every[:: stride[0], :: stride[1]])


@given(images(), kernels(most=3), PAIRS, BORDERS, st.sampled_from(("same", "full")), ENGINES)
def test_a_dilation_equals_the_dilated_kernel(image, kernel, dilation, border, mode, engine):
    options = {"border": border, "mode": mode, "engine": engine}
    dilated = kernel.dilated(dilation)
    assert np.array_equal(exact(image, kernel, dilation=dilation, **options), exact(image, dilated, **options))


@given(images(least=5), kernels(), BORDERS, ENGINES)
def test_valid_is_the_part_of_same_and_full_without_border_pixels(image, kernel, border, engine):
    (rows, columns), (row, column) = kernel.shape, kernel.anchor
    height, width = image.shape[0] - rows + 1, image.shape[1] - columns + 1
    valid = exact(image, kernel, mode="valid", engine=engine)
    same = exact(image, kernel, border=border, engine=engine)
    full = exact(image, kernel, border=border, mode="full", engine=engine)
    assert np.array_equal(valid, same[row : row + height, column : column + width])
    assert np.array_equal(valid, full[rows - 1 : rows - 1 + height, columns - 1 : columns - 1 + width])


@given(images(), kernels(), BORDERS, MODES, PAIRS, PAIRS, ENGINES)
def test_transposed_arguments_give_the_transposed_result(image, kernel, border, mode, stride, dilation, engine):
    if mode == "valid":
        image = np.pad(image, [(0, 12), (0, 12)] + [(0, 0)] * (image.ndim - 2), mode="wrap")
    transposed_kernel = Kernel(kernel.weights.T, kernel.anchor[::-1])
    straight = exact(image, kernel, border=border, mode=mode, stride=stride, dilation=dilation, engine=engine)
    transposed = exact(
        image.swapaxes(0, 1),
        transposed_kernel,
        border=border[::-1],
        mode=mode,
        stride=stride[::-1],
        dilation=dilation[::-1],
        engine=engine,
    )
    assert np.array_equal(straight.swapaxes(0, 1), transposed)


@given(images(), kernels(), st.sampled_from(("constant", "replicate", "reflect", "wrap", "renormalize")), ENGINES)
def test_channels_are_filtered_independently(image, kernel, border, engine):
    image = np.atleast_3d(image)
    if border == "renormalize" and kernel.sum == 0:
        border = "reflect101"
    together = exact(image, kernel, border=border, engine=engine)
    alone = [exact(image[..., c], kernel, border=border, engine=engine) for c in range(image.shape[2])]
    assert np.array_equal(together, np.stack(alone, axis=-1), equal_nan=True)
