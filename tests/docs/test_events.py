"""docs/events.md is generated from the events themselves; its example is a run that really happens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.docs.events_table import FIELDS, TYPES, WHEN, docstrings, filled
from tests.docs.example_run import PAGE, comparable, record, shown
from tinyagent.domain.events import EVENT
from tinyagent.domain.run import fold
from tinyagent.engine.approvals import digest_of

TEXT = PAGE.read_text()


def test_every_type_of_event_is_described_as_it_is() -> None:
    assert filled(TEXT) == TEXT, "run: PYTHONPATH=server:. python -m tests.docs.events_table"


def test_nothing_is_described_that_does_not_exist() -> None:
    assert list(WHEN) == list(TYPES)
    fields = {
        field for data in TYPES.values() for field in data.model_fields if field not in docstrings(data)
    }
    assert {name.rpartition(".")[2] for name in FIELDS} - fields <= {"code", "hint", "candidates"}


def test_the_example_is_a_run_that_waits_for_an_approval_and_ends_well() -> None:
    moment = datetime(2026, 3, 6, tzinfo=UTC)
    events = [
        EVENT.validate_python({**event, "run": "run_1", "time": moment + timedelta(seconds=event["seq"])})
        for event in shown(TEXT)
    ]
    waited = fold([event for event in events if event.seq <= _number("approval.requested")])
    assert waited is not None
    assert waited.tasks[2].status == "waiting"
    ended = fold(events)
    assert ended is not None
    assert (ended.status, ended.tasks[2].status) == ("completed", "succeeded")


def test_the_digest_of_the_example_is_that_of_its_call() -> None:
    asked = next(event["data"] for event in shown(TEXT) if event["type"] == "approval.requested")
    assert asked["digest"] == digest_of(asked["tool"], asked["arguments"], asked["details"])


async def test_the_example_happens_as_it_stands(tmp_path: Path) -> None:
    events, sent = await record(tmp_path)
    assert comparable(events) == comparable(shown(TEXT)), (
        "run: PYTHONPATH=server:. python -m tests.docs.example_run"
    )
    assert sent == [["jane.ashdown@example.com"]]


def _number(type: str) -> int:
    return next(event["seq"] for event in shown(TEXT) if event["type"] == type)
