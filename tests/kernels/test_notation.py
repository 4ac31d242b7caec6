"""The notation: the meaning of each form, the place reported for each mistake, nesting and round trips."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.errors import KernelError
from imgconv.kernels.notation import MAX_DEPTH, File, Matrix, Named, parse_notation


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("sharpen", Named("sharpen")),
        ("  sharpen\n", Named("sharpen")),
        ("soft-2_x", Named("soft-2_x")),
        ("gaussian:sigma=2,size=9", Named("gaussian", {"sigma": "2", "size": "9"})),
        ("gaussian : sigma = 2 , size = 9", Named("gaussian", {"sigma": "2", "size": "9"})),
        ("edges:operator=a:b", Named("edges", {"operator": "a:b"})),
        ("f:k=[1, 2; 3, 4],n=1", Named("f", {"k": Matrix(((1, 2), (3, 4))), "n": "1"})),
        ("f:path=@a b=c", Named("f", {"path": "@a b=c"})),
        ("f:k=(g)", Named("f", {"k": Named("g")})),
        ("f:k=(a)(b)", Named("f", {"k": "(a)(b)"})),
        ("[1]", Matrix(((1,),))),
        ("[1 0 -1; 2 0 -2; 1 0 -1]", Matrix(((1, 0, -1), (2, 0, -2), (1, 0, -1)))),
        ("[1, 1/4;\n .5, 1+2j;]", Matrix(((1, 0.25), (0.5, 1 + 2j)))),
        ("[1 1 1]:scale=1/3,anchor=0 1,delta=128", Matrix(((1, 1, 1),), (1, 3), (0, 1), 128)),
        ("[1 2 1]:scale=1/sum", Matrix(((1, 2, 1),), None)),
        ("@psf.tif:scale=1/sum", File("psf.tif", None)),
        ("@C:\\k.txt : scale = 1/4, anchor = 0 1, delta = 2", File("C:\\k.txt ", (1, 4), (0, 1), 2)),
        ("@k.txt:scal=2", File("k.txt:scal=2")),
        ("[1 1 1]: anchor=(0, 2)", Matrix(((1, 1, 1),), anchor=(0, 2))),
        ("@kernel.txt", File("kernel.txt")),
        ("@C:\\my kernels\\a=b,c.txt ", File("C:\\my kernels\\a=b,c.txt")),
    ],
)
def test_text_is_parsed_to_the_expected_spec(text, spec):
    found = parse_notation(text)
    assert found == spec
    assert hash(found) == hash(spec)
    assert parse_notation(str(found)) == found
    assert pickle.loads(pickle.dumps(found)) == found


def test_nested_specs_are_parsed():
    outer = parse_notation("deblur:psf=(motion:length=9,angle=30),method=wiener")
    assert outer == Named("deblur", {"psf": Named("motion", {"length": "9", "angle": "30"}), "method": "wiener"})
    assert str(outer) == "deblur:psf=(motion:length=9,angle=30),method=wiener"


def test_arguments_keep_their_order():
    assert list(parse_notation("f:b=1,a=2").arguments) == ["b", "a"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "character 1: expected a name, a [matrix] or an @file, found nothing"),
        ("   ", "found nothing"),
        ("@", "character 1: expected a path after @"),
        ("3x3", "character 1: expected a name (letters, digits, _ and -), a [matrix] or an @file, found '3x3'"),
        ("-a", "expected a name"),
        ("größe", "character 3: expected ':' or the end, found 'öße'"),
        ("gaussian sigma=2", "found 'sigma=2'; parameters follow a colon: gaussian:sigma=2"),
        ("gaussian=2", "found '=2'; parameters follow the filter and a colon: gaussian:sigma=2"),
        ("gaussian sharpen", "character 10: expected ':' or the end, found 'sharpen'; several filters are separate arguments"),
        ("1 2 1; 2 4 2", "found '1 2 1; 2 4 2'; a matrix stands in brackets: [1 2 1; 2 4 2]"),
        ("[[1,2],[3,4]]", "a matrix has one pair of brackets, and rows separated by `;`: [1 2 1; 2 4 2]"),
        ("a" * 101, "character 101: expected ':' or the end"),
        ("gaussian:", "character 10: expected key=value, found nothing"),
        ("gaussian:size=3,2", "character 17: expected key=value, found '2'"),
        ("gaussian:2,3", "character 12: expected key=value, found '3'"),
        ("gaussian:=2", "expected key=value, found '=2'"),
        ("gaussian:sigma=", "character 15: expected a value after sigma="),
        ("gaussian:sigma=1,,size=2", "character 18: expected key=value, found nothing"),
        ("gaussian:sigma=1,", "expected key=value, found nothing"),
        ("gaussian:sigma=1,sigma=2", "character 24: sigma is given twice"),
        ("a:b=(c", "character 5: ( has no closing )"),
        ("a:b=c)", "character 6: ) has no opening bracket"),
        ("a:b=[1)]", "character 7: expected ], found )"),
        ("a:b=()", "character 6: expected a name, a [matrix] or an @file, found nothing"),
        ("a:b=(3)", "character 6: expected a name"),
        ("[1 2", "character 1: the matrix has no closing ]"),
        ("[]", "row 1, number 1: expected a number such as"),
        ("[1 2; x 4]", "row 2, number 1: expected a number such as 1, -0.5, 1/9 or 1+2j, found 'x'"),
        ("[1 2;; 3 4]", "row 2, number 1: expected a number"),
        ("[1 2; 3]", "row 2 has 1 number, but row 1 has 2"),
        ("[1 nan]", "found 'nan'"),
        ("[1] [2]", "character 5: expected ':' or the end after ], found '[2]'"),
        ("[1]:", "expected key=value"),
        ("[1]:scle=3", "a matrix has the arguments scale, anchor and delta, found 'scle' (did you mean scale?)"),
        ("[1]:scale=1,scale=2", "scale is given twice"),
        ("[1]:scale=x", "expected a number such as"),
        ("[1]:scale=0", "scale must not be 0"),
        ("@:scale=2", "character 1: expected a path after @"),
        ("@k.txt:scale=2,scle=3", "a file has the arguments scale, anchor and delta, found 'scle' (did you mean scale?)"),
        ("@k.txt:scale=0", "scale must not be 0"),
        ("[1]:scale=1j", "expected a number such as"),
        ("[1]:anchor=1", "anchor must be a row and a column counted from 0, such as anchor=0 1, found '1'"),
        ("[1]:anchor=-1 0", "anchor must be a row and a column"),
    ],
)
def test_every_error_states_the_place_and_what_was_expected(text, reason):
    with pytest.raises(KernelError) as error:
        parse_notation(text)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_specs_that_are_not_text_are_rejected():
    with pytest.raises(KernelError, match="a kernel must be a string, found int"):
        parse_notation(3)


def test_the_depth_of_nesting_is_limited():
    def nested(depth):
        return "a:b=(" * depth + "a" + ")" * depth

    assert str(parse_notation(nested(MAX_DEPTH))) == nested(MAX_DEPTH)
    with pytest.raises(KernelError, match="nested more than 16 deep"):
        parse_notation(nested(MAX_DEPTH + 1))
    with pytest.raises(KernelError, match="nested more than 16 deep"):
        parse_notation(nested(10_000))


names = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True)
numbers = st.floats(allow_nan=False, allow_infinity=False)
scales = st.sampled_from([(1.0, 1.0), (1.0, 9.0), None])
anchors = st.none() | st.tuples(st.integers(0, 9), st.integers(0, 9))
deltas = numbers.map(lambda delta: delta or 0.0)
matrices = st.integers(1, 3).flatmap(
    lambda n: st.builds(
        lambda rows, scale, anchor, delta: Matrix(tuple(rows), scale, anchor, delta),
        st.lists(st.tuples(*[numbers] * n), min_size=1, max_size=3),
        scales,
        anchors,
        deltas,
    )
)
files = st.builds(File, st.from_regex(r"[a-z./]{1,10}", fullmatch=True), scales, anchors, deltas)
specs = st.recursive(
    names.map(Named) | matrices | files,
    lambda inner: st.builds(Named, names, st.dictionaries(names, inner | st.from_regex(r"[a-z0-9.]{1,5}", fullmatch=True))),
    max_leaves=6,
)


@given(specs)
def test_specs_survive_a_round_trip_through_text(spec):
    assert parse_notation(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("gaussian:2", {"sigma": "2"}),
        ("gaussian: 2 , size=9", {"sigma": "2", "size": "9"}),
        ("gaussian:size=9", {"size": "9"}),
        ("gaussian:(box:size=3)", {"sigma": Named("box", {"size": "3"})}),
    ],
)
def test_a_first_argument_without_a_key_is_that_of_the_first_parameter(text, arguments) -> None:
    spec = parse_notation(text)
    assert isinstance(spec, Named)
    assert spec.arguments_for(("sigma", "size")) == arguments
    assert parse_notation(str(spec)) == spec
