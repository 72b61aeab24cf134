"""Streamed chats with a GGUF file: sampling, JSON, ends, turns, and the memory shared with the planner."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from tests.support.plan_requests import make_request
from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.domain.json_schema import problem_with
from tinyagent.errors import InvalidRequest, ModelUnavailable, Overloaded, PlannerFailed
from tinyagent.planners.grammar import Limits
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.llama_chat import LlamaChat
from tinyagent.planners.llama_worker import LlamaWorker
from tinyagent.ports import ChatEnd, ChatRequest, ChatTurn, Usage

HELLO = (ChatTurn("system", "Be brief."), ChatTurn("user", "Hello there"))
CITY = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 8}, "size": {"type": "integer", "minimum": 0}},
    "required": ["name", "size"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.fixture
async def chat(gguf: Path) -> AsyncIterator[LlamaChat]:
    model = LlamaChat(gguf, profile="chat")
    yield model
    await model.close()


def asking(*turns: ChatTurn, **wishes: Any) -> ChatRequest:
    wanted: dict[str, Any] = {"max_tokens": 40, "temperature": 0, **wishes}
    return ChatRequest(turns or HELLO, **wanted)


async def answer(chat: LlamaChat, request: ChatRequest) -> tuple[str, ChatEnd]:
    pieces = [piece async for piece in chat.chat(request)]
    end = pieces.pop()
    assert isinstance(end, ChatEnd)
    return "".join(piece for piece in pieces if isinstance(piece, str)), end


async def test_an_answer_comes_in_pieces_and_tells_its_length_and_times(chat: LlamaChat) -> None:
    pieces = [piece async for piece in chat.chat(asking(temperature=1.0, seed=1))]
    assert len(pieces) > 10
    assert all(isinstance(piece, str) for piece in pieces[:-1])
    assert isinstance(pieces[-1], ChatEnd)
    usage = pieces[-1].usage
    assert (pieces[-1].finish_reason, usage.plan_tokens) == ("length", 40)
    assert usage.prompt_tokens > 10
    assert usage.cached_tokens == 0
    assert min(usage.prompt_ms, usage.plan_ms) > 0


async def test_without_a_limit_the_answer_fills_the_room_that_is_left(gguf: Path) -> None:
    chat = LlamaChat(gguf, profile="chat", context=256)
    _, end = await answer(chat, asking(max_tokens=None))
    assert end.finish_reason == "length"
    assert end.usage.prompt_tokens + end.usage.plan_tokens == 255
    await chat.close()


async def test_messages_beyond_the_context_are_refused_by_name(chat: LlamaChat) -> None:
    with pytest.raises(InvalidRequest, match="at most 4096 tokens") as failure:
        await answer(chat, asking(ChatTurn("user", "word " * 9_000)))
    assert failure.value.param == "messages"
    assert failure.value.hint


async def test_what_was_read_before_is_counted_and_not_read_again(chat: LlamaChat) -> None:
    first, cold = await answer(chat, asking())
    again, warm = await answer(chat, asking())
    longer = (*HELLO, ChatTurn("assistant", "Hi"), ChatTurn("user", "How are you?"))
    _, follow_up = await answer(chat, asking(*longer))
    assert again == first
    assert warm.usage.cached_tokens == cold.usage.prompt_tokens - 1
    assert 10 < follow_up.usage.cached_tokens < follow_up.usage.prompt_tokens


# --- sampling -----------------------------------------------------------------------------------------


async def test_a_seed_gives_the_same_answer_again_and_another_seed_another(chat: LlamaChat) -> None:
    texts = [(await answer(chat, asking(temperature=1.0, seed=seed)))[0] for seed in (7, 7, 8)]
    await answer(chat, asking(ChatTurn("user", "Something else")))
    assert texts[0] == texts[1] == (await answer(chat, asking(temperature=1.0, seed=7)))[0] != texts[2]


async def test_the_likeliest_tokens_are_those_of_temperature_0_and_of_a_tiny_top_p(chat: LlamaChat) -> None:
    greedy, _ = await answer(chat, asking())
    assert (await answer(chat, asking(temperature=1.5, top_p=0.0)))[0] == greedy
    assert (await answer(chat, asking(temperature=1.5, seed=1)))[0] != greedy


@pytest.mark.parametrize("length", [1, 2, 5])
async def test_a_stop_text_never_shows(chat: LlamaChat, length: int) -> None:
    whole, _ = await answer(chat, asking(temperature=1.0, seed=3))
    stop = whole[20 : 20 + length]
    text, end = await answer(chat, asking(temperature=1.0, seed=3, stop=("never said", stop)))
    assert text == whole[: whole.index(stop)]
    assert end.finish_reason == "stop"
    assert end.usage.plan_tokens < 40


# --- JSON ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.0, 0.3, 1.0, 2.0])
async def test_with_a_schema_the_answer_is_json_that_fits(chat: LlamaChat, temperature: float) -> None:
    for seed in range(3):
        wishes = {"temperature": temperature, "top_p": 0.9, "seed": seed, "max_tokens": None}
        text, end = await answer(chat, asking(schema=CITY, **wishes))
        assert problem_with(json.loads(text), CITY) == ""
        assert end.finish_reason == "stop"


async def test_json_that_is_cut_says_so(chat: LlamaChat) -> None:
    text, end = await answer(chat, asking(schema=CITY, max_tokens=3))
    assert (end.finish_reason, end.usage.plan_tokens) == ("length", 3)
    assert text.startswith("{")


@pytest.mark.parametrize(
    ("schema", "words"),
    [({"type": "string", "pattern": "a"}, "`pattern`"), ({"$ref": "#"}, "itself"), ({"type": 5}, "valid")],
)
async def test_a_schema_that_cannot_be_kept_is_refused(
    chat: LlamaChat, schema: dict[str, Any], words: str
) -> None:
    with pytest.raises(InvalidRequest, match=words) as failure:
        await answer(chat, asking(schema=schema))
    assert failure.value.param == "schema"


# --- turns --------------------------------------------------------------------------------------------


async def test_two_users_at_once_get_each_their_own_answer(chat: LlamaChat) -> None:
    requests = [asking(ChatTurn("user", text), temperature=1.0, seed=1) for text in ("Good day", "Bonjour")]
    in_turn = [(await answer(chat, request))[0] for request in requests]
    at_once = await asyncio.gather(*(answer(chat, request) for request in requests))
    assert [text for text, _ in at_once] == in_turn
    assert in_turn[0] != in_turn[1]


async def test_who_stops_listening_stops_the_work(gguf: Path) -> None:
    chat = LlamaChat(gguf, profile="chat", context=8192)
    async with aclosing(chat.chat(asking(max_tokens=None))) as pieces:
        await anext(pieces)
    assert chat.tokens_in_memory < 2_000
    _, end = await answer(chat, asking(max_tokens=5))
    assert end.usage.plan_tokens == 5
    await chat.close()


async def test_a_long_chat_is_given_up_while_it_is_read(gguf: Path) -> None:
    chat = LlamaChat(gguf, profile="chat", context=8192)
    running = asyncio.create_task(answer(chat, asking(ChatTurn("user", "word " * 1_500))))
    while not chat.tokens_in_memory:
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert chat.tokens_in_memory % 128 == 0
    await chat.close()


# --- the file that planner and chats share ------------------------------------------------------------


async def test_planner_and_chat_have_the_model_in_memory_once(gguf: Path) -> None:
    worker = LlamaWorker(gguf, context=8192)
    chat = LlamaChat(worker, profile="chat")
    planner = LlamaPlanner(worker, profile="chat", limits=Limits(calls=2, characters=8))
    request = make_request("Text Sid", ["send_sms"])
    pieces, (text, end) = await asyncio.gather(_plan(planner, request), answer(chat, asking(max_tokens=10)))
    assert "join()" in "".join(piece for piece in pieces if isinstance(piece, str))
    assert text
    assert chat.tokens_in_memory == planner.tokens_in_memory == worker.tokens_in_memory > 0
    assert end.usage.plan_tokens == 10
    await planner.close()
    await chat.close()
    with pytest.raises(PlannerFailed, match="was closed"):
        await answer(chat, asking())


async def _plan(planner: LlamaPlanner, request: Any) -> list[str | Usage]:
    return [piece async for piece in planner.plan(request)]


async def test_planner_and_chat_wait_in_one_queue(gguf: Path) -> None:
    worker = LlamaWorker(gguf, context=8192, max_waiting=1)
    chat = LlamaChat(worker, profile="chat")
    planner = LlamaPlanner(worker, profile="chat", limits=Limits(calls=1, characters=8))
    chats = [answer(chat, asking(max_tokens=2)) for _ in range(3)]
    outcomes = await asyncio.gather(
        _plan(planner, make_request(tools=["send_sms"])), *chats, return_exceptions=True
    )
    assert [isinstance(outcome, Overloaded) for outcome in outcomes] == [False, False, True, True]
    await worker.close()


@pytest.mark.parametrize("profile", [None, "compact", "tinyagent-1.1b", "tinyagent-7b"])
async def test_models_that_only_plan_are_refused_before_they_are_loaded(gguf: Path, profile: Any) -> None:
    chat = LlamaChat(gguf, profile=profile)
    with pytest.raises(ModelUnavailable, match="nothing else") as failure:
        await answer(chat, asking())
    assert failure.value.hint
    assert chat.tokens_in_memory == 0
    await chat.close()
