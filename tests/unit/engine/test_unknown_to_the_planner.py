"""Tools that the run's planner does not know are not offered to it, and the answer says so."""

from __future__ import annotations

from collections.abc import Sequence

from tests.support.scripted import FakeHost, FixedSelector, ScriptedPlanner, spec
from tests.unit.engine.conftest import MakeEngine
from tinyagent.domain.json_tools import tool_from_schema
from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import Selection


class Offering(FixedSelector):
    """Chooses the named tools among those that there are."""

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        found = await super().select(query, tools)
        return Selection(tuple(one.name for one in tools if one.name in found.tools), found.scores)


LAMP = tool_from_schema("home_lamp", "Switch the lamp.", None)


class Bundled(ScriptedPlanner):
    """A planner that knows no tools that others describe."""

    def knows(self, tool: ToolSpec) -> bool:
        return not tool.described


def make_host() -> FakeHost:
    return FakeHost().add(spec("get", "str")).add(spec("put", "str")).add(LAMP)


async def test_a_planner_is_offered_only_what_it_knows(make_engine: MakeEngine) -> None:
    planner = Bundled('1. get("a")\n2. join()')
    await make_engine(planner, make_host()).run()
    assert [tool.name for tool in planner.requests[0].tools] == ["get", "put"]
    reader = ScriptedPlanner('1. get("a")\n2. join()')
    await make_engine(reader, make_host()).run()
    assert [tool.name for tool in reader.requests[0].tools] == ["get", "put", "home_lamp"]


async def test_an_answer_says_which_planners_know_what_was_asked_for(make_engine: MakeEngine) -> None:
    planner = Bundled("1. join()", name="nano")
    state, _ = await make_engine(planner, make_host(), Offering("home_lamp")).run()
    assert planner.requests == []
    assert state.planner == "nano"
    assert set(state.unavailable) == {"home_lamp"}
    assert state.answer.startswith(
        "The planner nano knows the built-in tools alone, and this asks for another"
    )
    assert "kind openai" in state.answer


async def test_nothing_is_said_when_the_planner_knows_a_better_tool(make_engine: MakeEngine) -> None:
    class Scored(FixedSelector):
        async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
            found = await super().select(query, tools)
            found.scores.update({"get": 0.9, "home_lamp": 0.7})
            return found

    state, _ = await make_engine(Bundled('1. get("a")\n2. join()'), make_host(), Scored("get")).run()
    assert state.unavailable == {}
    assert state.answer == "get is done.\nget(a)"


async def test_a_described_tool_that_is_off_is_told_when_it_is_what_was_asked_for(
    make_engine: MakeEngine,
) -> None:
    host = make_host()
    host.switch_off("home_lamp", "The MCP server home ended.")
    state, _ = await make_engine(ScriptedPlanner("1. join()"), host, FixedSelector("home_lamp")).run()
    assert state.answer == "The MCP server home ended."
