"""Catalogs written to break their parser: each one loads, or is rejected with an error of one line."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import imgconv
from imgconv.errors import KernelError
from imgconv.kernels import catalog, yaml_tree
from imgconv.kernels.catalog import builtin_catalog, builtin_path, load_catalog
from imgconv.kernels.notation import MAX_LENGTH
from tests.kernels.hostile import check_text, may_raise, mutated, slow

builtin = builtin_catalog()


def check_catalog(path):
    """Check that a file is a catalog whose entries can be built or are rejected, or that the file is rejected."""
    with may_raise(KernelError):
        found = load_catalog(path)
        for name, entry in found.kernels.items():
            if builtin.kernels.get(name) != entry:
                check_text(name, found)
        for name in found.operators.keys() - builtin.operators.keys():
            with may_raise(KernelError):
                found.operator(name)
        for name in found.filters.keys() - builtin.filters.keys():
            check_text(name, found)


SCALARS = [
    "", "~", "true", "{}", "[]", "1", "-1", "1.5", ".nan", "-.inf", "1.0e+308", "9" * 400, "9" * 5000, "0x10", "1:30", "f",
    "box",
    "2001-01-01", "2001-12-14t21:59:43.10-05:00", "!!binary aGk=", "!!python/object/apply:os.system [ls]", "!!set {a}",
    "!!int x", "!!float nan", "!!null x", "!<tag:yaml.org,2002:map> {}", "&a [*a]", "*a", "<<", '"\\n"', '"\\0"', "'1/9'",
    "1+2j",
    "1e308j", "'gaussian:sigma=2'", "'@k.txt'", "[f, f]", "'[1 2; 3]'", "[[1, 2], [3, 4]]", "[[1, 2], [3]]", "[[]]", "[[[1]]]",
    "{a: 1}", "[1, 2]", "[0, 0]", "? [a] : b", '{"two\\nlines": [1]}', "{size: true}", "{size: 3}",
]  # fmt: skip
FIELDS = [
    "about",
    "source",
    "matrix",
    "generator",
    "defaults",
    "scale",
    "anchor",
    "delta",
    "x",
    "y",
    "compass",
    "steps",
    "extra",
]
scalars = st.sampled_from(SCALARS)
bodies = scalars | st.lists(st.tuples(st.sampled_from(FIELDS), scalars), max_size=4).map(
    lambda pairs: "{" + ", ".join(f"{key}: {value}" for key, value in pairs) + "}"
)
sections = st.sampled_from(["kernels", "operators", "filters", "more", "<<", "[1]"])
names = st.sampled_from(["f", "g", '"a\\nb"', "1", "box"])
catalogs = st.lists(st.tuples(sections, names, bodies), max_size=3).map(
    lambda rows: "\n".join(f"{section}: {{{name}: {body}}}" for section, name, body in rows)
)
BUILTIN = builtin_path().read_text(encoding="utf-8")
cuts = st.tuples(st.integers(0, len(BUILTIN)), st.integers(0, 400)).map(lambda cut: BUILTIN[cut[0] : cut[0] + cut[1]])


@slow
@given(catalogs | mutated(catalogs | cuts.map("kernels:\n{}".format), [*SCALARS, *"{}[]&*!|>%:,\n\t\0#-?"]))
@example("kernels: {a: {generator: box, defaults: {size: true}}}")
@example('kernels: {a: {generator: box, defaults: {"a\\nb": [1]}}}')
@example("kernels: {a: {matrix: [[1e308+1e308j]], scale: 1.0e+308}}")
@example("filters: {f: [g, g], g: [f]}")
@example("operators: {f: {x: box, y: f}}")
def test_mutated_catalogs_load_or_are_rejected(tmp_path, text):
    (tmp_path / "mine\n.yaml").write_bytes(text.encode("utf-8", "surrogatepass"))
    check_catalog(tmp_path / "mine\n.yaml")


@slow
@given(st.binary(max_size=200) | st.binary(max_size=60).map(b"kernels: {a: ".__add__))
def test_arbitrary_bytes_load_as_a_catalog_or_are_rejected(tmp_path, data):
    (tmp_path / "mine.yaml").write_bytes(data)
    check_catalog(tmp_path / "mine.yaml")


ALIAS_BOMB = "a0: &a0 [1, 1, 1, 1]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 15))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ALIAS_BOMB, "more than 2,000,000 values"),
        ("kernels: {a: &a {matrix: *a}}", "a recursive alias"),
        ("".join(f"%TAG !{n}! a\n" for n in range(101)) + "--- {}", "more than 100 %TAG directives"),
        ("? " + "k" * (MAX_LENGTH + 1) + "\n: 1", "a text of 1,000,001 characters; 1,000,000 is the limit"),
        ("kernels: " + "{a: " * 100_000, r"mine\.yaml:1: "),
        ("kernels: !!python/object:os.system {a: 1}", "expected a mapping, found '1'"),
        ("kernels: {a: {generator: box, defaults: {size: true}}}", "a.defaults.size: expected a number or text, found 'true'"),
    ],
    ids=["alias-bomb", "alias", "tags", "long-key", "deep", "python", "bool"],
)
def test_malicious_catalogs_are_rejected(tmp_path, text, reason):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(KernelError, match=reason):
        load_catalog(tmp_path / "mine.yaml")


def test_too_many_values_are_rejected_before_nodes_are_built(tmp_path, monkeypatch):
    (tmp_path / "mine.yaml").write_text("kernels: {a: {matrix: [[" + "0, " * 100 + "0]]}}")
    builtin_catalog()  # read before the limit is lowered
    monkeypatch.setattr(yaml_tree, "MAX_VALUES", 100)
    monkeypatch.setattr(yaml_tree, "YamlFile", None)
    with pytest.raises(KernelError, match=r"mine\.yaml:1: more than 100 values"):
        load_catalog(tmp_path / "mine.yaml")


def chains(count, steps, last):
    return "filters:\n" + "".join(f"  f{n}: [{steps.format(n + 1)}]\n" for n in range(count)) + f"  f{count}: [{last}]\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (chains(5000, "f{}", "sharpen"), "nested more than 16 deep: f0 > f1 > …"),
        (chains(5000, "f{}", "f0"), "nested more than 16 deep"),
        (chains(3, "f{}", "f0"), "contains itself: f0 > f1 > f2 > f3 > f0"),
        (chains(15, "f{0}, f{0}", "sharpen"), "more than 256 steps in total"),
        ("filters: {f0: [" + "sharpen, " * 257 + "]}", "more than 256 steps in total"),
    ],
    ids=["deep", "long-cycle", "cycle", "exponential", "long"],
)
def test_recursive_and_oversized_chains_are_rejected(tmp_path, text, reason):
    (tmp_path / "mine.yaml").write_text(text)
    with pytest.raises(KernelError, match=reason):
        imgconv.parse_filter("f0", load_catalog(tmp_path / "mine.yaml"))


def test_a_chain_of_the_largest_length_and_depth_is_supported(tmp_path):
    (tmp_path / "mine.yaml").write_text(chains(catalog.MAX_CHAINS - 1, "f{}", "sharpen, " * catalog.MAX_STEPS))
    assert imgconv.parse_filter("f0", load_catalog(tmp_path / "mine.yaml")).halo == (256, 256)
