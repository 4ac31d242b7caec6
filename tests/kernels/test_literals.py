"""Parsing and formatting of numbers in kernels."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.errors import KernelError
from imgconv.kernels.literals import check_rectangle, format_number, parse_fraction, parse_number, parse_row, quoted


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3.0),
        ("-0.5", -0.5),
        ("+.5", 0.5),
        ("2.", 2.0),
        ("1e-3", 0.001),
        ("1/9", 1 / 9),
        ("-2.5/1e1", -0.25),
        ("1+2j", 1 + 2j),
        ("1-2i", 1 - 2j),
        ("j", 1j),
        ("-j", -1j),
        ("1e2-1e-1j", 100 - 0.1j),
        ("3-j", 3 - 1j),
    ],
)
def test_numbers_are_parsed(text, value):
    found = parse_number(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["", "x", "1_000", "inf", "nan", "0x10", "1//2", "1/2/3", "１", "--1", "1+2", "1e", "."])
def test_other_text_is_rejected(text):
    with pytest.raises(KernelError, match=r"expected a number such as 1, -0\.5, 1/9 or 1\+2j, found"):
        parse_number(text)


@pytest.mark.parametrize("text", ["1e999", "1e300/1e-300", "-1e999", "1e999j", "1+1e999j"])
def test_numbers_beyond_a_double_are_rejected(text):
    with pytest.raises(KernelError, match="too large"):
        parse_number(text)


def test_a_fraction_with_denominator_0_is_rejected():
    with pytest.raises(KernelError, match="'1/0' has a denominator of 0"):
        parse_number("1/0")


def test_a_fraction_keeps_numerator_and_denominator():
    assert parse_fraction("3/9") == (3.0, 9.0)
    with pytest.raises(KernelError):
        parse_fraction("1j")


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_formatted_number_is_parsed_to_the_same_bits(value):
    assert struct.pack("d", parse_number(format_number(value))) == struct.pack("d", value)


@given(st.complex_numbers(allow_nan=False, allow_infinity=False))
def test_a_formatted_complex_number_is_parsed_to_the_same_value(value):
    assert parse_number(format_number(value)) == value


def test_numbers_are_formatted_briefly():
    assert [format_number(value) for value in (3.0, -0.0, 1e20, 0.1, 1 / 9)] == [
        "3",
        "-0.0",
        "1e+20",
        "0.1",
        "0.1111111111111111",
    ]


def test_numbers_of_a_row_are_separated_by_spaces_or_commas():
    assert parse_row(" 1, 2 3\t4 ,5 ") == (1, 2, 3, 4, 5)


@pytest.mark.parametrize(("text", "place"), [("1 x 3", 2), ("1,,3", 2), (",1", 1), ("1 2,", 3)])
def test_an_error_in_a_row_states_the_position_of_the_number(text, place):
    with pytest.raises(KernelError, match=f"number {place}: expected a number"):
        parse_row(text)


def test_many_digits_are_parsed_quickly():
    with pytest.raises(KernelError):
        parse_number("1" * 300_000 + "x")
    assert math.isfinite(abs(parse_number("0." + "1" * 300_000)))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [([], "found none"), ([()], "row 1 is empty"), ([(1, 2), (3,)], "row 2 has 1 number, but row 1 has 2")],
)
def test_rows_that_form_no_matrix_are_rejected(rows, reason):
    with pytest.raises(KernelError, match=reason):
        check_rectangle(rows)


def test_quoted_values_are_one_short_line():
    assert quoted("a\nb") == "'a\\nb'"
    assert len(quoted("x" * 10_000)) == 60
    assert quoted(10**5000) == "a int of thousands of digits"
