"""Texts of a plan as faithful to the request as they can be: whole quotes, no lost words, capitals."""

from __future__ import annotations

import re

_PRONOUN = re.compile(r"\bi\b(?=$|[\s,.!?]|['’](?:m|ll|ve|d)\b)")
_MARKS = (("'", "'"), ('"', '"'), ("‘", "’"), ("“", "”"), ("«", "»"))
_QUOTE = re.compile(
    r"(?<!\w)(?:\"(?P<straight>[^\"\n]+)\"|“(?P<curly>[^”\n]+)”|«\s*(?P<angled>[^»\n]+?)\s*»"
    r"|(?P<mark>['‘])(?P<single>[^\s'‘’][^\n'‘’]*(?:(?<=\w)['’]\w[^\n'‘’]*)*)['’](?!\w))"
)
_TOKEN = re.compile(r"\w+|[^\w\s]")
_ENDING = re.compile(r"[\s.,;:!?]+$")
_SPOKEN_SIGNS = (
    (re.compile(r" ?\bunderscore\b ?", re.IGNORECASE), "_"),
    (re.compile(r" (?:dash|hyphen) ", re.IGNORECASE), "-"),
    (re.compile(r" dot (?=[a-z0-9]{2,5}$)", re.IGNORECASE), "."),
)
MAX_LOST = 3
"""So many words of the request may have been lost from the middle of a copy."""
MIN_SHARE = 0.35
"""Part of a quote's words that a text must have kept to be that quote."""


def dictated(text: str, query: str) -> str:
    """What the user dictated, where `text` is a copy of it from which words were lost."""
    if "$" in text:
        return text
    return _quoted(text, query) or restored(text, query)


def written_file_name(text: str) -> str:
    """A file's name as it is written, of one that was spelt out: "log underscore two dot pdf"."""
    if not _SPOKEN_SIGNS[-1][0].search(text):
        return text
    for pattern, sign in _SPOKEN_SIGNS:
        text = pattern.sub(sign, text)
    return text


def restored(text: str, query: str) -> str:
    """The stretch of the request that begins and ends as the text, when only few words were lost between."""
    ending = _ENDING.search(text)
    core = text[: ending.start()] if ending else text
    wanted = [token.lower() for token in _TOKEN.findall(core)]
    if "$" in text or len(wanted) < 2 or core.lower() in query.lower():
        return text
    found = list(_TOKEN.finditer(query))
    tokens = [match.group().lower() for match in found]
    for first in (at for at, token in enumerate(tokens) if token == wanted[0]):
        last = _end_of(wanted, tokens, first)
        if last is not None and last - first + 1 <= len(wanted) + MAX_LOST:
            whole = query[found[first].start() : found[last].end()]
            return text if "\n" in whole else whole + (ending.group() if ending else "")
    return text


def _end_of(wanted: list[str], tokens: list[str], first: int) -> int | None:
    """Where the last of the wanted words stands, taken in their order from `first` on."""
    at = first
    for token in wanted[1:]:
        try:
            at = tokens.index(token, at + 1)
        except ValueError:
            return None
    return at


def _quoted(text: str, query: str) -> str:
    """The quote of which the text holds a part and nothing else, "" when there is none."""
    words = _words(text)
    quotes = [
        next(part for name in ("straight", "curly", "angled", "single") if (part := match[name]))
        for match in _QUOTE.finditer(query)
    ]
    if len(words) < 2 or any(_words(quote) == words for quote in quotes):
        return ""
    core = _ENDING.sub("", text).lower()
    for quote in quotes:
        whole = _words(quote)
        elsewhere = query.lower().count(core) > quote.lower().count(core)
        if set(words) < set(whole) and MIN_SHARE * len(whole) <= len(words) and not elsewhere:
            return quote
    return ""


def _words(text: str) -> list[str]:
    return [token.lower() for token in _TOKEN.findall(text) if token.isalnum()]


def capitalised(text: str, query: str) -> str:
    """The text with a capital at its start and in "I", unless the request quotes it as it is."""
    if not text or any(f"{left}{text}{right}" in query for left, right in _MARKS):
        return text
    first = text.split(maxsplit=1)[0]
    is_word = first.replace("'", "").replace("’", "").replace("-", "").rstrip(".,;:!?").isalpha()
    if (is_word and first[:1].islower() and first[1:].islower()) or len(first) == 1:
        text = text[0].upper() + text[1:]
    return _PRONOUN.sub("I", text)
