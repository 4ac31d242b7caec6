"""Plots of time against kernel size, with one panel per picture and kernel kind and one line per method."""

from __future__ import annotations

import io
import itertools
from collections.abc import Sequence
from pathlib import PurePath
from typing import Any

from imgconv.benchmark.machine import machine_text
from imgconv.benchmark.results import CellResult, Outcome
from imgconv.benchmark.timing import Timing
from imgconv.errors import DependencyError, UsageError

FORMATS = ("png", "svg")

# Colour-blind safe palettes by Paul Tol ("Colour schemes", SRON/EPS/TN/09-002, issue 3.2): `muted` for NumPy's methods,
# `vibrant` for OpenCV's. Markers differ too, for print.
_COLOURS = {
    "numpy": ("#332288", "#44AA99", "#CC6677", "#DDCC77", "#117733", "#882255", "#88CCEE", "#AA4499", "#999933"),
    "opencv": ("#CC3311", "#EE7733", "#EE3377", "#0077BB", "#33BBEE", "#009988", "#BBBBBB"),
}
_MARKERS = {"numpy": "ovsDP^<>X", "opencv": "Hdp*h8P"}
# A wide, pale line behind the others marks the method chosen by imgconv.
_BANDS = {"numpy": "#BBD4EE", "opencv": "#FFD9B0"}
# Other libraries are drawn as references, in black or grey without solid lines.
_DASHES = ((0, (5, 2)), (0, (1, 1.2)), (0, (4, 1.5, 1, 1.5)), (0, (7, 3)), (0, (2, 2)))
_GREYS = ("#000000", "#707070", "#8C8C8C", "#505050", "#A0A0A0")


def plot_format(path: str) -> str:
    """Return the plot format for the extension of a file name.

    Raises:
        UsageError: the extension is not supported.
        DependencyError: matplotlib cannot be imported.
    """
    suffix = PurePath(path).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        raise UsageError(f"{path}: unsupported plot format (supported: {', '.join(FORMATS)}); use the extension .png or .svg")
    _figure_class()
    return suffix


def plot(results: Sequence[CellResult], machine: dict[str, Any], file_format: str) -> bytes:
    """Return the plot as the content of a file.

    Args:
        results: results of all cells.
        machine: return value of `describe_machine`.
        file_format: `png` or `svg`.

    Raises:
        DependencyError: matplotlib cannot be imported.
    """
    panels = [list(group) for _, group in itertools.groupby(results, key=lambda r: (r.cell.picture.name, r.cell.kind))]
    columns = len({group[0].cell.kind for group in panels})
    rows = -(-len(panels) // columns)
    figure = _figure_class()(figsize=(1.2 + 4.3 * columns, 2.2 + 3.6 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, sharey="row", squeeze=False)
    lines: dict[str, Any] = {}
    for panel, group in zip(axes.flat, panels, strict=False):
        lines |= _draw(panel, group)
    for row in axes:
        row[0].set_ylabel("milliseconds", fontsize=10)
    for panel in axes[-1]:
        panel.set_xlabel("side of the kernel", fontsize=10)
    figure.suptitle(f"Time against kernel size\n{machine_text(machine)}", fontsize=9)
    order = [label for outcome in results[0].outcomes if (label := _label(outcome)) in lines]
    lines = {label: lines[label] for label in order}
    lines["one run only"] = _line(axes[0][0], [], [], marker="o", linestyle="none", color="#444444", markerfacecolor="white")
    per_row = 4 if columns > 1 else 2
    figure.legend(lines.values(), lines, loc="outside lower center", ncols=per_row, fontsize=9, frameon=False, handlelength=3)
    content = io.BytesIO()
    figure.savefig(content, format=file_format, dpi=120)
    return content.getvalue()


def _figure_class() -> Any:
    """Return the Figure class of matplotlib. Without pyplot it renders with Agg and leaves the caller's state unchanged."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise DependencyError("plots require matplotlib, which is not installed; pip install 'imgconv[plot]'") from error
    return Figure


def _draw(panel: Any, results: list[CellResult]) -> dict[str, Any]:
    """Draw a line for each contestant and return the lines by label."""
    cell = results[0].cell
    panel.set(xscale="log", yscale="log")
    panel.set_title(f"{cell.picture.name}, {cell.picture.size}; {cell.kind} kernel", fontsize=10)
    sizes = [result.cell.size for result in results]
    panel.set_xticks(sizes, list(map(str, sizes)))
    panel.minorticks_off()
    panel.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.grid(True, color="#E4E4E4", linewidth=0.6)
    panel.tick_params(labelsize=8, labelbottom=True)
    for side in ("top", "right"):
        panel.spines[side].set_visible(False)
    lines = {}
    places: dict[tuple[str, str], int] = {}
    for outcome in results[0].outcomes:
        kind = ("", "reference") if outcome.role in ("opencv", "scipy") else (outcome.engine, outcome.role)
        place = places[kind] = places.get(kind, -1) + 1
        timed = [(result.cell.size, found) for result in results if (found := result[outcome.name].timing)]
        if timed:
            lines[_label(outcome)] = _draw_line(panel, timed, _style(outcome, place), shaded=outcome.role != "choice")
    return lines


def _label(outcome: Outcome) -> str:
    return f"chosen by {outcome.name}" if outcome.role == "choice" else outcome.name


def _style(outcome: Outcome, place: int) -> dict[str, Any]:
    """Return the line style of a contestant; `place` is its index among those of its kind."""
    if outcome.role == "choice":
        return {"color": _BANDS[outcome.engine], "linewidth": 8, "solid_capstyle": "round", "zorder": 1}
    if outcome.role == "method":
        colours, markers = _COLOURS[outcome.engine], _MARKERS[outcome.engine]
        colour, marker = colours[place % len(colours)], markers[place % len(markers)]
        return {"color": colour, "marker": marker, "linewidth": 1.4, "markersize": 5, "zorder": 4}
    style: dict[str, Any] = {"color": _GREYS[place % len(_GREYS)], "linestyle": _DASHES[place % len(_DASHES)]}
    return style | {"marker": ".", "markersize": 5, "linewidth": 1.6 if outcome.role == "opencv" else 1.2, "zorder": 3}


def _draw_line(panel: Any, timed: list[tuple[int, Timing]], style: dict[str, Any], *, shaded: bool) -> Any:
    """Draw the medians as a line and the quartiles as a shade; contestants run only once get a hollow marker."""
    sizes = [size for size, _ in timed]
    line = _line(panel, sizes, [timing.median * 1e3 for _, timing in timed], **style)
    if shaded:
        low, high = ([getattr(timing, end) * 1e3 for _, timing in timed] for end in ("low", "high"))
        panel.fill_between(sizes, low, high, color=style["color"], alpha=0.15, linewidth=0, zorder=2)
        once = [(size, timing.median * 1e3) for size, timing in timed if timing.runs == 1]
        mark = {**style, "linestyle": "none", "markerfacecolor": "white", "zorder": 5}
        _line(panel, [size for size, _ in once], [value for _, value in once], **mark)
    return line


def _line(panel: Any, across: Sequence[float], up: Sequence[float], **style: Any) -> Any:
    return panel.plot(across, up, **style)[0]
