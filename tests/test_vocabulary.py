"""The closed lists of words, checked for every list."""

from __future__ import annotations

from typing import get_args

import pytest

from imgconv import vocabulary
from imgconv.errors import UsageError
from imgconv.vocabulary import canonical, suggestion
from tests.cases import each

TABLES = {name: table for name, table in vars(vocabulary).items() if name.isupper() and isinstance(table, dict)}
WORDS = [(table, word, name) for table in TABLES.values() for name, aliases in table.items() for word in (name, *aliases)]


def test_all_tables_are_found() -> None:
    assert {"BORDERS", "MODES", "ENGINES", "RANGES", "DEPTHS", "EDGE_OUTPUTS", "NAN_POLICIES"} <= TABLES.keys()


@each("table, word, name", WORDS)
@each("written", [str.lower, str.upper, str.title, " {} ".format])
def test_names_and_aliases_are_found_in_any_case(table, word, name, written) -> None:
    assert canonical(written(word), table, "word") == name


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_no_word_has_two_meanings(table) -> None:
    words = [word for name, aliases in table.items() for word in (name, *aliases)]
    assert len(words) == len(set(words))
    assert all(word == word.lower().strip() for word in words)


LITERALS = {
    "BORDERS": vocabulary.BorderWord,
    "MODES": vocabulary.ModeWord,
    "ENGINES": vocabulary.EngineWord,
    "RANGES": vocabulary.RangeWord,
    "DEPTHS": vocabulary.DepthWord,
    "ALPHAS": vocabulary.AlphaWord,
    "LEVELS": vocabulary.LevelsWord,
    "COMPRESSIONS": vocabulary.CompressionWord,
    "EDGE_OUTPUTS": vocabulary.EdgeOutputWord,
    "NAN_POLICIES": vocabulary.NanWord,
}


@pytest.mark.parametrize("title", TABLES)
def test_type_checkers_accept_the_words_of_the_tables(title) -> None:
    parts = get_args(LITERALS[title])
    words = [word for part in parts for word in ([part] if isinstance(part, str) else get_args(part))]
    names, aliases = list(TABLES[title]), [alias for aliases in TABLES[title].values() for alias in aliases]
    assert words == names + aliases


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
@each("word", ["", "no such word", "ähnlich"])
def test_an_unknown_word_is_rejected_with_the_list_of_words(table, word) -> None:
    with pytest.raises(UsageError) as caught:
        canonical(word, table, "thing")
    message = str(caught.value)
    assert message == f"unknown thing {word!r}; choose one of {', '.join(table)}"


@pytest.mark.parametrize(
    ("word", "table", "close"),
    [
        ("relfect", vocabulary.BORDERS, "reflect"),
        ("Replicat", vocabulary.BORDERS, "replicate"),
        ("symetric", vocabulary.BORDERS, "symmetric"),
        ("vaild", vocabulary.MODES, "valid"),
        ("OpenVC", vocabulary.ENGINES, "opencv"),
        ("magnitud", vocabulary.EDGE_OUTPUTS, "magnitude"),
        ("unit16", vocabulary.DEPTHS, "uint16"),
    ],
)
def test_a_misspelt_word_is_rejected_with_a_suggestion(word, table, close) -> None:
    with pytest.raises(UsageError, match=rf"did you mean {close}[ ?]"):
        canonical(word, table, "word")


def test_a_word_may_be_a_number() -> None:
    # YAML reads `depth: 8` as a number.
    assert canonical(8, vocabulary.DEPTHS, "depth") == "8"


def test_suggestions_are_the_closest_first_and_three_at_most() -> None:
    assert suggestion("sobel", ["box", "sobel_x", "sobel_y"]) == " (did you mean sobel_y or sobel_x?)"
    assert suggestion("aaa", ["aaab", "aaac", "aaad", "aaae"]).count(" or ") == 2
    assert suggestion("zebra", ["box", "gaussian"]) == ""
