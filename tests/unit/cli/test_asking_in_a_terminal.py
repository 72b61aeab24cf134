"""`tinyagent ask` and `approve` in a real terminal, against a real engine behind a real server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import ADMIN, Serve, Served
from tests.support.scripted import FakeHost, ScriptedPlanner, spec
from tests.support.terminal import Terminal, in_terminal
from tinyagent.engine.policy import Policy

ALL = [("look", ("Sid",)), ("keep", ("look(Sid)", "one")), ("keep", ("tea", "green"))]


@pytest.fixture
async def served(serve: Serve) -> Served:
    host = FakeHost().add(spec("look", "str")).add(spec("keep", "str", "str", effect="write"))
    plan = '1. look("Sid")\n2. keep("$1", "one")\n3. keep("tea", "green")\n4. join()<END_OF_PLAN>'
    return await serve(ScriptedPlanner(plan), host, policy=Policy(write="ask"))


@pytest.fixture
def environment(served: Served, home: Path) -> dict[str, str]:
    return {"TINYAGENT_HOME": str(home), "TINYAGENT_URL": served.url, "TINYAGENT_TOKEN": ADMIN}


@asynccontextmanager
async def asking(environment: dict[str, str], *arguments: str, **size: Any) -> AsyncIterator[Terminal]:
    """`tinyagent ask`, up to its first question."""
    async with in_terminal("ask", *arguments, "keep tea", environment=environment, **size) as terminal:
        await terminal.shows("Carry them out?")
        yield terminal


def calls(served: Served) -> list[tuple[str, tuple[Any, ...]]]:
    return sorted(served.api.host.calls, key=lambda call: ALL.index(call))


async def test_yes_carries_out_all_that_one_screen_showed(
    served: Served, environment: dict[str, str]
) -> None:
    async with asking(environment) as terminal:
        screen = terminal.text[terminal.text.rindex("2. keep") :]
        assert "   a (from an earlier call): look(Sid)\n   b: one\n" in screen
        assert "3. keep  writes\n   a: tea\n   b: green\n" in screen
        assert served.api.host.calls == [("look", ("Sid",))]
        terminal.types("y\n")
        await terminal.shows("keep is done.")
        assert await terminal.ends() == 0
    assert calls(served) == ALL
    run = (await served.api.engine.runs(1))[0].run
    decided = [
        event.data async for event in served.api.engine.events(run) if event.type == "approval.decided"
    ]
    assert [(data.approved, data.by) for data in decided] == [(True, "admin"), (True, "admin")]


@pytest.mark.parametrize("keys", ["\n", "n\n", "\x04", "what?\nn\n"], ids=["enter", "n", "ctrl-d", "other"])
async def test_everything_but_yes_is_no(served: Served, environment: dict[str, str], keys: str) -> None:
    async with asking(environment) as terminal:
        for line in keys.splitlines(keepends=True):
            terminal.types(line)
            if line.startswith("what"):
                await terminal.shows("Carry them out?")
        assert await terminal.ends() == 1
        assert "keep was not approved" in terminal.text
    assert calls(served) == ALL[:1]


async def test_calls_are_chosen_one_by_one(served: Served, environment: dict[str, str]) -> None:
    async with asking(environment) as terminal:
        terminal.types("c\n")
        await terminal.shows("Carry out 2. keep? [y/N]")
        terminal.types("n\n")
        await terminal.shows("Carry out 3. keep? [y/N]")
        terminal.types("yes\n")
        assert await terminal.ends() == 1
    assert calls(served) == [ALL[0], ALL[2]]


async def test_what_was_typed_before_the_question_is_no_answer(
    served: Served, environment: dict[str, str]
) -> None:
    async with in_terminal("ask", "keep tea", environment=environment) as terminal:
        terminal.types("y\n")
        await terminal.shows("Carry them out?")
        terminal.types("\n")
        assert await terminal.ends() == 1
    assert calls(served) == ALL[:1]


async def test_ctrl_c_at_a_question_stops_the_run(served: Served, environment: dict[str, str]) -> None:
    async with asking(environment) as terminal:
        terminal.types("\x03")
        await terminal.shows("Stopped; `tinyagent runs show run_")
        assert await terminal.ends() == 130
    state = (await served.api.engine.runs(1))[0]
    assert state.status == "cancelled"
    assert calls(served) == ALL[:1]


async def test_a_question_that_is_answered_elsewhere_is_withdrawn(
    served: Served, environment: dict[str, str]
) -> None:
    async with asking(environment) as terminal:
        run = (await served.api.engine.runs(1))[0].run
        async with in_terminal("approve", "last", "--yes", environment=environment) as other:
            assert await other.ends() == 0
            assert "Approved: 2. keep, 3. keep" in other.text
        await terminal.shows("was answered elsewhere")
        assert await terminal.ends() == 0
    assert (await served.api.engine.get(run)).status == "completed"
    assert calls(served) == ALL


async def test_without_input_the_server_refuses_at_once(served: Served, environment: dict[str, str]) -> None:
    async with in_terminal("ask", "--no-input", "keep tea", environment=environment) as terminal:
        assert await terminal.ends() == 1
        assert "nobody can give it here" in " ".join(terminal.text.split())
        assert "Carry" not in terminal.text
    assert calls(served) == ALL[:1]


async def test_a_run_of_another_client_is_approved_in_a_terminal(
    served: Served, environment: dict[str, str]
) -> None:
    async with served.api_client() as client:
        run = (await client.post("/v1/runs", json={"query": "keep tea"})).json()["run"]
    count = 0
    async for event in served.api.engine.events(run):
        count += event.type == "approval.requested"
        if count == 2:
            break
    async with in_terminal("approve", run[:20], "3", environment=environment) as terminal:
        await terminal.shows("Carry it out? [y/N]")
        terminal.types("y\n")
        await terminal.shows("Approved: 3. keep")
        assert await terminal.ends() == 0
    async with in_terminal("reject", run, "--reason", "Not now.", environment=environment) as terminal:
        assert await terminal.ends() == 0
    await served.api.finished(run)
    assert calls(served) == [ALL[0], ALL[2]]
    fault = (await served.api.engine.get(run)).tasks[2].fault
    assert fault is not None
    assert fault.message == "keep was not approved: Not now."
