"""Questions of a run that is followed, with a real engine in this process."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from rich.console import Console

from tests.api.conftest import Api, MakeApi
from tests.support.scripted import FakeHost, ScriptedPlanner, spec, until
from tinyagent.cli import desk as desk_module
from tinyagent.cli.ask import Wish, follow
from tinyagent.cli.local import LocalRuns
from tinyagent.cli.prompt import Answer
from tinyagent.cli.views import LiveView, PlainView
from tinyagent.domain.events import ApprovalRequestedData
from tinyagent.domain.run import RunState
from tinyagent.engine.policy import Policy
from tinyagent.errors import ServerUnreachable

TWO = '1. keep("tea")\n2. keep("milk")\n3. join()<END_OF_PLAN>'
CHAIN = '1. keep("tea")\n2. keep("$1")\n3. join()<END_OF_PLAN>'
WISH = Wish("keep tea", answerable=True)

Asked = list[list[int]]


class Says:
    """Answers every question at once: yes to these tasks, no to the others."""

    def __init__(self, *approved: int) -> None:
        self.approved = approved
        self.asked: Asked = []

    async def ask(
        self, waiting: Sequence[ApprovalRequestedData], parameters: Mapping[str, Sequence[str]]
    ) -> Answer:
        assert parameters["keep"] == ["a"]
        self.asked.append([one.task for one in waiting])
        digests = {one.task: one.digest for one in waiting}
        yes = {task: digest for task, digest in digests.items() if task in self.approved}
        return Answer(yes, {task: digest for task, digest in digests.items() if task not in yes})


class Hesitates(Says):
    """Never answers; knows that it was asked, and when its question was withdrawn."""

    def __init__(self) -> None:
        super().__init__()
        self.is_asked = asyncio.Event()
        self.withdrawn: Asked = []

    async def ask(
        self, waiting: Sequence[ApprovalRequestedData], parameters: Mapping[str, Sequence[str]]
    ) -> Answer:
        tasks = [one.task for one in waiting]
        self.asked.append(tasks)
        self.is_asked.set()
        try:
            return await asyncio.Future[Answer]()
        finally:
            self.withdrawn.append(tasks)


def engine(make_api: MakeApi, plan: str = TWO, host: FakeHost | None = None, **policy: Any) -> Api:
    host = host or FakeHost().add(spec("keep", "str", effect="write"))
    return make_api(ScriptedPlanner(plan), host, policy=Policy(**{"write": "ask", **policy}))


async def followed(api: Api, prompt: Says) -> RunState:
    async with asyncio.timeout(20):
        return await follow(LocalRuns(api.engine), WISH, PlainView(), prompt)


def kept(api: Api) -> list[str]:
    return sorted(str(arguments[0]) for _, arguments in api.host.calls)


async def test_calls_that_wait_at_once_are_one_question(make_api: MakeApi) -> None:
    api, prompt = engine(make_api), Says(1, 2)
    state = await followed(api, prompt)
    assert (prompt.asked, kept(api), state.status) == ([[1, 2]], ["milk", "tea"], "completed")


async def test_a_call_that_needs_an_approved_one_is_a_second_question(make_api: MakeApi) -> None:
    api, prompt = engine(make_api, CHAIN), Says(1, 2)
    await followed(api, prompt)
    assert (prompt.asked, kept(api)) == ([[1], [2]], ["keep(tea)", "tea"])


async def test_only_what_was_approved_is_done(make_api: MakeApi) -> None:
    api = engine(make_api)
    state = await followed(api, Says(2))
    assert kept(api) == ["milk"]
    assert {task.task: task.status for task in state.tasks.values()} == {1: "failed", 2: "succeeded"}


async def test_a_question_does_not_wait_long_for_others(
    make_api: MakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "SETTLE_S", 0.01)
    release = asyncio.Event()

    async def slow(arguments: Sequence[Any]) -> str:
        await release.wait()
        return "slow"

    class Releases(Says):
        async def ask(self, *asked: Any) -> Answer:
            release.set()
            return await super().ask(*asked)

    host = FakeHost().add(spec("keep", "str", effect="write")).add(spec("look", "str"), slow)
    plan = '1. keep("tea")\n2. look("x")\n3. keep("$2")\n4. join()<END_OF_PLAN>'
    api, prompt = engine(make_api, plan, host), Releases(1, 3)
    await followed(api, prompt)
    assert (prompt.asked, len(api.host.calls)) == ([[1], [3]], 3)


async def test_a_question_that_somebody_else_answered_is_withdrawn(
    make_api: MakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api, prompt = engine(make_api), Hesitates()
    following = asyncio.create_task(followed(api, prompt))
    await asyncio.wait_for(prompt.is_asked.wait(), 20)
    state = (await api.engine.runs(1))[0]
    approvals = [task.approval for task in state.tasks.values() if task.approval]
    await api.engine.decide(state.run, {one.task: one.digest for one in approvals}, True, "owner")
    assert (await following).status == "completed"
    assert (kept(api), prompt.withdrawn) == (["milk", "tea"], [[1, 2]])
    assert "answered elsewhere" in capsys.readouterr().err


async def test_what_somebody_else_left_open_is_asked_again(make_api: MakeApi) -> None:
    api, prompt = engine(make_api), Hesitates()
    following = asyncio.create_task(followed(api, prompt))
    await asyncio.wait_for(prompt.is_asked.wait(), 20)
    state = (await api.engine.runs(1))[0]
    approval = state.tasks[1].approval
    assert approval is not None
    await api.engine.decide(state.run, {1: approval.digest}, True, "owner")
    await until(lambda: prompt.asked == [[1, 2], [2]], "the other call is asked again")
    await api.engine.cancel(state.run, "enough")
    await following


async def test_a_question_that_expires_is_withdrawn(make_api: MakeApi) -> None:
    api, prompt = engine(make_api, wait_s=0.3), Hesitates()
    state = await followed(api, prompt)
    assert prompt.withdrawn[0] == [1, 2]
    assert kept(api) == []
    assert [task.fault.code for task in state.tasks.values() if task.fault] == ["rejected", "rejected"]


async def test_stopping_the_command_at_a_question_stops_the_run(make_api: MakeApi) -> None:
    api, prompt = engine(make_api), Hesitates()
    following = asyncio.create_task(followed(api, prompt))
    await asyncio.wait_for(prompt.is_asked.wait(), 20)
    following.cancel()
    with pytest.raises(asyncio.CancelledError):
        await following
    assert prompt.withdrawn == [[1, 2]]
    assert (await api.engine.runs(1))[0].status == "cancelled"
    assert kept(api) == []


async def test_an_answer_that_does_not_arrive_is_said_and_asked_no_more(
    make_api: MakeApi, capsys: pytest.CaptureFixture[str]
) -> None:
    class Deaf(LocalRuns):
        async def decide(self, *decision: Any, **more: Any) -> None:
            raise ServerUnreachable("No server answers.")

    api, prompt = engine(make_api, wait_s=0.5), Says(1, 2)
    async with asyncio.timeout(20):
        state = await follow(Deaf(api.engine), WISH, PlainView(), prompt)
    assert (prompt.asked, kept(api)) == ([[1, 2]], [])
    told = capsys.readouterr().err
    assert "No server answers." in told
    assert f"tinyagent approve {state.run}" in told


async def test_a_picture_is_not_drawn_over_a_question(make_api: MakeApi) -> None:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=80, highlight=False)
    view = LiveView(console)
    lengths: list[int] = []

    class Looks(Says):
        async def ask(self, *asked: Any) -> Answer:
            lengths.append(len(file.getvalue()))
            await asyncio.to_thread(lambda: console.print("QUESTION"))
            lengths.append(len(file.getvalue()))
            return await super().ask(*asked)

    api = engine(make_api)
    async with asyncio.timeout(20):
        await follow(LocalRuns(api.engine), WISH, view, Looks(1, 2))
    before, after = lengths
    assert file.getvalue()[before:after] == "QUESTION\n"
    assert "Waits for your approval" in file.getvalue()[:before]
    assert "keep is done." in file.getvalue()[after:]
