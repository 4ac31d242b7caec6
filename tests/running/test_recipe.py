"""`recipe_of`: every field that affects a result counts, no other does, and the digest is the same everywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass, fields, is_dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import imgconv
from imgconv.borders import Border
from imgconv.convolution.options import Options
from imgconv.filters.base import Filter
from imgconv.filters.chain import ChainFilter
from imgconv.filters.edges import EdgeFilter
from imgconv.filters.kernel_filter import KernelFilter
from imgconv.images.files import Input
from imgconv.images.image import Coding
from imgconv.images.output import Output
from imgconv.images.pages import PageRange
from imgconv.kernels.entries import Operator
from imgconv.kernels.kernel import Kernel
from imgconv.running import recipe
from imgconv.running.recipe import recipe_of
from imgconv.running.regions import Part, Region
from imgconv.running.task import Task

KERNEL = Kernel([[1, 2, 0], [0, 3, -1]], name="mine")
OTHER_KERNEL = Kernel([[1, 2, 0], [0, 3, -2]], name="mine")
OPERATOR = Operator("mine", KERNEL, KERNEL.rotated(), (), 0.25)
PART = Part(Region(1, 2, 3, 4), np.eye(3))
TASK = Task(ChainFilter((KernelFilter(KERNEL), EdgeFilter(OPERATOR))))

#: An object of each class in the tree, and another value for each of its fields.
OTHER: list[tuple[object, dict[str, object]]] = [
    (
        TASK,
        {
            "filter": KernelFilter(KERNEL),
            "depth": "16",
            "levels": "keep",
            "range_policy": "abs",
            "scale": Fraction(1, 3),
            "delta": Fraction(1, 3),
            "alpha": "keep",
            "linear": True,
            "gray": True,
            "luma": True,
            "channels": (0, "alpha"),
            "nodata": float("nan"),
            "fill": True,
            "part": PART,
            "as_alpha": (0.0, 0.5, 1.0),
            "strip": True,
            "count": True,
            "estimate": True,
        },
    ),
    (
        Options(),
        {
            "border": Border("wrap"),
            "mode": "full",
            "stride": (1, 2),
            "dilation": (2, 1),
            "anchor": (0, 0),
            "delta": 1.5,
            "nan": "ignore",
            "tolerance": 0.5,
            "engine": "numpy",
            "method": "shifts",
            "rotate": True,
            "jobs": 3,
        },
    ),
    (Border(), {"rows": "wrap", "columns": "wrap", "value": (0.0, 0.0, 1.0)}),
    (KERNEL, {"weights": OTHER_KERNEL.weights, "anchor": (0, 0), "name": "other", "delta": 1.0}),
    (KernelFilter(KERNEL), {"kernel": OTHER_KERNEL, "options": Options(mode="valid")}),
    (EdgeFilter(OPERATOR), {"operator": replace(OPERATOR, scale=1.0), "output": "x", "options": Options(mode="valid")}),
    (OPERATOR, {"name": "other", "x": OTHER_KERNEL, "y": OTHER_KERNEL, "directions": (KERNEL,), "scale": 0.5}),
    (TASK.filter, {"steps": (KernelFilter(KERNEL),)}),
    (PART, {"region": Region(1, 2, 4, 3), "mask": np.eye(3) / 2}),
    (Input("a.png"), {"path": "b.png", "pages": PageRange(((0, None),)), "max_pixels": 5, "auto_orient": True}),
    (
        Output("a.png"),
        {"path": "b.png", "overwrite": False, "format": "png", "coding": Coding(90), "within": "/out", "backup": True},
    ),
    (Coding(), {"quality": 90, "subsampling": "444", "lossless": True, "compression": "lzw", "bits": 4}),
]
CASES = [pytest.param(base, name, value, id=f"{type(base).__name__}.{name}") for base, v in OTHER for name, value in v.items()]

#: The fields that do not affect a result.
WITHOUT_EFFECT = {
    "Task": {"count", "estimate"},
    "Options": {"jobs"},
    "Kernel": {"name"},
    "Operator": {"name"},
    "Input": {"path", "max_pixels"},
    "Output": {"path", "overwrite", "within", "backup"},
}

#: Rejected by the filters, which have these options of their own.
REJECTED = {"Options": {"dtype", "range_policy"}}


def recipe_with(value: object) -> str:
    """Return the recipe of a result in which the value stands at its place."""
    source, target = Input("in.png"), Output("out.png")
    match value:
        case Input():
            source = value
        case Output():
            target = value
        case Coding():
            target = replace(target, coding=value)
    tasks = {
        Task: lambda: value,
        Part: lambda: replace(TASK, part=value),
        Options: lambda: Task(KernelFilter(KERNEL, value)),
        Border: lambda: Task(KernelFilter(KERNEL, Options(border=value))),
        Kernel: lambda: Task(KernelFilter(value)),
        Operator: lambda: Task(EdgeFilter(value)),
    }
    task = Task(value) if isinstance(value, Filter) else tasks.get(type(value), lambda: TASK)()
    return recipe_of(task, source, target)


@pytest.mark.parametrize(("base", "name", "value"), CASES)
def test_a_field_counts_if_it_affects_the_result(base, name, value) -> None:
    changed = recipe_with(replace(base, **{name: value}))
    assert (changed == recipe_with(base)) == (name in WITHOUT_EFFECT.get(type(base).__name__, ()))


@pytest.mark.parametrize(("base", "values"), OTHER, ids=lambda value: type(value).__name__)
def test_every_field_of_a_class_is_tested(base, values) -> None:
    assert {field.name for field in fields(base)} == {*values, *REJECTED.get(type(base).__name__, ())}


def test_every_class_of_the_tree_is_tested() -> None:
    found = set()

    def walk(value: object) -> None:
        if is_dataclass(value):
            found.add(type(value))
            value = tuple(getattr(value, field.name) for field in fields(value))
        for part in value if isinstance(value, tuple) else ():
            walk(part)

    for base, others in OTHER:
        walk((base, *others.values()))
    assert found == {type(base) for base, _ in OTHER}


def test_every_filter_of_the_registry_and_of_the_catalog_has_a_recipe() -> None:
    catalog = imgconv.load_catalog()
    names = {"edges", *catalog.kernels, *catalog.operators, *catalog.filters} - {"scharr"}  # the default of edges
    assert len({recipe_with(imgconv.parse_filter(name)) for name in names}) == len(names)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 1.0),
        (1, True),
        (0.0, -0.0),
        (1.0, 1 + 0j),
        (2.0, Fraction(2)),
        (None, "None"),
        ((1, (2, 3)), ((1, 2), 3)),
        ((), None),
        (("float", "0x1.0p+0"), 1.0),
        (np.dtype("float32"), "<f4"),
        (np.zeros((2, 3)), np.zeros((3, 2))),
        (np.zeros(2, np.float32), np.zeros(1, np.float64)),
        ("\udcff", "\xff"),
    ],
)
def test_values_that_resemble_each_other_differ(first, second) -> None:
    assert recipe_with(Task(KernelFilter(KERNEL), nodata=first)) != recipe_with(Task(KernelFilter(KERNEL), nodata=second))


def test_the_order_of_an_array_in_memory_does_not_count() -> None:
    mask = np.arange(12.0).reshape(3, 4)
    assert recipe_with(Part(None, mask)) == recipe_with(Part(None, np.asfortranarray(mask)))


@dataclass(frozen=True)
class Unlisted:
    value: object


class Unknown:
    pass


@pytest.mark.parametrize(
    "value",
    [Unknown(), Unlisted(Unknown()), (1, Unknown()), {1: 2}, {1}, b"bytes", len, Task, np.array([Unknown()]), np.dtype(object)],
    ids=lambda value: type(value).__name__,
)
def test_a_value_without_a_canonical_form_is_an_error(value) -> None:
    with pytest.raises(TypeError, match="a recipe cannot hold a value of the type"):
        recipe_with(Task(KernelFilter(KERNEL), nodata=value))


def test_a_release_that_changes_pixels_changes_every_recipe(monkeypatch) -> None:
    before = recipe_with(TASK)
    monkeypatch.setattr(recipe, "RESULTS", recipe.RESULTS + 1)
    assert recipe_with(TASK) != before


SCRIPT = """
from tests.running.test_recipe import OTHER, recipe_with
print(*(recipe_with(base) for base, _ in OTHER))
"""


@pytest.mark.parametrize("seed", ["1", "2"])
def test_a_recipe_is_the_same_in_another_process(root, seed) -> None:
    path = os.pathsep.join([str(Path(imgconv.__file__).parent.parent), str(root)])
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONHASHSEED": seed}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [recipe_with(base) for base, _ in OTHER]


def test_a_recipe_is_the_same_in_every_version() -> None:
    """A changed digest makes all results of all users again; it is intended if pixels change, or a field was added."""
    task = Task(KernelFilter(KERNEL), part=PART, scale=Fraction(1, 3), nodata=float("nan"), channels=(0, "alpha"))
    assert (
        recipe_of(task, Input("a.png"), Output("b.png")) == "b315f2c1213632eccb578e9a64146c843c631316a69e9751693648d580733f12"
    )
