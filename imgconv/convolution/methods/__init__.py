"""The registry of methods: one file each, listed here in the order in which people meet them."""

from __future__ import annotations

from imgconv.convolution.methods import bands, definition, dft, filter2d, shifts, windows
from imgconv.convolution.plan import Method

#: Every method by name.
METHODS: dict[str, Method] = {
    module.METHOD.name: module.METHOD for module in (definition, shifts, windows, filter2d, bands, dft)
}
