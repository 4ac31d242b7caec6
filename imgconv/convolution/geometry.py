"""Where outputs lie and which pixels each one needs: mode, anchor, stride and dilation as arithmetic along one axis."""

from __future__ import annotations

from dataclasses import dataclass

from imgconv.errors import UsageError


@dataclass(frozen=True)
class Axis:
    """One axis of a convolution.

    The output number n is the sum over the taps t of `weight[t] * image[first + n * stride + t * dilation]`.

    Attributes:
        length: pixels of the image along the axis.
        outputs: values computed.
        first: coordinate under the first tap of the first output; negative where that lies outside of the image.
        taps: weights along the axis.
        stride: pixels from one output to the next.
        dilation: pixels from one tap to the next.
    """

    length: int
    outputs: int
    first: int
    taps: int
    stride: int
    dilation: int

    @property
    def reach(self) -> int:
        """Pixels from the first tap to the last, both included."""
        return (self.taps - 1) * self.dilation + 1

    def window(self, start: int = 0, stop: int | None = None) -> tuple[int, int]:
        """Return the first and one past the last coordinate that the outputs start … stop - 1 need."""
        stop = self.outputs if stop is None else stop
        return self.first + start * self.stride, self.first + (stop - 1) * self.stride + self.reach

    def outputs_of(self, tap: int, count: int) -> slice:
        """Return which coordinates of a window, counted from its first, stand under `tap` for `count` outputs."""
        start = tap * self.dilation
        return slice(start, start + (count - 1) * self.stride + 1, self.stride)


def make_axis(length: int, taps: int, anchor: int, mode: str, stride: int, dilation: int) -> Axis:
    """Return the axis for an image of `length` pixels and a kernel of `taps` weights anchored at `anchor`.

    Raises:
        UsageError: `valid`, and a kernel that is larger than the image.
    """
    reach, centre = (taps - 1) * dilation + 1, anchor * dilation
    # The coordinates of the first and of the last pixel that the anchor stands on.
    first, last = {
        "same": (0, length - 1),
        "valid": (centre, length - 1 - (reach - 1 - centre)),
        "full": (centre - (reach - 1), length - 1 + centre),
    }[mode]
    if last < first:
        raise UsageError(
            f"mode valid leaves nothing: the kernel reaches over {reach} pixels, the image has {length}; choose mode same"
        )
    return Axis(length, (last - first) // stride + 1, first - centre, taps, stride, dilation)
