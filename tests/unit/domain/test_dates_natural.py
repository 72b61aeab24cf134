"""The date resolver against the date phrases of natural requests, each read in its context."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tinyagent.domain.dates import format_moment, resolve, resolve_end, resolve_minutes
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.errors import DateUnreadable

NATURAL = Path(__file__).parents[3] / "training" / "data" / "natural"
FLOOR = 0.988  # what is left needs the rest of the request: a day or half of the day named elsewhere in it


@dataclass(frozen=True)
class Pair:
    phrase: str
    value: str
    now: datetime
    anchor: datetime | None
    is_end: bool

    @property
    def kind(self) -> str:
        if self.value.endswith(" min"):
            return "duration"
        return "end" if self.is_end else "day" if len(self.value) == len("YYYY-MM-DD") else "moment"


def pairs() -> Iterator[Pair]:
    """All pairs; the anchor of each is the last start or reminder that its request named before."""
    for path in sorted(NATURAL.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row: dict[str, Any] = json.loads(line)
            starts, ends = _event_times(row["plan"])
            anchor: datetime | None = None
            for phrase, value in row["dates"]:
                pair = Pair(
                    phrase,
                    value,
                    datetime.fromisoformat(row["now"]),
                    anchor,
                    value in ends and value not in starts,
                )
                yield pair
                if pair.kind in ("day", "moment"):
                    anchor = datetime.fromisoformat(value)


def _event_times(plan: str) -> tuple[set[object], set[object]]:
    events = [call.arguments for call in parse_plan(plan).calls if call.tool == "create_calendar_event"]
    return {event[1] for event in events}, {event[2] for event in events}


def read(pair: Pair) -> str:
    """What the resolver makes of the phrase; an end leans on its start."""
    try:
        if pair.kind == "duration":
            return f"{resolve_minutes(pair.phrase)} min"
        if pair.kind == "end" and pair.anchor:
            return str(resolve_end(pair.phrase, pair.anchor, pair.now))
        return format_moment(resolve(pair.phrase, pair.now, pair.anchor))
    except DateUnreadable:
        return "unreadable"


def failure(pair: Pair, got: str) -> str:
    """The class of a wrong reading, for the report."""
    if got == "unreadable":
        return f"{pair.kind}: unreadable"
    if len(got) != len(pair.value):
        return f"{pair.kind}: time of day in another phrase"
    if got[:10] != pair.value[:10]:
        return f"{pair.kind}: day in another phrase"
    return f"{pair.kind}: another time"


def test_date_phrases_of_natural_requests_are_read_right() -> None:
    if not NATURAL.is_dir():
        pytest.skip("the natural requests are not in this checkout")
    readings = [(pair, read(pair)) for pair in pairs()]
    wrong = [(pair, got) for pair, got in readings if got != pair.value]
    classes = Counter(failure(pair, got) for pair, got in wrong)
    report = "\n".join(
        [f"{count:4} {name}" for name, count in classes.most_common()]
        + [f"{pair.phrase!r} is {pair.value}, read as {got} (now {pair.now})" for pair, got in wrong]
    )
    assert len(readings) > 4000
    assert 1 - len(wrong) / len(readings) >= FLOOR, report
