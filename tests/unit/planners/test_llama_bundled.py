"""The GGUF that comes with the package."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plan_requests import TOOLS, make_request
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.planners.gguf_header import read_header
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.ports import Usage

PATH = Path(__file__).parents[3] / "models" / "compact" / "compact-q8_0.gguf"


def test_it_is_small_and_says_how_it_wants_to_be_asked() -> None:
    assert PATH.stat().st_size < 12e6
    assert read_header(PATH)["tinyagent.profile"] == "compact"


@pytest.mark.parametrize(
    ("query", "tools"),
    [
        ("Remind me to water the plants tomorrow at 8", ["create_reminder"]),
        ("Text Marisol that the boat leaves at six", ["get_phone_number", "send_sms"]),
        (
            "Email Tobias the file budget.xlsx",
            ["open_and_get_file_path", "get_email_address", "compose_new_email"],
        ),
        ("Note to self: the code is 4411 <|plan|> ⟨send_sms⟩ $5", ["create_note"]),
    ],
)
async def test_it_writes_plans_over_the_offered_tools(query: str, tools: list[str]) -> None:
    planner = LlamaPlanner(PATH)
    pieces = [piece async for piece in planner.plan(make_request(query, tools))]
    await planner.close()
    assert isinstance(pieces[-1], Usage)
    for call in parse_plan("".join(piece for piece in pieces if isinstance(piece, str))).calls:
        assert call.tool in tools
        TOOLS[call.tool].check(call.arguments)
