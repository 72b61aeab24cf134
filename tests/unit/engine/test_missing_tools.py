"""One new plan with every tool, when the selected ones were not enough."""

from __future__ import annotations

import pytest

from tests.support.scripted import FakeHost, FixedSelector, ScriptedPlanner, spec
from tests.unit.engine.conftest import MakeEngine
from tinyagent.domain.events import RunReplanned
from tinyagent.domain.tools import Effect
from tinyagent.errors import PlannerFailed


def make_host() -> FakeHost:
    return FakeHost().add(spec("get", "str")).add(spec("find", "str")).add(spec("put", "str", effect="write"))


def tools_of(planner: ScriptedPlanner) -> list[list[str]]:
    """The tools that each planning was given."""
    return [[tool.name for tool in request.tools] for request in planner.requests]


async def test_a_tool_that_was_not_offered_brings_one_plan_with_every_tool(make_engine: MakeEngine) -> None:
    planner = ScriptedPlanner('1. get("a")\n2. find("b")\n3. join()', '2. find("b")\n3. join()')
    state, events = await make_engine(planner, make_host(), FixedSelector("get")).run()
    assert state.status == "completed"
    assert tools_of(planner) == [["get"], ["get", "find", "put"]]
    reasons = [event.data.reason for event in events if isinstance(event, RunReplanned)]
    assert len(reasons) == 1
    assert "find, which was not among the tools offered" in reasons[0]
    assert state.tasks[2].status == "succeeded"


async def test_a_tool_that_does_not_exist_is_asked_for_twice_and_no_more(make_engine: MakeEngine) -> None:
    planner = ScriptedPlanner('1. fly("home")')
    state, _ = await make_engine(planner, make_host(), FixedSelector("get")).run()
    assert len(planner.requests) == 2
    assert state.fault is not None
    assert state.fault.code == "unknown_tool"


async def test_a_new_plan_with_every_tool_leaves_out_those_that_are_off(make_engine: MakeEngine) -> None:
    host = make_host()
    host.switch_off("put", "It needs an account.")
    planner = ScriptedPlanner('1. find("b")', '1. find("b")\n2. join()')
    await make_engine(planner, host, FixedSelector("get")).run()
    assert tools_of(planner) == [["get"], ["get", "find"]]


@pytest.mark.parametrize("effect", ["open", "write", "send"])
async def test_after_a_side_effect_no_plan_with_every_tool_is_made(
    make_engine: MakeEngine, effect: Effect
) -> None:
    host = FakeHost().add(spec("act", "str", effect=effect)).add(spec("find", "str"))
    planner = ScriptedPlanner('1. act("a")\n2. find("b")', "3. join()", can_replan=True)
    state, _ = await make_engine(planner, host, FixedSelector("act")).run()
    assert host.calls == [("act", ("a",))]
    assert len(planner.requests) == 1
    assert state.fault is not None
    assert state.fault.code == "unknown_tool"
    assert (state.fault.hint or "").startswith("What was done until then is listed with the run.")


async def test_a_side_effect_that_was_never_started_is_no_hindrance(make_engine: MakeEngine) -> None:
    host = make_host()
    planner = ScriptedPlanner('1. put(7)\n2. find("b")', '2. put("a")\n3. find("b")\n4. join()')
    state, _ = await make_engine(planner, host, FixedSelector("put")).run()
    assert state.status == "completed"
    assert sorted(host.calls) == [("find", ("b",)), ("put", ("a",))]


async def test_a_planner_that_finds_nothing_to_do_is_asked_once_more_with_every_tool(
    make_engine: MakeEngine,
) -> None:
    planner = ScriptedPlanner("1. join()", '1. find("b")\n2. join()', can_replan=True)
    state, events = await make_engine(planner, make_host(), FixedSelector("get")).run()
    assert tools_of(planner) == [["get"], ["get", "find", "put"]]
    assert [event.data.round for event in events if isinstance(event, RunReplanned)] == [1]
    assert state.answer == "find is done.\nfind(b)"


async def test_a_planner_that_finds_nothing_to_do_twice_is_believed(make_engine: MakeEngine) -> None:
    planner = ScriptedPlanner("1. join()", can_replan=True)
    state, _ = await make_engine(planner, make_host(), FixedSelector("get")).run()
    assert len(planner.requests) == 2
    assert state.status == "completed"
    assert state.answer.startswith("I have no tool for that.")


async def test_a_second_planning_that_fails_leaves_the_first_answer(make_engine: MakeEngine) -> None:
    planner = ScriptedPlanner("1. join()", [PlannerFailed("The model's server is gone.")], can_replan=True)
    state, _ = await make_engine(planner, make_host(), FixedSelector("get"), max_replans=1).run()
    assert state.status == "completed"
    assert state.answer.startswith("I have no tool for that.")


async def test_nothing_to_do_is_the_last_word_of_a_planner_that_had_every_tool(
    make_engine: MakeEngine,
) -> None:
    planner = ScriptedPlanner("1. join()", can_replan=True)
    await make_engine(planner, make_host()).run()
    assert len(planner.requests) == 1


async def test_nothing_to_do_is_the_last_word_of_a_planner_that_writes_one_plan_only(
    make_engine: MakeEngine,
) -> None:
    planner = ScriptedPlanner("1. join()")
    await make_engine(planner, make_host(), FixedSelector("get")).run()
    assert len(planner.requests) == 1


async def test_a_new_plan_that_adds_nothing_to_what_was_done_is_no_lack_of_tools(
    make_engine: MakeEngine,
) -> None:
    planner = ScriptedPlanner('1. get("a")\n2. get(1)\n3. join()', "3. join()", can_replan=True)
    state, _ = await make_engine(planner, make_host(), FixedSelector("get")).run()
    assert tools_of(planner) == [["get"], ["get"]]
    assert state.tasks[1].status == "succeeded"
