"""Arguments passed by mistake: of the wrong type, huge, or masked. Each is accepted or raises an `ImgconvError`."""

from __future__ import annotations

import itertools
import tracemalloc
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import imgconv
from imgconv.errors import ImgconvError

IMAGE = np.random.default_rng(1).integers(0, 256, (6, 7, 3), np.uint8)
EDGES = [[1, 0, -1], [2, 0, -2], [1, 0, -1]]
MASKED = np.ma.MaskedArray(IMAGE, IMAGE > 200)

NUMBERS = [True, -1, 0, 1, 3, 10**9, 10**20, -(10**30), 10**400, 1.5, 1e308, float("nan"), float("inf"), 1j, Decimal("0.1")]
NUMBERS += [Fraction(1, 3), Fraction(10**400, 3), np.float32(2), np.int64(-5)]
PAIRS = [(1,), (1, 2), (2, 1, 3), (10**9, 1), (1, 10**9), (10**20, 10**20), [3, 3], (0.5, "x"), (None, None), ("wrap", None)]
WORDS = ["", "x", "-", "edge", "wrap,tile", "renormalize", "valid", "full", "ignore", "numpy", "float32", "f4,f4", "O", "1e999"]
WORDS += ["9" * 5000]
ARRAYS = [np.array(3), np.array([1, 2]), np.zeros((0, 3)), np.ones((2, 2), object), np.array("a"), MASKED, IMAGE, IMAGE[0, 0]]
ARRAYS += [np.array([["2020-01-01"]], "datetime64[D]"), np.full((3, 3), np.nan), np.ones((1, 1, 1, 1)), [IMAGE, MASKED]]
ARRAYS += [[[1, 2], [3]], [[1j, 2]]]
OTHERS = [None, b"bytes", [], [[]], {}, {"a": 1}, {1, 2}, object(), int, len, itertools.count(), iter([1, 2]), range(10**5)]
OTHERS += [imgconv.Kernel(EDGES), imgconv.Image(IMAGE), imgconv.parse_filter("sharpen"), np.dtype("f8"), np.dtype("i4,i4")]
ANYTHING = st.sampled_from([*NUMBERS, *PAIRS, *WORDS, *ARRAYS, *OTHERS])

SHARED = ["border", "border_value", "mode", "stride", "dilation", "anchor", "nan", "tolerance", "engine", "method", "jobs"]
OF_A_CONVOLUTION = [*SHARED, "delta", "dtype"]
#: Functions, their positional arguments, and the names of their options.
FUNCTIONS = {
    "correlate": ((IMAGE, EDGES), OF_A_CONVOLUTION),
    "convolve": ((IMAGE, EDGES), OF_A_CONVOLUTION),
    "make_plan": (((60, 70, 3), "uint8", EDGES), [*OF_A_CONVOLUTION, "rotate"]),
    "find_edges": ((IMAGE, "sobel", "magnitude"), [*OF_A_CONVOLUTION, "rotate", "scale", "range_policy"]),
    "parse_filter": (("gaussian:sigma=1", None), [*SHARED, "delta", "dtype", "rotate"]),
    "apply": ((IMAGE, "sharpen"), [*OF_A_CONVOLUTION, "rotate", "range_policy", "scale", "axes", "catalog"]),
    "parse_kernel": (("sharpen", None), []),
    "load_catalog": ((), []),
    "Kernel": ((EDGES,), ["anchor", "name", "delta"]),
    "filter_image": (
        (imgconv.Image(IMAGE), "sharpen"),
        [
            *(*SHARED, "alpha", "linear", "gray", "luma", "channels", "nodata", "fill", "depth", "levels", "range_policy"),
            *("scale", "delta", "region", "mask"),
        ],
    ),
    "Image": ((IMAGE,), []),
}


@st.composite
def calls(draw, name):
    """Return the arguments of a call, with one or two of them replaced by arbitrary values."""
    right, options = FUNCTIONS[name]
    places = [*range(len(right)), *options, *([0] if name == "load_catalog" else [])]
    wrong = {place: draw(ANYTHING) for place in draw(st.lists(st.sampled_from(places), min_size=1, max_size=2, unique=True))}
    count = max(len(right), 1 if 0 in wrong else 0)
    arguments = [wrong.get(n, right[n] if n < len(right) else None) for n in range(count)]
    return arguments, {option: value for option, value in wrong.items() if isinstance(option, str)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_arbitrary_arguments_are_accepted_or_raise_an_imgconv_error(name):
    @settings(max_examples=200)
    @given(calls(name))
    def check(call):
        arguments, options = call
        try:
            getattr(imgconv, name)(*arguments, **options)
        except ImgconvError as error:
            assert str(error)  # noqa: PT017

    check()


@given(ANYTHING, ANYTHING)
def test_filters_accept_arbitrary_arguments_or_raise_an_imgconv_error(image, dtype):
    for text in ("sharpen", "edges", "crisp"):
        try:
            imgconv.parse_filter(text)(image, dtype=dtype)
        except ImgconvError as error:
            assert str(error)  # noqa: PT017


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"border": None}, r"a border must be one name or two \(rows, columns\), found None"),
        ({"dilation": 10**9}, r"the dilated kernel covers 2000000001 x 2000000001 pixels, too many for an image of 6 x 7"),
        ({"dilation": (1, 10**20), "mode": "full"}, "too many for an image"),
        ({"delta": 10**400}, "delta must be a finite number"),
        ({"anchor": (float("inf"), 0)}, "anchor must be"),
    ],
    ids=str,
)
@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_invalid_options_are_rejected(options, words, engine):
    with pytest.raises(ImgconvError, match=words):
        imgconv.correlate(IMAGE, EDGES, engine=engine, **options)


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_huge_strides_jobs_and_dilations_are_supported(engine):
    expected = imgconv.correlate(IMAGE, EDGES, engine=engine)
    assert np.array_equal(imgconv.correlate(IMAGE, EDGES, engine=engine, stride=10**20), expected[:1, :1])
    assert np.array_equal(imgconv.correlate(IMAGE, EDGES, engine=engine, jobs=10**20), expected)
    assert np.array_equal(imgconv.correlate(IMAGE, [[3]], engine=engine, dilation=10**20), IMAGE.clip(0, 85) * np.uint8(3))


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
@pytest.mark.parametrize(("dilation", "mode"), [(1000, "same"), (1000, "full"), ((1, 2_000_000), "same")], ids=str)
def test_large_dilations_use_less_than_a_gigabyte(dilation, mode, engine):
    tracemalloc.start()
    try:
        imgconv.correlate(IMAGE[:, :, 0], EDGES, dilation=dilation, mode=mode, engine=engine)
    except ImgconvError:
        assert dilation == (1, 2_000_000)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 1 << 30


@pytest.mark.parametrize(
    "function",
    [
        lambda image: imgconv.correlate(image, "box"),
        lambda image: imgconv.convolve(image, "box", nan="ignore"),
        imgconv.find_edges,
        imgconv.parse_filter("crisp"),
        lambda image: imgconv.filter_image(imgconv.Image(image), "box"),
        lambda image: imgconv.write_image("never.png", imgconv.Image(image)),
    ],
    ids=["correlate", "convolve", "find_edges", "a filter", "filter_image", "write_image"],
)
@pytest.mark.parametrize("image", [MASKED, MASKED[:, :, 0].astype(float), list(MASKED[:, :, 0])], ids=["colour", "f8", "rows"])
def test_masked_arrays_are_rejected(function, image):
    with pytest.raises(ImgconvError, match=r"masked array; fill the masked pixels first: with NaN, .*, or with a level"):
        function(image)


def test_filling_a_masked_array_as_advised_works():
    image = MASKED[:, :, 0]
    got = imgconv.correlate(image.astype(float).filled(np.nan), np.ones((1, 1)), nan="ignore")
    assert np.array_equal(got[~image.mask], image.compressed())
    with pytest.raises(ImgconvError, match="masked"):
        imgconv.Kernel(np.ma.MaskedArray(EDGES, [[1, 0, 0]] * 3))


def test_filter_image_rejects_an_array():
    with pytest.raises(ImgconvError, match=r"filter_image requires an Image, found ndarray; wrap an array in imgconv.Image"):
        imgconv.filter_image(IMAGE, "box")
