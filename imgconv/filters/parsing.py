"""Parsing of the notation into a filter: a kernel, a chain of the catalog, or a registered filter."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, TypeAlias, Unpack

import numpy as np
from numpy.typing import ArrayLike

from imgconv.convolution.options import FilterOptions, Options, make_options
from imgconv.errors import KernelError
from imgconv.filters import FILTERS, FilterKind
from imgconv.filters.base import Filter
from imgconv.filters.kernel_filter import KernelFilter
from imgconv.kernels.catalog import MAX_STEPS, Catalog, as_catalog
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.notation import Named, parse_notation
from imgconv.vocabulary import suggestion

#: A filter: its notation, a kernel, an array of weights, a built filter, or a sequence of these, which is a chain.
FilterLike: TypeAlias = "str | Kernel | Filter | ArrayLike | Sequence[str | Kernel | Filter]"


def parse_filter(
    text: FilterLike,
    catalog: Catalog | None = None,
    *,
    delta: float = 0.0,
    **options: Unpack[FilterOptions],
) -> Filter:
    """Return the filter for a text in the notation of `apply` and `batch`.

    Args:
        text: a kernel (`"gaussian:sigma=2"`, `"[1 0 -1]"`, `"@file"`), a chain of the catalog (`"crisp"`), or another filter
            (`"edges:operator=sobel"`); an array of weights; a sequence of these is a chain.
        catalog: catalog used to look up names (default: the built-in catalog).
        delta: value added to the result of every convolution, in levels.
        **options: options of `imgconv.correlate` for every convolution of the filter.

    Raises:
        KernelError: the text is not the notation of a filter.
        UsageError: an option is invalid.

    Example:
        >>> parse_filter("edges:operator=sobel").halo
        (1, 1)
    """
    return build_chain([text], catalog, make_options(delta=delta, **options))


def build_chain(given: Sequence[FilterLike], catalog: Catalog | None = None, options: Options | None = None) -> Filter:
    """Return the one filter, or the chain for several."""
    catalog = as_catalog(catalog)
    parts = [part for item in given for part in _parts(item)]
    if len(parts) > MAX_STEPS:
        raise KernelError(f"a chain has at most {MAX_STEPS} filters")
    if not parts:
        raise KernelError("a chain needs at least one filter")
    steps = [_build(part, catalog, options or Options()) for part in parts]
    if len(steps) == 1:
        return steps[0]
    from imgconv.filters.chain import ChainFilter

    return ChainFilter(tuple(steps))


def _parts(given: Any) -> list[str | Kernel | Filter]:
    """Return the filters of a sequence, or what is given as the only one; arrays become kernels."""
    if isinstance(given, str | Kernel | Filter):
        return [given]
    if isinstance(given, np.ndarray):
        return [Kernel(given)]
    try:
        items = list(itertools.islice(given, MAX_STEPS + 1))
    except TypeError:
        kind = type(given).__name__
        raise KernelError(f"a filter is text, a Kernel, an array, or a sequence of filters, found {kind}") from None
    if not items or any(isinstance(item, str | Kernel | Filter) for item in items):
        return [part for item in items for part in _parts(item)]
    return [Kernel(items)]


def _build(text: str | Kernel | Filter, catalog: Catalog, options: Options) -> Filter:
    if isinstance(text, Filter):
        return text
    if isinstance(text, Kernel):
        return KernelFilter(text, options)
    spec = parse_notation(text)
    if isinstance(spec, Named) and spec.name not in catalog.kernels:
        if spec.name in catalog.filters:
            spec.arguments_for(())
            return build_chain(catalog.steps(spec.name), catalog, options)
        if spec.name in FILTERS:
            return _registered(FILTERS[spec.name], spec, catalog, options)
        if spec.name in catalog.operators:
            return _operator(spec, catalog, options)
        if close := suggestion(spec.name, FILTERS):  # the catalog suggests only its own names
            raise KernelError(f"there is no kernel, operator or filter {spec.name!r}{close}; see `imgconv list`")
    return KernelFilter(catalog.kernel(spec), options)


def _operator(spec: Named, catalog: Catalog, options: Options) -> Filter:
    """Return the edge filter for an operator in short notation: `sobel` or `sobel:output=x`."""
    edges = FILTERS["edges"]
    others = spec.arguments_for(name for name in edges.parameters if name != "operator")
    return _registered(edges, Named("edges", {"operator": spec.name, **others}), catalog, options)


def _registered(kind: FilterKind, spec: Named, catalog: Catalog, options: Options) -> Filter:
    arguments = spec.arguments_for(kind.parameters)
    for name, value in arguments.items():
        if not isinstance(value, str):
            raise KernelError(f"filter {kind.name}: {name} must be a word, found a filter in parentheses")
    return kind.build(**{**kind.parameters, **arguments}, catalog=catalog, options=options)
