"""The plot: a file that can be opened, of a sensible size, with a line for each method."""

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
from tests.benchmark.test_report import made_up, timed

#: The measurements are made once.
pytestmark = pytest.mark.xdist_group("benchmark results")

SVG = "{http://www.w3.org/2000/svg}"


def test_a_png(results):
    picture = Image.open(io.BytesIO(plot(results, describe_machine("1"), "png")))
    assert picture.format == "PNG"
    assert 1000 < picture.width < 4000
    assert 700 < picture.height < 4000
    colours = {pixel[:3] for _, pixel in picture.getcolors(picture.width * picture.height)}
    assert {(255, 255, 255), (0x33, 0x22, 0x88), (0xCC, 0x33, 0x11)} <= colours  # paper, and a method of each engine


def test_an_svg_has_a_panel_for_each_picture_and_kind(results):
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    root = ElementTree.fromstring(plot(results, describe_machine("1"), "svg"))
    assert root.tag == f"{SVG}svg"
    panels = [g for g in root.iter(f"{SVG}g") if g.get("id", "").startswith("axes_")]
    assert len(panels) == 6
    assert dict(mpl.rcParams) == before


def test_pyplot_stays_the_callers(run_python):
    done = run_python("-c", "import sys; from imgconv.benchmark.plotting import *; plot_format('a.png'); print(*sys.modules)")
    assert "matplotlib.figure" in done.stdout.split()
    assert "matplotlib.pyplot" not in done.stdout.split()


def test_one_size_and_one_kind_make_a_plot_too():
    assert plot([made_up(3, 0.002)], describe_machine("1"), "png").startswith(b"\x89PNG")


def test_the_name_says_the_format():
    assert plot_format("a/b.PNG") == "png"
    assert plot_format("times.svg") == "svg"
    for name in ("times", "times.pdf", "png"):
        with pytest.raises(UsageError, match=r"\.png or \.svg"):
            plot_format(name)


def test_without_matplotlib_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(DependencyError, match=r"pip install 'imgconv\[plot\]'"):
        plot_format("times.png")


@pytest.mark.parametrize("engine", ["numpy", "opencv"])
def test_no_two_methods_of_an_engine_have_one_colour(engine):
    methods = [method.name for method in METHODS.values() if method.engine == engine]
    result = made_up(3, 0.002)
    outcomes = tuple(timed(name, "method", 0.001, engine) for name in methods)
    drawn = plot([replace(result, outcomes=outcomes)], describe_machine("1"), "svg").decode()
    # A line of a method is 1.4 points wide.
    colours = set(re.findall(r"stroke: (#[0-9a-f]{6}); stroke-width: 1\.4", drawn))
    assert len(colours) == len(methods)
