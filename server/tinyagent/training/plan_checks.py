"""Sanity checks of a request with its public plan: what the rules let a machine verify.

Faults make a row unusable. Warnings are what people sometimes do rightly: a name that is written in
another way than in the request, a meeting with other guests than its calendar entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from tinyagent.domain.plan import END_OF_PLAN, JOIN, Call, Template, Value
from tinyagent.domain.plan_parser import PlanParser
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import ArgumentError, PlanError
from tinyagent.planners.symbols import FIELDS, Field
from tinyagent.planners.words import split_words
from tinyagent.training.checks import MAX_CALLS, MAX_QUERY

_ONCE = (
    "get_phone_number", "get_email_address", "open_and_get_file_path", "summarize_pdf", "open_note",
    "maps_open_location",
)  # fmt: skip
_COPIED = {
    "get_phone_number": "name",
    "get_email_address": "name",
    "open_and_get_file_path": "file_name",
    "summarize_pdf": "pdf_path",
}
_ADDRESS = re.compile(r"[\w.+'-]+@[\w-]+(?:\.[\w-]+)+")
_NUMBER = re.compile(r"\+?[\d(][\d ()./-]{1,}\d")
_ABSOLUTE = re.compile(r"(?:/|~/|[A-Za-z]:[\\/])")
_MOMENT, _DAY = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"
_END = re.compile(rf"(\d+)\s*\.\s*{JOIN}\(\)\s*(?:{END_OF_PLAN})?\s*$")
_PRIORITIES = (0, 1, 5, 9)
_TRANSPORTS = ("d", "w", "r")
_LONGEST_MEETING = 24 * 60


@dataclass(frozen=True)
class Findings:
    """What is wrong with a row, in words, and what is only unusual."""

    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def plan_findings(query: str, plan: str) -> Findings:
    """Everything that is wrong with a request's plan; empty for a sound one."""
    if not query.strip() or len(query) > MAX_QUERY:
        return Findings((f"the request is empty or longer than {MAX_QUERY} characters",))
    try:
        calls = _read(plan)
    except PlanError as error:
        return Findings((error.message,))
    form = _form(plan, calls) or [reason for call in calls for reason in _signature(call)]
    if form:
        return Findings(tuple(form))
    faults = [*_repeated(calls)]
    warnings: list[str] = []
    words = _words(query)
    for call in calls:
        head = f"call {call.index}, {call.tool}: "
        faults += [head + reason for reason in (*_kinds(call, calls), *_dates(call), *_values(call))]
        warnings += [head + reason for reason in _unsaid(call, words)]
        warnings += [head + reason for reason in _meeting(call, calls)]
    return Findings(tuple(faults), tuple(warnings))


@cache
def tool_specs() -> dict[str, ToolSpec]:
    """The built-in tools by name."""
    from tinyagent.tools.registry import BUILT_IN  # takes half a second

    return {tool.spec.name: tool.spec for tool in BUILT_IN}


def _read(plan: str) -> list[Call]:
    parser = PlanParser()
    calls = list(parser.feed(plan))
    parser.close()
    return calls


def _form(plan: str, calls: Sequence[Call]) -> list[str]:
    faults: list[str] = []
    end = _END.search(plan)
    if not calls or not calls[-1].is_join or end is None or int(end[1]) != calls[-1].index:
        faults.append("the plan does not end with join()")
    if [call.index for call in calls] != list(range(1, len(calls) + 1)):
        faults.append("the calls are not numbered one by one from 1")
    if len(calls) > MAX_CALLS + 1:
        faults.append(f"more than {MAX_CALLS} calls")
    return faults


def _signature(call: Call) -> list[str]:
    if call.is_join:
        return []
    spec = tool_specs().get(call.tool)
    if spec is None:
        return [f"call {call.index}: there is no tool {call.tool}"]
    try:
        spec.check(call.arguments)
    except ArgumentError as error:
        return [f"call {call.index}: {error.message}"]
    return []


def _arguments(call: Call) -> Iterator[tuple[Field, list[Value]]]:
    """The fields of a call with what they hold as a list."""
    for field, value in zip(FIELDS.get(call.tool, ()), call.arguments, strict=False):
        yield field, value if isinstance(value, list) else [value]


def _kinds(call: Call, calls: Sequence[Call]) -> Iterator[str]:
    """Required arguments, results of the right kind, literal addresses and paths."""
    for field, items in _arguments(call):
        if field.required and items in ([], [""]):
            yield f"{field.name} is missing"
        for item in items:
            references = item.references if isinstance(item, Template) else ()
            for index in references:
                if calls[index - 1].tool not in field.sources:
                    yield f"{field.name} cannot hold the result of {calls[index - 1].tool}"
            if field.is_list:
                yield from _item(call, field, item)


def _item(call: Call, field: Field, item: Value) -> Iterator[str]:
    if isinstance(item, Template):
        if len(item.parts) > 1:
            yield f"{field.name} mixes a result with other text"
    elif field.kind == "files":
        if not _ABSOLUTE.match(str(item)):
            yield f'"{item}" in {field.name} is neither a found file nor an absolute path'
    elif not (_NUMBER if call.tool == "send_sms" else _ADDRESS).fullmatch(str(item).strip()):
        yield f'"{item}" in {field.name} is neither looked up nor a literal address or number'


def _moment(value: Value, form: str = _MOMENT) -> datetime | None:
    try:
        return datetime.strptime(str(value), form)
    except ValueError:
        return None


def _dates(call: Call) -> Iterator[str]:
    """Dates in their form, ends after starts, all-day by the date alone (rules 3 and 10)."""
    if call.tool == "create_calendar_event":
        start, end = _moment(call.arguments[1]), _moment(call.arguments[2])
        if start is None or end is None:
            yield "start_date or end_date is not of the form YYYY-MM-DD HH:MM:SS"
        elif end <= start:
            yield "the event does not end after its start"
    elif call.tool == "get_zoom_meeting_link":
        if _moment(call.arguments[1]) is None:
            yield "start_time is not of the form YYYY-MM-DD HH:MM:SS"
        if not 0 < int(str(call.arguments[2])) <= _LONGEST_MEETING:
            yield "the duration is not between a minute and a day"
    elif call.tool == "create_reminder":
        all_day = call.arguments[5] is True
        if _moment(call.arguments[1], _DAY if all_day else _MOMENT) is None:
            yield "due_date has a time of day exactly when the reminder is not all-day"


def _values(call: Call) -> Iterator[str]:
    if call.tool == "create_reminder" and call.arguments[4] not in _PRIORITIES:
        yield "priority is none of 0, 1, 5 and 9"
    elif call.tool == "maps_show_directions" and call.arguments[2] not in _TRANSPORTS:
        yield 'transport is none of "d", "w" and "r"'
    elif call.tool == "summarize_pdf":
        path = call.arguments[0]
        if not isinstance(path, Template) and not _ABSOLUTE.match(str(path)):
            yield "the file is not found first, and its path is not absolute"


def _repeated(calls: Sequence[Call]) -> Iterator[str]:
    """Rule 2: the same person, file, note or place is looked up once."""
    seen: set[tuple[str, str]] = set()
    for call in calls:
        key = (call.tool, str(call.written_arguments).casefold())
        if call.tool in _ONCE and key in seen:
            yield f"call {call.index}, {call.tool}: the same is looked up twice"
        seen.add(key)


def _words(text: str) -> str:
    """The text's words between single spaces; marks are left out, so that "Ann's" holds "Ann"."""
    words = (word.text.casefold() for word in split_words(text.replace("’", "'")))
    return " " + " ".join(word for word in words if any(map(str.isalnum, word))) + " "


def _unsaid(call: Call, words: str) -> Iterator[str]:
    """Names, files and literal addresses that the request does not hold."""
    for field, items in _arguments(call):
        if not field.is_list and _COPIED.get(call.tool) != field.name:
            continue
        for item in items:
            if isinstance(item, str) and _words(item) not in words:
                yield f'{field.name} "{item}" does not stand in the request'


def _meeting(call: Call, calls: Sequence[Call]) -> Iterator[str]:
    """Rule 4: the calendar entry of a Zoom meeting has its time and its guests."""
    notes = call.arguments[5] if call.tool == "create_calendar_event" else None
    for index in notes.references if isinstance(notes, Template) else ():
        zoom = calls[index - 1]
        if zoom.tool != "get_zoom_meeting_link":
            continue
        if zoom.arguments[1] != call.arguments[1]:
            yield "it begins at another time than its Zoom meeting"
        if zoom.arguments[3] != call.arguments[4]:
            yield "it has other invitees than its Zoom meeting"
