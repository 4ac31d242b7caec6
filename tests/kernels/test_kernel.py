"""The class `Kernel`: construction, rejected arguments, algebra, rank, factors and symmetries."""

from __future__ import annotations

import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import signal

from imgconv.errors import KernelError
from imgconv.kernels.kernel import Kernel

TABLE = np.array([[1, 2, 0], [-3, 4, 5]])
weights = arrays.arrays(
    np.int64, arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6), elements=st.integers(-9, 9)
)


# Construction


def test_the_weights_are_a_read_only_copy():
    table = TABLE.astype(float)
    kernel = Kernel(table)
    table[0, 0] = 99
    assert kernel.weights[0, 0] == 1
    with pytest.raises(ValueError):
        kernel.weights[0, 0] = 99
    assert kernel.weights[0, 0] == 1
    with pytest.raises(AttributeError):
        kernel.name = "another"


@pytest.mark.parametrize(
    ("shape", "anchor"), [((1, 1), (0, 0)), ((2, 2), (1, 1)), ((3, 4), (1, 2)), ((5, 1), (2, 0)), ((6, 7), (3, 3))]
)
def test_the_default_anchor_is_that_of_opencv(shape, anchor):
    assert Kernel(np.ones(shape)).anchor == anchor
    assert Kernel(np.ones(shape), (0, shape[1] - 1)).anchor == (0, shape[1] - 1)


def test_a_kernel_made_from_a_kernel_keeps_its_attributes_by_default():
    kernel = Kernel(TABLE, (0, 2), "slope", 5)
    assert Kernel(kernel) == kernel
    assert Kernel(kernel).name == "slope"
    other = Kernel(kernel, (1, 1), "steep", 7)
    assert (other.anchor, other.name, other.delta) == ((1, 1), "steep", 7)


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int32, np.float32])
def test_weights_are_stored_as_float64_or_complex128(kind):
    assert Kernel(np.ones((2, 2), kind)).weights.dtype == np.float64
    assert Kernel(np.ones((2, 2), np.complex64)).weights.dtype == np.complex128
    assert Kernel([[1, 1j]]).is_complex
    assert not Kernel([[1, 1]]).is_complex


def test_equality_and_hash_ignore_the_name():
    assert Kernel(TABLE, name="a") == Kernel(TABLE, name="b")
    assert len({Kernel(TABLE), Kernel(TABLE.tolist()), Kernel(TABLE, (1, 1))}) == 1
    assert Kernel([[0.0, 1]]) == Kernel([[-0.0, 1]])
    others = [Kernel(TABLE.T), Kernel(TABLE, (0, 0)), Kernel(TABLE, delta=1), Kernel(TABLE + 0j), Kernel(TABLE * 2)]
    assert len({Kernel(TABLE), *others}) == 6
    assert Kernel(TABLE) != TABLE.tolist()


def test_a_kernel_can_be_pickled():
    kernel = Kernel(TABLE, (0, 2), "slope", 5)
    again = pickle.loads(pickle.dumps(kernel))
    assert again == kernel
    assert again.name == "slope"
    assert not again.weights.flags.writeable


def test_numpy_converts_a_kernel_to_an_array():
    assert np.array_equal(np.asarray(Kernel(TABLE)), TABLE)
    assert np.asarray(Kernel(TABLE), np.float32).dtype == np.float32
    assert np.array(Kernel(TABLE)).flags.writeable


def test_repr_shows_name_shape_anchor_and_sum():
    assert repr(Kernel(TABLE, (0, 2), "slope")) == "Kernel('slope', 2x3, anchor=(0, 2), sum=9)"


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([[1, 2], [3]], "the rows differ in length"),
        ([[1, "two"]], "weights must be numbers"),
        ([["a", "b"]], "weights must be numbers"),
        ([[1, None]], "weights must be numbers, found None"),
        ([1, 2, 3], r"the weights must have rows and columns, found shape \(3,\)"),
        ([[[1]]], r"found shape \(1, 1, 1\)"),
        (7, r"found shape \(\)"),
        ([], r"found shape \(0,\)"),
        ([[]], r"found shape \(1, 0\)"),
        ([[1, 2], [3, np.nan]], "weights must be finite, found nan in row 1, column 1"),
        ([[1, np.inf]], "weights must be finite, found inf in row 0, column 1"),
        ([[1, complex(0, np.nan)]], "weights must be finite"),
        (np.broadcast_to(1.0, (2**14, 2**13)), f"16384x8192 weights are more than the {2**26} allowed"),
    ],
    ids=lambda v: str(v)[:30],
)
def test_invalid_weights_are_rejected_with_the_name_of_the_kernel(table, words):
    with pytest.raises(KernelError, match=f"^kernel mine: .*{words}"):
        Kernel(table, name="mine")
    with pytest.raises(KernelError, match=r"^kernel: "):
        Kernel(table)


@pytest.mark.parametrize(
    "anchor", [(2, 0), (0, 3), (-1, 0), (0.5, 0), (0, np.nan), (0,), (0, 0, 0), 1, "ab", ("a", "b")], ids=str
)
def test_an_anchor_outside_of_the_weights_is_rejected(anchor):
    with pytest.raises(KernelError, match=r"anchor.*found|anchor .* lies outside the 2x3 weights; rows count from 0 to 1"):
        Kernel(TABLE, anchor)


@pytest.mark.parametrize("delta", [np.nan, np.inf])
def test_a_delta_that_is_not_finite_is_rejected(delta):
    with pytest.raises(KernelError, match=f"delta must be a finite number, found {delta}"):
        Kernel(TABLE, delta=delta)


# Algebra


@given(weights)
def test_rotating_twice_gives_the_same_kernel(table):
    kernel = Kernel(table, (0, table.shape[1] - 1), "k", 3)
    rotated = kernel.rotated()
    assert np.array_equal(rotated.weights, table[::-1, ::-1])
    assert rotated.anchor == (table.shape[0] - 1, 0)
    assert rotated.rotated() == kernel


@given(weights, st.integers(1, 4), st.integers(1, 4))
def test_dilating_puts_zeros_between_the_taps(table, down, across):
    kernel = Kernel(table).dilated((down, across))
    expected = np.zeros([(n - 1) * d + 1 for n, d in zip(table.shape, (down, across), strict=True)])
    expected[::down, ::across] = table
    assert np.array_equal(kernel.weights, expected)
    assert kernel.weights[kernel.anchor] == table[tuple(n // 2 for n in table.shape)]
    assert Kernel(table).dilated(down) == Kernel(table).dilated((down, down)) == Kernel(table).dilated(np.int64(down))


@pytest.mark.parametrize("n", [0, -1, (1, 0), 1.5, (2, 1.5), "2", (1, 2, 3), None])
def test_an_invalid_dilation_is_rejected(n):
    with pytest.raises(KernelError, match="a dilation must be a whole number from 1 up"):
        Kernel(TABLE).dilated(n)


def test_a_huge_dilation_is_rejected():
    with pytest.raises(KernelError, match="weights are more than the"):
        Kernel(TABLE).dilated(10**9)


@given(weights, weights)
def test_composing_is_a_full_convolution_of_the_weights(first, second):
    kernel = Kernel(first, (0, 0)).composed(Kernel(second))
    assert np.array_equal(kernel.weights, signal.convolve2d(first, second))
    assert kernel.anchor == (second.shape[0] // 2, second.shape[1] // 2)


def test_composing_supports_complex_weights_and_joins_the_names():
    kernel = Kernel([[1, 1j]], name="a").composed(Kernel([[1, -1j]], name="b"))
    assert np.array_equal(kernel.weights, [[1, 0, 1]])
    assert kernel.name == "a b"


def test_scaling_includes_the_delta_and_rounds_once():
    kernel = Kernel(TABLE, (0, 2), "k", 6).scaled(Fraction(1, 3))
    assert np.array_equal(kernel.weights, TABLE / 3)
    assert (kernel.anchor, kernel.name, kernel.delta) == ((0, 2), "k", 2)
    assert np.array_equal(Kernel(TABLE).scaled(0.1).weights, TABLE * 0.1)


def test_normalizing_makes_the_sum_1_and_keeps_the_delta():
    kernel = Kernel(TABLE, delta=6).normalized()
    assert np.array_equal(kernel.weights, TABLE / 9)
    assert kernel.sum == 1
    assert kernel.delta == 6
    with pytest.raises(KernelError, match="the weights sum to 0 and cannot be normalized"):
        Kernel([[0.1, 0.2, -0.3]]).normalized()


@pytest.mark.parametrize(
    ("table", "total"),
    [(np.ones((3, 3)) / 9, 1), ([[0.1, 0.2, -0.3]], 0), ([[0.1] * 10], 1), ([[1j, 2]], 2 + 1j), ([[1e300, 1e-300]], 1e300)],
    ids=lambda v: str(v)[:20],
)
def test_the_sum_is_that_of_the_decimals_written(table, total):
    assert Kernel(table).sum == total


# Rank, factors, symmetry


@given(weights)
def test_the_rank_equals_that_of_numpy(table):
    assert Kernel(table).rank == np.linalg.matrix_rank(table)
    assert Kernel(table).taps == np.count_nonzero(table)


factor = arrays.arrays(np.int64, st.integers(1, 7), elements=st.integers(-9, 9)).filter(np.any)


@given(factor, factor, st.sampled_from((1, 3, 9, 16, 10)))
def test_the_factors_of_a_separable_kernel_are_whole_and_their_product_is_the_kernel(column, row, divisor):
    kernel = Kernel(np.outer(column, row) / divisor)
    down, across, scale = kernel.factors
    assert kernel.rank == 1
    assert np.array_equal(down, np.rint(down))
    assert np.array_equal(across, np.rint(across))
    assert np.gcd.reduce(down.astype(int)) == np.gcd.reduce(across.astype(int)) == 1
    whole = np.outer(down, across).astype(int)
    assert [Fraction(int(n)) * scale for n in whole.flat] == [Fraction(int(n), divisor) for n in np.outer(column, row).flat]


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9))
def test_the_product_of_the_factors_of_real_weights_equals_the_weights(seed, rows, columns):
    rng = np.random.default_rng(seed)
    table = np.outer(rng.normal(size=rows), rng.normal(size=columns))
    down, across, scale = Kernel(table).factors
    assert np.allclose(float(scale) * np.outer(down, across), table, rtol=1e-9, atol=0)


@pytest.mark.parametrize("table", [TABLE, np.zeros((2, 3)), np.eye(3), [[1j, 2j]]], ids=lambda v: str(v)[:20])
def test_inseparable_kernels_have_no_factors(table):
    assert Kernel(table).factors is None


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], ("rows", "columns", "rotation", "transpose")),
        ([[1, 2], [1, 2]], ("rows",)),
        ([[1, 3, 1], [2, 5, 2]], ("columns",)),
        ([[1, 2], [2, 1]], ("rotation", "transpose")),
        ([[1, 2], [2, 3]], ("transpose",)),
        ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], ("rows", "antisymmetric")),
        ([[1, 2, 3], [4, 5, 6]], ()),
        ([[0, 0]], ("rows", "columns", "rotation")),
    ],
    ids=str,
)
def test_symmetries_are_detected(table, expected):
    assert Kernel(table).symmetries == expected
