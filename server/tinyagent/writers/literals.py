"""What a text must carry unchanged: links, addresses, numbers, and words that are not the user's."""

from __future__ import annotations

import re

_LINK = re.compile(
    r"(?:[a-z][a-z0-9+.-]{0,20}://|www\.|mailto:|tel:)[^\s<>\"“”]*[^\s<>\"“”'’.,;:!?)\]}*_`]", re.IGNORECASE
)
_ADDRESS = re.compile(r"[\w.+%-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"\d+(?:[.,:/-]\d+)*")
_COUNTER = re.compile(r"^[ \t]*\(?\d{1,2}[.)][ \t]", re.MULTILINE)
_WORD = re.compile(r"\w+(?:['’]\w+)*")


def links(text: str) -> set[str]:
    """The URLs and mail addresses in a text."""
    return set(_LINK.findall(text)) | set(_ADDRESS.findall(text))


def numbers(text: str) -> set[str]:
    """The numbers in a text, dates and times among them, but not those that count the items of a list."""
    return set(_NUMBER.findall(_COUNTER.sub("", text)))


def words(text: str) -> list[str]:
    """The words of a text, folded."""
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]


def foreign_lines(text: str, query: str) -> list[str]:
    """The lines that the user did not say: most of their words are not in the request."""
    said = frozenset(words(query))
    found: list[str] = []
    for line in text.splitlines():
        own = words(line)
        if own and 2 * sum(word in said for word in own) < len(own):
            found.append(line.strip())
    return found


def said_in(fragment: list[str], query: str) -> bool:
    """Whether the user said these words one after the other."""
    said = words(query)
    size = len(fragment)
    return size > 0 and any(said[start : start + size] == fragment for start in range(len(said) - size + 1))
