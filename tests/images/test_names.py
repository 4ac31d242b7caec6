"""How names and faults are put into one line."""

from __future__ import annotations

import errno
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imgconv.images.names import displayed, reason
from tests.cases import each


@given(st.text(st.characters(codec=None, categories=None)) | st.binary())
def test_a_name_is_shown_on_one_line_that_can_be_printed(name) -> None:
    text = displayed(name)
    assert text.isprintable()
    text.encode("utf-8")


@pytest.mark.parametrize("name", ["a b.png", "été.png", "図/写真 1.png", "صورة.jpg", "𝒳.png", "a'b\"c.png"])
def test_what_can_be_printed_stays(name) -> None:
    assert displayed(name) == name
    assert displayed(os.fsencode(name)) == name


@pytest.mark.parametrize(
    ("name", "text"), [("a\nb", "a\\nb"), ("a\x1b[2Jb", "a\\x1b[2Jb"), (b"a\xffb", "a\\udcffb"), ("a\u2028b", "a\\u2028b")]
)
def test_what_cannot_is_escaped(name, text) -> None:
    assert displayed(name) == text


@each("number", sorted(errno.errorcode))
def test_every_fault_of_the_system_has_a_reason_of_one_line(number) -> None:
    text = reason(OSError(number, os.strerror(number)))
    assert text
    assert len(text.splitlines()) == 1
    assert "Errno" not in text


@pytest.mark.parametrize("error", [OSError(), OSError("two\nlines"), OSError(99999, "")])
def test_odd_faults_have_a_reason_too(error) -> None:
    assert reason(error).strip()
    assert "\n" not in reason(error)
