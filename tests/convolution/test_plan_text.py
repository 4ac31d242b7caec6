"""Plans as text: accuracy, kernel, options, and the table of methods in readable units."""

from __future__ import annotations

import pytest

import imgconv
from imgconv.convolution.plan_text import as_text


def text_of(kernel, shape=(300, 400), dtype="uint8", width=100, **options):
    return as_text([imgconv.make_plan(shape, dtype, kernel, **options)], width)


def rows(text: str) -> dict[str, list[str]]:
    """Return the cells of the table by method: separated by two spaces, below two lines of headings."""
    _, table, *_ = text.split("\n\n")
    cells = [[cell.strip() for cell in line[2:].split("  ") if cell] for line in table.splitlines()[2:]]
    return {row[0]: row[1:] for row in cells}


@pytest.mark.parametrize(
    ("kernel", "image", "options", "expected"),
    [
        ("sharpen", "uint8", {}, "float32; exact: sums of whole numbers, rounded once"),
        ("box", "uint8", {}, "float32; exact: sums of whole numbers, scaled and rounded once"),
        ("gaussian:sigma=2", "uint8", {}, "levels of the exact sum, before it is rounded"),
        ("gaussian:sigma=2", "uint8", {"dtype": "float32"}, "levels of the exact sum"),
        ("gaussian:sigma=2", "float32", {}, "of the largest sum"),
        ("gaussian:sigma=2", "float64", {"engine": "numpy", "method": "shifts"}, "float64; within 3.2e-14 of the largest sum"),
    ],
)
def test_the_text_states_the_accuracy_of_the_sums(kernel, image, options, expected):
    text = as_text([imgconv.make_plan((300, 400), image, kernel, **options)])
    assert f"{expected}\n" in text


@pytest.mark.parametrize("kernel", ["sharpen", "gaussian:sigma=2", "gaussian:sigma=9", "disk:radius=5", [[1j, 2]]], ids=str)
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32", "float64"])
@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_nothing_is_called_approximate_without_a_tolerance(kernel, dtype, engine):
    assert "approximate" not in text_of(kernel, (3000, 4000), dtype, engine=engine)


def test_the_text_states_the_type_of_the_sums_of_the_method():
    # A plain sum in float32 may be off by more than half a level of 16 bits, but the DFT may not.
    text = text_of("gaussian:sigma=9", (3000, 4000), "uint16", method="dft")
    assert "sums:     float32; within 0.19 levels of the exact sum, before it is rounded\n" in text


def test_the_text_describes_kernel_border_stride_dilation_and_mode():
    text = text_of("[1 2; 0 4]", border=("wrap", "constant"), border_value=7, stride=(2, 1), dilation=3, rotate=True)
    assert "[1 2; 0 4], 2 x 2, rank 2, 3 of 4 weights, rotated by 180 degrees" in text
    assert "border:   wrap,constant (7); stride 2,1; dilation 3" in text
    assert "mode" not in text
    assert "; mode full" in text_of("box", mode="full")
    assert "unnamed, 1 x 2, rank 1 (separable), 2 weights" in text_of([[1, 2]])


@pytest.mark.parametrize(("jobs", "expected"), [(1, "opencv, 1 thread\n"), (7, "opencv, 7 threads\n")])
def test_the_text_states_the_number_of_threads(jobs, expected):
    assert expected in text_of("box", jobs=jobs)


@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_the_table_has_the_chosen_method_first_then_the_fastest(engine):
    plan = imgconv.make_plan((300, 400), "uint8", "disk:radius=9", engine=engine)
    able = sorted((c for c in plan.candidates if c.seconds is not None), key=lambda c: c.seconds)
    table = rows(as_text([plan]))
    assert list(table) == [c.method for c in able]
    assert table[plan.method][-1] == "chosen"


@pytest.mark.parametrize("side", [300, 3000, 30_000, 300_000, 3_000_000])
def test_times_are_in_readable_units(side):
    plan = imgconv.make_plan((side, side), "uint8", "box:size=31", engine="numpy")
    number, unit = rows(as_text([plan]))[plan.method][0].split()
    assert float(number) < 1000 or unit == "h"
    seconds = float(number) * {"us": 1e-6, "ms": 1e-3, "s": 1, "min": 60, "h": 3600}[unit]
    assert seconds == pytest.approx(plan.seconds, rel=0.06)


def test_work_is_shown_with_unit_prefixes():
    plan = imgconv.make_plan((3000, 4000), "uint8", "[1 2; 3 4]", engine="numpy", method="windows")
    [chosen] = [c for c in plan.candidates if c.method == "windows"]
    line = next(line for line in as_text([plan]).splitlines() if line.startswith("* "))
    assert f" {chosen.work.multiply_adds / 1e6:.0f} M " in line
    assert f" {chosen.work.bytes / 1e6:.0f} MB " in line


@pytest.mark.parametrize("width", [80, 90, 120])
@pytest.mark.parametrize("dtype", ["uint8", "float64"])
@pytest.mark.parametrize("engine", ["opencv", "numpy"])
def test_no_line_is_longer_than_the_width(engine, dtype, width):
    for kernel in ("gaussian:sigma=9", "sharpen", "motion:length=12,angle=30"):
        text = text_of(kernel, (40000, 50000, 3), dtype, width, engine=engine, dilation=2, border="wrap,replicate")
        assert max(map(len, text.splitlines())) <= width


def test_reasons_are_not_truncated():
    plan = imgconv.make_plan((300, 400), "uint8", "gaussian:sigma=9")
    [rejected] = [c for c in plan.candidates if c.method == "filter2d"]
    text = " ".join(as_text([plan], 80).split())
    assert f"filter2d {rejected.reason}" in text
    assert "numpy engine" not in text
