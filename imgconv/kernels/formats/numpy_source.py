"""The weights as Python source: a NumPy expression that evaluates to the array."""

from __future__ import annotations

from imgconv.errors import KernelError
from imgconv.kernels.formats.whole_numbers import over_divisor
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.literals import format_number


def write(kernel: Kernel) -> str:
    """Return the expression, as whole numbers and a divisor if they give the same bits.

    Raises:
        KernelError: the kernel has a delta, or an anchor that is not the middle, which an array cannot store.
    """
    rows, columns = kernel.shape
    if kernel.delta:
        raise KernelError(f"an array cannot store a delta, found {kernel.delta:g}; write the kernel as yaml")
    if kernel.anchor != (rows // 2, columns // 2):
        raise KernelError(f"an array cannot store an anchor, found {kernel.anchor}; write the kernel as yaml")
    numbers, divisor = over_divisor(kernel)
    lines = ["[" + ", ".join(format_number(value) for value in row) + "]" for row in numbers.tolist()]
    kind = "complex128" if kernel.is_complex else "float64"
    table = f"np.array([{(',' + chr(10) + ' ' * 10).join(lines)}], dtype=np.{kind})"
    return table + (f" / {divisor}\n" if divisor != 1 else "\n")
