"""The catalog: built-in entries, files of the user, and the errors for wrong names and arguments."""

from __future__ import annotations

import dataclasses
import os
import pickle

import numpy as np
import pytest
from scipy import ndimage

from imgconv.errors import KernelError
from imgconv.kernels import catalog as module
from imgconv.kernels.catalog import builtin_catalog, builtin_path, load_catalog, parse_kernel
from imgconv.kernels.notation import parse_notation
from tests.cases import each

BUILTIN = builtin_catalog()


@pytest.fixture
def write_catalog(tmp_path):
    """Return a function that writes a catalog and returns its path."""

    def write(text, name="mine.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


@each("name", BUILTIN.kernels)
def test_every_kernel_can_be_built_and_has_a_description(name):
    entry = BUILTIN.kernels[name]
    kernel = BUILTIN.kernel(name)
    assert kernel.name == name
    assert entry.about
    assert "\n" not in entry.about
    assert entry.origin == str(builtin_path())
    assert entry.line > 1
    assert entry.generator is None or entry.rows is None
    assert kernel.sum == pytest.approx(0 if entry.name in ZERO else 1, abs=1e-14)


ZERO = {
    *(f"{operator}_{axis}" for operator in ("sobel", "scharr", "prewitt", "roberts") for axis in "xy"),
    *("kirsch", "laplacian", "laplacian8", "laplacian_of_gaussian", "difference_of_gaussians", "high_pass"),
}


def test_documented_entries_exist():
    assert set(BUILTIN.kernels) >= ZERO
    assert {
        "identity",
        "sharpen",
        "unsharp",
        "box",
        "gaussian",
        "emboss",
        "low_pass",
        "motion",
        "disk",
        "binomial",
    } <= set(BUILTIN.kernels)
    assert set(BUILTIN.operators) == {"sobel", "scharr", "prewitt", "roberts", "kirsch"}
    assert BUILTIN.steps("crisp") == ("gaussian:sigma=0.6", "sharpen")


@pytest.mark.parametrize("name", BUILTIN.operators)
def test_the_scale_of_an_operator_maps_a_full_step_to_white(name):
    operator = BUILTIN.operator(name)
    assert operator.name == name
    assert BUILTIN.operators[name].about
    kernels = operator.directions or (operator.x, operator.y)
    assert len(kernels) in (2, 8)
    for kernel in kernels:
        weights = kernel.weights
        assert weights[weights > 0].sum() * operator.scale == pytest.approx(1)
        assert weights.sum() == 0


@pytest.mark.parametrize("name", [name for name in BUILTIN.operators if name not in ("roberts", "kirsch")])
def test_x_and_y_kernels_are_positive_to_the_right_and_down(name):
    operator = BUILTIN.operator(name)
    to_the_right = np.tile([0.0, 0.0, 0.0, 1.0, 1.0, 1.0], (6, 1))
    for kernel, image in ((operator.x, to_the_right), (operator.y, to_the_right.T)):
        response = ndimage.correlate(image, kernel.weights, mode="nearest") * operator.scale
        assert response.max() == pytest.approx(1)
        assert response.min() == 0
    assert np.array_equal(operator.y.weights, operator.x.weights.T)


def test_a_compass_operator_has_eight_directions_in_order():
    operator = BUILTIN.operator("kirsch")
    assert (operator.x, operator.y) == (None, None)
    assert [kernel.name.partition("=")[2] for kernel in operator.directions] == [
        "n",
        "nw",
        "w",
        "sw",
        "s",
        "se",
        "e",
        "ne",
    ]
    assert len(set(operator.directions)) == 8


@pytest.mark.parametrize("name", BUILTIN.filters)
def test_every_step_of_a_chain_is_a_kernel(name):
    assert BUILTIN.filters[name].about
    for step in BUILTIN.steps(name):
        assert BUILTIN.kernel(step).name == step


@pytest.mark.parametrize(
    ("text", "weights", "anchor"),
    [
        ("box:size=2", [[0.25, 0.25], [0.25, 0.25]], (1, 1)),
        ("box:rows=1,columns=2", [[0.5, 0.5]], (0, 1)),
        ("kirsch:direction=SE", [[-3, -3, -3], [-3, 0, 5], [-3, 5, 5]], (1, 1)),
        ("binomial:size=3.0", [[1 / 16, 1 / 8, 1 / 16], [1 / 8, 1 / 4, 1 / 8], [1 / 16, 1 / 8, 1 / 16]], (1, 1)),
        ("roberts_y", [[0, -1], [1, 0]], (0, 0)),
        ("[1 2 3; 4 5 6]:scale=1/9", [[1 / 9, 2 / 9, 3 / 9], [4 / 9, 5 / 9, 6 / 9]], (1, 1)),
        ("[1 2 3]:anchor=0 2,delta=7", [[1, 2, 3]], (0, 2)),
    ],
)
def test_specs_give_the_expected_kernels(text, weights, anchor):
    kernel = parse_kernel(f" {text} ")
    assert kernel.weights.tolist() == weights
    assert kernel.anchor == anchor
    assert kernel.name == text
    assert kernel.delta == (7 if "delta" in text else 0)
    assert BUILTIN.kernel(parse_notation(text)) == kernel


def test_a_file_is_read_as_a_kernel(tmp_path):
    path = tmp_path / "k.txt"
    path.write_text("1 2\n3 4\n")
    assert parse_kernel(f"@{path}").weights.tolist() == [[1, 2], [3, 4]]
    assert parse_kernel(f"@{path}").name == f"@{path}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("gausian", "there is no kernel, operator or filter 'gausian' (did you mean gaussian?); see `imgconv list`"),
        ("xyzzy", "there is no kernel, operator or filter 'xyzzy'; see `imgconv list`"),
        ("sobel", "sobel is an edge operator, and a kernel is needed here; use it as edges:operator=sobel"),
        ("crisp", "crisp is a chain of filters, and a kernel is needed here; see `imgconv list`"),
        (
            "gaussian:sgma=2",
            "gaussian has no parameter 'sgma' (did you mean sigma?); choose one of sigma, size, sigma_rows",
        ),
        ("sharpen:amount=2", "sharpen has no parameters, found 'amount'"),
        ("gaussian:sigma=wide", "gaussian: sigma must be a number above 0, found 'wide'"),
        ("gaussian:sigma=(box:size=3)", "gaussian: sigma must be a number or a word, found a kernel: 'box:size=3'"),
        ("gaussian:sigma=1e9", "gaussian: sigma=1e+09 needs 8,000,000,001 taps per side"),
        ("[1 2]:anchor=3 3", "anchor (3, 3) lies outside"),
        ("[1e300]:scale=1e300", "must be finite"),
        ("@/no/such/file", "the kernel file '/no/such/file' does not exist"),
        ("gaussian:", "expected key=value"),
    ],
)
def test_errors_have_one_line_with_the_reason(text, reason):
    with pytest.raises(KernelError) as error:
        parse_kernel(text)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_errors_of_operators_and_chains():
    with pytest.raises(KernelError, match=r"'sobl' \(did you mean sobel"):
        BUILTIN.operator("sobl")
    with pytest.raises(KernelError, match="sobel_x is a kernel, and an edge operator is needed here"):
        BUILTIN.operator("sobel_x")
    with pytest.raises(KernelError, match=r"'crsp' \(did you mean crisp"):
        BUILTIN.steps("crsp")


def test_later_files_override_earlier_ones(write_catalog, monkeypatch):
    first = write_catalog("kernels: {sharpen: {matrix: [[1]]}, own: {matrix: [[1]]}}", "1.yaml")
    second = write_catalog("kernels: {own: {matrix: [[2]]}, third: {matrix: [[3]]}}", "2.yaml")
    catalog = load_catalog(first, str(second))
    assert [catalog.kernel(name).sum for name in ("sharpen", "own", "third", "box")] == [1, 2, 3, 1]
    assert catalog.kernel("sharpen").shape == (1, 1)
    assert catalog.kernels["own"].origin == str(second)
    assert load_catalog(second, first).kernel("own").sum == 1
    assert builtin_catalog().kernel("sharpen").shape == (3, 3)
    monkeypatch.setenv("IMGCONV_KERNELS", os.pathsep.join(["", str(second), str(first)]))
    assert load_catalog().kernel("own").sum == 1
    assert load_catalog(second).kernel("own").sum == 2
    assert parse_kernel("own").sum == 1
    assert "own" not in builtin_catalog().kernels


def test_a_user_catalog_may_use_a_generator(write_catalog):
    path = write_catalog("kernels: {soft: {generator: gaussian, defaults: {sigma: '3/2'}, delta: 5, scale: 2, anchor: [0, 0]}}")
    catalog = load_catalog(path)
    kernel = catalog.kernel("soft")
    assert np.array_equal(kernel.weights, 2 * parse_kernel("gaussian:sigma=1.5").weights)
    assert (kernel.delta, kernel.anchor) == (5, (0, 0))
    assert catalog.kernel("soft:sigma=1,size=3").shape == (3, 3)
    assert dict(catalog.kernels["soft"].parameters) == {
        "sigma": "3/2",
        "size": None,
        "sigma_rows": None,
        "sigma_columns": None,
        "angle": 0,
    }


def test_errors_found_when_a_kernel_is_built_state_file_and_line(write_catalog):
    path = write_catalog(
        "kernels:\n  bad: {generator: gaussian, defaults: {sigma: -1}}\noperators:\n  worse: {x: bad, y: box}\n"
    )
    catalog = load_catalog(path)
    with pytest.raises(KernelError, match=f"bad .{path}:2.: sigma must be a number above 0, found -1"):
        catalog.kernel("bad")
    with pytest.raises(KernelError, match=f"operator worse .{path}:4.: bad"):
        catalog.operator("worse")


def test_operators_of_a_user_catalog_may_be_files_beside_it(write_catalog, monkeypatch, tmp_path):
    (tmp_path / "slope.txt").write_text("-1 1")
    path = write_catalog("operators: {own: {x: '@slope.txt', y: '[-1; 1]', scale: 2}}")
    monkeypatch.chdir("/")
    operator = load_catalog(path).operator("own")
    assert operator.x.weights.tolist() == [[-1, 1]]
    assert operator.y.weights.tolist() == [[-1], [1]]
    assert operator.scale == 2


def test_errors_in_a_file_are_raised_when_it_is_loaded(write_catalog, monkeypatch):
    path = write_catalog("kernels: {a: {matrix: 3}}")
    with pytest.raises(KernelError, match=f"{path}:1: kernels.a.matrix: expected a list"):
        load_catalog(path)
    monkeypatch.setenv("IMGCONV_KERNELS", "/no/such/file.yaml")
    with pytest.raises(KernelError, match=r"the catalog '/no/such/file\.yaml' does not exist"):
        load_catalog()


def test_a_catalog_is_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        BUILTIN.kernels = {}
    with pytest.raises(TypeError):
        BUILTIN.kernels["own"] = BUILTIN.kernels["box"]


def test_a_catalog_can_be_pickled():
    again = pickle.loads(pickle.dumps(BUILTIN))
    assert again.kernel("gaussian") == BUILTIN.kernel("gaussian")
    assert dict(again.operators) == dict(BUILTIN.operators)


def test_the_built_in_catalog_is_read_once():
    assert builtin_catalog() is builtin_catalog()
    assert load_catalog() is builtin_catalog()


def test_the_built_in_catalog_is_found_in_the_package_or_else_in_the_checkout(monkeypatch, tmp_path):
    package = tmp_path / "imgconv"
    (package / "kernels").mkdir(parents=True)
    monkeypatch.setattr(module, "__file__", str(package / "kernels" / "catalog.py"))
    with pytest.raises(KernelError, match="is missing; reinstall imgconv"):
        builtin_path()
    (tmp_path / "kernels.yaml").touch()
    assert builtin_path() == tmp_path / "kernels.yaml"
    (package / "kernels.yaml").touch()
    assert builtin_path() == package / "kernels.yaml"


def test_reading_the_catalog_loads_neither_numpy_nor_cv2(run_python):
    code = (
        "import sys; from imgconv.kernels import catalog; early = {'yaml', 'msgspec'} & set(sys.modules);"
        "names = [(e.name, e.about, e.parameters) for e in catalog.load_catalog().kernels.values()];"
        "print(len(names) > 20, early, {'numpy', 'cv2'} & set(sys.modules))"
    )
    done = run_python("-c", code)
    assert (done.stdout.strip(), done.stderr) == ("True set() set()", "")
