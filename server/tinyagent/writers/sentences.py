"""Sentences of running text as PDFs give it: wrapped lines, headings, bullets, page furniture."""

from __future__ import annotations

import re
import statistics
import unicodedata
from collections import Counter
from collections.abc import Iterator

MAX_TEXT = 1_000_000
"""Characters that are looked at."""

_REPEATS_OF_FURNITURE = 3
"""A line found this often, page numbers aside, is a running header or footer."""

_HEADING_CHARS = 60
_LONGEST_WORD = 60
_LOOK_AHEAD = 8
_ENDINGS = ".!?…。！？।؟۔"
_CLOSERS = "\"'”’»)]」』"
_BULLET = re.compile(r"^(?:[•◦▪‣●○■*–—-]|\(?\d{1,2}[.)]|\(?[a-z][.)])\s+")
_BOUNDARY = re.compile(rf"(?<=[.!?…।؟۔])[{re.escape(_CLOSERS)}]*\s+|(?<=[。！？])[{re.escape(_CLOSERS)}]*\s*")
_INITIAL = re.compile(r"(?:^|[\s(.])[^\W\d_]\.$")
_HYPHENATED = re.compile(r"([^\W\d_]+)-$")
_ABBREVIATION_LIST = (
    "approx. art. bzw. ca. cf. ch. co. corp. dept. dr. e.g. ed. eds. eq. esp. est. fig. figs. gen. "
    "gov. hr. i.e. inc. jr. lt. ltd. max. min. mr. mrs. ms. mt. no. nos. nr. p. pp. prof. ref. rev. "
    "sec. sen. sr. sra. st. tab. u.a. viz. vol. vs. z.b. jan. feb. mar. apr. aug. sep. sept. oct. "
    "nov. dec."
)
_ABBREVIATIONS = frozenset(_ABBREVIATION_LIST.split())

_FUNCTION_WORD_LIST = (
    "about after all also an and any are as at be because been before but by can could did do does "
    "for from had has have he her his how if in into is it its many may more most must no not of on "
    "once one only or other our out over she should so some such than that the their them then there "
    "these they this those to too two under until up was we were when where which while who will with "
    "would you your"
)
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())
"""English words that say nothing about the topic."""


def split_sentences(text: str) -> list[str]:
    """The sentences in order; headings, page furniture and bare numbers are left out."""
    blocks = _blocks(text[:MAX_TEXT])
    return [sentence for block in blocks for sentence in _split_block(block) if _has_words(sentence)]


def _blocks(text: str) -> Iterator[str]:
    """Paragraphs and list items, each joined to one line."""
    lines = _without_furniture(
        [" ".join(line.split()) for line in unicodedata.normalize("NFC", text).splitlines()]
    )
    vocabulary = frozenset(re.findall(r"[^\W\d_]+", text.casefold()))
    usual = statistics.median([len(line) for line in lines if line] or [0])
    block = ""
    for number, line in enumerate(lines):
        after = lines[number + 1] if number + 1 < len(lines) else ""
        is_heading = _is_heading(line, block, after, usual)
        if not line or is_heading or _BULLET.match(line):
            yield block
            block = "" if is_heading else _BULLET.sub("", line)
        else:
            block = _joined(block, line, vocabulary)
    yield block


def _without_furniture(lines: list[str]) -> list[str]:
    shapes = [re.sub(r"\d+", "#", line) for line in lines]
    counts = Counter(shapes)
    return [
        line
        for line, shape in zip(lines, shapes, strict=True)
        if not line
        or line[0].islower()  # the end of a sentence that a page's width broke
        or counts[shape] < _REPEATS_OF_FURNITURE
        or len(line) > _HEADING_CHARS
    ]


def _is_heading(line: str, block: str, after: str, usual: float) -> bool:
    """A short line without an end between finished text and a new beginning."""
    if not line or len(line) > _HEADING_CHARS or line[-1] in f"{_ENDINGS},;-" or _BULLET.match(after):
        return False
    previous_ended = not block or block.rstrip(_CLOSERS)[-1:] in _ENDINGS
    new_beginning = not after or not after[0].islower()
    return previous_ended and new_beginning and (len(line) < 0.75 * usual or not after)


def _joined(block: str, line: str, vocabulary: frozenset[str]) -> str:
    if not block:
        return line
    if _is_cjk(block[-1]) and _is_cjk(line[0]):
        return block + line
    broken = _HYPHENATED.search(block[-_LONGEST_WORD:])
    if not broken:
        return f"{block} {line}"
    first = re.match(r"[^\W\d_]+", line)
    whole = broken[1] + (first[0] if first else "")
    return (block[:-1] if whole.casefold() in vocabulary else block) + line


def _split_block(block: str) -> Iterator[str]:
    start = 0
    for boundary in _BOUNDARY.finditer(block):
        end = boundary.end()
        tail = block[max(start, end - _LONGEST_WORD) : end].strip()
        if tail and _ends(tail, block[end : end + _LOOK_AHEAD]):
            yield block[start:end].strip()
            start = end
    if block[start:].strip():
        yield block[start:].strip()


def _ends(tail: str, rest: str) -> bool:
    """Whether a sentence ends between the end of one text and the beginning of the next."""
    following = rest.lstrip("\"'“‘«([「『")[:1]
    if following.islower():
        return False
    bare = tail.rstrip(_CLOSERS)
    last_word = bare.rpartition(" ")[2].lstrip("([").casefold()
    return not bare.endswith(".") or not (last_word in _ABBREVIATIONS or _INITIAL.search(bare))


def _has_words(sentence: str) -> bool:
    letters = sum(character.isalpha() for character in sentence)
    return letters >= 2 and letters * 2 >= len(sentence.replace(" ", ""))


def _is_cjk(character: str) -> bool:
    return (
        "\u3000" <= character <= "\u9fff"
        or "\uf900" <= character <= "\ufaff"
        or "\uff00" <= character <= "\uffef"
    )


def terms(sentence: str) -> list[str]:
    """The folded words that carry meaning; Chinese and Japanese, without spaces, give pairs of characters."""
    found: list[str] = []
    for word in re.findall(r"\w+", sentence.casefold()):
        if any(map(_is_cjk, word)):
            found += [word[index : index + 2] for index in range(max(1, len(word) - 1))]
        elif len(word) > 1 and word not in _FUNCTION_WORDS:
            found.append(word)
    return found
