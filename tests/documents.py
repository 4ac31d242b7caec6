"""The README and the pages of the manual, as the tests read them: their blocks, commands and tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
MANUAL = sorted((ROOT / "imgconv" / "manual").glob("*.md"))
PAGES = [README, *MANUAL]


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    language: str
    text: str


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


BLOCKS = [
    Block(page, *found)
    for page in PAGES
    for found in re.findall(r"^```(\w*)\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
]


def manual(name: str) -> str:
    return text_of(ROOT / "imgconv" / "manual" / f"{name}.md")


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this heading, without its first two lines."""
    table = re.search(rf"^\| {re.escape(heading)} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE)
    assert table, heading
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[1].splitlines()]


def words(cell: str) -> tuple[str, ...]:
    """Return what stands in backticks."""
    return tuple(re.findall(r"`([^`]+)`", cell))
