"""Positions of outputs, checked by enumerating every possible position of the anchor."""

from __future__ import annotations

import itertools

import pytest

from imgconv.convolution.plan import make_axis
from imgconv.errors import UsageError
from tests.definition import anchored

SPANS = [(1, 1), (3, 1), (4, 1), (2, 2), (3, 3), (5, 2)]


def axes(mode):
    """Yield the arguments of every small axis, and the expected coordinates of its anchor."""
    for length, (taps, dilation), stride in itertools.product((1, 2, 5, 8, 13), SPANS, (1, 2, 3, 20)):
        for anchor in range(taps):
            yield (length, taps, anchor, mode, stride, dilation), anchored(length, taps, anchor, mode, stride, dilation)


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
def test_every_tap_of_every_output_has_the_expected_position(mode):
    for arguments, expected in axes(mode):
        if not expected:
            continue
        _, taps, anchor, _, _, dilation = arguments
        axis = make_axis(*arguments)
        assert axis.outputs == len(expected)
        for n, tap in itertools.product(range(axis.outputs), range(taps)):
            assert axis.first + n * axis.stride + tap * axis.dilation == expected[n] + (tap - anchor) * dilation


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
def test_a_window_spans_exactly_the_pixels_that_its_outputs_need(mode):
    for arguments, expected in axes(mode):
        if not expected:
            continue
        axis = make_axis(*arguments)
        for start, stop in {(0, axis.outputs), (axis.outputs // 2, axis.outputs), (0, 1)}:
            needed = [
                [axis.first + n * axis.stride + tap * axis.dilation for n in range(start, stop)] for tap in range(axis.taps)
            ]
            low, high = axis.window(start, stop)
            assert (low, high) == (min(map(min, needed)), max(map(max, needed)) + 1)
            for tap in range(axis.taps):
                assert [*range(low, high)][axis.outputs_of(tap, stop - start)] == needed[tap]
        assert axis.window() == axis.window(0, axis.outputs)


def test_the_reach_includes_both_ends():
    assert make_axis(9, 3, 1, "same", 1, 4).reach == 9
    assert make_axis(9, 1, 0, "same", 1, 4).reach == 1


def test_mode_valid_rejects_an_image_smaller_than_the_kernel():
    empty = [arguments for arguments, expected in axes("valid") if not expected]
    assert len(empty) > 50
    for arguments in empty:
        with pytest.raises(UsageError, match=f"the image has {arguments[0]}; choose mode same"):
            make_axis(*arguments)
