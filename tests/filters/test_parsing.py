"""Parsing of the notation into filters, and the errors for invalid text."""

from __future__ import annotations

import numpy as np
import pytest

from imgconv.convolution.options import make_options
from imgconv.errors import KernelError, UsageError
from imgconv.filters import FILTERS
from imgconv.filters.chain import ChainFilter
from imgconv.filters.edges import EdgeFilter
from imgconv.filters.kernel_filter import KernelFilter
from imgconv.filters.parsing import build_chain, parse_filter
from imgconv.kernels.catalog import builtin_catalog, load_catalog, parse_kernel


@pytest.fixture
def catalog_of(tmp_path):
    """Return a function that returns the built-in catalog extended by YAML text."""

    def build(text):
        path = tmp_path / "mine.yaml"
        path.write_text(text, encoding="utf-8")
        return load_catalog(path)

    return build


@pytest.mark.parametrize("text", ["sharpen", "gaussian:sigma=2", "[1 0 -1; 2 0 -2]", "[1 1]:scale=1/2,anchor=0 0"])
def test_a_kernel_is_parsed_as_a_filter(text):
    chosen = parse_filter(text)
    assert isinstance(chosen, KernelFilter)
    assert chosen.kernel == parse_kernel(text)
    assert chosen.name == text


def test_a_kernel_file_is_parsed_as_a_filter(tmp_path):
    (tmp_path / "k.txt").write_text("1 2\n3 4\n")
    assert np.array_equal(parse_filter(f"@{tmp_path / 'k.txt'}").kernel.weights, [[1, 2], [3, 4]])


@pytest.mark.parametrize("name", FILTERS)
def test_a_registered_filter_is_parsed_by_name_and_with_its_parameters(name):
    plain = parse_filter(name)
    all_parameters = ",".join(f"{key}={value}" for key, value in FILTERS[name].parameters.items())
    assert parse_filter(f"{name}:{all_parameters}").name == plain.name
    assert parse_filter(plain.name).name == plain.name


def test_edges_are_parsed_with_operator_and_output():
    chosen = parse_filter("edges:operator=prewitt,output=y")
    assert isinstance(chosen, EdgeFilter)
    assert (chosen.operator.name, chosen.output) == ("prewitt", "y")
    assert parse_filter("edges").operator.name == "scharr"


@pytest.mark.parametrize("name", builtin_catalog().filters)
def test_a_chain_of_the_catalog_is_parsed(name):
    chosen = parse_filter(name)
    assert isinstance(chosen, ChainFilter)
    assert [step.name for step in chosen.steps] == list(builtin_catalog().steps(name))


def test_several_texts_become_a_chain_and_one_a_single_filter():
    chain = build_chain(["crisp", "edges:operator=sobel"])
    assert [type(step) for step in chain.steps] == [ChainFilter, EdgeFilter]
    assert isinstance(build_chain(["sharpen"]), KernelFilter)


def test_options_apply_to_every_convolution():
    chain = build_chain(["crisp", "edges"], options=make_options(border="wrap", engine="numpy"))
    plans = chain.plans((9, 9), np.uint8)
    assert len(plans) == 4
    assert {(plan.engine, str(plan.job.border)) for plan in plans} == {("numpy", "wrap")}
    assert parse_filter("sharpen", border="edge", stride=2).options == make_options(border="replicate", stride=2)


# User catalogs


def test_a_chain_of_a_user_catalog_may_contain_a_chain(catalog_of):
    double = "double:\n    about: two\n    steps: [crisp, 'edges:output=x']\n"
    catalog = catalog_of(f"filters:\n  {double}  one:\n    about: one\n    steps: [sharpen]\n")
    chosen = parse_filter("double", catalog)
    assert [step.name for step in chosen.steps] == [parse_filter("crisp").name, parse_filter("edges:output=x").name]
    assert isinstance(parse_filter("one", catalog), KernelFilter)


def test_a_kernel_of_a_user_catalog_overrides_a_filter_of_the_same_name(catalog_of):
    catalog = catalog_of("kernels:\n  edges:\n    about: mine\n    matrix: [[1, -1]]\n")
    assert isinstance(parse_filter("edges", catalog), KernelFilter)


def test_a_chain_that_contains_itself_is_rejected(catalog_of):
    text = "filters:\n  one:\n    about: a\n    steps: [sharpen, two]\n  two:\n    about: b\n    steps: [one]\n"
    with pytest.raises(KernelError, match="contains itself: one > two > one"):
        parse_filter("one", catalog_of(text))


def test_the_same_chain_twice_is_not_recursion(catalog_of):
    catalog = catalog_of("filters:\n  twice:\n    about: a\n    steps: [crisp, crisp]\n")
    assert len(parse_filter("twice", catalog).steps) == 2


# Errors


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sharpn", r"'sharpn' \(did you mean sharpen"),
        ("crips", r"'crips' \(did you mean crisp"),
        (
            "edges:operater=sobel",
            r"edges has no parameter 'operater' \(did you mean operator\?\); choose one of operator, output",
        ),
        ("edges:operator=sobol", r"'sobol' \(did you mean sobel"),
        ("edges:operator=sharpen", "sharpen is a kernel, and an edge operator is needed"),
        ("edges:operator=(gaussian:sigma=2)", "filter edges: operator must be a word, found a filter in parentheses"),
        ("crisp:sigma=2", "crisp has no parameters, found .sigma."),
        ("gaussian:sgima=2", r"sgima.*did you mean sigma"),
        ("sobel:operator=x", "sobel has no parameter .operator.; choose one of output"),
        ("", "."),
        ("edges:", "."),
        ("[1 2; 3]", "row"),
    ],
)
def test_errors_have_one_line_with_the_reason(text, words):
    with pytest.raises(KernelError, match=words) as caught:
        parse_filter(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [({"border": "edgy"}, "unknown border"), ({"stride": 0}, "stride must be"), ({"mode": "x"}, "unknown mode")],
)
def test_invalid_options_are_rejected(given, words):
    with pytest.raises(UsageError, match=words):
        parse_filter("sharpen", **given)


def test_the_closest_filter_is_suggested():
    with pytest.raises(KernelError, match="did you mean edges"):
        parse_filter("edgse")


@pytest.mark.parametrize("text", ["[1 0 -1]", "edges", "crisp"])
@pytest.mark.parametrize("options", [{"dtype": "int8"}, {"range_policy": "abs"}], ids=str)
def test_options_of_the_output_are_rejected(text, options):
    with pytest.raises(UsageError, match="dtype and range are not options of a filter"):
        parse_filter(text, **options)


@pytest.mark.parametrize("operator", ["sobel", "kirsch"])
def test_delta_is_added_to_the_edges_and_not_to_the_gradients(operator):
    flat = np.full((5, 6), 100, np.uint8)
    assert (parse_filter(f"edges:operator={operator}", delta=10)(flat) == 10).all()
    with pytest.raises(UsageError, match="an angle"):
        parse_filter(f"edges:operator={operator},output=direction", delta=10)


@pytest.mark.parametrize("value", [3, None, 2.5], ids=repr)
def test_a_filter_must_be_text_a_kernel_or_a_sequence(value):
    with pytest.raises(KernelError, match="a filter is text, a Kernel, an array, or a sequence of filters, found"):
        parse_filter(value)
