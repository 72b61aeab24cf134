"""The log: lines about runs, for people or programs."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Literal

import pytest

from tests.unit.observability.conftest import SECRET, Observed
from tinyagent.observability.log_setup import log_lost_failures, set_up_logging
from tinyagent.observability.run_log import log_event


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger("tinyagent")
    handlers, level, own_level = root.handlers, root.level, own.level
    hooks = threading.excepthook, sys.unraisablehook
    yield
    logging.captureWarnings(capture=False)
    threading.excepthook, sys.unraisablehook = hooks
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


# --- what other code and Python itself have to say ----------------------------------------------


def fail_with_words() -> None:
    raise ValueError(SECRET)


def caught() -> BaseException:
    try:
        fail_with_words()
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize("form", ["text", "json"])
async def test_of_failures_the_log_has_kind_and_place_but_not_their_words(
    form: Literal["text", "json"], capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logging(form, "debug")
    logging.getLogger("other").error("a library tells", exc_info=caught())
    log_lost_failures(asyncio.get_running_loop())
    lost = asyncio.create_task(asyncio.to_thread(fail_with_words), name="lost")
    while not lost.done():
        await asyncio.sleep(0)
    del lost
    gc.collect()
    asyncio.get_running_loop().call_soon(fail_with_words)
    await asyncio.sleep(0)
    thread = threading.Thread(target=fail_with_words, name="aside")
    thread.start()
    thread.join()
    old = "something is old"
    warnings.warn(old, stacklevel=1)
    written = capsys.readouterr().err
    assert SECRET not in written
    assert written.count("ValueError") == 4
    assert written.count("fail_with_words") == 4
    assert "the task lost" in written
    assert "the thread aside" in written
    assert written.count("something is old") == 1
    assert len(written.splitlines()) == 5
    if form == "json":
        assert all(json.loads(line)["level"] for line in written.splitlines())


@pytest.mark.parametrize(
    "fields",
    [
        {"of": object()},
        {"of": float("nan")},
        {"of": float("inf")},
        {"of": {"a": {1, 2}}},
        {"of": b"\xff"},
        {"of": "\ud800\u2028\n"},
    ],
)
def test_whatever_a_record_holds_its_line_is_json(
    fields: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    def no_number(text: str) -> None:
        raise AssertionError(text)

    set_up_logging("json", "info")
    logging.getLogger("tinyagent.runs").info("said %s", "x\ny", extra=fields)
    (line,) = capsys.readouterr().err.splitlines()
    record = json.loads(line, parse_constant=no_number)
    assert (record["message"], "of" in record) == ("said x\ny", True)
    assert datetime.fromisoformat(record["time"]).utcoffset() == timedelta(0)
