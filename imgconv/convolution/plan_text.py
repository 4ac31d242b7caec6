"""Plans as text: the job, the chosen method, and the predicted cost of the other methods."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from imgconv.convolution.methods import METHODS
from imgconv.convolution.plan import Candidate, Job, Plan
from imgconv.kernels.numbers import size_text
from imgconv.threads import thread_count

_LABEL = 10
# Below this ratio, predicted times count as the same.
_ALIKE = 1.05
_HEADINGS = (("", "method"), ("", "time"), ("multiply-", "adds"), ("trans-", "forms"), ("bytes", "moved"))
_ERRORS = {True: ("error in", "levels"), False: ("relative", "error")}


def as_text(plans: Sequence[Plan], width: int = 100, others: Sequence[Plan] = ()) -> str:
    """Return the plans of a filter as text, in the order of execution.

    Args:
        plans: one plan per convolution.
        width: maximum line length.
        others: the plans of the other engine for the same convolutions, shown for comparison.
    """
    parts = []
    for number, plan in enumerate(plans, start=1):
        title = [f"convolution {number} of {len(plans)}"] if len(plans) > 1 else []
        other = others[number - 1] if others else None
        facts, table = _facts(plan, other, width), _table(plan, other)
        parts.append("\n".join([*title, *facts, "", *table, *_rejected_methods(plan, other, width)]))
    if len(plans) > 1:
        parts.append(f"all {len(plans)} convolutions: {_time(sum(plan.seconds for plan in plans))} predicted")
    return "\n\n".join(parts)


def _facts(plan: Plan, other: Plan | None, width: int) -> list[str]:
    job, threads = plan.job, thread_count(plan.job.options.jobs)
    facts = [
        ("image", f"{size_text(job.shape)} {job.dtype.name} -> {size_text(job.output_shape)} {job.output.name}"),
        ("kernel", _kernel(job)),
        ("border", f"{job.border}{_geometry(job)}"),
        ("sums", f"{plan.sum_dtype.name}; {_exactness(plan)}"),
        ("engine", f"{plan.engine}, {threads} thread{'s' if threads > 1 else ''}"),
        ("method", f"{plan.method}: {METHODS[plan.method].about}"),
    ]
    if other is not None:
        alike = other.method == plan.method
        facts.append((other.engine, "the same" if alike else f"would use {other.method}: {METHODS[other.method].about}"))
    return [line for label, text in facts for line in _wrapped(f"{label + ':':{_LABEL}}", text, width)]


def _kernel(job: Job) -> str:
    kernel = job.kernel
    rank = "rank 1 (separable)" if kernel.rank == 1 else f"rank {kernel.rank}"
    zeros = "" if kernel.taps == kernel.weights.size else f" of {kernel.weights.size}"
    rotated = ", rotated by 180 degrees" if job.options.rotate else ""
    return f"{kernel.name or 'unnamed'}, {size_text(kernel.shape)}, {rank}, {kernel.taps}{zeros} weights{rotated}"


def _geometry(job: Job) -> str:
    options = job.options
    words = [f"mode {options.mode}"] if options.mode != "same" else []
    for name, (down, across) in (("stride", options.stride), ("dilation", options.dilation)):
        if (down, across) != (1, 1):
            words.append(f"{name} {down}" if down == across else f"{name} {down},{across}")
    return "".join(f"; {word}" for word in words)


def _exactness(plan: Plan) -> str:
    arithmetic, tolerance = plan.job.arithmetic, plan.job.options.tolerance
    bound = _bound(plan.job, plan.error)
    if bound and not plan.error <= max(arithmetic.error * len(plan.job.parts), arithmetic.allowed):
        return f"approximate, off by {_bound_in_words(plan.job, bound)} at most, which the tolerance of {tolerance:g} allows"
    if arithmetic.whole:
        last = "rounded once" if arithmetic.finishes_as_summed else "scaled and rounded once"
        return f"exact: sums of whole numbers{', ' + last if arithmetic.exact else ''}"
    if plan.job.dtype.kind in "biu":
        rounded = ", before it is rounded" if plan.job.output.kind in "biu" else ""
        return f"within {_bound_in_words(plan.job, bound)} of the exact sum{rounded}"
    return f"within {_bound_in_words(plan.job, bound)}"


def _bound(job: Job, error: float) -> float:
    """Return the maximum error of a value: in levels of the output, or in floating point relative to the largest sum."""
    arithmetic = job.arithmetic
    if job.dtype.kind not in "biu":
        return error / (float(np.abs(arithmetic.weights).sum()) or 1.0)
    levels = error * arithmetic.largest_pixel if error else 0.0
    if arithmetic.whole:
        return levels * arithmetic.scale if levels >= 0.5 else 0.0  # errors below 0.5 are removed by rounding
    return levels


def _bound_in_words(job: Job, bound: float) -> str:
    return f"{bound:.2g} levels" if job.dtype.kind in "biu" else f"{bound:.2g} of the largest sum"


def _table(plan: Plan, other: Plan | None) -> list[str]:
    """Return a row for each possible method: the chosen one first, then the others by predicted time."""
    able = [c for c in _candidates(plan, other) if c.seconds is not None]
    able.sort(key=lambda c: (c.method != plan.method, c.seconds))
    headings = zip(*_HEADINGS, _ERRORS[plan.job.dtype.kind in "biu"], ("times the", "chosen"), strict=True)
    rows = [*headings, *(_row(c, plan) for c in able)]
    if other is not None:
        engines = ["", "engine", *("both" if METHODS[c.method].shared else METHODS[c.method].engine for c in able)]
        rows = [(row[0], engine, *row[1:]) for row, engine in zip(rows, engines, strict=True)]
    left = 1 if other is None else 2
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    marks = {other.method: "+", plan.method: "*"} if other is not None else {plan.method: "*"}
    lines = []
    for row in rows:
        cells = [cell.ljust(w) if n < left else cell.rjust(w) for n, (cell, w) in enumerate(zip(row, widths, strict=True))]
        lines.append(f"{marks.get(row[0], ' ')} {'  '.join([*cells[:-1], row[-1]])}".rstrip())
    return lines


def _candidates(plan: Plan, other: Plan | None) -> list[Candidate]:
    """Return the methods of the plan's engine, then those available only in the other engine."""
    own = [c for c in plan.candidates if METHODS[c.method].serves(plan.engine)]
    others = () if other is None else other.candidates
    return own + [c for c in others if not METHODS[c.method].serves(plan.engine)]


def _row(candidate: Candidate, plan: Plan) -> tuple[str, ...]:
    work, seconds, error = candidate.work, candidate.seconds, candidate.error
    assert work is not None
    assert seconds is not None
    assert error is not None
    bound = _bound(plan.job, error)
    return (
        candidate.method,
        _time(seconds),
        _count(work.multiply_adds),
        _count(work.transforms),
        _count(work.bytes, "B"),
        f"{bound:.2g}" if bound else "exact",
        _verdict(candidate, plan),
    )


def _verdict(candidate: Candidate, plan: Plan) -> str:
    if candidate.method == plan.method:
        return "chosen" if plan.job.options.method == "auto" else "requested"
    assert candidate.seconds is not None
    ratio = candidate.seconds / plan.seconds
    return "the same" if 1 / _ALIKE < ratio < _ALIKE else _short(ratio)


def _rejected_methods(plan: Plan, other: Plan | None, width: int) -> list[str]:
    """Return the reason for each method that cannot be used."""
    rejected = [c for c in _candidates(plan, other) if c.seconds is None]
    names = max((len(c.method) for c in rejected), default=0) + 2
    lines = [line for c in rejected for line in _wrapped(f"  {c.method:{names}}", c.reason, width)]
    return ["", "not possible here:", *lines] if lines else []


def _wrapped(head: str, text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False)


def _time(seconds: float) -> str:
    if seconds < 1e-6:
        return "< 1 us"
    for limit, unit, name in ((1e-3, 1e-6, "us"), (1.0, 1e-3, "ms"), (120.0, 1.0, "s"), (7200.0, 60.0, "min")):
        if seconds < limit:
            return f"{_short(seconds / unit)} {name}"
    return f"{_short(seconds / 3600)} h"


def _count(count: float, unit: str = "") -> str:
    """Return a count with a metric prefix; `-` for 0."""
    if not count:
        return "-"
    for prefix in ("", "k", "M", "G", "T", "P"):
        if count < 999.5 or prefix == "P":
            break
        count /= 1000
    return f"{_short(count)} {prefix}{unit}".rstrip()


def _short(value: Any) -> str:
    """Return a number with two digits, or with all digits before the decimal point."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"
