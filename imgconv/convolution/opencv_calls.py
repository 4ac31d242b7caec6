"""What the methods of the OpenCV engine share: when OpenCV does as the contract says, and how it is asked."""

from __future__ import annotations

import platform
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.convolution.plan import Job
from imgconv.opencv import load_cv2

# OpenCV takes this many channels in one call with safety; more are worked on in groups.
_CHANNELS = 4
# Every 64-bit x86 has SSE3, on which OpenCV waits longer before it turns to its DFT.
_SSE3 = platform.machine().lower() in ("x86_64", "amd64")


def direct_taps(dtype: np.dtype[Any]) -> int:
    """Return the largest number of weights that `cv2.filter2D` sums one by one for images of `dtype`.

    From the next one up it computes by a DFT (OpenCV 4 and 5, `dftFilter2D` in modules/imgproc/src/filter.dispatch.cpp:
    130 weights for 8-bit and float32 images with results of the same type where the processor has SSE3, 50 otherwise).
    """
    return 129 if _SSE3 and dtype.name in ("uint8", "float32") else 49


def native_border(job: Job) -> int | None:
    """Return OpenCV's constant for the border where OpenCV itself does as the job says, else None."""
    if not job.options.keeps_grid or job.border.rows != job.border.columns:
        return None
    cv2, name = load_cv2(), job.border.rows
    if name == "constant":
        return int(cv2.BORDER_CONSTANT) if not any(job.border.value) else None  # it knows no other constant than 0
    names = {"replicate": cv2.BORDER_REPLICATE, "reflect": cv2.BORDER_REFLECT, "reflect101": cv2.BORDER_REFLECT_101}
    return int(names[name]) if name in names else None


def correlate_window(
    window: NDArray[Any], weights: NDArray[Any], job: Job, rows: int, delta: float = 0.0, top: int = 0, left: int = 0
) -> NDArray[Any]:
    """Return the job's outputs for a part of its weights, from the image already continued beyond its edges.

    Args:
        window: shape (rows, columns[, C]): what the outputs need of the image.
        weights: shape (h, w), dilated, a part of the kernel's weights.
        job: says which outputs are wanted.
        rows: of outputs that the window is for.
        delta: added to each output.
        top: row of the (dilated) kernel in which the part begins.
        left: column of the (dilated) kernel in which the part begins.

    Returns:
        Shape (rows, W'[, C]), in the type of the window; possibly a view.
    """
    cv2 = load_cv2()
    height = (rows - 1) * job.rows.stride + 1
    width = (job.columns.outputs - 1) * job.columns.stride + 1
    part = window[top : top + height + weights.shape[0] - 1, left : left + width + weights.shape[1] - 1]
    # The anchor in the corner makes every output that is kept independent of OpenCV's own border.
    groups = [
        cv2.filter2D(group, -1, weights, anchor=(0, 0), delta=delta, borderType=cv2.BORDER_REPLICATE)
        for group in _channel_groups(part)
    ]
    result = groups[0] if len(groups) == 1 else np.concatenate([np.atleast_3d(g) for g in groups], axis=2)
    result = result.reshape(*part.shape[:2], *window.shape[2:])  # OpenCV drops a third axis of length 1
    return result[: height : job.rows.stride, : width : job.columns.stride]


def _channel_groups(part: NDArray[Any]) -> list[NDArray[Any]]:
    channels = part.shape[2] if part.ndim == 3 else 1
    if channels <= _CHANNELS:
        return [part]
    return [np.ascontiguousarray(part[..., c : c + _CHANNELS]) for c in range(0, channels, _CHANNELS)]
