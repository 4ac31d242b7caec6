"""Parsing of one catalog file; mistakes are reported with file, line, key, expected and found."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from imgconv.errors import KernelError
from imgconv.kernels.entries import FilterEntry, KernelEntry, OperatorEntry, Value
from imgconv.kernels.literals import PER_SUM, Number, check_rectangle, parse_fraction, parse_number, quoted
from imgconv.kernels.notation import NAME, Argument, File, Matrix, Named, Spec, parse_notation
from imgconv.kernels.schema import FORMS, CatalogForm, FilterForm, KernelForm, OperatorForm
from imgconv.kernels.yaml_tree import YamlFile, compose, describe, read_text
from imgconv.vocabulary import suggestion

#: The known generators, each with its parameters and their defaults.
Generators = Mapping[str, Mapping[str, Value]]

_EXPECTED = {
    "array": "a list",
    "object": "a mapping",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "null": "nothing",
}
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]|\[\.\.\.\]")
_T = TypeVar("_T")
_V = TypeVar("_V")


@dataclass(frozen=True)
class Layer:
    """The entries of one file, by name."""

    kernels: dict[str, KernelEntry] = field(default_factory=dict)
    operators: dict[str, OperatorEntry] = field(default_factory=dict)
    filters: dict[str, FilterEntry] = field(default_factory=dict)


@dataclass(frozen=True)
class _Place:
    """The location of an entry: its file, node and keys, for building it and for reporting mistakes."""

    file: YamlFile
    node: yaml.Node
    keys: tuple[str, str]

    def head(self, form: KernelForm | OperatorForm | FilterForm) -> tuple[str, str, str, str, int]:
        """Return the common fields of an `Entry`."""
        return self.keys[1], form.about, form.source, self.file.origin, self.node.start_mark.line + 1

    def fail(self, reason: str, *path: str) -> KernelError:
        """Return the error for a mistake at the node at `path`."""
        return self.file.fail(_follow(self.node, path), [*self.keys, *path], reason)

    def read(self, reader: Callable[[_V], _T], value: _V, *path: str) -> _T:
        """Return `reader(value)`; a KernelError raised by it is reported at the node at `path`."""
        try:
            return reader(value)
        except KernelError as error:
            raise self.fail(str(error), *path) from None


def read_layer(path: str | os.PathLike[str], generators: Generators | None = None) -> Layer:
    """Return the entries of the catalog file at `path`.

    Args:
        path: the file.
        generators: known generators. None, for the built-in catalog, accepts any name; its defaults are then its parameters.

    Raises:
        KernelError: the file cannot be read or is invalid.
    """
    return parse_layer(read_text(path, "catalog"), os.fspath(path), generators)


def parse_layer(text: str, origin: str, generators: Generators | None = None) -> Layer:
    """Return the entries of a catalog given as text; `origin` is its path, for messages and for paths relative to it."""
    file = compose(text, origin)
    layer = Layer()
    for section, node in file.items(file.root, []):
        _check_key(file, node, [section], section, CatalogForm.__struct_fields__)
        for name, entry in file.items(node, [section]):
            if not NAME.fullmatch(name):
                reason = "is not a valid name: expected a letter, then up to 99 letters, digits, _ and -"
                raise file.fail(entry, [section], f"{quoted(name)} {reason}")
            place = _Place(file, entry, (section, name))
            form = _convert(place, FORMS[section])
            if section == "kernels":
                layer.kernels[name] = _kernel(place, form, generators)
            elif section == "operators":
                layer.operators[name] = _operator(place, form)
            else:
                layer.filters[name] = _filter(place, form)
    return layer


def _check_key(file: YamlFile, node: yaml.Node, keys: Sequence[str], key: str, known: Sequence[str]) -> None:
    if key not in known:
        raise file.fail(node, keys[:-1], f"unknown key {quoted(key)}; {_expected(key, known)}")


def _expected(found: str, known: Collection[str]) -> str:
    return f"expected one of {', '.join(known)}{suggestion(found, known)}"


def _convert(place: _Place, form: Any) -> Any:
    """Return the entry as its struct; errors of msgspec are reported in YAML terms with the line of the file."""
    struct = FilterForm if place.keys[0] == "filters" else form
    if isinstance(place.node, yaml.MappingNode):
        for key, value in place.file.items(place.node, place.keys):
            _check_key(place.file, value, [*place.keys, key], key, struct.__struct_fields__)
    plain: Any = place.file.value(place.node, place.keys)
    try:
        return msgspec.convert(plain, form)
    except msgspec.ValidationError as error:
        reason, _, where = str(error).partition(" - at `$")
        path = [name or index for name, index in _STEP.findall(where.rstrip("`"))]
        if path and not path[-1]:  # a value of a mapping, whose key msgspec does not report
            path[-1] = next(key for key, value in plain[path[0]].items() if type(value) not in (int, float, str, type(None)))
        raise place.fail(_in_yaml_terms(reason, _follow(place.node, path)), *path) from None


def _in_yaml_terms(reason: str, node: yaml.Node) -> str:
    """Return an error of msgspec at a node (Expected `X`, got `Y`) in the terms of YAML."""
    expected = re.match(r"Expected `([^`]*)`(?: of length (\d+))?", reason)
    if not expected:
        return reason.replace("`", "")
    words = expected[1].split(" | ")
    # An int is also a valid float; null is equivalent to leaving out the key.
    kept = [word for word in words if len(words) == 1 or not (word == "null" or (word == "int" and "float" in words))]
    wanted = " or ".join(_EXPECTED.get(word, word) for word in kept)
    if expected[2]:
        return f"expected {wanted} of {expected[2]}, found one of {len(node.value)}"
    return f"expected {wanted}, found {describe(node)}"


def _follow(node: yaml.Node, path: Sequence[str]) -> yaml.Node:
    """Return the node at a path of keys and indices, or the last node found on the way."""
    for step in path:
        found: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            found = [value for key, value in node.value if key.value == step]
        elif isinstance(node, yaml.SequenceNode) and step.isdigit():
            found = node.value[int(step) : int(step) + 1]
        if not found:
            return node
        node = found[0]
    return node


def _kernel(place: _Place, form: KernelForm, generators: Generators | None) -> KernelEntry:
    if (form.matrix is None) == (form.generator is None):
        raise place.fail(f"expected a matrix or a generator, found {'neither' if form.matrix is None else 'both'}")
    if form.matrix is not None and form.defaults:
        raise place.fail("a matrix has no defaults; they belong to a generator", "defaults")
    scale = place.read(_fraction, form.scale, "scale") if form.scale != PER_SUM else None
    if scale and scale[0] == 0:
        raise place.fail("expected a number other than 0, found 0", "scale")
    above, below = place.read(_fraction, form.delta, "delta")
    rows, parameters, shape = None, _parameters(place, form, generators), None
    if form.matrix is not None:
        rows = tuple(
            tuple(place.read(_number, value, "matrix", str(i), str(j)) for j, value in enumerate(row))
            for i, row in enumerate(form.matrix)
        )
        place.read(check_rectangle, rows, "matrix")
        shape = (len(rows), len(rows[0]))
    _check_anchor(place, form.anchor, shape)
    return KernelEntry(*place.head(form), rows, form.generator, parameters, scale, form.anchor, above / below)


def _check_anchor(place: _Place, anchor: tuple[int, int] | None, shape: tuple[int, int] | None) -> None:
    """Reject an anchor outside the shape, or a negative anchor if the shape is unknown (that of a generator)."""
    if anchor is None:
        return
    rows, columns = shape or (max(anchor) + 1, max(anchor) + 1)
    if not (0 <= anchor[0] < rows and 0 <= anchor[1] < columns):
        within = f" within {rows} rows and {columns} columns" if shape else ""
        raise place.fail(f"expected [row, column]{within}, counted from 0, found {quoted(list(anchor))}", "anchor")


def _parameters(place: _Place, form: KernelForm, generators: Generators | None) -> Mapping[str, Value]:
    """Return the parameters of the generator, with the defaults of the entry, else those of the built-in catalog."""
    if form.generator is None or generators is None:
        return form.defaults
    if form.generator not in generators:
        expected = _expected(form.generator, sorted(generators))
        raise place.fail(f"unknown generator {quoted(form.generator)}; {expected}", "generator")
    known = generators[form.generator]
    for key in form.defaults:
        if key not in known:
            raise place.fail(f"{form.generator} has no argument {quoted(key)}; {_expected(key, known)}", "defaults", key)
    return {**known, **form.defaults}


def _operator(place: _Place, form: OperatorForm) -> OperatorEntry:
    above, below = place.read(_fraction, form.scale, "scale")
    if above / below <= 0:
        raise place.fail(f"expected a number above 0, found {form.scale}", "scale")
    head, scale = place.head(form), above / below
    if form.x is not None and form.y is not None and form.compass is None:
        return OperatorEntry(*head, x=_spec(place, form.x, "x"), y=_spec(place, form.y, "y"), scale=scale)
    if form.compass is None or form.x is not None or form.y is not None:
        raise place.fail("expected either x and y, or a compass of eight kernels")
    if len(form.compass) != 8:
        raise place.fail(f"expected eight kernels (n, nw, w, sw, s, se, e, ne), found {len(form.compass)}", "compass")
    compass = tuple(_spec(place, step, "compass", str(i)) for i, step in enumerate(form.compass))
    return OperatorEntry(*head, compass=compass, scale=scale)


def _filter(place: _Place, form: list[str] | FilterForm) -> FilterEntry:
    path = ["steps"] if isinstance(form, FilterForm) else []
    form = form if isinstance(form, FilterForm) else FilterForm(form)
    if not form.steps:
        raise place.fail("expected at least one step, found an empty list", *path)
    return FilterEntry(*place.head(form), tuple(_spec(place, step, *path, str(i)) for i, step in enumerate(form.steps)))


def _spec(place: _Place, text: str, *path: str) -> str:
    """Return the checked notation, with file paths resolved against the folder of the catalog."""
    spec = place.read(parse_notation, text, *path)
    resolved = _resolve_paths(spec, Path(place.file.origin).parent)
    return text.strip() if resolved == spec else str(resolved)


def _resolve_paths(spec: Spec, folder: Path) -> Spec:
    if isinstance(spec, File):
        return replace(spec, path=os.fspath(folder / spec.path))
    if isinstance(spec, Matrix):
        return spec
    arguments: dict[str, Argument] = {}
    for key, value in spec.arguments.items():
        inner = parse_notation(value) if isinstance(value, str) and value.startswith("@") else value
        arguments[key] = inner if isinstance(inner, str) else _resolve_paths(inner, folder)
    return Named(spec.name, arguments)


def _number(value: float | str) -> Number:
    return parse_number(value) if isinstance(value, str) else _fraction(value)[0]


def _fraction(value: float | str) -> tuple[float, float]:
    if isinstance(value, str):
        return parse_fraction(value)
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise KernelError(f"the number {quoted(value)} is too large")
    return number, 1.0
