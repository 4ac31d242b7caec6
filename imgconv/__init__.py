"""imgconv: exact and fast 2-D convolution of images.

>>> import imgconv
>>> imgconv.correlate([[0, 0, 0], [0, 9, 0], [0, 0, 0]], "box", border="constant")
array([[1, 1, 1],
       [1, 1, 1],
       [1, 1, 1]])

Everything except the errors is imported on first use, which keeps `import imgconv` fast.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from imgconv.errors import (
    BatchError,
    DependencyError,
    ImgconvError,
    KernelError,
    RangeError,
    ReadError,
    UsageError,
    WriteError,
)

if TYPE_CHECKING:
    from imgconv.convolution.api import convolve, correlate
    from imgconv.convolution.plan import Plan
    from imgconv.convolution.planner import make_plan
    from imgconv.filters.api import apply
    from imgconv.filters.base import Filter
    from imgconv.filters.edges import find_edges
    from imgconv.filters.parsing import parse_filter
    from imgconv.images.files import open_image, read_image, write_image, write_pages
    from imgconv.images.image import Coding, Image
    from imgconv.images.pages import Pages
    from imgconv.kernels.catalog import Catalog, load_catalog, parse_kernel
    from imgconv.kernels.kernel import Kernel
    from imgconv.running.api import filter_image

__version__ = "0.1.0"

_MODULES = {
    "convolution.api": ("convolve", "correlate"),
    "convolution.plan": ("Plan",),
    "convolution.planner": ("make_plan",),
    "filters.api": ("apply",),
    "filters.base": ("Filter",),
    "filters.edges": ("find_edges",),
    "filters.parsing": ("parse_filter",),
    "images.files": ("open_image", "read_image", "write_image", "write_pages"),
    "images.image": ("Coding", "Image"),
    "images.pages": ("Pages",),
    "kernels.catalog": ("Catalog", "load_catalog", "parse_kernel"),
    "kernels.kernel": ("Kernel",),
    "running.api": ("filter_image",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "BatchError",
    "Catalog",
    "Coding",
    "DependencyError",
    "Filter",
    "Image",
    "ImgconvError",
    "Kernel",
    "KernelError",
    "Pages",
    "Plan",
    "RangeError",
    "ReadError",
    "UsageError",
    "WriteError",
    "apply",
    "convolve",
    "correlate",
    "filter_image",
    "find_edges",
    "load_catalog",
    "make_plan",
    "open_image",
    "parse_filter",
    "parse_kernel",
    "read_image",
    "write_image",
    "write_pages",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
