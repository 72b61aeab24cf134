"""The teacher's answers: taken apart into requests with plans, each checked as the project's own are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from tinyagent.domain.dates import format_moment, resolve_minutes
from tinyagent.domain.plan import Call
from tinyagent.domain.plan_parser import PlanParser
from tinyagent.errors import DateUnreadable, PlanError, PlanReferenceError, TinyAgentError
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.moments import DateReader
from tinyagent.planners.symbols import FIELDS, Field
from tinyagent.training.checks import draft_faults
from tinyagent.training.literal import literal_plan
from tinyagent.training.plan_checks import plan_findings
from tinyagent.training.rows import Request, row_of

FORM, CUT = "not in the form asked for", "cut off"
GRAPH, TOOL, ARGUMENTS = "graph not feasible", "unknown tool", "wrong arguments"
DATE, PAST, RULE = "date not readable", "date in the past", "against a rule"

_THINKING = re.compile(r"<think>.*?(?:</think>|$)", re.DOTALL)
_BLOCK = re.compile(r"^[ \t>*#-]*\**Request\**:\**[ \t]*", re.MULTILINE | re.IGNORECASE)
_PLAN = re.compile(r"^[ \t]*\**Plan\**:\**[ \t]*$", re.MULTILINE | re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(?:```.*|###.*|---+)$", re.MULTILINE)
_JOIN = re.compile(r"^[ \t]*\d+[ \t]*\.[ \t]*join\(\).*", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Offered:
    """A request with its plan as the teacher wrote them."""

    query: str
    plan: str


class Refused(ValueError):
    """A request that cannot be used: the kind of reason, and what is wrong in particular."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def offered(text: str) -> list[Offered]:
    """The blocks of an answer, whole or not; nothing is invented for a broken one."""
    parts = _BLOCK.split(_THINKING.sub("", text))[1:]
    blocks: list[Offered] = []
    for part in parts:
        query, *plans = _PLAN.split(part, maxsplit=1)
        query = _FENCE.sub("", query).strip().strip('"').replace("\\n", "\n").strip()
        plan = _FENCE.sub("", plans[0]) if plans else ""
        end = _JOIN.search(plan)
        first_line = plan[: end.start()] + end.group().split("\n", 1)[0] if end else plan
        blocks.append(Offered(query, first_line.strip()))
    return blocks


def accepted(block: Offered, now: datetime) -> Request:
    """The request at its moment, with the public plan and its date phrases. Raises Refused."""
    calls = _calls(block)
    drafts = [_draft(call) for call in calls]
    for reason in draft_faults(block.query, drafts):
        raise Refused(RULE, reason)
    try:
        plan, earliest = literal_plan(block.query, now, drafts)
    except (ValueError, TinyAgentError) as error:
        raise Refused(DATE, str(error)) from None
    if earliest is not None and earliest < now:
        raise Refused(PAST, f"{earliest} lies before {now}")
    found = plan_findings(block.query, plan)
    for reason in (*found.faults, *found.warnings):
        raise Refused(RULE, reason)
    name = f"teacher-{hashlib.sha256(block.query.encode()).hexdigest()[:12]}"
    request = Request(name, now, block.query, plan, tuple(_dates(block.query, now, drafts, plan)))
    if not _leads_back(request):
        raise Refused(DATE, "the date phrases do not lead to the dates of the plan")
    return request


def _calls(block: Offered) -> list[Call]:
    if not block.query or not block.plan:
        raise Refused(FORM, "a block without a request or without a plan")
    parser = PlanParser()
    try:
        calls = list(parser.feed(block.plan))
        parser.close()
    except PlanReferenceError as error:
        raise Refused(GRAPH, error.message) from None
    except PlanError as error:
        raise Refused(FORM, error.message) from None
    if not calls or not calls[-1].is_join:
        raise Refused(CUT, "the plan does not end with join()")
    if [call.index for call in calls] != list(range(1, len(calls) + 1)):
        raise Refused(GRAPH, "the calls are not numbered one by one from 1")
    return calls[:-1]


def _draft(call: Call) -> DraftCall:
    fields = FIELDS.get(call.tool)
    if fields is None:
        raise Refused(TOOL, f"there is no tool {call.tool}")
    values = call.written_arguments
    if len(values) != len(fields):
        raise Refused(ARGUMENTS, f"{call.tool} takes {len(fields)} arguments, not {len(values)}")
    pairs = zip(fields, values, strict=True)
    arguments = {field.name: _content(call.tool, field, value) for field, value in pairs}
    return DraftCall(call.tool, {name: value for name, value in arguments.items() if value})


def _content(tool: str, field: Field, value: object) -> str | list[str]:
    """An argument as a draft holds it; an absent number or flag is an absent text."""
    if field.is_list and isinstance(value, list):
        items = cast("list[object]", value)
        if all(isinstance(item, str) for item in items):
            return [str(item) for item in items]
    if not field.is_list and isinstance(value, str):
        return "" if field.name == "transport" and value == "d" else value
    if not field.is_list and (value is None or value in (0, False)):
        return ""
    if field.name == "priority" and isinstance(value, int):
        return str(value)
    raise Refused(
        ARGUMENTS, f"{tool}: {field.name} must be {'a list of texts' if field.is_list else 'a text'}"
    )


def _dates(query: str, now: datetime, drafts: Sequence[DraftCall], plan: str) -> Iterator[tuple[str, str]]:
    """The date phrases of the plan with their values, as stretches of the request."""
    reader = DateReader(query, now)
    found: dict[tuple[str, str], None] = {}
    for draft in drafts:
        start, end = (
            draft.text("start_date") or draft.text("start_time") or draft.text("due_date"),
            draft.text("end_date") or draft.text("duration"),
        )
        if start:
            moment, _ = reader.moment(start, end)
            found |= dict.fromkeys(_stretches(start, format_moment(moment), query))
        if end:
            found |= dict.fromkeys(_stretches(end, _end_value(end, reader.span(start, end)), query))
    return iter(found)


def _end_value(phrase: str, span: tuple[str, str]) -> str:
    """A number of minutes where the phrase is a duration, the moment of the end otherwise."""
    start, end = map(datetime.fromisoformat, span)
    try:
        minutes = resolve_minutes(phrase)
    except DateUnreadable:
        return span[1]
    return f"{minutes} min" if end - start == timedelta(minutes=minutes) else span[1]


def _stretches(phrase: str, value: str, query: str) -> list[tuple[str, str]]:
    """The phrase with its value; a phrase of two stretches as the day's and the hour's."""
    if phrase in query:
        return [(phrase, value)]
    words = phrase.split()
    for size in range(len(words) - 1, 0, -1):
        first, second = " ".join(words[:size]), " ".join(words[size:])
        if first in query and second in query:
            return [(first, value[:10]), (second, value)]
    return []


def _leads_back(request: Request) -> bool:
    """Whether training will read the same plan out of the request and its date phrases."""
    try:
        plan, _ = literal_plan(request.query, request.now, row_of(request).calls)
    except (ValueError, TinyAgentError):
        return False
    return plan == request.plan
