"""What the data card counts about a request: its manner, what it takes to understand it, its skeleton."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from tinyagent.planners.symbols import FIELDS
from tinyagent.training.recombine import Pools
from tinyagent.training.rows import Row

_LOOKUPS = ("get_phone_number", "get_email_address")
_COREFERENCE = re.compile(
    r"\b(?:him|her|his|hers|them|their|theirs|he|she|they|both|each of|the same|same (?:one|time|place|day)"
    r"|that one|those (?:two|three)|the former|the latter|there too)\b",
    re.IGNORECASE,
)
_BULLET = re.compile(r"(?:^|\n)\s*(?:[-*•–]|\(?\d{1,2}[.)]|\(?[a-e]\))\s")
_MARKS = re.compile(r"[.,;:!?—–()\"“”]")
_GROUP = re.compile(
    r"\b(?:team|group|committee|crew|board|club|class|staff|family|choir|band|squad|parents|neighbours"
    r"|neighbors|office|department|interns|council|society|everyone|lot|gang|chat|shift|desk)\b",
    re.IGNORECASE,
)
_LITERAL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+|\+?\d[\d ().-]{5,}\d")
_UNSERVED = re.compile(
    r"\b(?:print|delete|rename|cancel|erase|unsubscribe|translate|play|order|buy|pay|weather|forecast|alarm"
    r"|timer|lights?|heating|thermostat|ring|dial|volume|transfer|(?:mark|read) (?:it|them|the inbox)"
    r"|book (?:a|the|us|me) (?:table|taxi|cab|flight|room|train)|what(?:'s| is) on my calendar)\b",
    re.IGNORECASE,
)
_DATE_KINDS = (
    ("relative to another moment", r"\b(?:before|after|earlier|later|beforehand|prior)\b"),
    ("in so much time", r"\b(?:in|within) (?:an?|half|\d+|one|two|three|four|five|six|ten)\b|\bfrom now\b"),
    ("weekday", r"\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b"),
    ("day of a month", r"\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\b|\d(?:st|nd|rd|th)\b"
                       r"|\d[/.-]\d+[/.-]\d|\b(?:first|second|third|(?!month)\w{2,}th)\b"),
    ("today, tonight or tomorrow", r"\b(?:today|tonight|tomorrow|tmrw?|tmw|2moro|tonite|overmorrow)\b"),
    ("week, month or year", r"\b(?:week|weekend|month|year|fortnight)s?\b"),
    ("duration", r"\b(?:min(?:ute)?s?|h(?:ou)?rs?|hour)\b"),
    ("time of day alone", r"\d|\b(?:noon|midnight|morning|afternoon|evening|eod|half|quarter|o'?clock"
                          r"|midday|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\b"),
)  # fmt: skip


def manner(query: str) -> str:
    """`list`, `spoken` (lower case, hardly a mark, as dictation or haste writes) or `prose`."""
    if "\n" in query.strip() or len(_BULLET.findall(query)) > 1:
        return "list"
    return "spoken" if query == query.lower() and len(_MARKS.findall(query)) <= 1 else "prose"


def date_kind(phrase: str) -> str:
    """What kind of words a date phrase is made of; the first that fits."""
    for kind, pattern in _DATE_KINDS:
        if re.search(pattern, phrase, re.IGNORECASE):
            return kind
    return "other"


def date_phrases(row: Row) -> list[str]:
    """The date phrases of a row's calls."""
    found = [
        call.text(field.name) for call in row.calls for field in FIELDS[call.tool] if field.kind == "date"
    ]
    return [phrase for phrase in dict.fromkeys(found) if phrase]


def skeleton(row: Row) -> str:
    """The request with its slot fillings replaced by what they are: its phrasing."""
    text = row.query.lower()
    slots = [
        (filling.lower(), shape.split()[0])
        for shape, fillings in Pools.of([row]).fillings.items()
        for filling in fillings
    ]
    for filling, kind in sorted(slots, key=lambda slot: (-len(slot[0]), slot)):
        text = _exchanged(text, filling, "<date>" if kind in ("start", "end") else f"<{kind}>")
    return " ".join(_LITERAL.sub("<address>", text).split())


def _exchanged(text: str, old: str, new: str) -> str:
    """The text with `old` exchanged wherever it stands as whole words."""
    at = text.find(old)
    while at >= 0:
        end = at + len(old)
        if not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum():
            text, end = text[:at] + new + text[end:], at + len(new)
        at = text.find(old, end)
    return text


def _texts(row: Row) -> str:
    return "\n".join(
        item
        for call in row.calls
        for value in call.arguments.values()
        for item in (value if isinstance(value, list) else [value])
    ).lower()


def _partly_out_of_scope(row: Row) -> bool:
    found = _UNSERVED.findall(row.query) if row.calls else []
    texts = _texts(row) if found else ""
    return any(word.lower() not in texts for word in found)


def _group_name(row: Row) -> bool:
    names = [call.text("name") for call in row.calls if call.tool in _LOOKUPS]
    return any(name.islower() and _GROUP.search(name) for name in names)


def _literal_address(row: Row) -> bool:
    return any(
        _LITERAL.fullmatch(item)
        for call in row.calls
        for field in FIELDS[call.tool]
        if field.kind == "people"
        for item in call.items(field.name)
    )


def coverage(typos: Typos) -> dict[str, Callable[[Row], bool]]:
    """The kinds of coverage by their names in the card."""
    return {
        "words that refer back (him, them, both, the same)": lambda row: bool(_COREFERENCE.search(row.query)),
        "a mistyped word": typos.in_query,
        "no punctuation": lambda row: not _MARKS.search(row.query),
        "out of scope": lambda row: not row.calls,
        "partly out of scope": _partly_out_of_scope,
        "a group's name": _group_name,
        "a literal address or number": _literal_address,
        "a date or a time": lambda row: bool(date_phrases(row)),
    }


class Typos:
    """Words that are rare and one slip away from a common one (a slip inside the word, not at its end)."""

    _COMMON, _RARE, _SHORTEST = 25, 2, 4

    def __init__(self, queries: Iterable[str]) -> None:
        counts = Counter(word for query in queries for word in _plain_words(query))
        common = [
            word for word, count in counts.items() if count >= self._COMMON and len(word) >= self._SHORTEST
        ]
        self._slips = {slip for word in common for slip in _slips(word) if counts[slip] <= self._RARE}

    def in_query(self, row: Row) -> bool:
        return any(word in self._slips for word in _plain_words(row.query))


def _plain_words(query: str) -> Sequence[str]:
    return re.findall(r"(?<![\w.@-])[a-z]+(?![\w.@-])", query)


def _slips(word: str) -> Iterable[str]:
    """A letter dropped, doubled, or exchanged with the next one, within the word."""
    for at in range(1, len(word) - 1):
        yield word[:at] + word[at + 1 :]
        yield word[:at] + word[at] + word[at:]
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]
