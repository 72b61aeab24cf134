"""Natural requests with plans, read and turned into what the pointer decoder learns to write."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

from tinyagent.domain.dates import resolve
from tinyagent.domain.plan import Call, Template, escape_dollars
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import DateUnreadable, TinyAgentError
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.symbols import FIELDS
from tinyagent.training.jsonl import Fault, read_rows, text_of

_MOMENT = "%Y-%m-%d %H:%M:%S"
_RANGE_WORD = re.compile(r"[\s,]*(?:\b(?:to|until|till|til|through|and)|[-–—])\s*$", re.IGNORECASE)
_DEFAULT_MINUTES = 60


@dataclass(frozen=True)
class Request:
    """A natural request: what was asked when, the right plan, and the date phrases with their values."""

    identifier: str
    now: datetime
    query: str
    plan: str
    dates: tuple[tuple[str, str], ...]
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """A training row: a request and the calls in the form that the decoder writes."""

    query: str
    calls: tuple[DraftCall, ...]
    dates: tuple[str, ...] = ()


def read_requests(paths: Iterable[Path]) -> tuple[list[tuple[Request, Row]], list[Fault]]:
    """The requests of JSONL files with their rows, and the faults of the lines that cannot be used.

    Raises InvalidRequest for a file that cannot be read.
    """
    found: list[tuple[Request, Row]] = []
    faults: list[Fault] = []
    for path in paths:
        own, wrong = read_rows(path, _solved)
        found += own
        faults += wrong
    return found, faults


def _solved(raw: dict[str, Any]) -> tuple[Request, Row]:
    request = request_of(raw)
    try:
        return request, row_of(request)
    except (TinyAgentError, LookupError, TypeError, ValueError) as error:
        reason = error.message if isinstance(error, TinyAgentError) else "its calls have other arguments"
        if isinstance(error, KeyError):
            reason = f"there is no {error.args[0]}"
        raise ValueError(f"its plan cannot be used: {reason}") from None


def request_of(raw: dict[str, Any]) -> Request:
    """The request that a JSON object holds; its plan is not read. Raises ValueError with what is wrong."""
    identifier, moment, query, plan = (text_of(raw, key) for key in ("id", "now", "query", "plan"))
    try:
        now = datetime.fromisoformat(moment).replace(tzinfo=None)
    except ValueError:
        raise ValueError('"now" is not a date and time') from None
    tags: object = raw.get("tags", [])
    known = cast("list[object]", tags) if isinstance(tags, list) else []
    return Request(identifier, now, query, plan, _dates(raw.get("dates", []), query), tuple(map(str, known)))


def _dates(dates: object, query: str) -> tuple[tuple[str, str], ...]:
    """Each date phrase, which stands in the request, with its value."""
    if not isinstance(dates, list):
        raise ValueError('"dates" is not a list')
    found: list[tuple[str, str]] = []
    for pair in cast("list[object]", dates):
        match pair:
            case [str(phrase), str(value)]:
                found.append((phrase, value))
            case _:
                raise ValueError('"dates" holds something that is no pair of a phrase and its value')
        if phrase not in query:
            raise ValueError(f"the date phrase {phrase!r} does not stand in the request")
    return tuple(found)


def row_of(request: Request) -> Row:
    """The row of a request: phrases for dates, what rules decide left out."""
    phrases = _Phrases(request)
    calls = parse_plan(request.plan).calls
    by_index = {call.index: call for call in calls}
    drafts = tuple(_draft(call, by_index, phrases) for call in calls)
    return Row(request.query, drafts, tuple(phrase for phrase, _ in request.dates))


class _Phrases:
    """Finds the phrase for a date, an end or a number of minutes; repeated values take turns."""

    def __init__(self, request: Request) -> None:
        self._pairs = [
            (_RANGE_WORD.sub("", phrase), value) for phrase, value in request.dates if phrase in request.query
        ]
        self._used: dict[str, int] = {}
        self._now = request.now
        self._anchor: datetime | None = None

    def moment(self, value: str) -> str:
        """The phrase for a moment, or for its day when the hour is a default; "" when there is none."""
        return self._take(value) or self._take(value[:10])

    def start(self, value: str) -> str:
        """Like `moment`; a clock time gets the day's phrase before it where it means another day alone."""
        phrase = self.moment(value)
        if len(value) > 10 and not self._means(phrase, value):
            days = [day for day, known in self._pairs if known == value[:10] and day != phrase]
            phrase = next((whole for day in days if self._means(whole := f"{day} {phrase}", value)), phrase)
        self._anchor = datetime.fromisoformat(value)
        return phrase

    def _means(self, phrase: str, value: str) -> bool:
        try:
            return resolve(phrase, self._now, self._anchor).value == datetime.fromisoformat(value)
        except DateUnreadable:
            return False

    def minutes(self, count: int) -> str:
        return self._take(f"{count} min")

    def _take(self, value: str) -> str:
        found = [phrase for phrase, known in self._pairs if known == value]
        if not found:
            return ""
        turn = self._used.get(value, 0)
        self._used[value] = turn + 1
        return found[min(turn, len(found) - 1)]


def _plain(value: object) -> str | list[str]:
    """An argument in the plan language's text form."""
    if isinstance(value, list):
        return [cast("str", _plain(item)) for item in cast("list[object]", value)]
    if isinstance(value, Template):
        return "".join(
            escape_dollars(part) if isinstance(part, str) else f"${part.index}" for part in value.parts
        )
    return escape_dollars(str(value))


def _draft(call: Call, calls: dict[int, Call], phrases: _Phrases) -> DraftCall:
    arguments: dict[str, str | list[str]] = {}
    for field, value in zip(FIELDS[call.tool], call.arguments, strict=False):
        arguments[field.name] = _plain(value)
    if call.tool == "create_calendar_event":
        _event(call, calls, arguments, phrases)
    elif call.tool == "create_reminder":
        arguments["due_date"] = phrases.start(str(arguments["due_date"]))
        arguments["priority"] = "" if arguments["priority"] == "0" else arguments["priority"]
    elif call.tool == "get_zoom_meeting_link":
        _zoom(call, arguments, phrases)
    elif call.tool == "maps_show_directions" and arguments["transport"] == "d":
        arguments["transport"] = ""
    return DraftCall(call.tool, {name: value for name, value in arguments.items() if value})


def _end_phrase(start: str, minutes: int, phrases: _Phrases) -> str:
    """The phrase that says when something ends: a duration, or a clock time."""
    phrase = phrases.minutes(minutes)
    if not phrase and start:
        end = datetime.strptime(start, _MOMENT) + timedelta(minutes=minutes)
        phrase = phrases.moment(end.strftime(_MOMENT)) if minutes < 24 * 60 else ""
    return phrase


def _zoom(call: Call, arguments: dict[str, str | list[str]], phrases: _Phrases) -> None:
    start = str(arguments["start_time"])
    arguments["start_time"] = phrases.start(start)
    arguments["duration"] = _end_phrase(start, int(str(call.arguments[2])), phrases)


def _event(
    call: Call, calls: dict[int, Call], arguments: dict[str, str | list[str]], phrases: _Phrases
) -> None:
    title, start, end, _, invitees, notes, _ = call.arguments
    zoom = _zoom_of(notes, calls)
    if zoom is not None and zoom.arguments[1] == start:
        arguments["start_date"] = arguments["end_date"] = ""
        arguments["title"] = "" if zoom.arguments[0] == title else arguments["title"]
        arguments["invitees"] = [] if zoom.arguments[3] == invitees else arguments["invitees"]
        return
    arguments["start_date"] = phrases.start(str(start))
    length = _minutes(str(start), str(end))
    arguments["end_date"] = _end_phrase(str(start), length, phrases) if length > 0 else ""


def _minutes(start: str, end: str) -> int:
    try:
        return int(
            (datetime.strptime(end, _MOMENT) - datetime.strptime(start, _MOMENT)).total_seconds() // 60
        )
    except ValueError:
        return _DEFAULT_MINUTES


def _zoom_of(notes: object, calls: dict[int, Call]) -> Call | None:
    """The Zoom call whose link is all that the notes hold."""
    if isinstance(notes, Template) and len(notes.parts) == 1 and len(notes.references) == 1:
        call = calls[notes.references[0]]
        return call if call.tool == "get_zoom_meeting_link" else None
    return None
