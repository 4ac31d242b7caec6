"""What the methods cost: seconds a sample (a value of the output), fitted by measurement.

Fitted on 2026-11-23 to the table that `python tests/bench/methods.py 3` prints, on two cores of an AMD EPYC (AVX-512) with
OpenCV 5.0.0 and NumPy 2.4.6. Only the ratios matter to the planner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike

#: Starting OpenCV's threads and the like, for each call.
CALL = 1e-5
#: From integers to floating point, and rounded back.
CONVERSION = 1.4e-9

#: One tap of one sample in the Python loops.
DEFINITION_TAP = 2e-6

SHIFTS_SAMPLE = 1.2e-9
SHIFTS_TAP = {"float32": 2.4e-10, "float64": 6e-10}

WINDOWS_SAMPLE = 15e-9
WINDOWS_TAP = 4e-10

#: Keyed by the bytes of a pixel's channel: OpenCV has fast loops for 8 bits and float32, and slow ones for 16 bits.
FILTER2D_SAMPLE = {1: 0.7e-9, 2: 1e-9, 4: 0.6e-9, 8: 1e-9}
FILTER2D_TAP = {1: 2.6e-11, 2: 3.5e-10, 4: 1.6e-11, 8: 6e-11}

BANDS_SAMPLE = {"float32": 2.1e-9, "float64": 5e-9}
BANDS_BAND = {"float32": 0.9e-9, "float64": 1.1e-9}
BANDS_TAP = {"float32": 1.6e-11, "float64": 6e-11}

DFT_SAMPLE = {"float32": 12e-9, "float64": 15e-9}


def conversion(dtype: DTypeLike) -> float:
    """Return what the way from pixels of `dtype` to floating point and back costs a sample."""
    return CONVERSION if np.dtype(dtype).kind in "biu" else 0.0
