"""From the words of a request to the plain text that the date rules read.

The normal form is lower case, one space between tokens. A number word becomes digits marked with `~`
("half past six" -> "half past ~6", because "ten to four" and "10 to 4" differ), an ordinal becomes `#` and
digits ("the twenty second" -> "the #22"). Names of days and months are written in full, usual typing errors
in them are mended, and all punctuation is `,` except for the dashes of a range, `-`.
"""

from __future__ import annotations

import re
import unicodedata

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)

_ALIASES = {
    "mon": "monday", "tue": "tuesday", "tues": "tuesday", "wed": "wednesday", "weds": "wednesday",
    "wensday": "wednesday", "wendsday": "wednesday", "thu": "thursday", "thur": "thursday",
    "thurs": "thursday", "fri": "friday", "frid": "friday", "sat": "saturday", "sun": "sunday",
    "jan": "january", "feb": "february", "febuary": "february", "mar": "march", "apr": "april",
    "jun": "june", "jul": "july", "aug": "august", "sep": "september", "sept": "september",
    "oct": "october", "nov": "november", "dec": "december",
    "tmrw": "tomorrow", "tmr": "tomorrow", "tmw": "tomorrow", "tomoz": "tomorrow", "tomo": "tomorrow",
    "tommorow": "tomorrow", "tomoro": "tomorrow", "morrow": "tomorrow", "morra": "tomorrow",
    "2moro": "tomorrow", "2morrow": "tomorrow", "2mrw": "tomorrow", "2day": "today", "tday": "today",
    "tonite": "tonight", "2nite": "tonight", "2night": "tonight", "2nit": "tonight",
    "patricks": "patrick", "arvo": "afternoon", "morn": "morning", "aft": "afternoon", "nite": "night",
    "midday": "noon", "noontime": "noon", "lunchtime": "lunch", "nxt": "next", "b4": "before",
    "till": "until", "til": "until", "untill": "until", "thru": "until", "through": "until",
    "cob": "eod", "btw": "between", "evng": "evening", "wk": "week", "wks": "weeks", "xmas": "christmas",
    "couple": "2", "&": "and", "@": "at",
    "min": "minutes", "mins": "minutes", "minute": "minutes", "hr": "hours", "hrs": "hours", "hour": "hours",
    "days": "day", "weeks": "week", "fortnights": "fortnight", "months": "month", "years": "year",
}  # fmt: skip

_UNITS = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15,
    "sixteen": 16, "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70,
    "eighty": 80, "ninety": 90,
}  # fmt: skip
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
    "ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14,
    "fifteenth": 15, "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19,
    "twentieth": 20, "thirtieth": 30,
}  # fmt: skip

# Words whose misspellings are mended: all long enough that one wrong letter leaves no doubt.
_MENDED = (
    *WEEKDAYS,
    *(month for month in MONTHS if len(month) > 5),
    "tomorrow", "tonight", "morning", "afternoon", "evening", "midnight", "fortnight", "minutes",
)  # fmt: skip
_SHORTEST_MENDED = 5
_LOOKALIKES = ("mourning", "moaning", "sundae", "sundaes")
_KNOWN = {*_MENDED, *_LOOKALIKES, *MONTHS, *_ALIASES, *_UNITS, *_TENS, *_ORDINALS}

_ABBREVIATED = "|".join(alias for alias, name in _ALIASES.items() if name in (*WEEKDAYS, *MONTHS))

_FRACTIONS = {"½": " 1/2 ", "¼": " 1/4 ", "¾": " 3/4 ", "’": "'", "‘": "'"}
_PHRASES = (
    (re.compile(r"\b(?:u[mh]+|erm+|like|you know|let'?s say)\b,?"), " "),
    (re.compile(r"\bo' ?clock\b|\bo clock\b"), "oclock"),
    (re.compile(r"\b(?:end|close) of (?:the )?(?:business )?day\b|\b(?:end|close) of business\b"), "eod"),
    (re.compile(r"\bi\.e\.|\be\.g\."), ","),
    (re.compile(r"\bweek ?end\b"), "weekend"),
    (re.compile(r"(?:(?<=\b(?:mon|tue|wed|thu|fri|sat|sun) )|(?<=day )|(?<=tomorrow ))eve\b"), "evening"),
    (re.compile(rf"\b({_ABBREVIATED}|st)\."), r"\1"),
    (re.compile(r"(?<=[0-9])-(?=(?:min|hour|hr|day|week))|(?<=[a-z])-(?=[a-z])"), " "),
)
_TOKEN = re.compile(
    r"""
      (?P<iso>[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}(?![0-9]))
    | (?P<dotted>[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{4}(?![0-9]))
    | (?P<short_dotted>[0-9]{1,2}\.(?:0?[1-9]|1[0-2])\.(?=[ ]+(?:at|from|[0-9])))
    | (?P<clock>[0-9]{1,2}[:.h][0-9]{2}(?::[0-9]{2})?(?![0-9]))
    | (?P<slash>[0-9]{1,2}/[0-9]{1,2}(?:/[0-9]{2,4})?(?![0-9]))
    | (?P<decimal>[0-9]{1,3}\.[0-9](?![0-9]))
    | (?P<ordinal>[0-9]{1,2})(?:st|nd|rd|th)(?![^\W\d_])
    | (?P<alias>2(?:day|moro|morrow|mrw|nite|night|nit)(?![^\W\d_])|b4(?![0-9])|[&@])
    | (?P<glued>[0-9]{1,2}[ap](?![^\W\d_.]))
    | (?P<half>(?<![^\W\d_])[ap](?:\.\s?m\.?|\s?m)(?![^\W\d_]))
    | (?P<number>(?<!\b[a-su-z])[0-9]+)
    | (?P<word>[^\W\d_]+(?:'[^\W\d_]+)*)
    | (?P<dash>[-–—−])
    | (?P<mark>[^\s\w'])
    """,
    re.VERBOSE,
)


def normalise(phrase: str) -> str:
    """The phrase in the normal form described above."""
    text = phrase
    for sign, plain in _FRACTIONS.items():
        text = text.replace(sign, plain)
    text = unicodedata.normalize("NFKC", text).lower()
    for pattern, plain in _PHRASES:
        text = pattern.sub(plain, text)
    return " ".join(_with_numbers([_token(match) for match in _TOKEN.finditer(text)]))


def _token(match: re.Match[str]) -> str:
    kind, text = match.lastgroup, match.group()
    if kind == "ordinal":
        return f"#{int(match['ordinal'])}"
    if kind == "glued":
        return f"{text[:-1]} {text[-1]}m"
    if kind == "half":
        return f"{text[0]}m"
    if kind == "dash":
        return "-"
    if kind == "mark":
        return ","
    return _word(text) if kind in ("word", "alias") else text


def _word(text: str) -> str:
    word = text.removesuffix("'s").replace("'", "")
    if word.removesuffix("ish") in (*_KNOWN, "noon"):
        word = word.removesuffix("ish")
    if word in _KNOWN:
        return _ALIASES.get(word, word)
    if len(word) >= _SHORTEST_MENDED:
        return next((known for known in _MENDED if _one_slip_apart(word, known)), word)
    return word


def _one_slip_apart(word: str, known: str) -> bool:
    """Whether one letter is missing, extra, wrong or swapped with its neighbour, the first letter aside."""
    if word[0] != known[0] or abs(len(word) - len(known)) > 1:
        return False
    start = next((i for i, (a, b) in enumerate(zip(word, known, strict=False)) if a != b), -1)
    if start < 0:
        return len(word) != len(known)
    rest, wanted = word[start:], known[start:]
    swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    return swapped or rest[1:] == wanted[1:] or rest == wanted[1:] or rest[1:] == wanted


def _with_numbers(words: list[str]) -> list[str]:
    """Number words as digits: `~` before a cardinal, `#` before an ordinal."""
    numbered: list[str] = []
    at = 0
    while at < len(words):
        token, at = _numbered(words, at)
        numbered.append(token)
    return numbered


def _numbered(words: list[str], at: int) -> tuple[str, int]:
    word, following = words[at], words[at + 1] if at + 1 < len(words) else ""
    if word in ("oh", "o") and following in _UNITS and _UNITS[following] < 10:
        hundred = words[at + 2 : at + 3] == ["hundred"]
        return (f"0{_UNITS[following]}00", at + 3) if hundred else (f"0{_UNITS[following]}", at + 2)
    if word in _TENS and 0 < _ORDINALS.get(following, 0) < 10:
        return f"#{_TENS[word] + _ORDINALS[following]}", at + 2
    if word in _ORDINALS:
        return f"#{_ORDINALS[word]}", at + 1
    if word == "hundred":
        return _hundreds(1, words, at + 1)
    value, at = _cardinal(words, at)
    if value is None:
        return word, at + 1
    return _hundreds(value, words, at + 1) if words[at : at + 1] == ["hundred"] else (f"~{value}", at)


def _hundreds(count: int, words: list[str], at: int) -> tuple[str, int]:
    """So many hundreds and what is added to them: minutes, or a time such as "fifteen hundred"."""
    rest, end = _cardinal(words, at + 1 if words[at : at + 1] == ["and"] else at)
    return (f"{count * 100}", at) if rest is None else (f"{count * 100 + rest}", end)


def _cardinal(words: list[str], at: int) -> tuple[int | None, int]:
    """The number below a hundred that starts here, and where it ends."""
    word, following = words[at] if at < len(words) else "", words[at + 1] if at + 1 < len(words) else ""
    if word in _TENS:
        unit = _UNITS.get(following, 0)
        return (_TENS[word] + unit, at + 2) if 0 < unit < 10 else (_TENS[word], at + 1)
    return (_UNITS[word], at + 1) if word in _UNITS else (None, at)
