"""Texts in files that do not say how they are encoded."""

from __future__ import annotations


def text_of(block: bytes) -> str:
    """Return a text: UTF-8 if it can be that, else Latin-1. NULs, which some writers end it with, are left out."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        text = block.decode("latin-1")
    return text.replace("\0", "")


def utf_8(text: str) -> bytes:
    """Return a text as UTF-8 that has no NUL in it; what is no character becomes a question mark."""
    return text.replace("\0", "").encode("utf-8", "replace")
