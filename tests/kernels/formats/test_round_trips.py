"""Each format writes a kernel that is read back bit for bit, or raises an error that states the reason."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from imgconv.errors import KernelError
from imgconv.kernels.catalog import builtin_catalog, load_catalog
from imgconv.kernels.formats import WRITERS, format_kernel, read_kernel_file
from imgconv.kernels.kernel import Kernel
from tests.cases import each

FILES = {"imagemagick": "kernel.txt", "vips": "kernel.mat"}


def read_back(text, form, folder):
    """Read the text written in a format, as a user of that format would."""
    if form == "numpy":
        return Kernel(eval(text, {"np": np}))
    path = folder / FILES.get(form, "kernel.yaml")
    path.write_text(text, encoding="utf-8")
    if form == "yaml":
        catalog = load_catalog(path)
        [name] = [name for name, entry in catalog.kernels.items() if entry.origin == str(path)]
        return catalog.kernel(name)
    return read_kernel_file(path)


READABLE = [form for form in WRITERS if form != "ffmpeg"]


@pytest.mark.parametrize("form", READABLE)
@each(
    "spec",
    [
        *builtin_catalog().kernels,
        "box:rows=2,columns=5",
        "gaussian:sigma=1.7",
        "disk:radius=4.3",
        "[0.1 1e-20 3e20]",
        "[1/3 2/7; 5/11 -9]",
        "[7]",
    ],
)
def test_kernels_of_the_catalog_survive_a_round_trip(spec, form, tmp_path):
    kernel = builtin_catalog().kernel(spec)
    try:
        text = format_kernel(kernel, form)
    except KernelError:
        assert kernel.anchor != (kernel.shape[0] // 2, kernel.shape[1] // 2)
        assert form in ("vips", "numpy")
        return
    back = read_back(text, form, tmp_path)
    assert back == kernel
    assert back.weights.tobytes() == kernel.weights.tobytes()


shapes = st.tuples(st.integers(1, 5), st.integers(1, 5))
reals = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9).map(lambda n: n / 9)
kernels = st.builds(
    lambda weights, corner, delta: Kernel(weights, (corner[0] % weights.shape[0], corner[1] % weights.shape[1]), delta=delta),
    arrays.arrays(np.float64, shapes, elements=reals),
    st.tuples(st.integers(0, 9), st.integers(0, 9)),
    st.just(0.0) | reals,
)


@pytest.mark.parametrize("form", READABLE)
@given(kernel=kernels)
def test_any_kernel_survives_a_round_trip_or_is_rejected(form, kernel, tmp_path_factory):
    try:
        text = format_kernel(kernel, form)
    except KernelError:
        assert form != "yaml"
        return
    assert read_back(text, form, tmp_path_factory.mktemp("kernel")) == kernel


@pytest.mark.parametrize("form", ["yaml", "numpy"])
def test_complex_weights_survive_a_round_trip(form, tmp_path):
    kernel = Kernel([[1 - 3j, 0.1 + 10j, 1e-9 + 3j]])
    assert read_back(format_kernel(kernel, form), form, tmp_path) == kernel


@pytest.mark.parametrize(
    ("form", "kernel", "reason"),
    [
        ("imagemagick", Kernel([[1j]]), "cannot have complex weights; write the kernel as yaml"),
        ("imagemagick", Kernel([[1]], delta=3), "cannot have a delta, found 3"),
        ("vips", Kernel([[1j]]), "cannot have complex weights"),
        (
            "vips",
            Kernel([[1, 2]], anchor=(0, 0)),
            r"have the anchor \(0, 1\), found \(0, 0\)",
        ),
        ("numpy", Kernel([[1]], delta=3), "an array cannot store a delta"),
        ("numpy", Kernel([[1, 2]], anchor=(0, 0)), "an array cannot store an anchor"),
        ("ffmpeg", Kernel(np.ones((3, 3)) * 1j), "only whole numbers times one factor"),
        ("ffmpeg", Kernel(np.ones((2, 2))), "found 2x2"),
        ("ffmpeg", Kernel(np.ones((9, 9))), "found 9x9"),
        ("ffmpeg", Kernel(np.ones((3, 5))), "found 3x5"),
        ("ffmpeg", Kernel(np.ones((1, 51))), "found 1x51"),
        (
            "ffmpeg",
            Kernel(np.ones((3, 3)), anchor=(0, 1)),
            r"only an anchor in the middle of the kernel, found \(0, 1\)",
        ),
        ("ffmpeg", Kernel([[0.1, 0.7302, np.pi]]), "only whole numbers times one factor"),
        ("ffmpeg", Kernel([[1, 0, 40_000]]), "sums in 32 bits"),
        ("ffmpeg", Kernel([[1, 2, 1]], delta=-1), "does not support a bias below 0, found a delta of -1"),
    ],
)
def test_kernels_that_a_format_cannot_store_are_rejected_with_the_reason(form, kernel, reason):
    with pytest.raises(KernelError, match=reason):
        format_kernel(kernel, form)


def test_an_unknown_format_is_rejected_with_the_list_of_formats():
    with pytest.raises(KernelError, match=r"unknown format 'vip' \(did you mean vips\?\); choose one of yaml, imagemagick"):
        format_kernel(Kernel([[1]]), "vip")


BOX = Kernel(np.full((3, 3), 1 / 9), name="box")
SLOPE = Kernel([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], delta=128, name="soft slope!")


@pytest.mark.parametrize(
    ("form", "kernel", "text"),
    [
        ("vips", BOX, "3 3 9 0\n1 1 1\n1 1 1\n1 1 1\n"),
        ("vips", SLOPE, "3 3 1 128\n-1 0 1\n-2 0 2\n-1 0 1\n"),
        ("imagemagick", Kernel([[1, 2, -3], [0.5, 0, 4]], anchor=(0, 2)), "3x2+2+0: 1,2,-3 0.5,0,4\n"),
        ("numpy", Kernel([[1, 2], [3, 4]]), "np.array([[1, 2],\n          [3, 4]], dtype=np.float64)\n"),
        ("numpy", Kernel([[1 / 9, 2 / 9]]), "np.array([[1, 2]], dtype=np.float64) / 9\n"),
        (
            "yaml",
            SLOPE,
            'kernels:\n  soft-slope:\n    about: "soft slope!"\n    matrix:\n'
            "      - [-1, 0, 1]\n      - [-2, 0, 2]\n      - [-1, 0, 1]\n    delta: 128\n",
        ),
        (
            "yaml",
            Kernel([[np.pi, 1e-5]], anchor=(0, 0)),
            "kernels:\n  kernel:\n    matrix:\n      - [3.141592653589793, 1.0e-05]\n    anchor: [0, 0]\n",
        ),
        (
            "ffmpeg",
            SLOPE,
            "convolution="
            + ":".join(f"{plane}m='-1 0 1 -2 0 2 -1 0 1':{plane}rdiv=1:{plane}bias=128" for plane in range(3))
            + "\n",
        ),
        (
            "ffmpeg",
            Kernel([[0.25], [0.5], [0.25]]),
            "convolution=" + ":".join(f"{p}m='1 2 1':{p}rdiv=0.25:{p}mode=column" for p in range(3)) + "\n",
        ),
        (
            "ffmpeg",
            Kernel([[1, 0, -1]]),
            "convolution=" + ":".join(f"{p}m='1 0 -1':{p}rdiv=1:{p}mode=row" for p in range(3)) + "\n",
        ),
    ],
)
def test_each_format_writes_the_expected_text(form, kernel, text):
    assert format_kernel(kernel, form) == text
