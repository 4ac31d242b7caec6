"""Filters: anything that turns an image into an image.

The registry of those that are more than a kernel, by name, stands here; what builds one is imported on use.
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
        name: as it is written.
        about: one line for listings.
        parameters: name and default of each parameter.
        build: takes the parameters, the catalog and the options of the convolution; returns the filter.
    """

    name: str
    about: str
    parameters: Mapping[str, Any]
    build: Callable[..., Filter]


def _edges(*, operator: str, output: str, catalog: Any, options: Any) -> Filter:
    from imgconv.filters.edges import edge_filter

    return edge_filter(operator, output, catalog, options)


#: Every filter by name.
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
