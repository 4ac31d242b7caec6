"""The JSON Schema: the shipped file is up to date, and accepts the same catalogs as the parser."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from imgconv.kernels import schema
from imgconv.kernels.catalog import builtin_path
from imgconv.kernels.layers import parse_layer

SHIPPED = Path(schema.__file__).with_name("kernels.schema.json")


@pytest.fixture(scope="module")
def validator():
    found = json.loads(SHIPPED.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def test_the_shipped_schema_equals_the_generated_one():
    assert SHIPPED.read_text(encoding="utf-8") == json.dumps(schema.json_schema(), indent=2) + "\n"


def test_the_built_in_catalog_is_valid(validator):
    validator.validate(yaml.safe_load(builtin_path().read_text(encoding="utf-8")))


def test_the_built_in_catalog_names_its_schema():
    first = builtin_path().read_text(encoding="utf-8").splitlines()[0]
    named = first.removeprefix("# yaml-language-server: $schema=")
    assert named != first
    assert (Path(schema.__file__).parent.parent.parent / named).resolve() == SHIPPED.resolve()


@pytest.mark.parametrize(
    ("text", "valid"),
    [
        ("kernels: {a: {matrix: [[1, 1/9, 1+2j]], scale: 1/2, anchor: [0, 0], delta: 3, about: x, source: y}}", True),
        ("kernels: {a: {generator: box, defaults: {size: 3, rows: null}}}", True),
        ("operators: {a: {x: box, y: box, scale: 2}}", True),
        ("filters: {a: [box], b: {about: x, steps: [box, box]}}", True),
        ("kernels: {a: {matrix: [[1]], generator: box}}", False),
        ("kernels: {a: {about: x}}", False),
        ("kernels: {a: {matrix: [[1]], wrong: 1}}", False),
        ("kernels: {a: {matrix: [[true]]}}", False),
        ("kernels: {a: {matrix: [[1]], anchor: [1]}}", False),
        ("kernels: {a b: {matrix: [[1]]}}", False),
        ("operators: {a: {x: box}}", False),
        ("operators: {a: {x: box, y: box, compass: [box, box, box, box, box, box, box, box]}}", False),
        ("filters: {a: box}", False),
        ("wrong: {}", False),
        ("[]", False),
    ],
)
def test_schema_and_parser_accept_the_same_catalogs(validator, text, valid):
    assert validator.is_valid(yaml.safe_load(text)) == valid
    try:
        parse_layer(text, "mine.yaml")
    except ValueError:
        assert not valid
    else:
        assert valid
