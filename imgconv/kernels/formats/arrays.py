"""NumPy arrays (`.npy`), and grey pictures by Pillow, such as a measured point spread function. Read only."""

from __future__ import annotations

import io
import re
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imgconv.errors import KernelError
from imgconv.kernels.literals import quoted

_NPY = b"\x93NUMPY"
_NETPBM = re.compile(rb"P[1-7f]\s")
#: Number of bytes in which every picture format but Netpbm has a NUL; text has none.
_HEAD = 1024


def matches(data: bytes) -> bool:
    """Return whether the content of a file is an array or a picture rather than text."""
    return data.startswith(_NPY) or b"\0" in data[:_HEAD] or _NETPBM.match(data) is not None


def read(data: bytes, most: int) -> NDArray[Any]:
    """Return the weights of an array or a picture, shape (rows, columns); levels are not scaled.

    Args:
        data: the content of the file.
        most: maximum number of weights.

    Raises:
        KernelError: the file is damaged, not grey, or has too many weights.
    """
    try:
        with warnings.catch_warnings(action="ignore"):  # about doubtful metadata
            table = np.load(io.BytesIO(data), allow_pickle=False) if data.startswith(_NPY) else _picture(data, most)
    except KernelError:
        raise
    except Exception as error:  # damage raises many kinds of exceptions, down to tokenize.TokenError
        reason = "expected text, a NumPy array or a grey picture that Pillow reads; save the kernel as .npy"
        if data.startswith(_NPY):
            reason = f"the NumPy array cannot be read: {quoted(' '.join(str(error).split()))}"
        raise KernelError(reason) from None
    if table.ndim == 3 and table.shape[2] and bool((table == table[:, :, :1]).all()):  # grey in three channels
        table = table[:, :, 0]
    if table.ndim != 2:
        raise KernelError(f"a kernel has rows and columns, found an array of shape {table.shape}")
    if table.size > most:
        raise KernelError(f"the file has more than {most:,} numbers; reduce the kernel")
    return table


def _picture(data: bytes, most: int) -> NDArray[Any]:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        if picture.width * picture.height > most:
            raise KernelError(f"the picture has {picture.height} x {picture.width} pixels, more than {most:,}")
        return np.asarray(picture.convert("RGB") if picture.mode == "P" else picture)
