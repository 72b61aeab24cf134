"""What kind of text a request is, by plain rules that need no label.

Register: "list" has several lines or numbered items, "spoken" has neither capital letters nor
punctuation, as dictation often comes, and everything else is "prose". Length: "short" up to
12 words, "medium" up to 30, "long" beyond.
"""

from __future__ import annotations

import re
from typing import Literal

Register = Literal["spoken", "list", "prose"]
Length = Literal["short", "medium", "long"]

LONGEST_SHORT = 12
LONGEST_MEDIUM = 30

_NUMBERED = re.compile(r"(?:^|\s)\(?1[.)]\s.*\s\(?2[.)]\s", re.DOTALL)
_PUNCTUATION = re.compile(r"[.,;:!?…](?:\s|$)|[\"“”„«»()\[\]–—]|\s-\s")
"""Marks between words; an apostrophe, a clock time or a file's ending is none."""


def register_of(query: str) -> Register:
    """How the request was put down."""
    text = query.strip()
    if "\n" in text or _NUMBERED.search(text):
        return "list"
    if text == text.lower() and not _PUNCTUATION.search(text):
        return "spoken"
    return "prose"


def length_of(query: str) -> Length:
    """How long the request is, in words between spaces."""
    words = len(query.split())
    if words <= LONGEST_SHORT:
        return "short"
    return "medium" if words <= LONGEST_MEDIUM else "long"
