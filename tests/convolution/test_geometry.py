"""Where outputs lie, by counting every place that an anchor could stand on."""

from __future__ import annotations

import itertools

import pytest

from imgconv.convolution.plan import make_axis
from imgconv.errors import UsageError
from tests.definition import anchored

SPANS = [(1, 1), (3, 1), (4, 1), (2, 2), (3, 3), (5, 2)]


def axes(mode):
    """Yield every small axis, and the coordinates that its anchor should stand on."""
    for length, (taps, dilation), stride in itertools.product((1, 2, 5, 8, 13), SPANS, (1, 2, 3, 20)):
        for anchor in range(taps):
            yield (length, taps, anchor, mode, stride, dilation), anchored(length, taps, anchor, mode, stride, dilation)


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
def test_every_tap_of_every_output_stands_where_it_should(mode):
    for arguments, standing in axes(mode):
        if not standing:
            continue
        _, taps, anchor, _, _, dilation = arguments
        axis = make_axis(*arguments)
        assert axis.outputs == len(standing)
        for n, tap in itertools.product(range(axis.outputs), range(taps)):
            assert axis.first + n * axis.stride + tap * axis.dilation == standing[n] + (tap - anchor) * dilation


@pytest.mark.parametrize("mode", ["same", "valid", "full"])
def test_a_window_holds_what_its_outputs_need_and_no_more(mode):
    for arguments, standing in axes(mode):
        if not standing:
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


def test_the_reach_counts_both_ends():
    assert make_axis(9, 3, 1, "same", 1, 4).reach == 9
    assert make_axis(9, 1, 0, "same", 1, 4).reach == 1


def test_valid_leaves_nothing_of_an_image_that_is_smaller_than_the_kernel():
    empty = [arguments for arguments, standing in axes("valid") if not standing]
    assert len(empty) > 50
    for arguments in empty:
        with pytest.raises(UsageError, match=f"the image has {arguments[0]}; choose mode same"):
            make_axis(*arguments)
