"""What a run did can be taken back, once, the last thing first."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.support.faulty import FaultyJournal, failing_on
from tests.support.scripted import FakeHost, ScriptedPlanner, spec, until
from tests.unit.engine.conftest import MakeEngine
from tinyagent.engine import undo
from tinyagent.errors import ChangedSince, Conflict, JournalError, NotFound, StorageFull
from tinyagent.ports import AuditEntry, ToolResult

PLAN = '1. put("a")\n2. put("$1")\n3. get("x")\n4. join()<END_OF_PLAN>'


def undoable() -> FakeHost:
    async def put(arguments: Sequence[Any]) -> ToolResult:
        return ToolResult(f"put {arguments[0]}", "done", undo={"what": arguments[0]})

    return FakeHost().add(spec("put", "str", effect="write"), put).add(spec("get", "str"))


async def test_everything_is_taken_back_last_first_and_only_once(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(PLAN), undoable())
    state, _ = await engine.run()
    assert [task.can_undo for task in state.tasks.values()] == [True, True, False]
    undone = await engine.service.undo(state.run, None, "owner")
    assert [(one.task, one.fault) for one in undone] == [(2, None), (1, None)]
    assert engine.host.undone == [("put", {"what": "put a"}), ("put", {"what": "a"})]
    after = await engine.service.get(state.run)
    assert [task.undone for task in after.tasks.values()] == ["put was taken back."] * 2 + [""]
    assert after.status == "completed"
    with pytest.raises(Conflict):
        await engine.service.undo(state.run, None, "owner")
    assert [(e.action, e.task, e.by) for e in engine.audit.entries[-4:]] == [
        ("started", 2, "owner"), ("undone", 2, "owner"), ("started", 1, "owner"), ("undone", 1, "owner")
    ]  # fmt: skip


async def test_one_task_is_taken_back_by_its_number(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(PLAN), undoable())
    state, _ = await engine.run()
    await engine.service.undo(state.run, 1, "owner")
    for task, kind in ((1, Conflict), (3, Conflict), (9, NotFound)):
        with pytest.raises(kind):
            await engine.service.undo(state.run, task, "owner")
    assert engine.host.undone == [("put", {"what": "a"})]


async def test_what_was_changed_since_stays_and_can_be_tried_again(make_engine: MakeEngine) -> None:
    async def changed(tool: str, record: Mapping[str, str]) -> str:
        raise ChangedSince("You changed it since.")

    engine = make_engine(ScriptedPlanner(PLAN), undoable())
    state, _ = await engine.run()
    engine.host.taking_back = changed
    (undone,) = await engine.service.undo(state.run, 1, "owner")
    assert undone.fault is not None
    assert undone.fault.code == "changed_since"
    assert (await engine.service.get(state.run)).tasks[1].can_undo


async def test_following_an_ended_run_that_was_taken_back_ends_too(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner(PLAN), undoable())
    state, _ = await engine.run()
    await engine.service.undo(state.run, 1, "owner")
    assert [event.type async for event in engine.service.events(state.run)][-1] == "run.completed"
    types = [event.type async for event in engine.service.events(state.run, state.last_seq)]
    assert types == ["task.undone"]
    assert await engine.service.recover() == 0


async def test_a_run_is_not_deleted_while_it_is_taken_back(make_engine: MakeEngine) -> None:
    release = asyncio.Event()

    async def slowly(tool: str, record: Mapping[str, str]) -> str:
        await release.wait()
        return "It was taken back."

    engine = make_engine(ScriptedPlanner(PLAN), undoable())
    state, _ = await engine.run()
    engine.host.taking_back = slowly
    undoing = asyncio.create_task(engine.service.undo(state.run, 1, "owner"))
    await until(lambda: bool(engine.host.undone), "it is being taken back")
    with pytest.raises(Conflict):
        await engine.service.delete(state.run)
    release.set()
    assert [one.fault for one in await undoing] == [None]
    await engine.service.delete(state.run)
    assert await engine.service.runs(10) == []
    assert await engine.service.recover() == 0


@pytest.mark.parametrize(("action", "taken_back"), [("started", 0), ("undone", 1)])
async def test_without_room_in_the_audit_log_nothing_is_taken_back_and_nothing_done_is_forgotten(
    make_engine: MakeEngine, action: str, taken_back: int
) -> None:
    engine = make_engine(ScriptedPlanner('1. put("a")\n2. join()<END_OF_PLAN>'), undoable())
    state, _ = await engine.run()

    async def full(entry: AuditEntry) -> None:
        if entry.action == action:
            raise StorageFull("The disk is full.")

    engine.audit.append = full  # type: ignore[method-assign]
    if taken_back:
        assert [one.fault for one in await engine.service.undo(state.run, None, "owner")] == [None]
    else:
        with pytest.raises(StorageFull):
            await engine.service.undo(state.run, None, "owner")
    assert len(engine.host.undone) == taken_back
    assert (await engine.service.get(state.run)).tasks[1].can_undo == (not taken_back)


async def test_what_was_taken_back_stands_in_the_audit_log_even_when_the_run_cannot_tell(
    make_engine: MakeEngine,
) -> None:
    journal = FaultyJournal(failing_on("task.undone", StorageFull("The disk is full.")))
    engine = make_engine(ScriptedPlanner(PLAN), undoable(), journal=journal)
    state, _ = await engine.run()
    with pytest.raises(JournalError):
        await engine.service.undo(state.run, 1, "owner")
    assert (engine.audit.entries[-1].action, engine.audit.entries[-1].task) == ("undone", 1)


async def test_taking_back_that_takes_too_long_is_not_told_as_done_or_not_done(
    make_engine: MakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forever(tool: str, record: Mapping[str, str]) -> str:
        await asyncio.Event().wait()
        return ""

    engine = make_engine(ScriptedPlanner(PLAN), undoable())
    state, _ = await engine.run()
    engine.host.taking_back = forever
    monkeypatch.setattr(undo, "UNDO_S", 0.05)
    (undone,) = await engine.service.undo(state.run, 1, "owner")
    assert undone.fault is not None
    assert undone.fault.code == "outcome_unknown"
