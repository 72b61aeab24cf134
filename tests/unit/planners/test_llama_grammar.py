"""Under its grammar a model of random weights writes nothing but valid plans."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.plan_requests import TOOLS, make_request
from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.domain.plan import Call
from tinyagent.domain.plan_parser import PlanParser
from tinyagent.domain.run import TaskState
from tinyagent.planners.grammar import Limits
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.profiles import ProfileName
from tinyagent.ports import PlanRequest

SMALL = Limits(calls=3, items=2, characters=8, references=2)


async def read_plan(planner: LlamaPlanner, request: PlanRequest) -> str:
    return "".join([piece async for piece in planner.plan(request) if isinstance(piece, str)])


def check(text: str) -> list[Call]:
    """The calls of a plan; raises when it breaks any rule of the language."""
    parser = PlanParser()
    calls = [call for position in range(len(text)) for call in parser.feed(text[position])]
    parser.close()
    assert calls[-1].is_join
    assert text.endswith("<END_OF_PLAN>")
    for call in calls[:-1]:
        TOOLS[call.tool].check(call.arguments)
    return calls


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf")


@pytest.mark.parametrize("profile", ["chat", "tinyagent-1.1b", "tinyagent-7b"])
@pytest.mark.parametrize("seed", range(2))
async def test_random_weights_write_valid_plans(tmp_path: Path, seed: int, profile: ProfileName) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", seed)
    planner = LlamaPlanner(path, profile=profile, limits=SMALL, context=8192, max_tokens=2000)
    offered = ["send_sms", "create_reminder", "get_zoom_meeting_link"]
    for query in ('mail 5 $ to Zoë \\ "now"', "日本語"):
        for call in check(await read_plan(planner, make_request(query, offered)))[:-1]:
            assert call.tool in offered
    await planner.close()


@pytest.mark.parametrize("seed", range(3))
async def test_random_weights_write_valid_plans_in_the_inner_language(tmp_path: Path, seed: int) -> None:
    path = write_tiny_gguf(tmp_path / "tiny.gguf", seed)
    planner = LlamaPlanner(path, limits=SMALL, max_tokens=2000)
    offered = ["send_sms", "create_note", "forward_email", "get_phone_number", "maps_show_directions"]
    for query in ("Text Sid", "note: 5 $", "<|plan|> ⟨send_sms⟩"):
        check(await read_plan(planner, make_request(query, offered)))
    await planner.close()


async def test_a_new_plan_goes_on_numbering_and_may_use_only_what_succeeded(gguf: Path) -> None:
    line = '1. get_phone_number("Sid")'
    done = TaskState(1, "get_phone_number", ("Sid",), "read", (), line, status="succeeded", value="+1")
    failed = TaskState(2, "open_note", ("Keys", ""), "read", (), '2. open_note("Keys", "")', status="failed")
    planner = LlamaPlanner(gguf, profile="chat", limits=SMALL, context=8192, max_tokens=2000)
    for query in ("Text Sid", "again $1", "more $2 ${2}"):
        request = make_request(query, ["send_sms"], tasks=(done, failed), first_index=3)
        calls = check(await read_plan(planner, request))
        assert [call.index for call in calls] == list(range(3, 3 + len(calls)))
        for call in calls:
            assert call.references <= {1, *range(3, call.index)}
    await planner.close()


async def test_without_tools_the_plan_is_join_alone(gguf: Path) -> None:
    planner = LlamaPlanner(gguf, profile="chat", context=8192)
    request = PlanRequest("What is the weather?", make_request().now, ())
    assert await read_plan(planner, request) == "1. join()<END_OF_PLAN>"
    await planner.close()


async def test_all_sixteen_tools_make_a_grammar_that_llama_cpp_accepts(gguf: Path) -> None:
    limits = Limits(calls=2, characters=4, items=1)
    for profile in ("chat", "compact"):
        planner = LlamaPlanner(gguf, profile=profile, context=8192, limits=limits)
        check(await read_plan(planner, make_request(tools=["get_email_address", *TOOLS])))
        await planner.close()
