"""Chats behind an OpenAI-compatible URL, against a real server that behaves well and badly."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from fastapi.responses import JSONResponse, PlainTextResponse

from tests.support.openai_server import StandIn, standing_in
from tinyagent.errors import InvalidRequest, PlannerFailed
from tinyagent.planners.openai_chat import OpenAIChat
from tinyagent.ports import ChatEnd, ChatRequest, ChatTurn, Usage

HELLO = (ChatTurn("system", "Be brief."), ChatTurn("user", "Hello"))
FLAG = {"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"]}


@pytest.fixture
async def server() -> AsyncIterator[StandIn]:
    async with standing_in() as stand_in:
        yield stand_in


async def answer(server: StandIn, key: str | None = None, **wishes: Any) -> tuple[str, ChatEnd]:
    chat = OpenAIChat(server.url, "m", name="far", api_key=key, timeout=5)
    try:
        pieces = [piece async for piece in chat.chat(ChatRequest(HELLO, **wishes))]
    finally:
        await chat.close()
    end = pieces.pop()
    assert isinstance(end, ChatEnd)
    return "".join(piece for piece in pieces if isinstance(piece, str)), end


async def test_an_answer_is_streamed_with_the_servers_count_and_times(server: StandIn) -> None:
    server.say("Good ", "day", finish="stop")
    usage = {"prompt_tokens": 90, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 64}}
    server.add_usage(usage, timings={"prompt_ms": 5, "predicted_ms": 7.5})
    assert await answer(server, key="k") == ("Good day", ChatEnd("stop", Usage(90, 2, 64, 5, 7.5)))
    assert server.keys == ["Bearer k"]


async def test_all_wishes_reach_the_server(server: StandIn) -> None:
    server.say("{}", finish="stop")
    wishes: dict[str, Any] = {
        "max_tokens": 5,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ("\n", "END"),
    }
    await answer(server, schema={"type": "object"}, **wishes)
    assert server.requests == [
        {
            "model": "m",
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": "Hello"},
            ],
            **wishes,
            "stop": ["\n", "END"],
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": {"type": "object"}},
            },
            "stream": True,
            "stream_options": {"include_usage": True},
        }
    ]


async def test_what_nobody_wished_is_not_sent(server: StandIn) -> None:
    server.say("Hi", finish="stop")
    await answer(server)
    names = {"model", "messages", "temperature", "top_p", "stream", "stream_options"}
    assert set(server.requests[0]) == names


async def test_an_answer_that_reached_its_limit_says_so(server: StandIn) -> None:
    server.say("Good", finish="length")
    assert await answer(server, max_tokens=1) == ("Good", ChatEnd("length", Usage()))


async def test_a_server_that_ignores_stop_texts_is_cut_off(server: StandIn) -> None:
    server.say("One E", "N", "D two")
    server.hang = True
    assert await answer(server, stop=("END",)) == ("One ", ChatEnd("stop", Usage()))
    await asyncio.wait_for(server.closed.wait(), 10)


@pytest.mark.parametrize("text", ['{"ok": "perhaps"}', "Sure! Here you are", "[" * 90_000, ""])
async def test_an_answer_that_does_not_fit_the_schema_is_a_failure(server: StandIn, text: str) -> None:
    server.say(text, finish="stop")
    with pytest.raises(PlannerFailed, match="does not fit `schema`") as failure:
        await answer(server, schema=FLAG)
    assert failure.value.hint


async def test_json_that_fits_or_was_cut_passes(server: StandIn) -> None:
    server.say('{"ok": ', "true}", finish="stop")
    text, end = await answer(server, schema=FLAG)
    assert (json.loads(text), end.finish_reason) == ({"ok": True}, "stop")
    server.say('{"ok": ', finish="length")
    assert await answer(server, schema=FLAG) == ('{"ok": ', ChatEnd("length", Usage()))


async def test_what_is_no_schema_is_refused_before_anything_is_sent(server: StandIn) -> None:
    with pytest.raises(InvalidRequest) as failure:
        await answer(server, schema={"type": 5})
    assert failure.value.param == "schema"
    assert server.requests == []


async def test_an_answer_that_breaks_off_is_a_failure(server: StandIn) -> None:
    server.say("Good ")
    with pytest.raises(PlannerFailed, match="no whole chat completion"):
        await answer(server)
    server.failure = PlainTextResponse("<html>Welcome</html>", 200)
    with pytest.raises(PlannerFailed, match="no whole chat completion"):
        await answer(server)


async def test_an_error_of_the_server_is_told_with_its_words_and_advice(server: StandIn) -> None:
    server.failure = JSONResponse({"error": {"message": "The cat sat on the keyboard."}}, 429)
    with pytest.raises(PlannerFailed, match="HTTP 429: The cat sat") as failure:
        await answer(server)
    assert "another model" in (failure.value.hint or "")


async def test_closing_the_iterator_closes_the_connection(server: StandIn) -> None:
    server.say("Good ")
    server.hang = True
    chat = OpenAIChat(server.url, "m")
    async with aclosing(chat.chat(ChatRequest(HELLO))) as pieces:
        assert await anext(pieces) == "Good "
    await asyncio.wait_for(server.closed.wait(), 10)
    await chat.close()
