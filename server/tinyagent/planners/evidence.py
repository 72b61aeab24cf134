"""What a request itself says for or against a plan: its literals and its telling words.

These hold whatever a network has learnt: nobody is copied in on a mail without a word for it, a
recipient is a looked-up result or an address in the request, and a bus is not taken unasked.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from tinyagent.planners.legal import PlanState
from tinyagent.planners.symbols import FIELDS, Field, field_of
from tinyagent.planners.telling import BY_TRANSIT, ON_FOOT
from tinyagent.planners.words import Word

_WORDS_FOR = {
    "A:cc": re.compile(r"\b(?:b?cc|cop(?:y|ie)|loop|carbon)", re.IGNORECASE),
    "V:w": ON_FOOT,
    "V:r": BY_TRANSIT,
}
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_NUMBER = re.compile(r"[+(]?\d[\d ().-]+\d")
_PATH = re.compile(r"(?:~|\.{1,2})?/.*\w.*|[A-Za-z]:\\.*")


class Evidence:
    """The evidence in one request, given as its words."""

    def __init__(self, words: Sequence[Word]) -> None:
        text = " ".join(word.text for word in words)
        self._unfounded = frozenset(
            symbol for symbol, pattern in _WORDS_FOR.items() if not pattern.search(text)
        )
        texts = [word.text.lower() for word in words]
        self._literals: dict[str, set[str]] = {
            "address": {text for text in texts if _ADDRESS.fullmatch(text)},
            "number": {text for text in texts if _NUMBER.fullmatch(text)},
            "path": {text for text in texts if _PATH.fullmatch(text)},
        }
        self._doubled = {left for left, right in pairwise(texts) if left == right}

    def allows(self, symbol: str, state: PlanState) -> bool:
        """Whether the request bears this symbol out."""
        if symbol in self._unfounded:
            return False
        mark, _, name = symbol.partition(":")
        if mark == "W":
            return self._allows_word(name, state)
        if mark == "T":
            return all(self._fills(name, field, state) for field in FIELDS[name] if field.required)
        return mark != "A" or self._fills(state.tool, field_of(state.tool, name), state)

    def _fills(self, tool: str, field: Field, state: PlanState) -> bool:
        """Whether there is anything that the argument may hold."""
        if not field.is_list:
            return True
        return bool(self._literals[_kind(tool, field)]) or any(state.called[name] for name in field.sources)

    @property
    def literals(self) -> frozenset[str]:
        """Addresses, numbers and paths of the request."""
        return frozenset[str]().union(*self._literals.values())

    def _allows_word(self, word: str, state: PlanState) -> bool:
        """Whether the argument may go on with this word of the request or the vocabulary."""
        field = state.field
        if field is not None and field.is_list:
            return word in self._literals[_kind(state.tool, field)]
        return word != state.latest_word or word in self._doubled or not word.isalnum()


def _kind(tool: str, field: Field) -> str:
    if field.kind == "files":
        return "path"
    return "number" if tool == "send_sms" else "address"
