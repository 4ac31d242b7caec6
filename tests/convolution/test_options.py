"""The options: accepted values, and the errors for all others."""

from __future__ import annotations

import inspect
from pathlib import PurePosixPath
from typing import Unpack

import numpy as np
import pytest

import imgconv
from imgconv.borders import Border
from imgconv.convolution.options import ConvolutionOptions, CorrelateOptions, FilterOptions, Options, make_options
from imgconv.errors import UsageError


def test_make_options_has_the_defaults_of_options():
    assert make_options() == Options()
    assert Options().border == Border("reflect101", "reflect101", (0.0,))
    assert Options().keeps_grid
    assert not Options().normalizes


@pytest.mark.parametrize("name", ["stride", "dilation"])
def test_one_number_applies_to_both_axes(name):
    assert getattr(make_options(**{name: 3}), name) == (3, 3)
    assert getattr(make_options(**{name: np.int64(3)}), name) == (3, 3)
    assert getattr(make_options(**{name: (2, 5)}), name) == (2, 5)
    assert getattr(make_options(**{name: [2, 5]}), name) == (2, 5)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"stride": 0}, r"stride must be a whole number, or two \(rows, columns\), from 1 up, found 0"),
        ({"stride": (1, 2, 3)}, r"stride must be .* found \(1, 2, 3\)"),
        ({"stride": 1.5}, "stride must be .* found 1.5"),
        ({"dilation": (2, -1)}, r"dilation must be .* found \(2, -1\)"),
        ({"dilation": "two"}, "dilation must be .* found 'two'"),
        ({"dilation": None}, "dilation must be .* found None"),
        ({"anchor": (-1, 0)}, r"anchor must be \(row, column\) from 0 up, found \(-1, 0\)"),
        ({"anchor": 1}, r"anchor must be \(row, column\) from 0 up, found 1"),
        ({"anchor": (0.5, 1)}, r"anchor must be .* found \(0.5, 1\)"),
        ({"delta": float("nan")}, "delta must be a finite number, found nan"),
        ({"delta": float("inf")}, "delta must be a finite number, found inf"),
        ({"delta": "much"}, "delta must be a number, found 'much'"),
        ({"delta": 1j}, "delta must be a number, found 1j"),
        ({"tolerance": -0.1}, "tolerance must be 0 or more, found -0.1"),
        ({"tolerance": float("nan")}, "tolerance must be 0 or more, found nan"),
        ({"dtype": "uint12"}, "'uint12' is not a NumPy dtype; choose one such as uint8"),
        ({"mode": "half"}, "unknown mode 'half'; choose one of same, valid, full"),
        ({"mode": "vaild"}, r"unknown mode 'vaild' \(did you mean valid\?\)"),
        ({"nan": "drop"}, "unknown NaN policy 'drop'; choose one of propagate, ignore"),
        ({"engine": "numpi"}, r"unknown engine 'numpi' \(did you mean numpy.*\?\); choose one of opencv, numpy"),
        ({"range_policy": "wrap"}, "unknown range 'wrap'.*; choose one of clip, abs, offset, stretch, error"),
        ({"border": "mirrored"}, r"unknown border 'mirrored' \(did you mean mirror.*\?\); choose one of constant"),
        ({"border": "wrap,wrap,wrap"}, r"a border must be one name or two \(rows, columns\), found 'wrap,wrap,wrap'"),
        ({"border": ()}, r"a border must be one name or two \(rows, columns\), found \(\)"),
        ({"border_value": "black"}, "a border value must be a number or one per channel, found 'black'"),
        ({"border_value": []}, r"a border value must be a number or one per channel, found \[\]"),
        ({"border_value": [[1, 2]]}, r"a border value must be a number or one per channel, found \[\[1, 2\]\]"),
    ],
    ids=str,
)
def test_errors_state_the_invalid_value(given, words):
    with pytest.raises(UsageError, match=words):
        make_options(**given)


@pytest.mark.parametrize(
    ("given", "rows", "columns"),
    [
        ("edge", "replicate", "replicate"),
        (" Mirror ", "reflect101", "reflect101"),
        ("symm,tile", "reflect", "wrap"),
        (("zero", "ignore"), "constant", "renormalize"),
        (["fill"], "constant", "constant"),
        (Border("wrap", "reflect"), "wrap", "reflect"),
    ],
    ids=str,
)
def test_a_border_is_given_by_name_alias_or_pair(given, rows, columns):
    border = make_options(border=given).border
    assert (border.rows, border.columns) == (rows, columns)


def test_border_values_become_tuples_of_numbers():
    assert make_options(border_value=7).border.value == (7.0,)
    assert make_options(border_value=(1, 2.5)).border.value == (1.0, 2.5)
    assert make_options(border_value=np.array([1j, 2])).border.value == (1j, 2 + 0j)


@pytest.mark.parametrize(
    ("given", "normalizes", "keeps_grid"),
    [
        ({"border": "wrap,renormalize"}, True, True),
        ({"nan": "omit"}, True, True),
        ({"border": "constant", "stride": (1, 2)}, False, False),
        ({"mode": "valid"}, False, False),
        ({"dilation": 3}, False, True),
    ],
    ids=str,
)
def test_properties_of_options(given, normalizes, keeps_grid):
    options = make_options(**given)
    assert (options.normalizes, options.keeps_grid) == (normalizes, keeps_grid)


def test_signatures_of_all_functions_match_the_typed_options():
    def keywords(function):
        return {name for name, p in inspect.signature(function).parameters.items() if p.kind == p.KEYWORD_ONLY}

    correlated = keywords(imgconv.correlate)
    assert correlated == set(CorrelateOptions.__annotations__) == {*ConvolutionOptions.__annotations__, "delta", "dtype"}
    assert keywords(make_options) == correlated | set(FilterOptions.__annotations__) | {"range_policy"}
    for function, options in [
        (imgconv.convolve, CorrelateOptions),
        (imgconv.make_plan, CorrelateOptions),
        (imgconv.parse_filter, FilterOptions),
        (imgconv.find_edges, FilterOptions),
        (imgconv.filter_image, FilterOptions),
    ]:
        assert inspect.signature(function, eval_str=True).parameters["options"].annotation == Unpack[options]


@pytest.mark.parametrize(
    ("image", "message"),
    [
        ("photo.png", "found str; `read_image` reads a file"),
        (PurePosixPath("photo.png"), "found PurePosixPath; `read_image` reads a file"),
        (imgconv.Image(np.zeros((3, 3))), "found Image; pass its pixels, or use filter_image"),
        (None, "found NoneType$"),
    ],
    ids=["name", "path", "Image", "None"],
)
def test_an_image_is_an_array(image, message):
    with pytest.raises(UsageError, match=rf"an image is an array of shape \(H, W\) or \(H, W, C\), {message}"):
        imgconv.apply(image, "box")


@pytest.mark.parametrize("function", ["apply", "convolve", "parse_filter", "find_edges"])
def test_an_unknown_option_lists_the_options(function):
    first = () if function == "parse_filter" else (np.zeros((3, 3)),)
    with pytest.raises(TypeError, match="unexpected keyword argument 'depth'; the options of a convolution are anchor, border"):
        getattr(imgconv, function)(*first, *(() if function == "find_edges" else ("box",)), depth=16)


def test_options_can_be_compared_and_hashed():
    assert len({make_options(stride=2, border="edge"), make_options(stride=(2, 2), border="nearest"), make_options()}) == 2
