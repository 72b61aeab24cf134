"""The log: lines about runs, for people or programs."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from tests.unit.observability.conftest import SECRET, Observed
from tinyagent.observability.log_setup import set_up_logging
from tinyagent.observability.run_log import log_event


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("tinyagent")
    handlers, level, own_level = root.handlers, root.level, own.level
    yield
    root.handlers = handlers
    root.setLevel(level)
    own.setLevel(own_level)


async def test_lines_of_json_name_run_event_and_code_but_no_words(
    observed: Observed, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("json", "info")
    state = await observed(log_event)
    lines = capsys.readouterr().err
    records = [json.loads(line) for line in lines.splitlines()]
    assert {record["run"] for record in records} == {state.run}
    events = [record["event"] for record in records]
    assert events[0] == "run.created"
    assert events[-1] == "run.completed"
    failed = next(record for record in records if record["event"] == "task.failed")
    assert (failed["level"], failed["task"], failed["code"]) == ("INFO", 3, "app_failed")
    assert SECRET not in lines


async def test_nothing_is_logged_of_a_run_that_goes_well_unless_it_is_asked_for(
    observed: Observed, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging("text", "warning")
    await observed(log_event)
    assert capsys.readouterr().err == ""


def test_nobody_can_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logging("text", "info")
    logging.getLogger("tinyagent.runs").warning("run=%s", "x\n2026-01-01 INFO forged\x1b[31m")
    lines = capsys.readouterr().err
    assert lines.count("\n") == 1
    assert "\\x0a2026" in lines
    assert "\x1b" not in lines
