"""From the notation to a filter: a kernel, a chain of the catalog, or a filter of the registry."""

from __future__ import annotations

from typing import Any

from imgconv.convolution.options import Options, make_options
from imgconv.errors import KernelError
from imgconv.filters.base import Filter
from imgconv.filters.chain import ChainFilter
from imgconv.filters.kernel_filter import KernelFilter
from imgconv.filters.registry import FILTERS, FilterKind
from imgconv.kernels.catalog import Catalog, load_catalog
from imgconv.kernels.notation import Named, parse_notation
from imgconv.vocabulary import suggestion


def parse_filter(text: str, catalog: Catalog | None = None, **options: Any) -> Filter:
    """Return the filter that a text names: anything that `apply` and `batch` take.

    Args:
        text: a kernel (`"gaussian:sigma=2"`, `"[1 0 -1]"`, `"@file"`), a chain of the catalog (`"crisp"`), or another filter
            (`"edges:operator=sobel"`).
        catalog: where names are looked up; the built-in one unless given.
        **options: as for `imgconv.correlate`, for every convolution of the filter.

    Raises:
        KernelError: a text that names no filter.
        UsageError: an option that cannot be used.

    Example:
        >>> parse_filter("edges:operator=sobel").halo
        (1, 1)
    """
    return build_chain([text], catalog, make_options(**options))


def build_chain(texts: list[str], catalog: Catalog | None = None, options: Options | None = None) -> Filter:
    """Return the filter for one text, or the chain for several."""
    catalog = catalog or load_catalog()
    steps = [_build(text, catalog, options or Options()) for text in texts]
    return steps[0] if len(steps) == 1 else ChainFilter(tuple(steps))


def _build(text: str, catalog: Catalog, options: Options) -> Filter:
    spec = parse_notation(text)
    if isinstance(spec, Named) and spec.name not in catalog.kernels:
        if spec.name in catalog.filters:
            return _named_chain(spec, catalog, options)
        if spec.name in FILTERS:
            return _registered(FILTERS[spec.name], spec, catalog, options)
        if close := suggestion(spec.name, FILTERS):  # which the catalog does not know of
            raise KernelError(f"there is no kernel, operator or filter {spec.name!r}{close}; see `imgconv list`")
    return KernelFilter(catalog.kernel(spec), options)


def _named_chain(spec: Named, catalog: Catalog, options: Options) -> Filter:
    if spec.arguments:
        raise KernelError(f"filter {spec.name} is a chain and takes no arguments, found {', '.join(list(spec.arguments)[:5])}")
    steps = tuple(_build(step, catalog, options) for step in catalog.steps(spec.name))
    return steps[0] if len(steps) == 1 else ChainFilter(steps)


def _registered(kind: FilterKind, spec: Named, catalog: Catalog, options: Options) -> Filter:
    for name, value in spec.arguments.items():
        if name not in kind.parameters:
            close = suggestion(name, kind.parameters)
            raise KernelError(f"filter {kind.name} has no parameter {name!r}{close}; it takes {', '.join(kind.parameters)}")
        if not isinstance(value, str):
            raise KernelError(f"filter {kind.name}: {name} is a word, found a filter in parentheses")
    return kind.build(**{**kind.parameters, **spec.arguments}, catalog=catalog, options=options)
