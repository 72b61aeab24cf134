"""Runs that go on from earlier ones, and runs of a plan that the caller gives."""

from __future__ import annotations

import pytest

from tests.support.scripted import FakeHost, ScriptedPlanner, spec
from tests.unit.engine.conftest import Engine, MakeEngine
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import NotFound, PlanSyntaxError, UnknownTool


def engine_of(make_engine: MakeEngine) -> Engine:
    host = FakeHost().add(spec("look", "str")).add(spec("keep", "str", effect="write"))
    return make_engine(ScriptedPlanner('1. look("Zoe")\n2. join()'), host)


async def test_a_run_that_follows_others_shows_what_was_asked_and_answered(make_engine: MakeEngine) -> None:
    engine = engine_of(make_engine)
    first, _ = await engine.run("Find Zoe")
    second, _ = await engine.run("And Ada", follows=first.run)
    await engine.run("Write to her", follows=second.run, history=(("user", "hello"),))
    assert engine.planner.requests[-1].history == (
        ("user", "Find Zoe"),
        ("assistant", first.answer),
        ("user", "And Ada"),
        ("assistant", second.answer),
        ("user", "hello"),
    )


async def test_a_run_cannot_follow_one_that_is_not_there(make_engine: MakeEngine) -> None:
    with pytest.raises(NotFound):
        await engine_of(make_engine).run("Write to her", follows="run_none")


async def test_a_given_plan_is_carried_out_without_a_planner(make_engine: MakeEngine) -> None:
    engine = engine_of(make_engine)
    state, _ = await engine.run("keep it", plan='1. look("Zoe")\n2. keep("$1")\n3. join()')
    assert [task.status for task in state.tasks.values()] == ["succeeded", "succeeded"]
    assert (state.planner, state.tools) == ("given", ("look", "keep"))
    assert engine.planner.requests == []


async def test_a_given_plan_of_unknown_tools_is_refused_before_a_run_begins(make_engine: MakeEngine) -> None:
    engine = engine_of(make_engine)
    with pytest.raises(UnknownTool, match="drop"):
        await engine.service.start(RunRequest("keep it", plan='1. look("Zoe")\n2. drop("$1")\n3. join()'))
    assert await engine.service.runs(5) == []


async def test_a_text_that_is_no_plan_is_refused_before_a_run_begins(make_engine: MakeEngine) -> None:
    engine = engine_of(make_engine)
    with pytest.raises(PlanSyntaxError):
        await engine.service.start(RunRequest("keep it", plan="please keep it"))
    assert await engine.service.runs(5) == []
