"""Which of many notes a spoken name means."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from rapidfuzz import fuzz

from tinyagent.apps.matching.text import closest, fold, words
from tinyagent.errors import NoMatch

UNTITLED = "Untitled"

FUZZY_SCORE = 85.0
"""Similarity in percent from which a misspelt name still means a note."""

FUZZY_MARGIN = 6.0
"""A fuzzy match must be this much better than the next one; otherwise the user decides."""

_FILLERS = {"a", "an", "the", "my", "our", "note", "notes"}


class Named(Protocol):
    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def best_matches(name: str, entries: Sequence[N]) -> list[N]:
    """The notes that tie for the best kind of match; a worse kind counts only when no better one is there."""
    asked = _plain(name)
    kinds: list[Callable[[str], bool]] = [
        lambda stored: stored == name,
        lambda stored: fold(stored) == fold(name),
        lambda stored: _plain(stored) == asked,
        lambda stored: bool(asked) and set(asked) <= set(words(stored)),
    ]
    for matches in kinds:
        found = [entry for entry in entries if matches(entry.name)]
        if found:
            return found
    return _fuzzy(" ".join(asked), entries)


def free_name(name: str, taken: set[str]) -> str:
    """The name, with a number when it is taken; `taken` are folded names."""
    free, number = name, 2
    while fold(free) in taken:
        free, number = f"{name} {number}", number + 1
    return free


def no_match(name: str, folder: str, entries: Sequence[Named]) -> NoMatch:
    """The error for a name that means none of the notes in the folder, if one was given."""
    near = closest(name, [entry.name for entry in entries])
    place = f" in the folder “{folder}”" if folder.strip() else ""
    hint = (
        "Say which one you mean, or create it." if near else "Create it, or give the name as it is written."
    )
    return NoMatch(f"There is no note called “{name}”{place}.", hint=hint, candidates=near)


def _plain(name: str) -> tuple[str, ...]:
    """The words that carry the name: “my Groceries note” is about groceries."""
    every = words(name)
    return tuple(word for word in every if word not in _FILLERS) or every


def _fuzzy(asked: str, entries: Sequence[N]) -> list[N]:
    if not asked:
        return []
    scored = [(fuzz.ratio(asked, " ".join(_plain(entry.name))), entry) for entry in entries]
    best = max((score for score, _ in scored), default=0.0)
    if best < FUZZY_SCORE:
        return []
    return [entry for score, entry in scored if score >= best - FUZZY_MARGIN]
