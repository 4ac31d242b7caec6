"""Filters computed in strips by halo, stride, shape and type give the bits of the whole picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from imgconv.convolution.options import make_options
from imgconv.filters import FILTERS
from imgconv.filters.base import Filter, ResultOptions
from imgconv.filters.chain import ChainFilter
from imgconv.filters.parsing import build_chain, parse_filter
from imgconv.kernels.catalog import builtin_catalog
from imgconv.vocabulary import BORDERS, EDGE_OUTPUTS
from tests.cases import each

CATALOG = builtin_catalog()
KERNELS = [
    *CATALOG.kernels,
    "motion:length=6,angle=20",
    "box:rows=2,columns=5",
    "gaussian:sigma=4",
    "[1 2 3; -4 5 -6; 7 8 9; 1 2 1]:anchor=0 2",
    "[1 1j; 2 -3]",
]
SPECS = [
    *KERNELS,
    *CATALOG.filters,
    *FILTERS,
    *(f"edges:output={output}" for output in EDGE_OUTPUTS),
    *(f"edges:operator={operator}" for operator in CATALOG.operators),
]
STRIP = 7


@dataclass(frozen=True)
class Median(Filter):
    """The median of 3 rows and 5 columns, which is not a convolution; the border replicates the edge pixels."""

    name = "median"
    halo = (1, 2)

    def response(self, image):
        down, across = self.halo
        padded = np.pad(image, ((down, down), (across, across), *((0, 0),) * (image.ndim - 2)), mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view(padded, (2 * down + 1, 2 * across + 1), axis=(0, 1))
        return np.median(windows, axis=(-2, -1)).astype(self.response_dtype(image.dtype))


def around_a_median(*specs, **options):
    """Return a chain of a median, filters and another median."""
    return ChainFilter((Median(), *(parse_filter(spec, **options) for spec in specs), Median()))


def in_strips(chosen, image, run, *, wraps=False):
    """Return the result of `run` on an image in strips, each extended by up to `halo` rows on both sides."""
    height, (stride, _), (halo, _) = len(image), chosen.stride, chosen.halo
    before, outputs, strips = -(-halo // stride), chosen.output_shape(image.shape)[0], []
    for start in range(0, outputs, STRIP):
        stop = min(start + STRIP, outputs)
        first, end = (start - before) * stride, (stop - 1) * stride + 1 + halo
        if not wraps:
            first, end = max(first, 0), min(end, height)
        skipped = start - first // stride
        window = image[np.arange(first, end) % height]
        strips.append(run(window)[skipped : skipped + stop - start])
    return np.concatenate(strips)


def noise(height, dtype="uint8"):
    return np.random.default_rng(height).integers(0, 256, (height, 25, 2)).astype(dtype)


def cannot_be_renormalized(spec, border):
    """Return whether a filter rejects the border because its weights sum to 0."""
    return border == "renormalize" and not all(
        abs(plan.job.kernel.sum) > 1e-9 for plan in parse_filter(spec).plans((99, 99), "uint8")
    )


def assert_same(chosen, image, **options):
    """Compare strips with the whole picture: exact sums bit for bit, others within one level or the error bound."""
    plans = chosen.plans(image.shape, image.dtype)
    if image.dtype.kind == "u" and chosen.response_dtype(image.dtype).kind == "f":
        whole, parts = chosen(image), in_strips(chosen, image, chosen, **options)
        assert whole.dtype == parts.dtype == chosen.output_dtype(image.dtype)
        most = 0 if all(plan.job.arithmetic.exact for plan in plans) else 1
        off = np.abs(whole.astype(int) - parts)
        assert off.max() <= most
        assert np.count_nonzero(off) <= off.size / 1000
    else:
        whole, parts = chosen.response(image), in_strips(chosen, image, chosen.response, **options)
        (plan,) = plans
        largest = max(1, np.abs(image).max(), plan.job.border.value[0])
        assert np.abs(whole - parts).max() <= 2 * plan.error * largest
    assert whole.shape == parts.shape == chosen.output_shape(image.shape)


@each("stride", [1, (3, 2)])
@each("border", BORDERS)
@pytest.mark.parametrize("spec", SPECS)
def test_a_filter_in_strips_gives_the_bits_of_the_whole_picture(spec, border, stride):
    if cannot_be_renormalized(spec, border):
        pytest.skip("its weights sum to 0")
    chosen = parse_filter(spec, border=border, border_value=9, stride=stride)
    height = -(-(4 * chosen.halo[0] + 3 * STRIP) // 9) * 9  # divisible by the stride, so that wrapped rows are on the grid
    assert_same(chosen, noise(height), wraps=border == "wrap")


@each("border", ["reflect101", "constant", "renormalize"])
@each("dtype", ["float32", "float64", "complex64"])
@pytest.mark.parametrize("spec", KERNELS)
def test_a_kernel_in_strips_is_within_its_error_bound_in_floating_point(spec, dtype, border):
    if cannot_be_renormalized(spec, border):
        pytest.skip("its weights sum to 0")
    chosen = parse_filter(spec, border=border, border_value=9)
    assert_same(chosen, noise(4 * chosen.halo[0] + 3 * STRIP, dtype) / np.float32(255))


@pytest.mark.parametrize("stride", [1, (3, 2)], ids=str)
@pytest.mark.parametrize("border", ["replicate", "constant", "reflect"])
@pytest.mark.parametrize("specs", [(), ("sobel_x",), ("box", "sharpen"), ("crisp", "edges")], ids=str)
def test_a_chain_with_a_median_can_be_computed_in_strips(specs, border, stride):
    assert_same(around_a_median(*specs, border=border, stride=stride), noise(90))
    assert_same(Median(), noise(90))


@pytest.mark.parametrize(
    "output", [None, ResultOptions(), ResultOptions(dtype=np.dtype("f4"), delta=3)], ids=["response", "own", "other"]
)
def test_a_filter_without_convolutions_has_no_plans_and_keeps_those_of_other_steps(output):
    chain = around_a_median("[1 2]", "box:size=3", mode="valid", stride=2)
    assert Median().plans((30, 40), "uint8") == ()
    plans = chain.plans((30, 40, 3), np.uint8, output)
    assert [(plan.job.shape, plan.job.dtype) for plan in plans] == [((30, 40, 3), np.float32), ((15, 20, 3), np.float32)]
    assert chain.with_options(lambda options: make_options(mode="full")).plans((30, 40), "u1")[0].output_shape == (30, 41)


@each("options", [{}, {"mode": "valid", "stride": 2}, {"mode": "full", "dilation": (2, 1)}])
@each("dtype", ["bool", "uint8", "int32", "float16", "float32", "float64", "complex64"])
@pytest.mark.parametrize(
    "specs", [[spec] for spec in SPECS[::3]] + [["crisp", "sobel_x"], ["edges", "[1; 2]"], ["[1 1j]", "box"]]
)
def test_output_shape_and_type_are_those_of_the_result(specs, dtype, options):
    chosen = build_chain(specs, options=make_options(**options))
    image = np.zeros((60, 61, 3), dtype)
    if dtype.startswith("complex") and any("edges" in spec for spec in specs):
        pytest.skip("edges of complex pixels are not supported")
    response = chosen.response(image)
    assert (response.shape, response.dtype) == (chosen.output_shape(image.shape), chosen.response_dtype(dtype))
    assert chosen.output_shape((60, 61)) == chosen.output_shape((60, 61, 3))[:2]
    if response.dtype.kind == "f" or dtype.startswith("complex"):
        result = chosen.render(image, ResultOptions()).values
        assert (result.shape, result.dtype) == (chosen.output_shape(image.shape), chosen.output_dtype(dtype))
