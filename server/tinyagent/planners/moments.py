"""The dates of one plan: phrases of a request read in their order, starts together with their ends."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from tinyagent.domain.dates import Moment, resolve, resolve_end, split_range
from tinyagent.errors import DateUnreadable
from tinyagent.planners.phrases import whole_phrase

DEFAULT_MINUTES = 60
"""Length of an event or a Zoom meeting when the request gives none."""
DEFAULT_HOUR = 9
"""Hour at which an event starts when the request gives none."""

_BETWEEN = re.compile(r"\s*(?:,|to|till?|until|through|and|[-–—])?\s*", re.IGNORECASE)


class DateReader:
    """Reads phrases against the user's `now` and, where they lean on it, the moment read before."""

    def __init__(self, query: str, now: datetime) -> None:
        self._query = query
        self._now = now
        self._anchor: datetime | None = None
        self._known: dict[tuple[str, str], tuple[Moment, datetime | None]] = {}

    def span(self, phrase: str, ending: str) -> tuple[str, str]:
        """Start and end as the plan writes them; phrases that cannot be read stay phrases."""
        if ending and 0 < _count(ending, phrase) >= _count(ending, self._query):
            ending = ""  # the start's own words are no end
        try:
            moment, end = self.moment(phrase, ending)
        except DateUnreadable:
            return phrase, ending
        hour = 0 if moment.has_time else DEFAULT_HOUR
        start = moment.value + timedelta(hours=hour)
        if ending and (end is None or not moment.has_time):
            try:
                end = resolve_end(self._whole(ending), start, self._now)
            except DateUnreadable:
                if not self._is_before(ending, start):
                    return _written(start), ending
        if end is None or end <= start:
            end = start + timedelta(minutes=DEFAULT_MINUTES)
        return _written(start), _written(end)

    def _is_before(self, phrase: str, start: datetime) -> bool:
        """Whether a phrase leans on the start and lies before it ("two hours before it"), so ends nothing."""
        try:
            return resolve(phrase, self._now, start).value < start
        except DateUnreadable:
            return False

    def moment(self, phrase: str, ending: str = "") -> tuple[Moment, datetime | None]:
        """What a phrase means; the same words mean the same moment throughout a plan."""
        phrase, ending = self._whole(phrase), self._whole(ending)
        key = (phrase.lower(), ending.lower())
        if key not in self._known:
            self._known[key] = self._read(phrase, ending)
        self._anchor = self._known[key][0].value
        return self._known[key]

    def _whole(self, phrase: str) -> str:
        return whole_phrase(phrase, self._query, self._now, self._anchor)

    def _read(self, phrase: str, ending: str) -> tuple[Moment, datetime | None]:
        if not phrase:
            today = datetime(self._now.year, self._now.month, self._now.day)
            return Moment(today, has_time=False, has_date=False), None
        if whole := self._joined(phrase, ending):
            try:
                moment, end = split_range(whole, self._now, self._anchor)
                if end is not None:
                    return moment, end
            except DateUnreadable:
                pass  # the two phrases may still be read one by one
        moment, end = split_range(phrase, self._now, self._anchor)
        return moment, None if ending else end

    def _joined(self, phrase: str, ending: str) -> str:
        """The stretch of the request from the start's phrase to the end's, when only a "to" is between."""
        at = self._query.find(phrase) if ending else -1
        after = self._query.find(ending, at + len(phrase)) if at >= 0 else -1
        if after < 0 or not _BETWEEN.fullmatch(self._query[at + len(phrase) : after]):
            return ""
        return self._query[at : after + len(ending)]


def _count(words: str, text: str) -> int:
    """How often the words stand in a text as words of their own."""
    return len(re.findall(rf"(?<![\w.:]){re.escape(words)}(?![\w:])", text, re.IGNORECASE))


def _written(moment: datetime) -> str:
    return moment.isoformat(sep=" ", timespec="seconds")
