"""The bundled planner, with its real model."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tinyagent.domain.plan import Plan
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.planners.nano import NanoPlanner
from tinyagent.ports import PlanRequest, Usage
from tinyagent.toolrag.model import Encoded, NanoModel
from tinyagent.tools.registry import BUILT_IN

SPECS = tuple(tool.spec for tool in BUILT_IN)
NOW = datetime(2026, 3, 4, 10, 0)
FOLDER = Path(__file__).parents[3] / "models" / "nano"


@pytest.fixture(scope="module")
def planner() -> NanoPlanner[Encoded]:
    return NanoPlanner(NanoModel.load(FOLDER))


async def _plan(planner: NanoPlanner[Encoded], query: str, **options: object) -> Plan:
    request = PlanRequest(query, NOW, **({"tools": SPECS} | options))  # type: ignore[arg-type]
    text = "".join([piece async for piece in planner.plan(request) if isinstance(piece, str)])
    return parse_plan(text)


@pytest.mark.parametrize(
    ("query", "tools"),
    [
        ("Text Bob that I'm running late", ["get_phone_number", "send_sms"]),
        ("remind me to buy milk tomorrow at 5pm", ["create_reminder"]),
        ("How do I get to Union Station on foot?", ["maps_show_directions"]),
        (
            "Email Ann and Lutfi that the meeting is cancelled",
            ["get_email_address"] * 2 + ["compose_new_email"],
        ),
        ("Summarize lease_2024.pdf", ["open_and_get_file_path", "summarize_pdf"]),
        ("what's the capital of France?", []),
    ],
)
async def test_simple_requests_are_planned(
    planner: NanoPlanner[Encoded], query: str, tools: list[str]
) -> None:
    assert [call.tool for call in (await _plan(planner, query)).calls] == tools


async def test_names_and_dates_are_the_users_own(planner: NanoPlanner[Encoded]) -> None:
    plan = await _plan(planner, "remind me to call Małgorzata tomorrow at 5pm")
    assert plan.calls[0].arguments[:2] == ("Call Małgorzata", "2026-03-05 17:00:00")


async def test_every_call_fits_its_tool(planner: NanoPlanner[Encoded]) -> None:
    by_name = {spec.name: spec for spec in SPECS}
    for query in (
        "Zoom with Ann and bob@x.example friday 3pm for half an hour, then text Ann the link",
        "find notes.docx and forward this mail with it to the school office, cc Dr. Wu",
        "show me the note Packing, add 'passport' to it, and open the map of 5 Mill Lane, York",
    ):
        for call in (await _plan(planner, query)).calls:
            by_name[call.tool].check(call.arguments)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "   ",
        "?!",
        "\ud800 text \udfff Bob",
        "🦊" * 50,
        "text " + "Bob and " * 2000,
        "مرحبا",
        "a\x00b",
        "$1 $$2 ${3}",
    ],
)
async def test_odd_text_still_gives_a_whole_plan(planner: NanoPlanner[Encoded], query: str) -> None:
    assert len((await _plan(planner, query)).calls) <= 14


async def test_only_offered_tools_are_called(planner: NanoPlanner[Encoded]) -> None:
    offered = tuple(spec for spec in SPECS if spec.name in ("create_note", "open_note"))
    plan = await _plan(planner, "Text Bob that I'm late and note it", tools=offered)
    assert {call.tool for call in plan.calls} <= {"create_note", "open_note"}


async def test_numbers_begin_where_asked(planner: NanoPlanner[Encoded]) -> None:
    plan = await _plan(planner, "Text Bob that I'm running late", first_index=5)
    assert [call.index for call in plan.calls] == [5, 6]
    assert plan.calls[1].references == {5}


async def test_each_line_is_given_as_soon_as_it_is_written(planner: NanoPlanner[Encoded]) -> None:
    request = PlanRequest("Text Bob that I'm running late", NOW, SPECS)
    pieces = [piece async for piece in planner.plan(request)]
    assert [str(piece)[:2] for piece in pieces[:-1]] == ["1.", "2.", "3."]
    assert isinstance(pieces[-1], Usage) and pieces[-1].plan_tokens > 4


async def test_closing_the_iterator_stops_the_plan(planner: NanoPlanner[Encoded]) -> None:
    stream = planner.plan(PlanRequest("Text Bob, Ann and Kim that I'm late", NOW, SPECS))
    assert "get_phone_number" in str(await anext(stream))
    await stream.aclose()
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
