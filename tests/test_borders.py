"""Borders compared with numpy.pad, in windows of any size and position."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.borders import OUTSIDE, Border, as_border, extend, source_indices
from imgconv.errors import UsageError
from tests.cases import each

#: The names of the borders in numpy.pad.
PAD = {"constant": "constant", "replicate": "edge", "reflect": "symmetric", "reflect101": "reflect", "wrap": "wrap"}
NAMES = (*PAD, "renormalize")
FAR = 40


def padded(image, border):
    """Return the image with FAR more rows and columns on each side, padded one axis after the other."""
    for axis, name in ((0, border.rows), (1, border.columns)):
        around = [(FAR, FAR) if n == axis else (0, 0) for n in range(image.ndim)]
        image = np.pad(image, around, mode=PAD.get(name, "constant"))  # with 0; the value is filled in below
    down, across = (np.pad(np.zeros(n - 2 * FAR, bool), FAR, constant_values=True) for n in image.shape[:2])
    masks = np.broadcast_arrays(down[:, None], across[None, :])
    for wanted, value in (("constant", border.value), ("renormalize", (0,))):
        for mask, name in zip(masks, (border.rows, border.columns), strict=True):
            if name == wanted:
                image[mask] = value if len(value) > 1 else value[0]
    return image


spans = st.tuples(st.integers(-FAR, FAR - 1), st.integers(1, 25)).map(lambda w: (w[0], min(w[0] + w[1], FAR)))


@given(
    shape=st.tuples(st.integers(1, 7), st.integers(1, 7)) | st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3)),
    rows=spans,
    columns=spans,
    names=st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)),
    per_channel=st.booleans(),
)
def test_any_window_equals_that_of_numpy_pad(shape, rows, columns, names, per_channel):
    image = np.arange(1, np.prod(shape) + 1, dtype=np.int16).reshape(shape)
    value = tuple(range(90, 90 + shape[2])) if per_channel and len(shape) == 3 else (77,)
    border = Border(*names, value)
    expected = padded(image, border)[rows[0] + FAR : rows[1] + FAR, columns[0] + FAR : columns[1] + FAR]
    got = extend(image, rows, columns, border)
    assert got.dtype == np.int16
    assert np.array_equal(got, expected)
    wide = extend(image, rows, columns, border, np.float64)
    assert wide.dtype == np.float64
    assert np.array_equal(wide, expected)


@each("names", list(itertools.product(NAMES, NAMES)))
@each("rows, columns", [((-9, -4), (1, 3)), ((1, 2), (8, 12)), ((-7, -2), (-9, -5)), ((5, 9), (6, 20))])
def test_a_window_outside_the_image_equals_that_of_numpy_pad(names, rows, columns):
    image, border = np.arange(1, 13).reshape(3, 4), Border(*names, (55,))
    expected = padded(image, border)[rows[0] + FAR : rows[1] + FAR, columns[0] + FAR : columns[1] + FAR]
    assert np.array_equal(extend(image, rows, columns, border), expected)


@pytest.mark.parametrize("name", NAMES)
@each("length", [1, 2, 3, 4, 11])
def test_source_indices_equal_those_of_numpy_pad(name, length):
    found = source_indices(length, -FAR, length + FAR, name)
    if name in ("constant", "renormalize"):
        expected = np.pad(np.arange(length), FAR, constant_values=OUTSIDE)
    else:
        expected = np.pad(np.arange(length), FAR, mode=PAD[name])
    assert np.array_equal(found, expected)


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("constant", "vvvabcdvvv"),
        ("replicate", "aaaabcdddd"),
        ("reflect", "cbaabcddcb"),
        ("reflect101", "dcbabcdcba"),
        ("wrap", "bcdabcdabc"),
    ],
)
def test_each_border_continues_the_row_abcd_as_in_the_contract(name, row):
    letters = np.frombuffer(b"abcd", np.uint8)[None]
    assert extend(letters, (0, 1), (-3, 7), Border(name, name, (ord("v"),))).tobytes().decode() == row


def test_corners_are_0_if_one_axis_renormalizes_and_the_other_is_constant():
    image = np.array([[5]])
    for border in (Border("renormalize", "constant", (7,)), Border("constant", "renormalize", (7,))):
        got = extend(image, (-1, 2), (-1, 2), border)
        assert got[[0, 0, 2, 2], [0, 2, 0, 2]].tolist() == [0, 0, 0, 0]
        assert sorted(got[[0, 1, 1, 2], [1, 0, 2, 1]].tolist()) == [0, 0, 7, 7]


def test_a_window_inside_the_image_is_a_view_if_the_type_matches():
    image = np.zeros((5, 6), np.uint8)
    assert np.shares_memory(extend(image, (1, 4), (0, 6), Border()), image)
    assert not np.shares_memory(extend(image, (1, 4), (0, 6), Border(), np.float32), image)
    assert not np.shares_memory(extend(image, (-1, 4), (0, 6), Border()), image)


def test_the_text_of_a_border_has_names_and_value():
    assert str(as_border("edge")) == "replicate"
    assert str(as_border("symm,tile")) == "reflect,wrap"
    assert str(as_border("fill", 3)) == "constant (3)"
    assert str(as_border(("wrap", "zero"), (1, 2.5))) == "wrap,constant (1,2.5)"
    assert as_border(Border("wrap", "wrap"), 9) == Border("wrap", "wrap")


def test_properties_of_borders():
    assert [as_border(b).renormalizes for b in ("ignore", "wrap,ignore", "ignore,wrap", "wrap")] == [True, True, True, False]
    assert [as_border(b).uses_value for b in ("zero", "wrap,zero", "zero,wrap", "ignore")] == [True, True, True, False]


@pytest.mark.parametrize(
    ("border", "value", "words"),
    [
        ("upside", 0, "unknown border 'upside'; choose one of constant, replicate"),
        ("reflect102", 0, r"did you mean reflect101"),
        ("wrap,", 0, "unknown border ''"),
        ("wrap,wrap,wrap", 0, r"one name or two \(rows, columns\)"),
        ("constant", "white", "a border value must be a number or one per channel, found 'white'"),
        ("constant", None, "a border value must be a number or one per channel, found None"),
    ],
)
def test_invalid_borders_are_rejected(border, value, words):
    with pytest.raises(UsageError, match=words):
        as_border(border, value)
