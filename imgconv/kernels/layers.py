"""The entries of one catalog file; every mistake is reported with file, line, key, expected and found."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

from imgconv.errors import KernelError
from imgconv.kernels.entries import FilterEntry, KernelEntry, OperatorEntry, Value
from imgconv.kernels.literals import Number, check_rectangle, parse_fraction, parse_number, quoted
from imgconv.kernels.notation import NAME, Argument, File, Matrix, Named, Spec, parse_notation
from imgconv.kernels.schema import FORMS, CatalogForm, FilterForm, KernelForm, OperatorForm
from imgconv.kernels.yaml_tree import YamlFile, compose, describe, read_text
from imgconv.vocabulary import suggestion

#: The generators that there are, each with its arguments and their defaults.
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
    """Where an entry stands: what its builder needs to make it, and to report a mistake in it."""

    file: YamlFile
    node: yaml.Node
    keys: tuple[str, str]

    def head(self, form: KernelForm | OperatorForm | FilterForm) -> tuple[str, str, str, str, int]:
        """Return the fields that every `Entry` begins with."""
        return self.keys[1], form.about, form.source, self.file.origin, self.node.start_mark.line + 1

    def fail(self, reason: str, *path: str) -> KernelError:
        """Return the error for a mistake at the node that `path` leads to."""
        return self.file.fail(_follow(self.node, path), [*self.keys, *path], reason)

    def read(self, reader: Callable[[_V], _T], value: _V, *path: str) -> _T:
        """Return `reader(value)`; a KernelError in it is reported at the node that `path` leads to."""
        try:
            return reader(value)
        except KernelError as error:
            raise self.fail(str(error), *path) from None


def read_layer(path: str | os.PathLike[str], generators: Generators | None = None) -> Layer:
    """Return the entries of the catalog file at `path`.

    Args:
        path: the file.
        generators: what `generator:` may name; without it (for the built-in catalog) anything, its defaults being all
            of its arguments.

    Raises:
        KernelError: the file cannot be read, or holds a mistake.
    """
    return parse_layer(read_text(path, "catalog"), os.fspath(path), generators)


def parse_layer(text: str, origin: str, generators: Generators | None = None) -> Layer:
    """Return the entries of a catalog in text; `origin` is the file's path, for messages and for paths relative to it."""
    file = compose(text, origin)
    layer = Layer()
    for section, node in file.items(file.root, []):
        _check_key(file, node, [section], section, CatalogForm.__struct_fields__)
        for name, entry in file.items(node, [section]):
            if not NAME.fullmatch(name):
                reason = "is no name: a letter first, then up to 99 letters, digits, _ and -"
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
    """Return the entry as its struct; what msgspec finds wrong is reported in the words and lines of the file."""
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
        if path and not path[-1]:  # a value of a mapping, which msgspec does not name
            path[-1] = next(key for key, value in plain[path[0]].items() if type(value) not in (int, float, str, type(None)))
        raise place.fail(_in_plain_words(reason, _follow(place.node, path)), *path) from None


def _in_plain_words(reason: str, node: yaml.Node) -> str:
    """Return an error of msgspec at a node (Expected `X`, got `Y`) in the words of YAML."""
    expected = re.match(r"Expected `([^`]*)`(?: of length (\d+))?", reason)
    if not expected:
        return reason.replace("`", "")
    words = expected[1].split(" | ")
    # A float may be written without a point; null is what leaving the key out says.
    kept = [word for word in words if len(words) == 1 or not (word == "null" or (word == "int" and "float" in words))]
    wanted = " or ".join(_EXPECTED.get(word, word) for word in kept)
    if expected[2]:
        return f"expected {wanted} of {expected[2]}, found one of {len(node.value)}"
    return f"expected {wanted}, found {describe(node)}"


def _follow(node: yaml.Node, path: Sequence[str]) -> yaml.Node:
    """Return the node that keys and indices lead to, as far as they go."""
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
        raise place.fail("a matrix takes no defaults; they belong to a generator", "defaults")
    scale = place.read(_fraction, form.scale, "scale")
    if scale[0] == 0:
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
    """Refuse an anchor outside of the shape; without one (a generator's is known later), a negative anchor."""
    if anchor is None:
        return
    rows, columns = shape or (max(anchor) + 1, max(anchor) + 1)
    if not (0 <= anchor[0] < rows and 0 <= anchor[1] < columns):
        within = f" within {rows} rows and {columns} columns" if shape else ""
        raise place.fail(f"expected [row, column]{within}, counted from 0, found {quoted(list(anchor))}", "anchor")


def _parameters(place: _Place, form: KernelForm, generators: Generators | None) -> Mapping[str, Value]:
    """Return what the generator takes, each parameter with the default of the catalog or else its own."""
    if form.generator is None or generators is None:
        return form.defaults
    if form.generator not in generators:
        expected = _expected(form.generator, sorted(generators))
        raise place.fail(f"unknown generator {quoted(form.generator)}; {expected}", "generator")
    known = generators[form.generator]
    for key in form.defaults:
        if key not in known:
            raise place.fail(f"{form.generator} takes no {quoted(key)}; {_expected(key, known)}", "defaults", key)
    return {**known, **form.defaults}


def _operator(place: _Place, form: OperatorForm) -> OperatorEntry:
    above, below = place.read(_fraction, form.scale, "scale")
    if above / below <= 0:
        raise place.fail(f"expected a number above 0, found {form.scale}", "scale")
    head, scale = place.head(form), above / below
    if form.x is not None and form.y is not None and form.compass is None:
        return OperatorEntry(*head, x=_spec(place, form.x, "x"), y=_spec(place, form.y, "y"), scale=scale)
    if form.compass is None or form.x is not None or form.y is not None:
        raise place.fail("expected x and y, or else a compass of eight kernels")
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
    """Return the notation, checked, with paths relative to the folder of the catalog."""
    spec = place.read(parse_notation, text, *path)
    moved = _moved(spec, Path(place.file.origin).parent)
    return text.strip() if moved == spec else str(moved)


def _moved(spec: Spec, folder: Path) -> Spec:
    if isinstance(spec, File):
        return File(os.fspath(folder / spec.path))
    if isinstance(spec, Matrix):
        return spec
    moved: dict[str, Argument] = {}
    for key, value in spec.arguments.items():
        inner = parse_notation(value) if isinstance(value, str) and value.startswith("@") else value
        moved[key] = inner if isinstance(inner, str) else _moved(inner, folder)
    return Named(spec.name, moved)


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
