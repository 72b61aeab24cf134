"""Between a planned call and its doing: what hangs or breaks there does nothing, and nothing stays open."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from tests.support.faulty import FaultyJournal, failing_on
from tests.support.scripted import FakeHost, ScriptedPlanner, spec, until
from tests.unit.engine.conftest import Engine, MakeEngine
from tinyagent.domain.run import RunState
from tinyagent.engine.policy import Policy
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import StorageFull
from tinyagent.ports import AuditEntry, CallContext

FULL = StorageFull("The disk is full.")
SEND = '1. send("hello")\n2. get("a")\n3. join()<END_OF_PLAN>'
ASK = Policy(send="ask")


class Hesitant(FakeHost):
    """Answers what a call would do by `error`, or never."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self.add(spec("send", "str", effect="send")).add(spec("get", "str"))
        self.asked = 0
        self._error = error

    async def details(self, tool: str, arguments: Sequence[Any], context: CallContext) -> dict[str, str]:
        self.asked += 1
        if self._error is not None:
            raise self._error
        await asyncio.Event().wait()
        return {}


async def asked(engine: Engine, run: str) -> str:
    """The digest that the run asks for."""
    async for event in engine.service.events(run):
        if event.type == "approval.requested":
            return event.data.digest
    raise AssertionError("it never asked")


async def ended(engine: Engine, run: str) -> RunState:
    async for _ in engine.service.events(run):
        pass
    return await engine.service.get(run)


async def test_a_run_is_cancelled_at_once_while_a_question_is_made_ready(make_engine: MakeEngine) -> None:
    host = Hesitant()
    engine = make_engine(ScriptedPlanner(SEND), host, policy=ASK, call_deadline_s=600)
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    await until(lambda: host.asked == 1, "the host is asked what the call would do")
    async with asyncio.timeout(5):
        state = await engine.service.cancel(run, "Never mind.")
    assert (state.status, state.tasks[1].status) == ("cancelled", "skipped")
    assert ("send", ("hello",)) not in host.calls


async def test_a_question_that_is_never_ready_fails_its_call_alone(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(SEND), Hesitant(), policy=ASK, call_deadline_s=0.05)
    state, _ = await engine.run(answerable=True)
    assert state.tasks[1].fault is not None
    assert (state.tasks[1].fault.code, state.tasks[1].outcome_unknown) == ("deadline_exceeded", False)
    assert state.tasks[2].status == "succeeded"


async def test_a_question_that_cannot_be_made_fails_its_call_alone(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(SEND), Hesitant(RuntimeError("private")), policy=ASK)
    state, _ = await engine.run(answerable=True)
    assert state.tasks[1].fault is not None
    assert (state.tasks[1].fault.code, state.tasks[1].outcome_unknown) == ("app_failed", False)
    assert "private" not in repr(state)
    assert state.tasks[2].status == "succeeded"


async def test_nothing_is_looked_up_for_a_question_that_nobody_can_answer(make_engine: MakeEngine) -> None:
    host = Hesitant()
    state, _ = await make_engine(ScriptedPlanner(SEND), host, policy=ASK).run()
    assert state.tasks[1].fault is not None
    assert (state.tasks[1].fault.code, host.asked) == ("approval_unavailable", 0)


async def test_an_answer_that_came_before_the_run_was_cancelled_is_on_record_and_nothing_is_done(
    make_engine: MakeEngine,
) -> None:
    journal = FaultyJournal(held="approval.decided")
    host = FakeHost().add(spec("send", "str", effect="send")).add(spec("get", "str"))
    engine = make_engine(ScriptedPlanner(SEND), host, policy=ASK, journal=journal)
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    await engine.service.decide(run, {1: await asked(engine, run)}, True, "owner")
    await journal.reached.wait()
    cancelling = asyncio.create_task(engine.service.cancel(run, "stop"))
    for _ in range(20):
        await asyncio.sleep(0)
    journal.release.set()
    state = await cancelling
    assert (state.status, state.tasks[1].status, state.tasks[1].approved) == ("cancelled", "skipped", True)
    assert ("send", ("hello",)) not in host.calls
    assert [entry.action for entry in engine.audit.entries] == ["requested", "approved"]


@pytest.mark.parametrize("kind", ["approval.requested", "approval.decided"])
async def test_a_question_or_answer_that_cannot_be_recorded_does_nothing(
    make_engine: MakeEngine, kind: str
) -> None:
    host = FakeHost().add(spec("send", "str", effect="send")).add(spec("get", "str"))
    journal = FaultyJournal(failing_on(kind, FULL, times=1))
    engine = make_engine(ScriptedPlanner(SEND), host, policy=ASK, journal=journal)
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    async with asyncio.timeout(5):
        if kind == "approval.decided":
            await engine.service.decide(run, {1: await asked(engine, run)}, True, "owner")
        state = await ended(engine, run)
    assert (state.status, state.tasks[1].status, state.tasks[1].outcome_unknown) == (
        "failed",
        "skipped",
        False,
    )
    assert ("send", ("hello",)) not in host.calls


@pytest.mark.parametrize("action", ["requested", "approved", "started"])
async def test_what_cannot_stand_in_the_audit_log_is_not_done_and_known_not_to_be(
    make_engine: MakeEngine, action: str
) -> None:
    host = FakeHost().add(spec("send", "str", effect="send")).add(spec("get", "str"))
    engine = make_engine(ScriptedPlanner(SEND), host, policy=ASK)
    append = engine.audit.append

    async def full(entry: AuditEntry) -> None:
        if entry.action == action:
            raise FULL
        await append(entry)

    engine.audit.append = full  # type: ignore[method-assign]
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    async with asyncio.timeout(5):
        if action != "requested":
            await engine.service.decide(run, {1: await asked(engine, run)}, True, "owner")
        state = await ended(engine, run)
    assert state.fault is not None
    assert (state.status, state.fault.code) == ("failed", "storage_full")
    assert state.tasks[1].status in ("failed", "skipped")
    assert not state.tasks[1].outcome_unknown
    assert ("send", ("hello",)) not in host.calls


@pytest.mark.parametrize("effect", ["write", "send"])
async def test_a_call_that_breaks_unexpectedly_may_have_been_done_and_is_not_repeated(
    make_engine: MakeEngine, effect: Any
) -> None:
    async def half(arguments: Sequence[Any]) -> str:
        raise RuntimeError("private")

    host = FakeHost().add(spec("put", "str", effect=effect), half).add(spec("get", "int"))
    planner = ScriptedPlanner(
        '1. put("a")\n2. get("one")\n3. join()', '3. put("a")\n4. get(1)\n5. join()', can_replan=True
    )
    state, _ = await make_engine(planner, host).run()
    assert [state.tasks[number].outcome_unknown for number in (1, 3)] == [True, True]
    assert host.calls == [("put", ("a",)), ("get", (1,))]
    assert "private" not in repr(state)


async def test_what_is_stopped_while_it_is_shown_has_an_end_in_the_audit_log(make_engine: MakeEngine) -> None:
    async def forever(arguments: Sequence[Any]) -> str:
        await asyncio.Event().wait()
        return ""

    host = FakeHost().add(spec("show", "str", effect="open"), forever)
    engine = make_engine(ScriptedPlanner('1. show("a")\n2. join()'), host)
    run = (await engine.service.start(RunRequest("show it"))).run
    await until(lambda: bool(host.calls), "it is shown")
    await engine.service.cancel(run, "stop")
    assert [(entry.action, entry.code) for entry in engine.audit.entries] == [
        ("started", ""),
        ("failed", "cancelled"),
    ]


async def test_a_new_plan_does_not_ask_again_for_what_was_rejected(make_engine: MakeEngine) -> None:
    host = FakeHost().add(spec("send", "str", effect="send")).add(spec("get", "int"))
    planner = ScriptedPlanner(
        '1. send("hello")\n2. get("one")\n3. join()',
        '3. send("Hello")\n4. get(1)\n5. join()',
        can_replan=True,
    )
    engine = make_engine(planner, host, policy=ASK)
    run = (await engine.service.start(RunRequest("send it", answerable=True))).run
    await engine.service.decide(run, {1: await asked(engine, run)}, False, "owner", "Not now.")
    async with asyncio.timeout(5):
        state = await ended(engine, run)
    assert state.tasks[3].fault is not None
    assert (state.tasks[3].fault.code, state.tasks[3].approval) == ("rejected", None)
    assert host.calls == [("get", (1,))]
