"""Reading of untrusted text files, and YAML as a tree of nodes with line numbers.

PyYAML composes the tree; plain values are constructed here. Tags cannot run code, keys are unique strings, the expansion of
aliases is limited, and errors have line numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import yaml

from imgconv.errors import KernelError
from imgconv.kernels.literals import printable, quoted
from imgconv.kernels.notation import MAX_LENGTH

#: Maximum size of a kernel file or a catalog in bytes, enough for a kernel of a million full-precision decimals.
MAX_BYTES = 32 * 2**20
#: Maximum number of values in one file, with aliases counted at each use; enough for a matrix of 1000 x 1000.
MAX_VALUES = 2_000_000
#: Maximum nesting depth. A catalog needs five levels.
MAX_DEPTH = 20
#: Maximum number of `%TAG` directives. A catalog needs none.
MAX_DIRECTIVES = 100

_LOADER: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_TEXT_TAGS = {"str", "timestamp", "value", "merge"}
# Conversion of each kind of scalar. Numbers are decimal: 010 is ten, and sexagesimal numbers of YAML 1.1 are rejected.
_SCALARS: dict[str, Callable[[str], object]] = {
    **dict.fromkeys(_TEXT_TAGS, str),
    "null": lambda text: None,
    "bool": lambda text: text.lower() in ("true", "yes", "on"),
    "int": int,
    "float": float,
}


def read_text(path: str | os.PathLike[str], kind: str) -> str:
    """Return the text of the file at `path`, UTF-8, without a byte order mark; `kind` is `kernel file` or `catalog`.

    Raises:
        KernelError: the file does not exist, cannot be read, is larger than `MAX_BYTES` or is not UTF-8.
    """
    return as_text(read_bytes(path, kind), path, kind)


def read_bytes(path: str | os.PathLike[str], kind: str) -> bytes:
    """Return the content of the file at `path`.

    Raises:
        KernelError: the file does not exist, cannot be read, or is larger than `MAX_BYTES`.
    """
    name = quoted(os.fspath(path), 200)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise KernelError(f"the {kind} {name} does not exist; check the path") from None
    except IsADirectoryError:
        raise KernelError(f"the {kind} {name} is a directory; choose a file in it") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise KernelError(f"the {kind} {name} cannot be read: {reason}") from None
    if len(data) > MAX_BYTES:
        raise KernelError(f"the {kind} {name} is larger than the limit of {MAX_BYTES // 2**20} MiB")
    return data


def as_text(data: bytes, path: str | os.PathLike[str], kind: str) -> str:
    """Return the content of the file at `path` as text.

    Raises:
        KernelError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, name = data[: error.start].count(b"\n") + 1, quoted(os.fspath(path), 200)
        raise KernelError(f"the {kind} {name} is not UTF-8 text: line {line} has the byte {data[error.start]:#04x}") from None


@dataclass(frozen=True)
class YamlFile:
    """The composed tree of one file: `root` is its top node, `origin` its name for messages."""

    origin: str
    root: yaml.Node

    def fail(self, node: yaml.Node, keys: Sequence[str], reason: str) -> KernelError:
        """Return the error for a mistake at `node`, with file, line and the path of keys."""
        at = ".".join(printable(key, 100) for key in keys)
        return KernelError(f"{printable(self.origin)}:{node.start_mark.line + 1}: {at + ': ' if at else ''}{reason}")

    def items(self, node: yaml.Node, keys: Sequence[str]) -> list[tuple[str, yaml.Node]]:
        """Return the (key, value node) pairs of a mapping.

        Raises:
            KernelError: the node is not a mapping, or a key is not a string or occurs twice.
        """
        if not isinstance(node, yaml.MappingNode):
            raise self.fail(node, keys, f"expected a mapping (key: value), found {describe(node)}")
        lines: dict[str, int] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.tag.removeprefix(_CORE) not in _TEXT_TAGS:
                hint = "; put quotes around it" if isinstance(key, yaml.ScalarNode) else ""
                raise self.fail(key, keys, f"expected text as a key, found {describe(key)}{hint}")
            if key.value in lines:
                raise self.fail(key, keys, f"duplicate key {quoted(key.value)}, first used in line {lines[key.value]}")
            lines[key.value] = key.start_mark.line + 1
        return [(key.value, value) for key, value in node.value]

    def value(self, node: yaml.Node, keys: Sequence[str]) -> object:
        """Return the node as dicts, lists, strings, numbers, booleans and None.

        Raises:
            KernelError: a tag is not one of plain values, or a number is malformed.
        """
        core = node.tag.removeprefix(_CORE)
        if isinstance(node, yaml.MappingNode) and core == "map":
            return {key: self.value(value, [*keys, key]) for key, value in self.items(node, keys)}
        if isinstance(node, yaml.SequenceNode) and core == "seq":
            return [self.value(value, keys) for value in node.value]
        if isinstance(node, yaml.ScalarNode) and core in _SCALARS:
            try:
                return _SCALARS[core](node.value)
            except ValueError:
                raise self.fail(node, keys, f"expected a number, found {quoted(node.value)}") from None
        raise self.fail(node, keys, f"the tag {quoted(node.tag)} is not supported; use plain values")


def compose(text: str, origin: str) -> YamlFile:
    """Return the tree of one YAML document.

    Raises:
        KernelError: the text is not YAML, does not hold exactly one document, or is too large or too deeply nested.
    """
    try:
        _check_size(text, origin)
        loader = _LOADER(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
        raise KernelError(f"{printable(origin)}{line}: not YAML: {' '.join(str(reason).split())}") from None
    if root is None:
        raise KernelError(f"{printable(origin)}:1: expected kernels, operators or filters, found an empty file")
    file = YamlFile(origin, root)
    _count(file, root)
    return file


def describe(node: yaml.Node) -> str:
    """Return a description of a node for messages."""
    if isinstance(node, yaml.MappingNode):
        return "a mapping"
    if isinstance(node, yaml.SequenceNode):
        return "a list"
    return "nothing" if node.value == "" and node.tag == _CORE + "null" else quoted(node.value)


def _check_size(text: str, origin: str) -> None:
    """Reject a text that is too deeply nested or too large, by its events.

    Composing it could exhaust the stack, and a node takes a hundred times the bytes of its text.
    """
    # At the first event the parser compares each directive with all preceding ones.
    if text.count("%TAG") > MAX_DIRECTIVES:
        raise KernelError(f"{printable(origin)}: more than {MAX_DIRECTIVES} %TAG directives; use plain values, without tags")
    depth = count = 0
    for event in yaml.parse(text, Loader=_LOADER):
        count += isinstance(event, yaml.NodeEvent)
        reason = ""
        if count > MAX_VALUES:
            reason = f"more than {MAX_VALUES:,} values"
        elif isinstance(event, yaml.ScalarEvent):
            if len(event.value) > MAX_LENGTH:
                reason = f"a text of {len(event.value):,} characters; {MAX_LENGTH:,} is the limit"
        elif isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > MAX_DEPTH:
                reason = f"nested more than {MAX_DEPTH} deep"
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if reason:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise KernelError(f"{printable(origin)}:{line}: {reason}")


def _count(file: YamlFile, node: yaml.Node, count: int = 0, depth: int = 0) -> int:
    """Return `count` plus the number of values from `node` down, with aliases counted at each use; raise beyond the limit."""
    count += 1
    # A recursive alias never ends, so its depth exceeds that of any text that passed `_check_size`.
    if count > MAX_VALUES or depth > MAX_DEPTH:
        raise file.fail(node, [], f"more than {MAX_VALUES:,} values, or a recursive alias; write the file without aliases")
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            count = _count(file, value, _count(file, key, count, depth + 1), depth + 1)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            count = _count(file, value, count, depth + 1)
    return count
