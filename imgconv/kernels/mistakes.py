"""Advice on common mistakes in the notation of kernels and filters."""

from __future__ import annotations

import re

# Longer texts are not typed by hand.
_LONGEST = 200

# Patterns of the whole text.
_ADVICE = (
    (r"\s*\[\s*\[.*", "; a matrix has one pair of brackets, and rows separated by `;`: [1 2 1; 2 4 2]"),
    (r"\s*[-+.0-9][-+.0-9eE/]*\s*[\s,;].*", "; a matrix stands in brackets: [1 2 1; 2 4 2]"),
    (r"\s*[A-Za-z][\w-]*\s*=\s*[^\s=]+\s*", "; parameters follow the filter and a colon: gaussian:sigma=2"),
    (r"\s*(?P<name>[A-Za-z][\w-]*)\s+(?P<value>\w+=[^\s=]+)\s*", "; parameters follow a colon: {name}:{value}"),
    (r"\s*[A-Za-z][\w-]*(:\S+)?\s+[A-Za-z@\[].*", "; several filters are separate arguments"),
)


def advice(text: str) -> str:
    """Return advice on a text that is not in the notation, to append to the error; "" if its mistake is not a common one."""
    for pattern, words in _ADVICE if len(text) <= _LONGEST else ():
        if match := re.fullmatch(pattern, text, re.DOTALL):
            return words.format(**match.groupdict())
    return ""
