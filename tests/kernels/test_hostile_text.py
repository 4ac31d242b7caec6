"""Notation and kernel files written to break their parsers: the result is a kernel, or an error of one line."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import imgconv
from imgconv.errors import ImgconvError, KernelError
from imgconv.kernels import formats
from imgconv.kernels.catalog import builtin_catalog
from imgconv.kernels.formats import read_kernel_file
from imgconv.kernels.kernel import Kernel
from imgconv.kernels.notation import MAX_LENGTH
from tests.kernels.hostile import LONGEST_MESSAGE, VALUES, check_kernel, check_text, may_raise, mutated, slow

entries = builtin_catalog()
NAMES = [*entries.kernels, *entries.filters, "edges", "nothing"]
KEYS = sorted(
    {key for entry in entries.kernels.values() for key in entry.parameters} | {"operator", "output", "scale", "anchor"}
)
values = st.sampled_from(VALUES) | st.text(max_size=8)
arguments = st.lists(st.tuples(st.sampled_from(KEYS), values), max_size=3).map(lambda a: ",".join(f"{k}={v}" for k, v in a))


@st.composite
def own_arguments(draw):
    """Return a kernel of the catalog with values for some of its parameters."""
    name = draw(st.sampled_from([name for name, entry in entries.kernels.items() if entry.parameters]))
    keys = draw(st.lists(st.sampled_from(sorted(entries.kernels[name].parameters)), min_size=1, unique=True))
    return f"{name}:" + ",".join(f"{key}={draw(st.sampled_from(VALUES))}" for key in keys)


matrices = st.lists(st.lists(values, max_size=4).map(" ".join), max_size=4).map(lambda rows: f"[{'; '.join(rows)}]")
tails = st.lists(st.tuples(st.sampled_from(["scale", "anchor", "delta", "b"]), values), max_size=3)
placed = st.builds(lambda m, tail: f"{m}:{','.join(f'{k}={v}' for k, v in tail)}", matrices, tails)
notations = own_arguments() | matrices | placed | st.builds("{}:{}".format, st.sampled_from(NAMES), arguments)


@slow
@given(own_arguments() | mutated(notations, [*VALUES, *",;:=()[]@ \n\0"]))
@example("laplacian_of_gaussian:sigma=1.1e-154")
@example("[1e308+1e308j]:scale=1e308")
@example("[1e308\n1e308]:scale=10")
@example("[1 2\n]:anchor=9 9")
def test_mutated_notation_is_parsed_or_rejected(text):
    check_text(text)


@slow
@given(st.binary(max_size=60), st.sampled_from(["utf-8", "latin-1", "utf-16-le", "cp037"]))
def test_arbitrary_bytes_are_parsed_or_rejected(data, encoding):
    check_text(data.decode(encoding, "surrogateescape" if encoding == "utf-8" else "replace"))


@pytest.mark.parametrize(
    "text",
    [
        "a" * 99 + ":" + "b" * 900_000 + "=1",
        "sharpen:" + "b" * 900_000 + "=1",
        "edges:" + "b" * 900_000 + "=1",
        "emboss:light=" + "n" * 900_000,
        "[" + "1" * 900_000 + "]",
        "[1" + " " * 900_000 + "x]",
        "[" + "1 " * 200_000 + "; 1]",
        "f:a=" + "(" * 900_000,
        "a:b=(" * 20_000 + ")" * 20_000,
        "@" + "a" * 900_000,
        "a" * (MAX_LENGTH + 1),
        "gaussian:sigma=" + "9" * 900_000,
    ],
    ids=lambda text: text[:12],
)
def test_very_long_text_is_rejected_with_a_short_message(text):
    with pytest.raises(KernelError) as error:
        imgconv.parse_filter(text)
    assert len(str(error.value)) <= LONGEST_MESSAGE


MASKS = ["3x2+1+0: 1,nan,- 4,5,6", "3 2 9 128\n1 2 3\n4 5 6\n", "1 2 3 # a\n4,5,6\n", "2: 1 2 3 4", "1+2j;3;\n4"]


@slow
@pytest.mark.parametrize("name", ["k.txt", "k.mat", "two\nlines.txt"])
@given(text=mutated(st.sampled_from(MASKS), [*VALUES, *"x+:;,#'\n\r \x0b", "3x3", "99999x99999:", "0 0\n"]))
def test_mutated_kernel_files_are_read_or_rejected(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with may_raise(KernelError):
        check_kernel(read_kernel_file(path))


@pytest.mark.parametrize("text", ["1 " * 101, "1;" * 101, "11x11: " + "1," * 101, "1\n" * 101, "\n" * 102])
def test_a_kernel_file_of_too_many_numbers_is_rejected_before_they_are_parsed(tmp_path, monkeypatch, text):
    (tmp_path / "k.txt").write_text(text)
    monkeypatch.setattr(formats, "MAX_NUMBERS", 100)
    monkeypatch.setattr(formats.rows, "parse_row", None)
    with pytest.raises(KernelError, match=r"k\.txt: the file has more than 100 (numbers|lines); reduce the kernel"):
        read_kernel_file(tmp_path / "k.txt")


def test_many_spaces_before_a_colon_are_rejected_quickly(tmp_path):
    (tmp_path / "k.txt").write_text("x" + " " * 5_000_000 + "y: 1")
    with pytest.raises(KernelError, match="expected WxH: or WxH"):
        read_kernel_file(tmp_path / "k.txt")


@pytest.mark.parametrize("factor", [Fraction(10) ** 400, 1e308, Fraction(1.5e308) * 257])
def test_a_factor_too_large_is_rejected(factor):
    with pytest.raises(ImgconvError, match=r"too large|must be finite"):
        Kernel([[3.0, 1.0]]).scaled(factor)


def test_a_factor_too_small_gives_weights_of_0():
    assert Kernel([[3.0, 1.0]]).scaled(Fraction(1, 10**400)).taps == 0
