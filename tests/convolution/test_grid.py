"""Every method of the registry against the definition, over borders, modes, types, channels, kernels, anchors and sizes.

Each case is seeded by its own parameters, so the cases are the same in every run and for every method. Whole
kernels (integers times one scale) on integer images must agree in every bit; others may differ by a level next to a tie.
"""

from __future__ import annotations

import functools
import itertools
import zlib
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest

from imgconv.convolution.execution import execute
from imgconv.convolution.methods import METHODS
from imgconv.convolution.options import make_options
from imgconv.convolution.plan import Plan
from imgconv.convolution.planner import make_job, make_plan
from imgconv.kernels.kernel import Kernel
from tests import definition

BORDERS = ("constant", "replicate", "reflect", "reflect101", "wrap", "renormalize")
MODES = ("same", "valid", "full")
DTYPES = ("uint8", "int8", "int16", "uint16", "int32", "float16", "float32", "float64")
CHANNELS = (None, 1, 3, 4, 5)
SHAPES = ((1, 1), (1, 4), (3, 1), (2, 2), (3, 3), (2, 5), (4, 3), (5, 5), (6, 2), (7, 7), (9, 7), (11, 12), (13, 11))
SIZES = ((1, 1), (1, 7), (6, 1), (2, 2), (3, 5), (5, 4), (8, 3), (9, 10))
KINDS = ("integer", "box", "binomial", "decimal", "real")
DELTAS = ("0", "0", "3", "-20", "0.5", "-1.5", "0.1", "-7.3", "100.7")
#: Kinds of kernels, and deltas, of extra cases for methods that support few of the common ones.
OWN = {"sep_filter2d": (("box", "binomial"), None), "box_filter": (("box",), Fraction(0)), "boxes": (("box",), None)}
#: Every n-th case is used to measure the share of the grid that a method supports.
SHARE = 5
ENGINES_OF_METHODS = sorted({method.engine for method in METHODS.values()})
LARGEST = {"float16": 8.0, "float32": 300.0, "float64": 300.0}


@dataclass(frozen=True)
class Case:
    """One convolution: the arguments of imgconv, and the whole weights and the scale, which are not passed to it."""

    image: np.ndarray
    whole: np.ndarray
    scale: Fraction
    weights: np.ndarray
    delta: Fraction
    border: tuple[str, str]
    options: dict

    @property
    def normalizes(self):
        return "renormalize" in self.border

    @property
    def is_exact(self):
        return self.image.dtype.kind in "iu" and self.scale != 0

    @functools.cached_property
    def plans(self):
        """The plan of each engine, with all candidates compared."""
        asked = {**self.options, "border": self.border, "delta": float(self.delta)}
        image, kernel = self.image, Kernel(self.weights)
        return {e: make_plan(image.shape, image.dtype, kernel, engine=e, **asked) for e in ENGINES_OF_METHODS}

    @functools.cached_property
    def jobs(self):
        """The job of each engine, the argument of `supports`."""
        asked = {**self.options, "border": self.border, "delta": float(self.delta)}
        image, kernel = self.image, Kernel(self.weights)
        return {e: make_job(image.shape, image.dtype, kernel, make_options(engine=e, **asked)) for e in ENGINES_OF_METHODS}

    def run(self, method):
        """Return the result, or the reason why the method does not support the job."""
        job = self.jobs[METHODS[method].engine]
        if reason := METHODS[method].supports(job):
            return reason
        return execute(Plan(job, method, 0, 0, ()), self.image).values

    @functools.cached_property
    def sums(self):
        """The sums by the definition, computed once for all methods."""
        return self._summed(self.weights)

    @functools.cached_property
    def whole_sums(self):
        return self._summed(self.whole)

    @functools.cached_property
    def exact(self):
        """The result of whole weights on integers, in the type of the image."""
        asked = {"scale": self.scale, "delta": self.delta, "normalizes": self.normalizes}
        return definition.fit_exactly(self.whole_sums, self.image.dtype, **asked)

    def _summed(self, weights):
        return definition.correlate(self.image, weights, border=self.border, **self.options)

    def __str__(self):
        at = f"{self.image.dtype} {self.image.shape}, kernel {self.weights.shape}, delta {float(self.delta)}"
        return f"{at}, {self.border}, {self.options}, whole {self.whole.tolist()} times {self.scale}"


def whole_weights(kind, shape, rng):
    """Return integers that do not sum to 0, asymmetric unless the kind is symmetric, and their scale."""
    if kind == "box":
        return np.ones(shape, int), Fraction(1, shape[0] * shape[1])
    if kind == "binomial":
        down, across = ([Fraction(1)] for _ in shape)
        for factor, taps in ((down, shape[0]), (across, shape[1])):
            for n in range(1, taps):
                factor.append(factor[-1] * (taps - n) / n)
        return np.array([[int(a * b) for b in across] for a in down]), Fraction(1, 2 ** (sum(shape) - 2))
    table = rng.integers(-9, 10, shape)
    table[rng.random(shape) < 0.15] = 0
    table[0, 0] += 1 if table.sum() == 0 else 0
    return table, Fraction(1, 10) if kind == "decimal" else Fraction(1)


def make_case(dtype, border, mode, kind, shape, *more):
    """Draw the remaining parameters: border of the other axis, anchor, pixels, and in some cases stride and dilation."""
    rng = np.random.default_rng(zlib.crc32(repr((dtype, border, mode, kind, shape, *more)).encode()))
    channels, size = more[:2] if more else (CHANNELS[rng.integers(5)], SIZES[rng.integers(len(SIZES))])
    pair, stride, dilation = (border, border), (1, 1), (1, 1)
    if rng.random() < 0.5:  # the other half has default options, for which methods have shortcuts
        pair = (border, BORDERS[rng.integers(6)])
        stride = tuple(rng.integers(1, 4, 2).tolist()) if rng.random() < 0.6 else (1, 1)
        dilation = tuple(rng.integers(1, 4, 2).tolist()) if rng.random() < 0.6 else (1, 1)
    if mode == "valid":
        size = tuple(n + (taps - 1) * d for n, taps, d in zip(size, shape, dilation, strict=True))
    size = size if channels is None else (*size, channels)
    if dtype in LARGEST:
        image = (rng.normal(size=size) * LARGEST[dtype]).astype(dtype)
    else:  # with many pixels at the end of the range, so that sums are as large as possible and saturate
        limits = np.iinfo(dtype)
        image = rng.integers(limits.min, limits.max, size, dtype, endpoint=True)
        image[rng.random(size) < 0.2] = limits.max
    values = 0 if rng.random() < 0.4 else rng.integers(-9, 300, size[2:] or 1).tolist()  # some out of range of uint8
    whole, scale = whole_weights(kind, shape, rng)
    if kind == "real":
        drawn = rng.normal(size=shape) + 0.5
        whole, scale, weights = whole * 0, Fraction(0), drawn / np.abs(drawn).sum()
    else:
        weights = whole * scale.numerator / scale.denominator
    delta = Fraction(DELTAS[rng.integers(len(DELTAS))])
    anchor = None if rng.random() < 0.5 else tuple(int(rng.integers(n)) for n in shape)
    options = {"mode": mode, "stride": stride, "dilation": dilation, "anchor": anchor, "border_value": values}
    return Case(image, whole, scale, weights, delta, pair, options)


def drawn(dtype, border, kinds, *, every=1):
    """Yield cases of a few kernels for each mode; together they cover every kind and shape in every mode."""
    pairs = list(itertools.product(kinds, SHAPES))
    start = zlib.crc32(f"{dtype} {border}".encode())
    for m, mode in enumerate(MODES):
        most = 24 if mode == "same" else 12
        for n in range(0, min(most, len(pairs)), every):  # 31 and the number of pairs are coprime: no repeats
            yield make_case(dtype, border, mode, *pairs[(start + 22 * m + 31 * n) % len(pairs)])


def own_cases(dtype, border, method, *, every=1):
    """Yield the extra cases of one method."""
    kinds, delta = OWN.get(method, ((), None))
    for case in drawn(dtype, border, kinds, every=every) if kinds else ():
        yield case if delta is None else replace(case, delta=delta)


def check(case, method, got):
    """Assert that `got` agrees with the definition."""
    if case.is_exact:
        assert (got.dtype, got.shape) == (case.exact.dtype, case.exact.shape), f"{method}: {case}"
        assert np.array_equal(got, case.exact), f"{method}: {case}\n{got.tolist()}\n{case.exact.tolist()}"
        return
    sums = case.sums
    if case.scale:  # in whole numbers, so that a sum of weights of 0 is exactly 0
        sums = sums._replace(inside=case.whole_sums.inside * float(case.scale))
    expected = definition.as_floats(sums, delta=float(case.delta), normalizes=case.normalizes)
    assert (got.dtype, got.shape) == (case.image.dtype, expected.shape), f"{method}: {case}"
    slack = allowance(case, sums, expected)
    if got.dtype.kind in "iu":
        limits = np.iinfo(got.dtype)
        near = np.clip(np.nan_to_num(expected), limits.min, limits.max)
        off = np.abs(got - near)
        # Half a level for rounding, plus the error of float32 sums, which is far less than a level.
        assert (off <= 0.5 + slack).all(), f"{method}: {case}\n{off.max()} of {slack.max()}"
    else:
        assert np.array_equal(np.isnan(got), np.isnan(expected)), f"{method}: {case}"
        with np.errstate(over="ignore"):  # values beyond float16 become infinite, as in IEEE 754
            beyond = np.isinf((expected + np.copysign(slack, expected)).astype(got.dtype)) & (
                got == np.copysign(np.inf, expected)
            )
        off = np.nan_to_num(np.abs(np.where(beyond, 0, got - expected)))
        assert (off <= slack).all(), f"{method}: {case}\n{off.max()} of {slack}"


def allowance(case, sums, expected):
    """Return the rounding error allowed for sums of the contract's type, by the standard bound n * u * sum |w| * |x|.

    For integer images the bound is capped: their pixels are random, so errors accumulate like a random walk.
    """
    wide = case.image.dtype == np.float64
    unit = 2.0**-53 if wide else 2.0**-24
    largest = float(max(np.abs(case.image.astype(float)).max(), 100)) + abs(float(case.delta))
    absolute = float(np.abs(case.weights).sum())
    bound = np.array((case.weights.size + 4) * unit * absolute * largest)
    if case.image.dtype.kind in "iu":
        bound = np.minimum(bound, 0.02)
    if case.normalizes:  # divided by the weight inside, which has the precision of float64 weights
        bound = bound / np.where(sums.inside == 0, 1, np.minimum(np.abs(sums.inside), 1))
    own = {"float16": 2.0**-11, "float32": 2.0**-24}.get(case.image.dtype.name, 2.0**-50)
    return bound + own * np.abs(np.nan_to_num(expected)) + (2.0**-25 if case.image.dtype == np.float16 else 0)


def candidate(plan, method):
    """Return the planner's candidate for a method."""
    [found] = [found for found in plan.candidates if found.method == method]
    return found


def check_all(method, cases):
    """Check a method in the cases that it supports."""
    for case in cases:
        result = case.run(method)
        if not isinstance(result, str):
            check(case, method, result)


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_method_agrees_with_the_definition(dtype, border):
    cases = list(drawn(dtype, border, KINDS))
    for method in METHODS:
        check_all(method, [*cases, *own_cases(dtype, border, method)])


def test_every_method_supports_a_fair_share_of_the_grid():
    cells = list(itertools.product(DTYPES, BORDERS))
    shared = [case for cell in cells for case in drawn(*cell, KINDS, every=SHARE)]
    least = {}
    for method in METHODS:
        cases = shared + [case for cell in cells for case in own_cases(*cell, method, every=SHARE)]
        supported = sum(candidate(case.plans[METHODS[method].engine], method).seconds is not None for case in cases)
        # The smallest share is that of a method for means over odd areas of half of the types.
        if supported < 0.04 * len(cases):
            least[method] = f"{supported} of {len(cases)}"
    assert least == {}


@pytest.mark.long
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("method", METHODS)
def test_each_method_agrees_with_the_definition_on_the_full_grid(method, dtype, border, mode):
    rest = itertools.product(KINDS, SHAPES, CHANNELS, SIZES)
    check_all(method, [make_case(dtype, border, mode, *axes) for axes in rest])
