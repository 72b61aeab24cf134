"""Nothing is done that the user has to approve first, and an approval is for exactly what was shown."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.scripted import FakeHost, ScriptedPlanner, spec, until
from tests.unit.engine.conftest import Engine, MakeEngine
from tinyagent.domain.run import RunState, TaskState
from tinyagent.engine.policy import Policy
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import Conflict

SEND = '1. send("hello")\n2. join()<END_OF_PLAN>'
ASK = Policy(send="ask")


def sending() -> FakeHost:
    return FakeHost().add(spec("send", "str", effect="send")).add(spec("put", "str", effect="write"))


async def waiting(engine: Engine, run: str, tasks: int = 1) -> RunState:
    """The run once so many of its calls wait for the user."""
    state = await engine.service.get(run)

    def enough() -> bool:
        return sum(task.status == "waiting" for task in state.tasks.values()) == tasks

    async with asyncio.timeout(10):
        while not enough():
            await asyncio.sleep(0.005)
            state = await engine.service.get(run)
    return state


async def ended(engine: Engine, run: str) -> RunState:
    async with asyncio.timeout(10):
        async for _ in engine.service.events(run):
            pass
    return await engine.service.get(run)


def digest(task: TaskState) -> str:
    assert task.approval is not None
    return task.approval.digest


async def test_an_approved_call_is_carried_out_once_and_sends(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(SEND), sending(), policy=ASK)
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    state = await waiting(engine, run)
    assert engine.host.calls == []
    asked = state.tasks[1].approval
    assert asked is not None
    assert (asked.tool, asked.effect, asked.arguments, asked.sources) == (
        "send",
        "send",
        ("hello",),
        ("user",),
    )

    await engine.service.decide(run, {1: digest(state.tasks[1])}, True, "owner")
    state = await ended(engine, run)
    assert state.tasks[1].status == "succeeded"
    assert (engine.host.calls, engine.host.contexts[0].send) == ([("send", ("hello",))], True)
    with pytest.raises(Conflict):
        await engine.service.decide(run, {1: asked.digest}, True, "owner")
    actions = [(entry.action, entry.by) for entry in engine.audit.entries]
    assert actions == [
        ("requested", "server"), ("approved", "owner"), ("started", ""), ("succeeded", "")
    ]  # fmt: skip


async def test_a_rejected_call_is_not_done_and_what_needs_it_is_skipped(make_engine: MakeEngine) -> None:
    plan = '1. send("hello")\n2. put("$1")\n3. join()<END_OF_PLAN>'
    engine = make_engine(ScriptedPlanner(plan), sending(), policy=ASK)
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    state = await waiting(engine, run)
    await engine.service.decide(run, {1: digest(state.tasks[1])}, False, "owner", "Not now.")
    state = await ended(engine, run)
    assert engine.host.calls == []
    assert [task.status for task in state.tasks.values()] == ["failed", "skipped"]
    assert state.tasks[1].fault is not None
    assert (state.tasks[1].fault.code, state.tasks[1].outcome_unknown) == ("rejected", False)
    assert "Not now." in state.answer


async def test_an_approval_of_other_arguments_approves_nothing(make_engine: MakeEngine) -> None:
    plan = '1. send("one")\n2. send("two")\n3. join()<END_OF_PLAN>'
    engine = make_engine(ScriptedPlanner(plan), sending(), policy=ASK)
    run = (await engine.service.start(RunRequest("send both", answerable=True))).run
    state = await waiting(engine, run, 2)
    first, second = digest(state.tasks[1]), digest(state.tasks[2])
    for wrong in ({1: second}, {1: first, 2: first}, {1: first, 3: second}):
        with pytest.raises(Conflict):
            await engine.service.decide(run, wrong, True, "owner")
    assert engine.host.calls == []
    await engine.service.decide(run, {1: first, 2: second}, True, "owner")
    assert (await ended(engine, run)).status == "completed"
    assert sorted(engine.host.calls) == [("send", ("one",)), ("send", ("two",))]


async def test_where_nobody_can_answer_it_is_a_refusal_at_once(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(SEND), sending(), policy=ASK)
    state, _ = await engine.run("send it")
    assert state.tasks[1].fault is not None
    assert state.tasks[1].fault.code == "approval_unavailable"
    assert engine.host.calls == []
    assert [entry.action for entry in engine.audit.entries] == ["refused"]


async def test_a_question_that_nobody_answers_is_a_refusal(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(SEND), sending(), policy=Policy(send="ask", wait_s=0.05))
    state, _ = await engine.run("send it", answerable=True)
    assert state.tasks[1].fault is not None
    assert (state.tasks[1].fault.code, engine.host.calls) == ("rejected", [])
    assert "nobody answered" in state.answer


async def test_waiting_for_the_user_does_not_use_up_the_time_of_the_run(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(SEND), sending(), policy=ASK, run_deadline_s=0.3)
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    state = await waiting(engine, run)
    await asyncio.sleep(0.5)  # longer than the run may take by itself
    await engine.service.decide(run, {1: digest(state.tasks[1])}, True, "owner")
    assert (await ended(engine, run)).status == "completed"


async def test_cancelling_a_run_that_waits_leaves_its_call_undone(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(SEND), sending(), policy=ASK)
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    state = await waiting(engine, run)
    cancelled = await engine.service.cancel(run, "Never mind.")
    assert (cancelled.status, cancelled.tasks[1].status, engine.host.calls) == ("cancelled", "skipped", [])
    with pytest.raises(Conflict):
        await engine.service.decide(run, {1: digest(state.tasks[1])}, True, "owner")


async def test_the_deadline_still_ends_a_run_that_does_not_wait_for_its_user(make_engine: MakeEngine) -> None:
    async def forever(arguments: Sequence[Any]) -> str:
        await asyncio.Event().wait()
        return ""

    host = FakeHost().add(spec("get", "str"), forever)
    engine = make_engine(ScriptedPlanner('1. get("a")\n'), host, policy=ASK, run_deadline_s=0.1)
    state, _ = await engine.run()
    assert state.fault is not None
    assert state.fault.code == "deadline_exceeded"


async def test_details_are_part_of_what_is_approved_and_reach_the_tool(make_engine: MakeEngine) -> None:
    host = sending()
    host.shown["send"] = {"to": "ann@example.com"}
    engine = make_engine(ScriptedPlanner(SEND), host, policy=ASK)
    run = (await engine.service.start(RunRequest("answer it", answerable=True))).run
    asked = (await waiting(engine, run)).tasks[1].approval
    assert asked is not None
    assert asked.details == {"to": "ann@example.com"}
    await engine.service.decide(run, {1: asked.digest}, True, "owner")
    await ended(engine, run)
    assert host.contexts[0].details == {"to": "ann@example.com"}


@pytest.mark.parametrize(
    ("policy", "wish", "effect", "sends"),
    [
        (Policy(), None, "write", False),
        (Policy(), "auto", "write", False),
        (Policy(send="auto"), None, "send", True),
        (Policy(send="auto"), "draft", "write", False),
        (Policy(tools={"send": "auto"}), None, "send", True),
    ],
)
async def test_a_wish_makes_the_settings_stricter_and_never_looser(
    make_engine: MakeEngine, policy: Policy, wish: str | None, effect: str, sends: bool
) -> None:
    engine = make_engine(ScriptedPlanner(SEND), sending(), policy=policy)
    state, _ = await engine.run("send it", approval=wish)
    assert (state.tasks[1].effect, state.tasks[1].sending) == (effect, sends)
    assert engine.host.contexts[0].send is sends


@pytest.mark.parametrize(
    ("policy", "wish"), [(Policy(write="ask"), None), (Policy(tools={"put": "ask"}), None), (Policy(), "ask")]
)
async def test_writing_can_be_asked_for_too(
    make_engine: MakeEngine, policy: Policy, wish: str | None
) -> None:
    engine = make_engine(ScriptedPlanner('1. put("a")\n2. join()<END_OF_PLAN>'), sending(), policy=policy)
    state, _ = await engine.run("write it", approval=wish)
    assert state.tasks[1].fault is not None
    assert state.tasks[1].fault.code == "approval_unavailable"


async def test_many_open_questions_do_not_keep_other_calls_from_running(make_engine: MakeEngine) -> None:
    lines = [f'{n}. send("m{n}")' for n in range(1, 11)] + ['11. get("a")', "12. join()<END_OF_PLAN>"]
    host = sending().add(spec("get", "str"))
    engine = make_engine(ScriptedPlanner("\n".join(lines)), host, policy=ASK)
    run = (await engine.service.start(RunRequest("send ten", answerable=True))).run
    await waiting(engine, run, 10)
    await until(lambda: ("get", ("a",)) in host.calls, "the call that asks nobody runs")
    await engine.service.cancel(run, "Enough.")


@pytest.mark.parametrize("policy", [Policy(write="ask"), Policy(write="ask", tools={"send": "draft"})])
async def test_a_draft_is_asked_for_where_writing_is(make_engine: MakeEngine, policy: Policy) -> None:
    state, _ = await make_engine(ScriptedPlanner(SEND), sending(), policy=policy).run("send it")
    assert state.tasks[1].fault is not None
    assert (state.tasks[1].effect, state.tasks[1].fault.code) == ("write", "approval_unavailable")
