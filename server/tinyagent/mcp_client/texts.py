"""Text that a server wrote, made fit to be shown and stored."""

from __future__ import annotations

import unicodedata

CUT = "…"
_READ = 4
"""How many times the limit is read at most of a text that may be full of what is left out."""
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn the order of what is written around."""


def one_line(text: str, limit: int) -> str:
    """The text on one line, without characters that control terminals or that nobody sees."""
    shown = [
        " " if character.isspace() else character
        for character in text[: limit * _READ]
        if character.isspace() or unicodedata.category(character)[0] != "C"
    ]
    return _cut(" ".join("".join(shown).split()), limit, len(text))


def lines(text: str, limit: int) -> str:
    """The text with its lines, without characters that control terminals."""
    shown = [character for character in text[: limit * _READ] if _harmless(character)]
    return _cut("".join(shown), limit, len(text))


def _harmless(character: str) -> bool:
    if character in "\n\t":
        return True
    return character not in _TURNING and unicodedata.category(character) not in ("Cc", "Cs")


def _cut(text: str, limit: int, whole: int) -> str:
    fits = len(text) <= limit and whole <= limit * _READ
    return text if fits else text[: limit - 1].rstrip() + CUT
