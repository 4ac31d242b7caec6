"""Filters, which map an image to an image.

This module holds the registry of filters other than plain kernels; the code of a filter is imported on first use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imgconv.filters.base import Filter


@dataclass(frozen=True)
class FilterKind:
    """One entry of the registry.

    Attributes:
        name: name in the notation.
        about: one-line description for listings.
        parameters: name and default of each parameter.
        build: function of the parameters, `catalog` and `options` of the convolution that returns the filter.
    """

    name: str
    about: str
    parameters: Mapping[str, Any]
    build: Callable[..., Filter]


def _edges(*, operator: str, output: str, catalog: Any, options: Any) -> Filter:
    from imgconv.filters.edges import edge_filter

    return edge_filter(operator, output, catalog, options)


#: All registered filters by name.
FILTERS: dict[str, FilterKind] = {
    kind.name: kind
    for kind in (
        FilterKind(
            "edges",
            "magnitude, x, y or direction of the gradient, by an operator of the catalog",
            {"operator": "scharr", "output": "magnitude"},
            _edges,
        ),
    )
}
