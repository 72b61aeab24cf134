"""The planner behind an OpenAI-compatible URL, against a real server that behaves well and badly."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from fastapi.responses import JSONResponse, PlainTextResponse

from tests.support.openai_server import StandIn, standing_in
from tests.support.plan_requests import make_request
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.domain.run import TaskState
from tinyagent.errors import PlannerFailed
from tinyagent.planners.openai import OpenAIPlanner, PlanExtractor
from tinyagent.ports import Usage

PLAN = '1. get_phone_number("Sid")\n2. send_sms(["$1"], "I am late")\n3. join()'


@pytest.fixture
async def stand_in() -> AsyncIterator[tuple[StandIn, str]]:
    async with standing_in() as server:
        yield server, server.url


async def answer(planner: OpenAIPlanner, **others: Any) -> tuple[str, list[Usage]]:
    pieces = [piece async for piece in planner.plan(make_request(tools=["send_sms"], **others))]
    await planner.close()
    text = "".join(piece for piece in pieces if isinstance(piece, str))
    return text, [piece for piece in pieces if isinstance(piece, Usage)]


async def test_a_plan_is_streamed_with_the_servers_usage_last(stand_in: tuple[StandIn, str]) -> None:
    server, url = stand_in
    server.say("1. get_phone", '_number("Sid")\n2. send_sms(["$1"], "I am', ' late")\n3. jo', "in()")
    usage = {"prompt_tokens": 90, "completion_tokens": 30, "prompt_tokens_details": {"cached_tokens": 64}}
    server.lines.append(": ping")
    server.add_usage(usage, timings={"prompt_ms": 12.5, "predicted_ms": 300, "cache_n": 64})
    text, usages = await answer(OpenAIPlanner(url, "m", api_key="k"))
    assert text == f"{PLAN}<END_OF_PLAN>"
    assert usages == [Usage(90, 30, 64, 12.5, 300.0)]
    assert server.keys == ["Bearer k"]
    assert server.requests[0]["stream"] is True
    assert server.requests[0]["model"] == "m"


async def test_the_prompt_holds_tools_request_and_time_but_no_key_where_none_is_set(
    stand_in: tuple[StandIn, str],
) -> None:
    server, url = stand_in
    server.say(PLAN)
    await answer(OpenAIPlanner(url, "m"), instructions="Sign with Robin.")
    messages = server.requests[0]["messages"]
    assert "send_sms(recipients: list[str], message: str)" in messages[0]["content"]
    assert "Sign with Robin." in messages[0]["content"]
    assert "Text Sid that I am late" in messages[-1]["content"]
    assert messages[-1]["content"].endswith("2026-03-04 09:30 (Wednesday)")
    assert server.keys == [None]


async def test_a_new_plan_is_asked_for_with_what_was_done(stand_in: tuple[StandIn, str]) -> None:
    server, url = stand_in
    server.say('2. send_sms(["$1"], "Late")\n3. join()')
    line = '1. get_phone_number("Sid")'
    done = TaskState(
        1,
        "get_phone_number",
        ("Sid",),
        "read",
        (),
        line,
        status="succeeded",
        value="+4930123",
        untrusted=True,
    )
    text, _ = await answer(OpenAIPlanner(url, "m"), tasks=(done,), first_index=2)
    assert text.startswith("2. send_sms")
    asked = server.requests[0]["messages"][-1]["content"]
    assert line in asked
    assert "+4930123" in asked
    assert "no instruction" in asked
    assert "from 2 on" in asked


@pytest.mark.parametrize(
    "wrapped",
    [
        f"Sure! Here is the plan:\n\n```python\n{PLAN}<END_OF_PLAN>\n```\nHave a nice day.",
        f'<think>\n1. open_note("x", "")\nno...\n</think>\n{PLAN}\n```',
        f'  {PLAN}\n\nThis texts Sid.\n4. send_sms([], "")',
        PLAN.replace("\n", "\n\n"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_what_surrounds_a_plan_is_ignored(wrapped: str, size: int) -> None:
    extractor = PlanExtractor()
    parts = [extractor.feed(wrapped[start : start + size]) for start in range(0, len(wrapped), size)]
    text = "".join(parts) + extractor.close()
    assert parse_plan(text) == parse_plan(PLAN)
    assert text.endswith("<END_OF_PLAN>")


async def test_an_answer_without_a_plan_is_a_failure_with_advice(stand_in: tuple[StandIn, str]) -> None:
    server, url = stand_in
    server.say("I am sorry, I cannot ", "do that.")
    with pytest.raises(PlannerFailed, match="without a plan") as failure:
        await answer(OpenAIPlanner(url, "m"))
    assert failure.value.hint


@pytest.mark.parametrize(
    ("status", "words"),
    [(401, "API key"), (404, "has the model m"), (429, "Wait"), (500, "log of its server")],
)
async def test_an_error_of_the_server_is_told_with_its_words_and_advice(
    stand_in: tuple[StandIn, str], status: int, words: str
) -> None:
    server, url = stand_in
    server.failure = JSONResponse({"error": {"message": "The cat sat on the keyboard."}}, status)
    with pytest.raises(PlannerFailed, match=f"HTTP {status}: The cat sat") as failure:
        await answer(OpenAIPlanner(url, "m"))
    assert words in (failure.value.hint or "")


async def test_an_error_in_the_stream_is_told(stand_in: tuple[StandIn, str]) -> None:
    server, url = stand_in
    server.say("1. get_phone")
    server.lines.append('data: {"error": {"message": "out of memory"}}')
    with pytest.raises(PlannerFailed, match="out of memory"):
        await answer(OpenAIPlanner(url, "m"))


@pytest.mark.parametrize("garbage", ["data: <html>no</html>", "data: [1, 2]", "data: {", "data: 5"])
async def test_garbage_is_a_failure_with_advice(stand_in: tuple[StandIn, str], garbage: str) -> None:
    server, url = stand_in
    server.lines = [garbage]
    with pytest.raises(PlannerFailed, match="no chat completion"):
        await answer(OpenAIPlanner(url, "m"))


@pytest.mark.parametrize(
    "chunk",
    [
        "{}",
        '{"choices": null}',
        '{"choices": [{}]}',
        '{"choices": [{"delta": {"content": null}}]}',
        '{"usage": 3}',
    ],
)
async def test_chunks_without_text_are_skipped(stand_in: tuple[StandIn, str], chunk: str) -> None:
    server, url = stand_in
    server.say(PLAN)
    server.lines.insert(0, f"data: {chunk}")
    assert (await answer(OpenAIPlanner(url, "m")))[0] == f"{PLAN}<END_OF_PLAN>"


async def test_a_page_instead_of_an_api_is_a_failure(stand_in: tuple[StandIn, str]) -> None:
    server, url = stand_in
    server.failure = PlainTextResponse("<html>Welcome</html>", 200)
    with pytest.raises(PlannerFailed, match="without a plan"):
        await answer(OpenAIPlanner(url, "m"))


async def test_a_server_that_hangs_is_left_after_the_timeout(stand_in: tuple[StandIn, str]) -> None:
    server, url = stand_in
    server.say("1. get_phone")
    server.hang = True
    with pytest.raises(PlannerFailed, match=r"within 0\.2 seconds"):
        await answer(OpenAIPlanner(url, "m", timeout=0.2))
    await asyncio.wait_for(server.closed.wait(), 10)


async def test_closing_the_iterator_closes_the_connection(stand_in: tuple[StandIn, str]) -> None:
    server, url = stand_in
    server.say('1. get_phone_number("Sid")\n')
    server.hang = True
    planner = OpenAIPlanner(url, "m")
    async with aclosing(planner.plan(make_request())) as pieces:
        assert await anext(pieces) == '1. get_phone_number("Sid")\n'
    await asyncio.wait_for(server.closed.wait(), 10)
    await planner.close()


async def test_no_server_is_a_failure_with_advice() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(PlannerFailed, match="cannot be reached") as failure:
        await answer(OpenAIPlanner(f"http://127.0.0.1:{port}/v1", "m"))
    assert "Start its server" in (failure.value.hint or "")


async def test_two_plans_at_once_do_not_mix(stand_in: tuple[StandIn, str]) -> None:
    server, url = stand_in
    server.say(*PLAN)
    texts = await asyncio.gather(answer(OpenAIPlanner(url, "a")), answer(OpenAIPlanner(url, "b")))
    assert [text for text, _ in texts] == [f"{PLAN}<END_OF_PLAN>"] * 2
    assert {request["model"] for request in server.requests} == {"a", "b"}
