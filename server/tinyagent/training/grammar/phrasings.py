"""How many ways of asking rows hold: requests that differ only in what the plan copies are one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tinyagent.planners.symbols import field_of
from tinyagent.planners.words import split_words
from tinyagent.training.rows import Row

_SLOT = "_"
_SHORTEST_COPY = 3
"""So many words in a row that the request shares with a text of the plan count as copied."""


def distinct_phrasings(rows: Iterable[Row]) -> int:
    """The number of different skeletons."""
    return len({skeleton(row) for row in rows})


def skeleton(row: Row) -> str:
    """The request in lower case, with `_` for each stretch that the plan copies from it."""
    words = [word.text.lower() for word in split_words(row.query)]
    copied = [False] * len(words)
    for call in row.calls:
        for name, value in call.arguments.items():
            is_text = field_of(call.tool, name).kind == "text"
            for item in value if isinstance(value, list) else [value]:
                _mark([word.text.lower() for word in split_words(item)], words, copied, is_text)
    shown: list[str] = []
    for word, is_copy in zip(words, copied, strict=True):
        if not is_copy or shown[-1:] != [_SLOT]:
            shown.append(_SLOT if is_copy else word)
    return " ".join(shown)


def _mark(value: Sequence[str], words: Sequence[str], copied: list[bool], is_text: bool) -> None:
    """Mark the longest stretches of the value in the request; of a name only all of it."""
    shortest = min(_SHORTEST_COPY, len(value)) if is_text else len(value)
    start = 0
    while start < len(value):
        at, length = _longest(value[start:], words)
        if length < max(shortest, 1):
            start += 1
            continue
        copied[at : at + length] = [True] * length
        start += length


def _longest(value: Sequence[str], words: Sequence[str]) -> tuple[int, int]:
    """Where the longest beginning of the value stands in the words, and how long it is."""
    best = (0, 0)
    for at in range(len(words)):
        length = 0
        while length < len(value) and at + length < len(words) and words[at + length] == value[length]:
            length += 1
        best = max(best, (at, length), key=lambda found: found[1])
    return best
