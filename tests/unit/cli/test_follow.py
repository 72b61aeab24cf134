"""Following a run: to its end, or to the user's Ctrl-C."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import pytest

from tests.unit.cli.runs import Script, good_run
from tinyagent.cli.ask import Wish, follow
from tinyagent.cli.views import PlainView
from tinyagent.domain.events import Event
from tinyagent.domain.run import RunState
from tinyagent.errors import Conflict, ServerUnreachable

WISH = Wish("text Ann")


class ScriptedRuns:
    """Plays a script; waits for ever when the script has no end."""

    def __init__(self, script: Script, on_cancel: Exception | None = None) -> None:
        self.script = script
        self.on_cancel = on_cancel
        self.cancelled: list[str] = []
        self.may_start = asyncio.Event()
        self.may_start.set()
        self.quiet = asyncio.Event()

    async def start(self, query: str, *particulars: Any) -> str:
        await self.may_start.wait()
        return self.script.run

    async def events(self, run: str) -> AsyncGenerator[Event]:
        for event in self.script.events:
            yield event
        self.quiet.set()
        if self.script.state.status == "running":
            await asyncio.Event().wait()

    async def parameters(self) -> dict[str, list[str]]:
        return {}

    async def decide(self, run: str, decisions: Mapping[int, str], approved: bool, reason: str = "") -> None:
        raise AssertionError("nothing was asked")

    async def cancel(self, run: str) -> None:
        self.cancelled.append(run)
        if self.on_cancel is not None:
            raise self.on_cancel


def unfinished() -> Script:
    script = Script()
    script.created()
    return script


async def test_the_state_after_the_last_event_is_returned() -> None:
    runs = ScriptedRuns(good_run())
    state = await follow(runs, WISH, PlainView())
    assert state == good_run().state
    assert runs.cancelled == []


@pytest.mark.parametrize("on_cancel", [None, Conflict("It has ended.")])
async def test_stopping_the_command_stops_the_run(on_cancel: Exception | None) -> None:
    runs = ScriptedRuns(unfinished(), on_cancel)
    following = asyncio.create_task(follow(runs, WISH, PlainView()))
    await runs.quiet.wait()
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert runs.cancelled == ["run_1"]


async def test_stopping_the_command_while_the_run_begins_stops_the_run() -> None:
    runs = ScriptedRuns(unfinished())
    runs.may_start.clear()
    following = asyncio.create_task(follow(runs, WISH, PlainView()))
    await asyncio.sleep(0)
    following.cancel()
    runs.may_start.set()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert runs.cancelled == ["run_1"]


async def test_a_run_that_cannot_be_stopped_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    runs = ScriptedRuns(unfinished(), ServerUnreachable("Gone."))
    following = asyncio.create_task(follow(runs, WISH, PlainView()))
    await runs.quiet.wait()
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert "tinyagent runs show run_1" in capsys.readouterr().err


async def test_the_stream_is_closed_when_the_view_fails() -> None:
    closed: list[str] = []

    class Watched(ScriptedRuns):
        async def events(self, run: str) -> AsyncGenerator[Event]:
            try:
                yield self.script.events[0]
            finally:
                closed.append(run)

    class Broken(PlainView):
        def show(self, event: Event, state: RunState) -> None:
            raise BrokenPipeError

    runs = Watched(good_run())
    with pytest.raises(BrokenPipeError):
        await follow(runs, WISH, Broken())
    assert closed == [runs.script.run]
