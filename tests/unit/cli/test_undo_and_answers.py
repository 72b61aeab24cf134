"""`tinyagent undo`, `approve`, `reject` and `runs show`, against a real engine behind a real server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.api.conftest import ADMIN, Serve, Served
from tests.support.scripted import FakeHost, ScriptedPlanner, spec
from tinyagent.cli.app import app
from tinyagent.cli.local import LocalRuns
from tinyagent.cli.run_names import find_run
from tinyagent.domain.run import RunState
from tinyagent.engine.policy import Policy
from tinyagent.errors import Ambiguous, ChangedSince, NotFound
from tinyagent.ports import ToolResult

PLAN = '1. keep("tea")\n2. keep("milk")\n3. look("x")\n4. join()<END_OF_PLAN>'

Command = Callable[..., Awaitable[Result]]


async def kept(arguments: Any) -> ToolResult:
    return ToolResult("kept", f"Kept {arguments[0]}.", undo={"id": str(arguments[0])})


@pytest.fixture
async def served(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Served:
    host = FakeHost().add(spec("keep", "str", effect="write"), kept).add(spec("look", "str"))
    served = await serve(ScriptedPlanner(PLAN), host, policy=Policy())
    monkeypatch.setenv("TINYAGENT_URL", served.url)
    monkeypatch.setenv("TINYAGENT_TOKEN", ADMIN)
    return served


@pytest.fixture
def command(served: Served) -> Command:
    async def run(*arguments: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, list(arguments))

    return run


async def run_of(served: Served, *, approval: str | None = None) -> str:
    """A run that has ended, or one whose calls wait."""
    async with served.api_client() as client:
        body = {"query": "keep tea", "approval": approval}
        run = (await client.post("/v1/runs", json=body)).json()["run"]
    asked = 0
    async for event in served.api.engine.events(run):
        asked += event.type == "approval.requested"
        if asked == 2:
            break
    return str(run)


async def state_of(served: Served, run: str) -> RunState:
    return await served.api.engine.get(run)


# --- taking back -----------------------------------------------------------------------------


async def test_a_run_is_taken_back_from_its_end(served: Served, command: Command) -> None:
    run = await run_of(served)
    result = await command("undo", run)
    assert result.exit_code == 0, result.output
    assert sorted(result.stdout.splitlines()) == [
        "1. ✓ keep: keep was taken back.",
        "2. ✓ keep: keep was taken back.",
    ]
    assert {record["id"] for _, record in served.api.host.undone} == {"tea", "milk"}
    again = await command("undo", run)
    assert (again.exit_code, "was taken back before" in again.stderr) == (1, True)


async def test_one_call_of_the_latest_run_is_taken_back_and_shown_so(
    served: Served, command: Command
) -> None:
    await run_of(served)
    run = await run_of(served)
    result = await command("undo", "last", "2", "--json")
    assert json.loads(result.stdout) == [
        {"task": 2, "tool": "keep", "message": "keep was taken back.", "error": None}
    ]
    assert {number: bool(task.undone) for number, task in (await state_of(served, run)).tasks.items()} == {
        1: False,
        2: True,
        3: False,
    }
    shown = await command("runs", "show", "last")
    assert "Taken back: keep was taken back." in shown.stdout
    assert json.loads((await command("runs", "show", run, "--json")).stdout)["tasks"][1]["undone"]


async def test_what_was_not_taken_back_is_said_and_fails(served: Served, command: Command) -> None:
    async def refuse(tool: str, record: Mapping[str, str]) -> str:
        if record["id"] == "milk":
            raise ChangedSince("Somebody changed it.\x1b[2J", hint="Look at it yourself.")
        return "Gone."

    served.api.host.taking_back = refuse
    run = await run_of(served)
    result = await command("undo", run)
    assert result.exit_code == 1
    assert "1. ✓ keep: Gone." in result.stdout
    assert "2. ✗ keep: Somebody changed it." in result.stdout
    assert "\x1b" not in result.output


async def test_what_only_reads_cannot_be_taken_back(served: Served, command: Command) -> None:
    run = await run_of(served)
    result = await command("undo", run, "3")
    assert (result.exit_code, "cannot be taken back" in result.stderr) == (1, True)


async def test_nothing_of_a_long_answer_is_cut_off_in_a_pipe(served: Served, command: Command) -> None:
    async def long(arguments: Any) -> ToolResult:
        return ToolResult("kept", f"Kept {arguments[0]} " + "very " * 40 + "well.")

    served.api.host.add(spec("keep", "str", effect="write"), long)
    shown = (await command("runs", "show", await run_of(served))).stdout
    assert " ".join(shown.split()).count("very " * 40 + "well.") == 4


# --- answering -------------------------------------------------------------------------------


async def test_a_waiting_run_says_how_to_answer_it(served: Served, command: Command) -> None:
    run = await run_of(served, approval="ask")
    shown = await command("runs", "show", run)
    assert "? 1 keep" in shown.stdout
    assert "Waits for your approval." in shown.stdout
    assert f"tinyagent approve {run}" in shown.stdout
    await served.api.engine.cancel(run, "enough")


async def test_all_that_is_shown_is_approved_without_a_terminal(served: Served, command: Command) -> None:
    run = await run_of(served, approval="ask")
    result = await command("approve", run, "--yes")
    assert result.exit_code == 0, result.output
    assert "1. keep  writes\n   a: tea\n" in result.stdout
    assert result.stdout.endswith("Approved: 1. keep, 2. keep\n")
    await served.api.finished(run)
    assert [task.status for task in (await state_of(served, run)).tasks.values()] == ["succeeded"] * 3


async def test_without_a_terminal_nothing_is_approved_unasked(served: Served, command: Command) -> None:
    run = await run_of(served, approval="ask")
    result = await command("approve", run)
    told = " ".join(result.stderr.replace("│", " ").split())
    assert (result.exit_code, f"`tinyagent runs show {run}` shows what waits" in told) == (2, True)
    assert (await state_of(served, run)).tasks[1].status == "waiting"
    await served.api.engine.cancel(run, "enough")


async def test_one_call_is_rejected_with_a_reason(served: Served, command: Command) -> None:
    run = await run_of(served, approval="ask")
    result = await command("reject", run, "2", "--reason", "No milk.")
    assert (result.exit_code, result.stdout) == (0, "Rejected: 2. keep\n")
    assert (await command("approve", "last", "1", "--yes")).exit_code == 0
    await served.api.finished(run)
    tasks = (await state_of(served, run)).tasks
    fault = tasks[2].fault
    assert (tasks[1].status, tasks[2].status) == ("succeeded", "failed")
    assert fault is not None
    assert fault.message == "keep was not approved: No milk."


@pytest.mark.parametrize(
    "arguments", [("approve", "last", "--yes"), ("reject", "last"), ("reject", "last", "1")]
)
async def test_a_run_where_nothing_waits_is_said(
    served: Served, command: Command, arguments: tuple[str, ...]
) -> None:
    await run_of(served)
    result = await command(*arguments)
    assert (result.exit_code, "wait" in result.stderr) == (1, True)


# --- naming runs -----------------------------------------------------------------------------


async def test_a_run_is_named_by_its_beginning_when_only_one_begins_so(served: Served) -> None:
    runs = LocalRuns(served.api.engine)
    first, second = await run_of(served), await run_of(served)
    assert await find_run(runs, "last") == second
    assert await find_run(runs, first) == first
    assert await find_run(runs, first[4:-1]) == first
    with pytest.raises(Ambiguous) as raised:
        await find_run(runs, "run_0")
    assert set(raised.value.candidates) == {first, second}
    for unknown in ("run_zzz", "run_00000", first + "0"):
        with pytest.raises(NotFound):
            await find_run(runs, unknown)


async def test_runs_are_listed_with_the_word_and_without_it(served: Served, command: Command) -> None:
    run = await run_of(served)
    listed = await command("runs", "list", "--limit", "1")
    assert (listed.exit_code, listed.stdout.split("\t")[0]) == (0, run)
    assert (await command("runs", "--limit", "1")).stdout == listed.stdout


async def test_there_is_no_last_run_before_the_first(served: Served, command: Command) -> None:
    result = await command("undo", "last")
    assert (result.exit_code, "no runs yet" in result.stderr) == (1, True)
