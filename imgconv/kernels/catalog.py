"""The catalog: the built-in kernels, overridden and extended by user files.

Reading it imports neither numpy nor cv2; numpy is imported when the first kernel is built.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from imgconv.errors import KernelError, UsageError
from imgconv.kernels.entries import Entry, FilterEntry, KernelEntry, Operator, OperatorEntry, Value
from imgconv.kernels.literals import parse_number, printable, quoted
from imgconv.kernels.notation import File, Matrix, Named, Spec, parse_notation
from imgconv.vocabulary import suggestion

if TYPE_CHECKING:
    from imgconv.kernels.kernel import Kernel
    from imgconv.kernels.layers import Layer

__all__ = ["Catalog", "Operator", "builtin_catalog", "builtin_path", "load_catalog", "parse_kernel"]

#: Environment variable with the paths of catalog files, separated as in PATH, that are read after the built-in one.
VARIABLE = "IMGCONV_KERNELS"

#: Maximum depth of nested chains, and maximum number of their steps in total.
MAX_CHAINS, MAX_STEPS = 16, 256

_Entry = TypeVar("_Entry", bound=Entry)

#: The singular of each section of a catalog, with its article.
_KINDS = {"kernels": "a kernel", "operators": "an edge operator", "filters": "a chain of filters"}


@dataclass(frozen=True, eq=False)
class Catalog:
    """Kernels, edge operators and chains by name.

    Attributes:
        kernels: entries by name. Entries hold notation and numbers; kernels are built on demand.
        operators: entries by name.
        filters: entries by name.
    """

    kernels: Mapping[str, KernelEntry]
    operators: Mapping[str, OperatorEntry]
    filters: Mapping[str, FilterEntry]

    def kernel(self, spec: str | Spec) -> Kernel:
        """Return the kernel for a spec; its name is the text of the spec.

        Raises:
            KernelError: the notation is malformed, a name or an argument is unknown, a value is out of range, or a file
                cannot be read.
        """
        parsed = spec if isinstance(spec, Named | Matrix | File) else parse_notation(spec)
        name = spec.strip() if isinstance(spec, str) else str(spec)
        if isinstance(parsed, File):
            from imgconv.kernels.formats import read_kernel_file

            found = read_kernel_file(parsed.path)
            given = replace(parsed, anchor=parsed.anchor or found.anchor, delta=parsed.delta or found.delta)
            return _make_kernel(found.weights, given, name)
        if isinstance(parsed, Matrix):
            return _make_kernel(parsed.rows, parsed, name)
        return _build(self._entry(self.kernels, parsed.name, "kernels"), parsed, name)

    def operator(self, name: str) -> Operator:
        """Return an edge operator with its kernels.

        Raises:
            KernelError: the name is unknown, or one of its kernels cannot be built.
        """
        if not isinstance(name, str):
            raise KernelError(f"an operator must be a name, found {quoted(name)}")
        entry = self._entry(self.operators, name, "operators")
        try:
            pair = [self.kernel(spec) for spec in (entry.x, entry.y) if spec is not None]
            directions = tuple(self.kernel(spec) for spec in entry.compass)
        except KernelError as error:
            raise KernelError(f"operator {name} ({printable(entry.origin)}:{entry.line}): {error}") from None
        return Operator(name, pair[0] if pair else None, pair[1] if pair else None, directions, entry.scale)

    def steps(self, name: str) -> tuple[str, ...]:
        """Return the notation of a chain's steps, in order.

        Raises:
            KernelError: the name is unknown, or the chain with its nested chains contains itself or is too long.
        """
        entry = self._entry(self.filters, name, "filters")
        self._count_steps(entry, ())
        return entry.steps

    def _count_steps(self, entry: FilterEntry, within: tuple[str, ...]) -> int:
        """Return the number of steps of a chain, including those of nested chains."""
        place = f"filter {entry.name} ({printable(entry.origin)}:{entry.line})"
        if entry.name in within:
            raise KernelError(f"{place} contains itself: {' > '.join((*within, entry.name))}")
        if len(within) == MAX_CHAINS:
            raise KernelError(f"{place}: chains are nested more than {MAX_CHAINS} deep: {' > '.join(within[:2])} > …")
        count = 0
        for step in entry.steps:
            called = step.partition(":")[0].strip()
            chain = None if called in self.kernels else self.filters.get(called)
            count += 1 if chain is None else self._count_steps(chain, (*within, entry.name))
            if count > MAX_STEPS:
                raise KernelError(f"{place}: more than {MAX_STEPS} steps in total")
        return count

    def _entry(self, wanted: Mapping[str, _Entry], name: str, kind: str) -> _Entry:
        """Return the entry `name`; the error for an unknown name reports its section, or similar names."""
        if name in wanted:
            return wanted[name]
        parts: dict[str, Mapping[str, Entry]] = {
            "kernels": self.kernels,
            "operators": self.operators,
            "filters": self.filters,
        }
        for part, entries in parts.items():
            if name in entries:
                hint = f"; use it as edges:operator={name}" if part == "operators" else "; see `imgconv list`"
                raise KernelError(f"{name} is {_KINDS[part]}, and {_KINDS[kind]} is needed here{hint}")
        close = suggestion(name, sorted({known for entries in parts.values() for known in entries}))
        described = any(name.lower() in entry.about.lower() for entries in parts.values() for entry in entries.values())
        listed = f"`imgconv list {name}`" if described and not close else "`imgconv list`"
        raise KernelError(f"there is no kernel, operator or filter {quoted(name)}{close}; see {listed}")

    def __reduce__(self) -> tuple[object, ...]:
        return _catalog, (dict(self.kernels), dict(self.operators), dict(self.filters))


def as_catalog(catalog: Catalog | None) -> Catalog:
    """Return `catalog`, or `load_catalog()` for None."""
    if catalog is None:
        return load_catalog()
    if not isinstance(catalog, Catalog):
        raise UsageError(f"a catalog must come from imgconv.load_catalog(), found {quoted(catalog)}")
    return catalog


def load_catalog(*paths: str | os.PathLike[str]) -> Catalog:
    """Return the built-in catalog extended by the files of the environment variable IMGCONV_KERNELS, then by `paths`.

    Entries of later files replace earlier ones of the same name.

    Raises:
        KernelError: a file cannot be read or is invalid; the message has file, line, key, expected and found.
    """
    for path in paths:
        if not isinstance(path, str | os.PathLike):
            raise KernelError(f"a catalog must be given by its path, found {quoted(path)}")
    listed = [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]
    if not (listed or paths):
        return builtin_catalog()
    builtin = _builtin_layer()
    from imgconv.kernels.layers import read_layer

    # Every generator has an entry in the built-in catalog; the first one defines its parameters.
    generators: dict[str, Mapping[str, Value]] = {}
    for entry in builtin.kernels.values():
        if entry.generator is not None:
            generators.setdefault(entry.generator, entry.parameters)
    return _merge_layers(builtin, *(read_layer(path, generators) for path in (*listed, *paths)))


def parse_kernel(text: str, catalog: Catalog | None = None) -> Kernel:
    """Return the kernel for a spec: a name with arguments, a matrix, or a file.

    Args:
        text: the notation, such as `gaussian:sigma=2`, `[1 0 -1; 2 0 -2; 1 0 -1]` or `@kernel.txt`.
        catalog: catalog for the lookup of names; `load_catalog()` by default.

    Raises:
        KernelError: as for `Catalog.kernel`.

    >>> parse_kernel("sobel_x").weights.tolist()
    [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]
    """
    return as_catalog(catalog).kernel(text)


@functools.cache
def builtin_catalog() -> Catalog:
    """Return the built-in catalog without user files; it is read once."""
    return _merge_layers(_builtin_layer())


def builtin_path() -> Path:
    """Return the path of the built-in catalog, in the package or at the top of a source checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package, package.parent):
        path = folder / "kernels.yaml"
        if path.is_file():
            return path
    raise KernelError(f"the built-in catalog {package / 'kernels.yaml'} is missing; reinstall imgconv")


@functools.cache
def _builtin_layer() -> Layer:
    from imgconv.kernels.layers import read_layer

    return read_layer(builtin_path())


def _merge_layers(*layers: Layer) -> Catalog:
    kernels: dict[str, KernelEntry] = {}
    operators: dict[str, OperatorEntry] = {}
    filters: dict[str, FilterEntry] = {}
    for layer in layers:
        kernels |= layer.kernels
        operators |= layer.operators
        filters |= layer.filters
    return _catalog(kernels, operators, filters)


def _catalog(kernels: dict[str, KernelEntry], operators: dict[str, OperatorEntry], filters: dict[str, FilterEntry]) -> Catalog:
    return Catalog(MappingProxyType(kernels), MappingProxyType(operators), MappingProxyType(filters))


def _build(entry: KernelEntry, spec: Named, name: str) -> Kernel:
    accepted = entry.parameters
    arguments = {key: _value(value) for key, value in accepted.items()}
    for key, value in spec.arguments_for(accepted).items():
        if not isinstance(value, str):
            raise KernelError(f"{spec.name}: {key} must be a number or a word, found a kernel: {quoted(str(value))}")
        arguments[key] = _value(value)
    try:
        if entry.rows is not None:
            return _make_kernel(entry.rows, entry, name)
        from imgconv.kernels.generators import GENERATORS

        weights = GENERATORS[entry.generator or ""](**arguments)
    except KernelError as error:
        # Without arguments the mistake is in the defaults, which may come from a user file.
        where = "" if spec.arguments else f" ({printable(entry.origin)}:{entry.line})"
        raise KernelError(f"{spec.name}{where}: {error}") from None
    return _make_kernel(weights, entry, name)


def _value(value: Value) -> object:
    """Return an argument for a generator: as a number if it can be parsed as one, else unchanged."""
    if not isinstance(value, str):
        return value
    try:
        number = parse_number(value)
    except KernelError:
        return value
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 1e15 else number


def _make_kernel(rows: object, given: Matrix | File | KernelEntry, name: str) -> Kernel:
    """Return the kernel of the weights with the scale, anchor and delta of `given`."""
    import numpy as np

    from imgconv.kernels.kernel import Kernel

    weights = np.asarray(rows)
    if given.scale is None:
        return Kernel(weights, given.anchor, name, given.delta).normalized()
    if given.scale != (1.0, 1.0):
        with np.errstate(over="ignore", invalid="ignore"):  # the kernel rejects weights that are not finite
            weights = weights * given.scale[0] / given.scale[1]  # numerator first, so that a fraction is rounded once
    return Kernel(weights, given.anchor, name, given.delta)
