"""File names and system errors as printable text on one line."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.images.names import displayed, reason
from tests.cases import each


@given(st.text(st.characters(codec=None, categories=None)) | st.binary())
def test_a_displayed_name_is_printable(name) -> None:
    text = displayed(name)
    assert text.isprintable()
    text.encode("utf-8")


@pytest.mark.parametrize("name", ["a b.png", "été.png", "図/写真 1.png", "صورة.jpg", "𝒳.png", "a'b\"c.png"])
def test_printable_names_are_unchanged(name) -> None:
    assert displayed(name) == name
    assert displayed(os.fsencode(name)) == name


@pytest.mark.parametrize(
    ("name", "text"), [("a\nb", "a\\nb"), ("a\x1b[2Jb", "a\\x1b[2Jb"), (b"a\xffb", "a\\udcffb"), ("a\u2028b", "a\\u2028b")]
)
def test_unprintable_characters_are_escaped(name, text) -> None:
    assert displayed(name) == text


@each("number", sorted(errno.errorcode))
def test_every_system_error_has_a_reason_of_one_line(number) -> None:
    text = reason(OSError(number, os.strerror(number)))
    assert text
    assert len(text.splitlines()) == 1
    assert "Errno" not in text


@pytest.mark.parametrize("error", [OSError(), OSError("two\nlines"), OSError(99999, "")])
def test_unusual_errors_have_a_reason(error) -> None:
    assert reason(error).strip()
    assert "\n" not in reason(error)
