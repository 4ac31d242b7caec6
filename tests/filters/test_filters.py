"""Properties of every filter: of the registry, and of the chains and kernels of the catalog."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from imgconv.convolution.options import make_options
from imgconv.depth import fit
from imgconv.errors import UsageError
from imgconv.filters import FILTERS, kernel_filter
from imgconv.filters.base import ResultOptions
from imgconv.filters.kernel_filter import KernelFilter
from imgconv.filters.parsing import build_chain, parse_filter
from imgconv.kernels.catalog import builtin_catalog
from imgconv.kernels.kernel import Kernel
from imgconv.vocabulary import EDGE_OUTPUTS
from tests import definition
from tests.cases import each

CATALOG = builtin_catalog()
SPECS = [
    *FILTERS,
    *(f"edges:output={output}" for output in EDGE_OUTPUTS),
    *(f"edges:operator={operator}" for operator in CATALOG.operators),
    *CATALOG.filters,
    *CATALOG.kernels,
    "motion:length=6,angle=20",
    "[1 2 3; -4 5 -6; 7 8 9; 1 2 1]:anchor=0 2",
]
#: Kernels whose weights do not sum to 0, so that every border supports them.
AVERAGING = ["box:rows=2,columns=5", "gaussian:sigma=0.7", "[1 2; -3 4]:anchor=0 1", "sharpen", "crisp"]
#: Error allowed for float32 sums of a few 16-bit levels: 65535 * 2**-24 each.
DIGITS = 0.05
PIXELS = np.random.default_rng(1).integers(0, 256, (19, 17, 3), np.uint8)


# The halo


@each("options", [{}, {"dilation": (2, 3)}, {"rotate": True}])
@pytest.mark.parametrize("spec", SPECS)
def test_a_pixel_affects_outputs_up_to_the_halo_and_no_farther(spec, options):
    chosen = parse_filter(spec, **options)
    if chosen.halo is None:
        return
    at = tuple(2 * reach + 3 for reach in chosen.halo)
    image = np.random.default_rng(2).random([2 * n + 1 for n in at])
    before = chosen.response(image)
    image[at] += 5
    changed = np.argwhere(chosen.response(image) != before) - at
    reached = tuple(np.abs(changed).max(axis=0).tolist())
    assert all(n <= halo for n, halo in zip(reached, chosen.halo, strict=True))
    if spec != "low_pass":  # its outermost weights are zeros of the sinc
        assert reached == chosen.halo


@pytest.mark.parametrize(
    "specs", [["[1 1 1; 1 1 1; 1 1 1]", "[1 2 3]"], ["crisp"], ["sobel_x", "box:size=4", "sharpen"]], ids=str
)
@pytest.mark.parametrize("stride", [1, 2, (3, 1)], ids=str)
def test_the_halo_of_a_chain_is_in_pixels_of_the_image(specs, stride):
    chain = build_chain(specs, options=make_options(stride=stride, border="wrap"))
    steps = len(specs) if specs != ["crisp"] else 2
    image = np.random.default_rng(3).random((216, 216))
    down, across = (n**steps for n in make_options(stride=stride).stride)
    before, reached = chain.response(image), np.zeros(2, int)
    for row in range(100, 100 + down):
        for column in range(100, 100 + across):
            moved = image.copy()
            moved[row, column] += 5
            places = np.argwhere(chain.response(moved) != before) * (down, across)
            reached = np.maximum(reached, np.abs(places - (row, column)).max(axis=0, initial=0))
    assert (reached <= chain.halo).all()


# From the response to the output


@pytest.mark.parametrize("spec", SPECS)
@each("dtype", [np.uint8, np.uint16, np.int16, np.float32, np.float64])
def test_the_response_is_the_result_before_rounding(spec, dtype):
    chosen = parse_filter(spec)
    image = PIXELS.astype(dtype)
    response = chosen.response(image)
    assert response.dtype == (np.float64 if dtype == np.float64 else np.float32)
    rendered = chosen.render(image, ResultOptions(dtype=np.dtype(np.float64))).values
    if "direction" in spec:  # 359.99 and 0.01 degrees are neighbours
        assert (np.abs((rendered - response + 180) % 360 - 180) < 1e-3).all()
        return
    assert np.allclose(rendered, response, rtol=1e-5, atol=1e-3)
    if np.dtype(dtype).kind in "iu":
        middle = (np.iinfo(dtype).max + 1) // 2 if chosen.range_for(np.dtype(dtype)) == "offset" else 0
        own = chosen.render(image, ResultOptions()).values
        near = np.clip(response + middle, np.iinfo(dtype).min, np.iinfo(dtype).max)
        assert own.dtype == dtype
        assert np.abs(own - near).max() <= 0.5 + DIGITS


@each("options", [{}, {"border": "renormalize"}, {"border": "constant,wrap"}, {"nan": "ignore"}])
@pytest.mark.parametrize("spec", AVERAGING)
@pytest.mark.parametrize(
    ("dtype", "output"),
    [
        ("float64", ResultOptions(scale=3, delta=0.25)),
        ("float64", ResultOptions(scale=Fraction(1, 3), delta=-2)),
        ("float64", ResultOptions(scale=2.5, delta=1, levels=Fraction(257))),
        ("uint8", ResultOptions(dtype=np.dtype("u2"), levels=Fraction(257))),
        ("uint8", ResultOptions(dtype=np.dtype("f4"), levels=Fraction(1, 255), delta=10)),
        ("uint16", ResultOptions(dtype=np.dtype("u1"), levels=Fraction(1, 257), scale=0.5)),
    ],
    ids=["times 3", "a third", "all", "8 to 16", "8 to float", "16 to 8"],
)
def test_scale_delta_and_levels_apply_with_every_border(dtype, output, spec, options):
    chosen = parse_filter(spec, border_value=9, **options)
    image = (PIXELS.astype(float) * (257 if dtype == "uint16" else 1)).astype(dtype)
    wanted = (chosen.response(image.astype(np.float64)) * float(output.scale) + output.delta) * float(output.levels)
    got = chosen.render(image, output).values
    if got.dtype.kind == "f":
        assert np.allclose(got, wanted, rtol=1e-5, atol=1e-6 if got.dtype == np.float32 else 1e-9)
    else:
        assert np.abs(got - np.clip(wanted, 0, np.iinfo(got.dtype).max)).max() <= 0.5 + DIGITS


@pytest.mark.parametrize("spec", [*FILTERS, "sharpen", "crisp", "sobel_x", "emboss"])
@each("policy", ["clip", "abs", "offset", "stretch"])
def test_the_requested_range_policy_is_applied(spec, policy):
    chosen = parse_filter(spec)
    expected = fit(chosen.response(PIXELS).astype(np.float64), np.uint8, policy).values
    got = chosen.render(PIXELS, ResultOptions(range_policy=policy)).values
    assert np.abs(got.astype(int) - expected).max() <= 1
    assert np.mean(got != expected) < 0.01


@pytest.mark.parametrize("spec", ["sharpen", "sobel_x", "[3]", "crisp", "edges:operator=roberts"])
def test_clipped_values_are_counted_on_request(spec):
    chosen = parse_filter(spec)
    wanted = np.rint(chosen.response(PIXELS.astype(np.float64)))
    fitted = chosen.render(PIXELS, ResultOptions(count=True))
    assert fitted.clipped == np.count_nonzero((wanted < 0) | (wanted > 255)) > 0


# Chains


def test_a_chain_does_not_round_or_clip_between_its_steps():
    halves = np.array([[1, 2]], np.uint8)
    assert build_chain(["[1 1]:scale=1/2", "[2]"], options=make_options(border="edge"))(halves).tolist() == [[2, 3]]
    assert np.array_equal(build_chain(["[9]", "[1]:scale=1/9"])(PIXELS), PIXELS)
    assert np.array_equal(build_chain(["[-1]", "[-1]"])(PIXELS), PIXELS)


@pytest.mark.parametrize(
    "specs", [["crisp", "edges"], ["sharpen", "box", "edges:operator=kirsch"], ["sobel_x", "sobel_y"]], ids=str
)
def test_a_chain_applies_its_steps_in_order(specs):
    chain, image = build_chain(specs), PIXELS
    for spec in specs:
        image = parse_filter(spec).response(image)
    assert np.array_equal(chain.response(PIXELS), image)
    assert chain.name == " ".join(parse_filter(spec).name for spec in specs)
    assert chain(PIXELS).dtype == np.uint8
    assert chain.range_for(np.dtype(np.uint8)) == parse_filter(specs[-1]).range_for(np.dtype(np.uint8))


@each("options", [{}, {"mode": "valid", "stride": 2}, {"mode": "full"}])
@each("specs", [*([s] for s in SPECS[::4]), ["crisp", "sobel_x"], ["[1 1j]", "box"], ["edges", "[1; 2]"]])
def test_plans_have_the_shapes_and_types_of_the_steps(specs, options):
    chosen = build_chain(specs, options=make_options(**options))
    image = np.random.default_rng(5).integers(0, 256, (70, 80), np.uint8)
    plans = chosen.plans(image.shape, image.dtype)
    assert plans[0].job.shape == image.shape
    assert plans[0].job.dtype == np.uint8
    assert plans[-1].output_shape == chosen.response(image).shape
    for spec, plan in zip(reversed(specs), reversed(plans), strict=False):
        if len(specs) > 1 and spec == specs[-1]:
            assert plan.job.dtype == build_chain(specs[:-1], options=make_options(**options)).response(image).dtype


@pytest.mark.parametrize("options", [{}, {"nan": "ignore"}, {"tolerance": 2, "engine": "numpy", "stride": 2}], ids=str)
@pytest.mark.parametrize(
    "output",
    [
        None,
        ResultOptions(),
        ResultOptions(dtype=np.dtype("u2"), levels=Fraction(257)),
        ResultOptions(range_policy="abs", scale=Fraction(1, 3), delta=4),
    ],
    ids=["response", "unchanged", "deeper", "scaled"],
)
@pytest.mark.parametrize(
    "specs", [["sharpen"], ["gaussian:sigma=1", "sharpen"], ["box", "crisp"], ["crisp", "emboss"]], ids=str
)
def test_the_plans_returned_are_those_that_are_executed(specs, output, options, monkeypatch):
    executed = []
    chosen = build_chain(specs, options=make_options(**options))
    original = kernel_filter.execute
    monkeypatch.setattr(kernel_filter, "execute", lambda plan, *a, **o: (executed.append(plan), original(plan, *a, **o))[1])
    if output is None:
        chosen.response(PIXELS)
    else:
        chosen.render(PIXELS, output)
    returned = chosen.plans(PIXELS.shape, PIXELS.dtype, output)
    assert len(returned) == len(executed) > 0
    assert all(a is b for a, b in zip(returned, executed, strict=True))  # planned once, and cached


def test_a_chain_converts_a_tolerance_in_levels_to_a_share_of_white():
    plans = build_chain(["box", "crisp"], options=make_options(tolerance=3)).plans((9, 9), np.uint8)
    assert [plan.job.options.tolerance for plan in plans] == [3, 3 / 255, 3 / 255]
    plans = build_chain(["box", "crisp"], options=make_options(tolerance=0.1)).plans((9, 9), np.float32)
    assert [plan.job.options.tolerance for plan in plans] == [0.1] * 3


def test_plans_rejects_unsupported_arguments():
    with pytest.raises(UsageError, match="an angle"):
        parse_filter("edges:output=direction").plans((9, 9), np.uint8, ResultOptions(scale=2))
    with pytest.raises(UsageError, match="complex image"):
        parse_filter("edges").plans((9, 9), np.complex64)


# The grid


@each("border", ["constant", "replicate", "reflect", "reflect101", "wrap", "renormalize"])
@each("mode", ["same", "valid", "full"])
@each("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize(("anchor", "dilation"), [(None, (1, 1)), ((0, 2), (1, 1)), ((1, 0), (2, 3))])
def test_on_grid_returns_the_pixels_under_the_anchor(anchor, dilation, stride, mode, border):
    channel = np.random.default_rng(6).integers(1, 256, (11, 13), np.uint8)
    options = make_options(border=border, border_value=9, mode=mode, stride=stride, anchor=anchor, dilation=dilation, delta=50)
    kernel = Kernel([[1, 2, 3], [4, 5, 6]])
    outside = "replicate" if border == "renormalize" else border
    places = [
        [definition.source(at, n, outside) for at in definition.anchored(n, taps, a, mode, s, d)]
        for n, taps, a, s, d in zip(channel.shape, kernel.shape, anchor or kernel.anchor, stride, dilation, strict=True)
    ]
    expected = np.pad(channel, (0, 1))[np.ix_(*places)]  # index -1, outside the image, gives 0
    chosen = KernelFilter(kernel, options)
    assert np.array_equal(chosen.on_grid(channel), expected)
    assert chosen.on_grid(channel).dtype == np.uint8
    assert chosen.response(channel).shape == expected.shape


@each("options", [{}, {"mode": "valid"}, {"mode": "full", "stride": 2}, {"stride": (3, 1)}])
@each("specs", [["edges"], ["edges:operator=roberts"], ["crisp"], ["box:size=4", "edges", "[1 2]"]])
def test_a_channel_kept_unfiltered_has_the_shape_of_the_result(specs, options):
    chosen = build_chain(specs, options=make_options(**options))
    channel = np.full((30, 31), 201, np.uint8)
    kept = chosen.on_grid(channel)
    assert kept.shape == chosen.response(channel).shape
    assert (kept == 201).all()


def test_a_filter_accepts_arrays_and_lists():
    assert parse_filter("[1 2]:anchor=0 0")([[1, 2, 3]], dtype="float32").tolist() == [[5, 8, 7]]
    assert parse_filter("sharpen")(PIXELS).dtype == np.uint8
