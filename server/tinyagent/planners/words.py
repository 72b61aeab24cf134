"""A request as words that a plan can copy, and words put together to a text again.

Addresses, links, paths, file names and phone numbers are one word each, so that they are copied
whole or not at all. Everything else is runs of letters and digits, or single marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

_EXTENSIONS = (
    "pdf|docx?|odt|rtf|txt|md|tex|pages|xlsx?|ods|csv|tsv|numbers|pptx?|odp|key|epub|html?|json|xml|ya?ml|"
    "png|jpe?g|gif|heic|svg|tiff?|mp3|m4a|wav|mp4|mov|zip|tar|gz|eml|ics|vcf|py|ipynb|dwg|psd|ai|log"
)
_JOINED = r"(?:[\uFE0F\U0001F3FB-\U0001F3FF]|\u200D[^\w\s])*"
"""What makes one picture of several characters: variants, skin colours, and those that a joiner binds."""

_WORD = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
    r"|(?:https?://|www\.)[^\s<>\"']*[^\s<>\"'.,;:!?)\]]"
    r"|(?<![\w.])(?:~|\.{1,2})?/(?:[\w.+@-]+/)*[\w.+@-]*\w"
    r"|(?<!\w)[A-Za-z]:\\[^\s\"']*\w"
    rf"|\w[\w-]*(?:\.[\w-]+)*\.(?:{_EXTENSIONS})(?!\w)"
    r"|\+\d[\d ().-]{5,}\d"
    r"|(?<!\w)(?:\(\d{2,5}\) ?|\d{3,5}[ .-])\d{3,4}(?:[ .-]\d{2,4})*(?!\w)"
    r"|\n"
    rf"|\w+|[^\w\s]{_JOINED}",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Word:
    """A word and where it stands in its text (characters `start` to `end`)."""

    text: str
    start: int
    end: int


def split_words(text: str) -> list[Word]:
    """The words of a text in their order; a line break is a word, other spaces are none."""
    return [Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


@dataclass(frozen=True)
class Piece:
    """A piece of an argument: a new word, or (with `source`) a copy of the request's word of that number."""

    text: str
    source: int | None = None


_CLOSING = frozenset(",.;:!?)]}%…»")
_OPENING = frozenset("([{«$£€#@¿¡")
_APOSTROPHES = frozenset("'’")
_CONTRACTED = frozenset(("s", "t", "re", "ll", "ve", "d", "m"))


def join_pieces(pieces: Sequence[Piece], words: Sequence[Word], text: str) -> str:
    """Put pieces together; neighbours in the request keep exactly what stands between them there."""
    out = ""
    open_quote = False
    for index, piece in enumerate(pieces):
        before = pieces[index - 1] if index else None
        following = pieces[index + 1].text if index + 1 < len(pieces) else ""
        if before is not None:
            out += _gap(before, piece, following, open_quote, words, text, out)
        if piece.text == '"':
            open_quote = not open_quote
        out += piece.text
    return out.strip(" \n")


def with_pictures(pieces: Sequence[Piece], words: Sequence[Word]) -> list[Piece]:
    """The pieces of a text, and the pictures directly behind the last copied one in the request."""
    last = pieces[-1].source if pieces else None
    found = list(pieces)
    if last is None or _is_picture(words[last].text):
        return found
    for number in range(last + 1, len(words)):
        if not _is_picture(words[number].text):
            break
        found.append(Piece(words[number].text, number))
    return found


def _is_picture(word: str) -> bool:
    return unicodedata.category(word[0]) == "So"


def _gap(
    before: Piece, piece: Piece, following: str, open_quote: bool, words: Sequence[Word], text: str, out: str
) -> str:
    if before.source is not None and piece.source is not None and piece.source == before.source + 1:
        return text[words[before.source].end : words[piece.source].start]
    left, right = before.text, piece.text
    if "\n" in (left, right) or right in _CLOSING or left in _OPENING or "/" in (left, right):
        return ""
    if left == '"':
        return "" if open_quote else " "
    if right == '"':
        return "" if open_quote else " "
    if right in _APOSTROPHES:
        return "" if following.lower() in _CONTRACTED else " "
    if left in _APOSTROPHES:
        return "" if right.lower() in _CONTRACTED or out[:-1].endswith((" ", "(")) or out[:-1] == "" else " "
    if left in (":", ".") and right.isdigit() and out[:-1][-1:].isdigit():
        return ""
    if "-" in (left, right):
        return ""
    return " "


def word_pieces(offsets: Sequence[tuple[int, int]], words: Sequence[Word]) -> list[tuple[int, int]]:
    """First and last wordpiece of each word; words beyond the encoder's window are left out.

    `offsets` are the characters that each wordpiece covers, empty for the marks around a text.
    """
    pieces = [(index, start, end) for index, (start, end) in enumerate(offsets) if end > start]
    found: list[tuple[int, int]] = []
    position = 0
    for word in words:
        while position < len(pieces) and pieces[position][2] <= word.start:
            position += 1
        last = position
        while last + 1 < len(pieces) and pieces[last + 1][1] < word.end:
            last += 1
        if position >= len(pieces):
            break
        found.append((pieces[position][0], pieces[last][0]))
    return found
