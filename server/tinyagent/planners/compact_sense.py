"""What a plan in the inner language is likely to mean: a wish beyond its grammar.

Names, dates, addresses and files are the request's own words, and a result is used where its kind
fits: an email address among a mail's recipients, a phone number not. Nothing is said three times in a row.
"""

from __future__ import annotations

import re

from tinyagent.planners.compact import TAG
from tinyagent.planners.symbols import FIELDS, Field, field_of

_COPIED = frozenset({"name", "date", "people", "files"})
_LOOP = re.compile(r"(.{3,40})\1\1$", re.DOTALL)
"""The same three times in a row."""


def makes_sense(text: str, query: str) -> bool:
    """Whether the newest part of an unfinished plan makes sense for the request."""
    if text.rfind("⟨") > text.rfind("⟩"):
        return False
    pieces = TAG.split(text)
    names, texts = pieces[1::2], pieces[2::2]
    if not names:
        return True
    if texts[-1]:
        field = _field(names, len(names) - 1)
        copied = field is not None and field.kind in _COPIED
        return _stands(texts[-1], query, whole=False) if copied else not _LOOP.search(texts[-1])
    if names[-1].isdecimal():
        return _result_fits(names)
    before = _field(names, len(names) - 2)
    copied = before is not None and before.kind in _COPIED and bool(texts[-2])
    return not copied or _stands(texts[-2], query, whole=True)


def _field(names: list[str], position: int) -> Field | None:
    """The argument whose tag is at this position; None for the tag of a tool or of a result."""
    if position < 0 or names[position] in FIELDS or names[position].isdecimal():
        return None
    tool = next(name for name in reversed(names[:position]) if name in FIELDS)
    return field_of(tool, names[position])


def _stands(written: str, query: str, whole: bool) -> bool:
    """Whether words of the request begin like this, or are just this."""
    text = written.removeprefix(" ")
    end = r"(?!\w)" if whole else ""
    return re.search(rf"(?<!\w){re.escape(text)}{end}", query, re.IGNORECASE) is not None


def _result_fits(names: list[str]) -> bool:
    arguments = [name for name in names if not name.isdecimal()]
    tools = [name for name in arguments if name in FIELDS]
    number = int(names[-1])
    return number < len(tools) and tools[number - 1] in field_of(tools[-1], arguments[-1]).sources
