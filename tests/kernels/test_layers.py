"""One catalog file: its entries, and errors that state file, line, key, expected and found."""

from __future__ import annotations

import pytest

from imgconv.errors import KernelError
from imgconv.kernels.layers import parse_layer, read_layer

GENERATORS = {"gaussian": {"sigma": None, "size": None}, "box": {"size": 3}}


def read(text):
    return parse_layer(text, "mine.yaml", GENERATORS)


def test_a_kernel_with_a_matrix_is_parsed():
    entry = read("""
kernels:
  slope:
    about: a slope
    source: me
    matrix: [[-1, 0.5], [1/3, 1+2j], [010, 1e-3]]
    scale: 1/16
    anchor: [2, 0]
    delta: "1/2"
""").kernels["slope"]
    assert entry.rows == ((-1, 0.5), (1 / 3, 1 + 2j), (10, 0.001))
    assert (entry.scale, entry.anchor, entry.delta) == ((1.0, 16.0), (2, 0), 0.5)
    assert (entry.name, entry.about, entry.source, entry.origin, entry.line) == (
        "slope",
        "a slope",
        "me",
        "mine.yaml",
        4,
    )
    assert entry.parameters == {}


def test_a_scale_can_divide_by_the_sum():
    assert read("kernels: {soft: {matrix: [[1, 2, 1]], scale: 1/sum}}").kernels["soft"].scale is None


def test_a_kernel_with_a_generator_has_all_arguments():
    entry = read("kernels: {soft: {generator: gaussian, defaults: {sigma: 3}}}").kernels["soft"]
    assert entry.generator == "gaussian"
    assert entry.parameters == {"sigma": 3, "size": None}


def test_operators_and_filters_are_parsed():
    layer = read("""
operators:
  mine: {x: "[1 -1]", y: " slope:size=3 ", scale: 1/4}
  round: {compass: [a, b, c, d, e, f, g, h]}
filters:
  short: [box, "gaussian:sigma=2,size=9"]
  long: {about: why, source: me, steps: [box]}
""")
    assert (layer.operators["mine"].x, layer.operators["mine"].y) == ("[1 -1]", "slope:size=3")
    assert layer.operators["mine"].scale == 0.25
    assert layer.operators["round"].compass == tuple("abcdefgh")
    assert layer.operators["round"].x is None
    assert layer.filters["short"].steps == ("box", "gaussian:sigma=2,size=9")
    assert (layer.filters["long"].about, layer.filters["long"].steps) == ("why", ("box",))


def test_paths_are_relative_to_the_folder_of_the_catalog():
    text = "filters: {a: ['@k.txt', '@/k.txt', 'f:psf=@k.txt', 'f:psf=(g:p=(@k.txt)),n=1', '[1]']}"
    assert parse_layer(text, "/home/me/mine.yaml").filters["a"].steps == (
        "@/home/me/k.txt",
        "@/k.txt",
        "f:psf=(@/home/me/k.txt)",
        "f:psf=(g:p=(@/home/me/k.txt)),n=1",
        "[1]",
    )


MISTAKES = [
    ("", ":1: expected kernels, operators or filters, found an empty file"),
    ("# nothing", ":1: expected kernels, operators or filters, found an empty file"),
    ("[]", ":1: expected a mapping (key: value), found a list"),
    ("kernels: 3", ":1: kernels: expected a mapping (key: value), found '3'"),
    ("kernels:\n", ":1: kernels: expected a mapping (key: value), found nothing"),
    ("kernls: {}", ":1: unknown key 'kernls'; expected one of kernels, operators, filters (did you mean kernels?)"),
    ("kernels:\n  a: 3", ":2: kernels.a: expected a mapping, found '3'"),
    ("kernels:\n  a:\n    matrix: 3", ":3: kernels.a.matrix: expected a list, found '3'"),
    ("kernels:\n  a:\n    matrix:\n    - [1]\n    - x", ":5: kernels.a.matrix.1: expected a list, found 'x'"),
    ("kernels:\n  a:\n    matrix:\n    - [1]\n    - [x]", ":5: kernels.a.matrix.1.0: expected a number such as 1,"),
    ("kernels: {a: {matrix: [[1, null]]}}", ":1: kernels.a.matrix.0.1: expected a number or text, found 'null'"),
    ("kernels: {a: {matrix: [[1, ]]}}", None),
    ("kernels: {a: {matrix: [[true]]}}", "expected a number or text, found 'true'"),
    ("kernels: {a: {matrix: [[1], [1, 2]]}}", "kernels.a.matrix: row 2 has 2 numbers, but row 1 has 1"),
    ("kernels: {a: {matrix: []}}", "kernels.a.matrix: expected rows of numbers, found none"),
    ("kernels: {a: {matrix: [[]]}}", "kernels.a.matrix: row 1 is empty"),
    ("kernels: {a: {matrix: [[1:30]]}}", "expected a number, found '1:30'"),
    ("kernels: {a: {matrix: [[.inf]]}}", "expected a number, found '.inf'"),
    ("kernels: {a: {matrix: [[1.0e+999]]}}", "kernels.a.matrix.0.0: the number inf is too large"),
    ("kernels: {a: {matrix: [[" + "9" * 400 + "]]}}", "is too large"),
    ("kernels: {a: {matrix: [[" + "9" * 5000 + "]]}}", "expected a number, found '999"),
    ("kernels:\n  a: {mtrix: [[1]]}", ":2: kernels.a: unknown key 'mtrix'; expected one of about, source, matrix,"),
    ("kernels:\n  a: {mtrix: [[1]]}", "(did you mean matrix?)"),
    ("kernels: {a: {}}", "kernels.a: expected a matrix or a generator, found neither"),
    ("kernels: {a: {matrix: [[1]], generator: box}}", "kernels.a: expected a matrix or a generator, found both"),
    ("kernels: {a: {matrix: [[1]], defaults: {size: 3}}}", "kernels.a.defaults: a matrix has no defaults"),
    ("kernels: {a: {matrix: [[1]], about: [x]}}", "kernels.a.about: expected text, found a list"),
    ("kernels: {a: {matrix: [[1]], scale: []}}", "kernels.a.scale: expected a number or text, found a list"),
    ("kernels: {a: {matrix: [[1]], scale: 0}}", "kernels.a.scale: expected a number other than 0, found 0"),
    ("kernels: {a: {matrix: [[1]], scale: one}}", "kernels.a.scale: expected a number such as"),
    ("kernels: {a: {matrix: [[1]], delta: 1/0}}", "kernels.a.delta: the fraction '1/0' has a denominator of 0"),
    ("kernels: {a: {matrix: [[1]], anchor: 3}}", "kernels.a.anchor: expected a list, found '3'"),
    ("kernels: {a: {matrix: [[1]], anchor: [1]}}", "kernels.a.anchor: expected a list of 2, found one of 1"),
    ("kernels: {a: {matrix: [[1]], anchor: [0.5, 0]}}", "kernels.a.anchor.0: expected a whole number, found '0.5'"),
    ("kernels: {a: {matrix: [[1]], anchor: [0, 1]}}", "within 1 rows and 1 columns, counted from 0, found [0, 1]"),
    ("kernels: {a: {generator: box, anchor: [-1, 0]}}", "expected [row, column], counted from 0, found [-1, 0]"),
    ("kernels: {a: {generator: bx}}", "kernels.a.generator: unknown generator 'bx'; expected one of box, gaussian"),
    ("kernels: {a: {generator: bx}}", "(did you mean box?)"),
    ("kernels: {a: {generator: gaussian, defaults: {sgma: 1}}}", "kernels.a.defaults.sgma: gaussian has no argument 'sgma'"),
    (
        "kernels: {a: {generator: gaussian, defaults: {size: 1, sigma: [2]}}}",
        "kernels.a.defaults.sigma: expected a number",
    ),
    ("kernels: {a b: {matrix: [[1]]}}", "kernels: 'a b' is not a valid name: expected a letter"),
    ("kernels: {3: {matrix: [[1]]}}", "kernels: expected text as a key, found '3'; put quotes around it"),
    ("kernels: {no: {matrix: [[1]]}}", "expected text as a key, found 'no'; put quotes around it"),
    ("kernels: {? [a] : {matrix: [[1]]}}", "expected text as a key, found a list"),
    (
        "kernels:\n  a: {matrix: [[1]]}\n  a: {matrix: [[2]]}",
        ":3: kernels: duplicate key 'a', first used in line 2",
    ),
    ("kernels:\n  a:\n    scale: 1\n    scale: 2", ":4: kernels.a: duplicate key 'scale', first used in line 3"),
    ("operators: {a: {x: b}}", "operators.a: expected either x and y, or a compass of eight kernels"),
    ("operators: {a: {x: b, y: c, compass: [a]}}", "operators.a: expected either x and y, or a compass"),
    ("operators: {a: {}}", "operators.a: expected either x and y"),
    (
        "operators: {a: {compass: [a, b]}}",
        "operators.a.compass: expected eight kernels (n, nw, w, sw, s, se, e, ne), found 2",
    ),
    ("operators: {a: {x: b, y: c, scale: -1}}", "operators.a.scale: expected a number above 0, found -1"),
    ("operators: {a: {x: 'b:', y: c}}", "operators.a.x: 'b:', character 3: expected key=value"),
    ("operators: {a: {x: b, z: c}}", "operators.a: unknown key 'z'"),
    ("filters: {a: 3}", "filters.a: expected a mapping or a list, found '3'"),
    ("filters: {a: []}", "filters.a: expected at least one step, found an empty list"),
    ("filters: {a: {steps: []}}", "filters.a.steps: expected at least one step"),
    ("filters: {a: {about: x}}", ":1: filters.a: "),
    ("filters: {a: {stps: [b]}}", "unknown key 'stps'; expected one of steps, about, source (did you mean steps?)"),
    ("filters: {a: [3]}", "filters.a.0: expected text, found '3'"),
    (
        "filters: {a: [gaussian:sigma=2,size=3]}",
        "filters.a.1: 'size=3', character 5: expected ':' or the end, found '=3'",
    ),
    ("a: b: c", ":1: not YAML: "),
    ("a: [", "not YAML: "),
    ("a: \x01", "not YAML: "),
    ("--- a\n--- b", ":2: not YAML: "),
    ("kernels: *nothing", ":1: not YAML: "),
    (
        "kernels: {a: {matrix: !!python/object/apply:os.getcwd []}}",
        "the tag 'tag:yaml.org,2002:python/object/apply:os.getcwd'",
    ),
    ("kernels: {a: {matrix: [[!!binary aaaa]]}}", "the tag 'tag:yaml.org,2002:binary' is not supported"),
    ("kernels: {a: {matrix: [[!mine 3]]}}", "the tag '!mine' is not supported"),
    ("kernels: &a {b: *a}", "a recursive alias"),
    ("&a [*a]", "a recursive alias"),
    ("[" * 100, "nested more than 20 deep"),
    ("{a: " * 100, "nested more than 20 deep"),
    ("[" * 100_000, ":1: "),  # PyYAML may reject it first, with its own message
    ("- " * 5_000, "nested more than 20 deep"),
]


@pytest.mark.parametrize(("text", "reason"), [pair for pair in MISTAKES if pair[1]])
def test_an_error_is_one_line_with_file_line_and_key(text, reason):
    with pytest.raises(KernelError) as error:
        read(text)
    message = str(error.value)
    assert message.startswith("mine.yaml:")
    assert reason in message
    assert "\n" not in message
    assert len(message) < 400


def test_aliases_are_supported():
    assert read("kernels: {a: {matrix: &m [[1, 2]]}, b: {matrix: *m}}").kernels["b"].rows == ((1, 2),)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"kernels: \xff", "the catalog .* is not UTF-8 text: line 1 has the byte 0xff"),
        ("kernels: {}".encode("utf-16"), "is not UTF-8 text"),
        (b"#" * (32 * 2**20 + 1), "is larger than the limit of 32 MiB"),
    ],
)
def test_files_that_are_not_text_or_too_large_are_rejected(tmp_path, data, reason):
    path = tmp_path / "mine.yaml"
    path.write_bytes(data)
    with pytest.raises(KernelError, match=reason):
        read_layer(path)


def test_missing_files_and_directories_are_rejected(tmp_path):
    with pytest.raises(KernelError, match=r"the catalog .* does not exist; check the path"):
        read_layer(tmp_path / "none.yaml")
    with pytest.raises(KernelError, match="is a directory"):
        read_layer(tmp_path)


def test_a_byte_order_mark_is_ignored(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes("kernels: {a: {matrix: [[1]]}}".encode("utf-8-sig"))
    assert read_layer(path).kernels["a"].rows == ((1,),)
