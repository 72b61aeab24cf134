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
from tinyagent.planners import openai_stream
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


async def test_line_ends_of_other_alphabets_are_no_ends_of_lines(server: StandIn) -> None:
    text = "one\u2028two\x85three\x0cfour"
    choice = json.dumps(
        {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}, ensure_ascii=False
    )
    server.lines = [f"data: {choice}".replace("\\f", "\\u000c")]
    assert (await answer(server))[0] == text


async def test_half_characters_are_sent_as_question_marks(server: StandIn) -> None:
    server.say("Hi", finish="stop")
    chat = OpenAIChat(server.url, "m")
    _ = [piece async for piece in chat.chat(ChatRequest((ChatTurn("user", "a\ud800b"),)))]
    await chat.close()
    assert server.requests[0]["messages"][0]["content"] == "a?b"


async def test_an_answer_that_has_ended_stands_whatever_the_server_does_then(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_stream, "_AFTER_END_S", 0.05)
    server.say("Good day", finish="stop")
    server.hang = True
    assert await answer(server) == ("Good day", ChatEnd("stop", Usage()))
    server.hang, server.breaks = False, True
    assert await answer(server) == ("Good day", ChatEnd("stop", Usage()))


async def test_a_server_that_breaks_off_before_the_end_is_a_failure(server: StandIn) -> None:
    server.say("Good ")
    server.breaks = True
    with pytest.raises(PlannerFailed, match="broke off"):
        await answer(server)


async def test_signs_of_life_are_no_answer(server: StandIn) -> None:
    server.say("Good ")
    server.pings = True
    chat = OpenAIChat(server.url, "m", timeout=0.3)
    with pytest.raises(PlannerFailed, match=r"within 0\.3 seconds"):
        _ = [piece async for piece in chat.chat(ChatRequest(HELLO))]
    await chat.close()
    await asyncio.wait_for(server.closed.wait(), 10)


@pytest.mark.parametrize("piece", ["x" * 70_000, "data: {}\n\n" * 7_000])
async def test_a_server_that_sends_without_end_is_left(
    server: StandIn, piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_stream, "_LARGEST_ANSWER", 3_000_000)
    server.endless = piece
    with pytest.raises(PlannerFailed, match="far too much"):
        await answer(server)
    await asyncio.wait_for(server.closed.wait(), 10)


async def test_an_endless_failure_is_told_without_its_words(server: StandIn) -> None:
    server.endless, server.status = '{"error": {"message": "no' * 9_000, 500
    with pytest.raises(PlannerFailed, match=r"HTTP 500\. Look"):
        await answer(server)
    await asyncio.wait_for(server.closed.wait(), 10)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ({"error": {"message": "Out of memory."}}, "failed: Out of memory"),
        ({"object": "error", "message": "Too long.", "code": 400}, "failed: Too long"),
        ({"choices": [{"delta": {"content": ""}, "finish_reason": "error"}]}, "failed"),
        (["no", "object"], "no chat completion"),
    ],
)
async def test_a_failure_in_the_middle_of_the_stream_is_told(
    server: StandIn, line: object, words: str
) -> None:
    server.say("Good ")
    server.lines.append(f"data: {json.dumps(line)}")
    with pytest.raises(PlannerFailed, match=words):
        await answer(server)


async def test_a_redirect_is_not_followed(server: StandIn) -> None:
    server.failure = JSONResponse({}, 307, headers={"Location": server.url})
    with pytest.raises(PlannerFailed, match="HTTP 307"):
        await answer(server)
    assert len(server.requests) == 1


async def test_usage_in_any_part_counts_once(server: StandIn) -> None:
    server.say("Good ", "day", finish="stop")
    server.lines = [
        line.replace("{", f'{{"usage": {{"prompt_tokens": 9, "completion_tokens": {number}}}, ', 1)
        for number, line in enumerate(server.lines)
    ]
    assert (await answer(server))[1].usage == Usage(9, 2)
