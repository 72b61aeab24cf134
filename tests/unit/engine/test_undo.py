"""What a run did can be taken back, once, the last thing first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.support.scripted import FakeHost, ScriptedPlanner, spec
from tests.unit.engine.conftest import MakeEngine
from tinyagent.errors import ChangedSince, Conflict, NotFound
from tinyagent.ports import ToolResult

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
    assert [(e.action, e.task, e.by) for e in engine.audit.entries[-2:]] == [
        ("undone", 2, "owner"), ("undone", 1, "owner")
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
