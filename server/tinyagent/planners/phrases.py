"""A date phrase as the request has it, where a model copied too little of it.

"Tomorrow 6" before "am", "twelve" after "quarter to" and "at 4" after "the day before," mean something
else than the whole: what stands right beside the copy and belongs to it is taken along.
"""

from __future__ import annotations

import re
from datetime import datetime

from tinyagent.domain.dates import Moment, resolve
from tinyagent.errors import DateUnreadable
from tinyagent.planners.dictation import restored

_HALF = r"(?:[ap]\.?m\b\.?|o['’]?clock\b|(?:in the|this) (?:morning|afternoon|evening)\b|at night\b)"
_HALF_AFTER = re.compile(rf" ?{_HALF}", re.IGNORECASE)
_HOUR = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|noon|midnight|midday|[0-9]{1,2})"
_MINUTES = r"(?:a )?(?:quarter|half|five|ten|twenty|twenty[- ]five)"
_BEFORE_HOUR = re.compile(rf"\b{_MINUTES} (?:to|past) $", re.IGNORECASE)
_OPEN_HOUR = re.compile(rf"\b{_MINUTES}(?: (?:to|past))?$", re.IGNORECASE)
_HOUR_AFTER = re.compile(rf"(?: (?:to|past))? {_HOUR}\b", re.IGNORECASE)
_STARTS_WITH_HOUR = re.compile(rf"{_HOUR}\b", re.IGNORECASE)
_ENDS_WITH_HOUR = re.compile(rf"\b{_HOUR}(?:[:.][0-9]{{2}})?$", re.IGNORECASE)
_WORDS_BEFORE = re.compile(r"[^\s,;.!?:()]+(?: [^\s,;.!?:()]+)*(?:,? )$")
_LENGTH = re.compile(r"[0-6]h[0-5][0-9]", re.IGNORECASE)
_MAX_WORDS = 4


def whole_phrase(phrase: str, query: str, now: datetime, anchor: datetime | None = None) -> str:
    """The phrase with what belongs to it in the request; as it is where the request has it not or twice."""
    phrase = restored(phrase, query)
    if not phrase or query.count(phrase) != 1:
        return phrase
    at = query.find(phrase)
    end = at + len(phrase)
    if _STARTS_WITH_HOUR.match(phrase) and (before := _BEFORE_HOUR.search(query[:at])):
        at = before.start()
    if _OPEN_HOUR.search(query[at:end]) and (after := _HOUR_AFTER.match(query[end:])):
        end += after.end()
    if _ENDS_WITH_HOUR.search(query[at:end]) and (after := _HALF_AFTER.match(query[end:])):
        end += after.end()
    return _with_day(query, at, end, now, anchor)


def _with_day(query: str, at: int, end: int, now: datetime, anchor: datetime | None) -> str:
    """The stretch of the request, with the words for a day right before a bare time."""
    phrase = query[at:end]
    alone = _read(phrase, now, anchor)
    before = _WORDS_BEFORE.search(query[:at])
    if alone is None or alone.has_date or not alone.has_time or before is None or _LENGTH.fullmatch(phrase):
        return phrase
    words = before.group().split()
    for count in range(1, min(_MAX_WORDS, len(words)) + 1):
        day = " ".join(words[-count:])
        read, whole = _read(day, now, anchor), _read(f"{day} {phrase}", now, anchor)
        if read and whole and read.has_date and not read.has_time and whole.has_time:
            return f"{day} {phrase}"
    return phrase


def _read(phrase: str, now: datetime, anchor: datetime | None) -> Moment | None:
    try:
        return resolve(phrase, now, anchor)
    except DateUnreadable:
        return None
