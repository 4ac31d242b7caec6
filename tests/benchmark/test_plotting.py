"""The plot: its formats, its size, and a line for each method."""

from __future__ import annotations

import io
import re
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import pytest
from PIL import Image

from imgconv.benchmark.machine import describe_machine
from imgconv.benchmark.plotting import plot, plot_format
from imgconv.convolution.methods import METHODS
from imgconv.errors import DependencyError, UsageError
from tests.benchmark.test_report import example_result, timed_outcome

#: One worker runs these tests, so that measurements are made once.
pytestmark = pytest.mark.xdist_group("benchmark results")

SVG = "{http://www.w3.org/2000/svg}"


def test_a_png_can_be_opened_and_has_the_colours_of_both_engines(results):
    picture = Image.open(io.BytesIO(plot(results, describe_machine("1"), "png")))
    assert picture.format == "PNG"
    assert 1000 < picture.width < 4000
    assert 700 < picture.height < 4000
    colours = {pixel[:3] for _, pixel in picture.getcolors(picture.width * picture.height)}
    assert {(255, 255, 255), (0x33, 0x22, 0x88), (0xCC, 0x33, 0x11)} <= colours  # background, and a method of each engine


def test_an_svg_has_a_panel_for_each_picture_and_kind(results):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    root = ElementTree.fromstring(plot(results, describe_machine("1"), "svg"))
    assert root.tag == f"{SVG}svg"
    panels = [g for g in root.iter(f"{SVG}g") if g.get("id", "").startswith("axes_")]
    assert len(panels) == 6
    assert dict(mpl.rcParams) == before


def test_pyplot_is_not_imported(run_python):
    done = run_python("-c", "import sys; from imgconv.benchmark.plotting import *; plot_format('a.png'); print(*sys.modules)")
    assert "matplotlib.figure" in done.stdout.split()
    assert "matplotlib.pyplot" not in done.stdout.split()


def test_a_single_result_can_be_plotted():
    assert plot([example_result(3, 0.002)], describe_machine("1"), "png").startswith(b"\x89PNG")


def test_the_format_follows_from_the_extension():
    assert plot_format("a/b.PNG") == "png"
    assert plot_format("times.svg") == "svg"
    for name in ("times", "times.pdf", "png"):
        with pytest.raises(UsageError, match=r"\.png or \.svg"):
            plot_format(name)


def test_the_error_without_matplotlib_states_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DependencyError, match=r"pip install 'imgconv\[plot\]'"):
        plot_format("times.png")


@pytest.mark.parametrize("engine", ["numpy", "opencv"])
def test_methods_of_an_engine_have_different_colours(engine):
    methods = [method.name for method in METHODS.values() if method.engine == engine]
    result = example_result(3, 0.002)
    outcomes = tuple(timed_outcome(name, "method", 0.001, engine) for name in methods)
    drawn = plot([replace(result, outcomes=outcomes)], describe_machine("1"), "svg").decode()
    # A line of a method is 1.4 points wide.
    colours = set(re.findall(r"stroke: (#[0-9a-f]{6}); stroke-width: 1\.4", drawn))
    assert len(colours) == len(methods)
