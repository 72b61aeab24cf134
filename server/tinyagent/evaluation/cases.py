"""The cases of an evaluation: a request, the moment it is made, and the right plan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from tinyagent.domain.plan import Plan
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import InvalidRequest, PlanError
from tinyagent.evaluation.jsonl import FaultyLine, read_rows, text_of


@dataclass(frozen=True)
class Case:
    """One line of a case file; `now` is the user's wall-clock time, without zone.

    `tags` are its writer's own words for its kind.
    """

    id: str
    now: datetime
    query: str
    plan: Plan
    tags: tuple[str, ...] = ()

    @property
    def tools(self) -> frozenset[str]:
        """The tools that the right plan calls."""
        return frozenset(call.tool for call in self.plan.calls)


def read_cases(path: Path) -> tuple[list[Case], list[FaultyLine]]:
    """Read lines of `{"id", "now", "query", "plan"}`, maybe with "tags"; further keys are passed over.

    Faulty lines, repeated ids among them, are returned with their numbers. Raises InvalidRequest
    when the file cannot be read or holds no usable case.
    """
    seen: set[str] = set()

    def read_case(row: dict[str, Any]) -> Case:
        case = _read_case(row)
        if case.id in seen:
            raise ValueError(f"the id {case.id!r} is used twice")
        seen.add(case.id)
        return case

    cases, faults = read_rows(path, read_case)
    if not cases:
        reason = f" Line {faults[0].number}: {faults[0].reason}." if faults else ""
        raise InvalidRequest(
            f"{path} holds no usable case.{reason}",
            hint='Each line is a JSON object with "id", "now", "query" and "plan".',
        )
    return cases, faults


def _read_case(row: dict[str, Any]) -> Case:
    try:
        now = datetime.fromisoformat(text_of(row, "now")).replace(tzinfo=None)
    except ValueError:
        raise ValueError('"now" is missing or is not a date and time') from None
    try:
        plan = parse_plan(text_of(row, "plan"))
    except PlanError as error:
        raise ValueError(f'"plan" is not readable: {error.message}') from None
    numbers = [call.index for call in plan.calls]
    if len(set(numbers)) != len(numbers):
        raise ValueError('"plan" uses a number twice')
    missing = {index for call in plan.calls for index in call.references}.difference(numbers)
    if missing:
        raise ValueError(f'"plan" refers to ${min(missing)}, which is no call')
    return Case(text_of(row, "id"), now, text_of(row, "query"), plan, _tags(row.get("tags")))


def _tags(value: object) -> tuple[str, ...]:
    """The texts of a list, each once; anything else is passed over as other unknown keys are."""
    items = cast("list[object]", value) if isinstance(value, list) else []
    return tuple(dict.fromkeys(item for item in items if isinstance(item, str) and item.strip()))
