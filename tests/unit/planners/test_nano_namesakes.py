"""The small planners plan with clients' tools that are like built-in ones, by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.described import make_tool, request_for
from tests.support.plan_requests import NOW, TOOLS
from tinyagent.domain.plan import Call
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.domain.tools import ToolSpec
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.namesakes import by_name, can_be_planned
from tinyagent.planners.nano import NanoPlanner
from tinyagent.planners.symbols import ARGUMENTS
from tinyagent.ports import PlanRequest
from tinyagent.toolrag.model import Encoded, NanoModel
from tinyagent.tools.registry import BUILT_IN

MODELS = Path(__file__).parents[3] / "models"
TEXT: dict[str, Any] = {"type": "string"}
TEXTS: dict[str, Any] = {"type": "array", "items": TEXT}
LOOKUP = make_tool("get_phone_number", {"name": TEXT}, "name")
SMS = make_tool("send_sms", {"message": TEXT, "recipients": TEXTS}, "message", "recipients")
REMINDER = make_tool("create_reminder", {"due_date": TEXT, "name": TEXT, "notes": TEXT}, "name", "due_date")


@pytest.fixture(scope="module")
def nano() -> NanoPlanner[Encoded]:
    return NanoPlanner(NanoModel.load(MODELS / "nano"))


async def calls_of(planner: NanoPlanner[Encoded] | LlamaPlanner, request: PlanRequest) -> list[Call]:
    """The plan's calls, bound; each fits its tool."""
    text = "".join([piece async for piece in planner.plan(request) if isinstance(piece, str)])
    tools = {tool.name: tool for tool in request.tools}
    bound = [tools[call.tool].bind(call) for call in parse_plan(text).calls]
    for call in bound:
        tools[call.tool].check(call.arguments)
    return bound


def values(call: Call, tool: ToolSpec) -> dict[str, Any]:
    return tool.values(call.written_arguments)


def test_the_arguments_of_the_built_in_tools_are_known_with_their_types() -> None:
    for tool in BUILT_IN:
        expected = [(one.name, one.kind) for one in tool.spec.parameters]
        assert list(ARGUMENTS[tool.spec.name].items()) == expected


@pytest.mark.parametrize(
    ("tool", "known"),
    [
        (TOOLS["send_sms"], True),
        (SMS, True),
        (REMINDER, True),
        (
            make_tool("send_sms", {"message": {}, "recipients": {"type": ["array", "null"], "items": TEXT}}),
            True,
        ),
        (make_tool("send_sms", {"message": TEXT}), False),
        (make_tool("send_sms", {"message": TEXT, "recipients": TEXT}), False),
        (make_tool("send_sms", {"message": TEXT, "recipients": TEXTS, "urgent": {"type": "boolean"}}), False),
        (make_tool("get_phone_number", {"name": {**TEXT, "maxLength": 5}}), False),
        (make_tool("get_phone_number", {"name": {**TEXT, "pattern": "^A"}}), False),
        (make_tool("get_phone_number", {"name": {"enum": ["Ann"]}}), False),
        (make_tool("search", {"query": TEXT}), False),
    ],
)
def test_a_tool_is_known_when_every_plan_for_its_namesake_fits_it(tool: ToolSpec, known: bool) -> None:
    assert can_be_planned(tool) is known


def test_empty_values_are_left_out_unless_they_are_required() -> None:
    call = Call(1, "create_reminder", ("Call", "2026-03-05", "", "Home", 0, True))
    assert by_name(call, [REMINDER]).keywords == (("name", "Call"), ("due_date", "2026-03-05"))
    everything = make_tool(
        "create_reminder",
        {"name": TEXT, "due_date": TEXT, "notes": TEXT, "priority": {"type": "integer"}},
        "name", "due_date", "priority",
    )  # fmt: skip
    assert by_name(call, [everything]).keywords[2:] == (("priority", 0),)
    assert by_name(call, [TOOLS["create_reminder"]]) == call


async def test_calls_give_what_the_clients_tool_takes_in_whatever_order(nano: NanoPlanner[Encoded]) -> None:
    request = request_for(SMS, LOOKUP, query="Text Bob that I'm running late")
    first, second = await calls_of(nano, request)
    assert (first.tool, first.arguments) == ("get_phone_number", ("Bob",))
    assert values(second, SMS)["recipients"] == ["$1"]
    assert "running late" in values(second, SMS)["message"]


async def test_what_a_clients_tool_lacks_is_not_planned(nano: NanoPlanner[Encoded]) -> None:
    bare = make_tool("create_reminder", {"name": TEXT, "due_date": TEXT}, "name")
    (call,) = await calls_of(nano, request_for(bare, query="remind me to buy milk tomorrow, note: oat"))
    assert values(call, bare).keys() == {"name", "due_date"}


async def test_tools_that_are_unlike_the_built_in_ones_are_not_called(nano: NanoPlanner[Encoded]) -> None:
    unlike = make_tool("create_reminder", {"title": TEXT})
    assert await calls_of(nano, request_for(unlike, query="remind me to buy milk tomorrow")) == []


@pytest.mark.parametrize("planner", ["nano", "compact"])
async def test_there_is_a_call_where_one_is_needed(nano: NanoPlanner[Encoded], planner: str) -> None:
    compact = LlamaPlanner(MODELS / "compact" / "compact-q8_0.gguf")
    for tools in ((LOOKUP,), (TOOLS["open_note"], TOOLS["get_phone_number"])):
        request = PlanRequest("what's the capital of France?", NOW, tools, must_call=True)
        assert await calls_of(nano if planner == "nano" else compact, request)
    await compact.close()


async def test_nothing_can_be_called_where_nothing_is_offered(nano: NanoPlanner[Encoded]) -> None:
    assert await calls_of(nano, request_for(query="Text Bob", must_call=True)) == []


async def test_the_small_gguf_plans_with_clients_tools() -> None:
    planner = LlamaPlanner(MODELS / "compact" / "compact-q8_0.gguf")
    request = request_for(SMS, LOOKUP, query="Text Marisol that the boat leaves at six")
    first, second = await calls_of(planner, request)
    await planner.close()
    assert first.arguments == ("Marisol",)
    assert values(second, SMS)["recipients"] == ["$1"]
