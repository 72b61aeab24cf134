"""Plans over tools that others describe: whatever a model thinks, its plans parse, bind and fit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.described import described_tools, make_tool, request_for
from tests.support.plan_requests import TOOLS
from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.domain.plan import Call
from tinyagent.domain.plan_parser import PlanParser
from tinyagent.domain.run import TaskState
from tinyagent.domain.tools import ToolSpec
from tinyagent.planners.grammar import Limits
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.schema_shapes import unsupported
from tinyagent.ports import PlanRequest

SMALL = Limits(calls=3, items=2, characters=6, references=2)


@pytest.fixture(scope="module", params=range(2))
def planner(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LlamaPlanner]:
    path = write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf", request.param)
    planner = LlamaPlanner(path, profile="chat", limits=SMALL, context=8192, max_tokens=4000)
    yield planner
    asyncio.run(planner.close())


async def written(planner: LlamaPlanner, request: PlanRequest) -> str:
    return "".join([piece async for piece in planner.plan(request) if isinstance(piece, str)])


def calls_of(text: str, tools: tuple[ToolSpec, ...]) -> list[Call]:
    """The calls, bound; raises when one of them is none of the tools or does not fit."""
    parser = PlanParser()
    *calls, last = [call for position in range(len(text)) for call in parser.feed(text[position])]
    parser.close()
    assert last.is_join
    by_name = {tool.name: tool for tool in tools}
    bound = [by_name[call.tool].bind(call) for call in calls]
    for call in bound:
        by_name[call.tool].check(call.arguments)
    return bound


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tools=st.lists(described_tools(), min_size=1, max_size=2, unique_by=lambda tool: tool.name),
    must=st.booleans(),
)
def test_plans_of_random_weights_fit_any_schema(
    planner: LlamaPlanner, tools: list[ToolSpec], must: bool
) -> None:
    assert all(unsupported(tool.json_schema()) == [] for tool in tools)
    text = asyncio.run(written(planner, request_for(*tools, must_call=must)))
    calls = calls_of(text, tuple(tools))
    assert calls or not must


async def test_a_call_is_written_before_the_end_where_one_is_needed(planner: LlamaPlanner) -> None:
    tool = make_tool("look", {"at": {"type": "boolean"}})
    for tools in ((tool,), (tool, TOOLS["open_note"])):
        text = await written(planner, request_for(*tools, must_call=True))
        assert calls_of(text, tools)


async def test_results_of_earlier_calls_may_stand_for_whole_values(planner: LlamaPlanner) -> None:
    done = TaskState(1, "count", (), "read", (), "1. count()", status="succeeded", value="5")
    tool = make_tool("show", {"number": {"type": "integer"}, "rows": {"type": "array"}}, "number", "rows")
    request = request_for(tool, tasks=(done,), first_index=2, must_call=True)
    calls = calls_of(await written(planner, request), (tool,))
    assert calls[0].index == 2
    assert all(call.references <= {1, *range(2, call.index)} for call in calls)
    grammar = planner.profile.grammar(request, SMALL)
    assert 'q2 ::= "\\"" r2 "\\""' in grammar
    first = planner.profile.grammar(replace(request, tasks=(), first_index=1), SMALL)
    assert "q1" not in first
