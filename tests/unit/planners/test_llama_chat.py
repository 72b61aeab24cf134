"""Whole answers of a GGUF file, as writers want them: turns, cancellation, ends, files of no use."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

import pytest

from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.errors import InvalidRequest, ModelUnavailable, Overloaded, PlannerFailed
from tinyagent.planners.chat_template import chat_tokens
from tinyagent.planners.llama_chat import LlamaChat
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.profiles import PROFILES, InstructedProfile
from tinyagent.planners.prompts import Message
from tinyagent.ports import ChatEnd, ChatRequest, ChatTurn

CHAT = (ChatTurn("system", "Be brief."), ChatTurn("user", "Hello there"))
PROFILE_KEY, OTHER_KEY = b"tinyagent.profile", b"tinyagent.nothing"
END_KEY = b"tokenizer.ggml.eos_token_id"
STEPS = 12


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that says the same for ever."""
    path = write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")
    path.write_bytes(path.read_bytes().replace(PROFILE_KEY, OTHER_KEY))
    return path


def greedy_prompt(path: Path) -> list[int]:
    """The tokens of the chat as the model is asked it."""
    model = LlamaModel(path)
    profile = PROFILES["chat"]
    assert isinstance(profile, InstructedProfile)
    tokens = chat_tokens([Message(turn.role, turn.content) for turn in CHAT], profile.template, model)
    model.close()
    return tokens


def greedy(path: Path) -> list[tuple[int, bytes]]:
    """The first tokens that the model writes, with their bytes."""
    model = LlamaModel(path)
    model.read(greedy_prompt(path), lambda: False)
    written: list[tuple[int, bytes]] = []
    for _ in range(STEPS):
        token = int(model.logits().argmax())
        written.append((token, model.piece(token)))
        model.extend([token])
    model.close()
    return written


async def complete(chat: LlamaChat, turns: tuple[ChatTurn, ...], max_tokens: int) -> tuple[str, str]:
    """The whole answer by the likeliest tokens, and how it ended."""
    pieces = [piece async for piece in chat.chat(ChatRequest(turns, max_tokens, temperature=0))]
    end = pieces.pop()
    assert isinstance(end, ChatEnd)
    return "".join(map(str, pieces)), end.finish_reason


def ending_with(path: Path, token: int, target: Path) -> Path:
    """The same model, for which this token ends a text."""
    content = bytearray(path.read_bytes())
    value = content.index(END_KEY) + len(END_KEY) + 4
    content[value : value + 4] = struct.pack("<I", token)
    target.write_bytes(content)
    return target


async def test_the_answer_is_what_the_model_writes_until_its_end(endless: Path, tmp_path: Path) -> None:
    written = greedy(endless)
    tokens = [token for token, _ in written]
    end = max(index for index, token in enumerate(tokens) if token not in tokens[:index])
    chat = LlamaChat(ending_with(endless, tokens[end], tmp_path / "short.gguf"), profile="chat")

    answer, reason = await complete(chat, CHAT, 50)

    assert end > 0
    assert reason == "stop"
    assert answer == b"".join(piece for _, piece in written[:end]).decode("utf-8", "replace")
    assert chat.name == "short"
    await chat.close()


async def test_an_answer_without_an_end_is_cut_and_says_so(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", name="tiny")
    written = b"".join(piece for _, piece in greedy(endless)).decode("utf-8", "replace")
    assert await complete(chat, CHAT, STEPS) == (written, "length")
    first, reason = await complete(chat, CHAT, 1)
    assert (written.startswith(first.rstrip("\ufffd")), reason) == (True, "length")
    await chat.close()


@pytest.mark.parametrize("spare", [0, 1, 2, 3])
async def test_a_chat_that_nearly_fills_the_context_is_answered_as_far_as_there_is_room(
    endless: Path, spare: int
) -> None:
    tokens = len(greedy_prompt(endless))
    chat = LlamaChat(endless, profile="chat", context=tokens + spare)
    asked = ChatRequest(CHAT, None, temperature=0)
    if spare < 2:
        with pytest.raises(InvalidRequest, match="at most"):
            _ = [piece async for piece in chat.chat(asked)]
    else:
        *_, end = [piece async for piece in chat.chat(asked)]
        assert isinstance(end, ChatEnd)
        assert (end.finish_reason, end.usage.plan_tokens) == ("length", spare - 1)
    await chat.close()


async def test_cancelling_stops_the_work_and_leaves_the_model_usable(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", context=8192)
    running = asyncio.create_task(complete(chat, CHAT, 8000))
    while chat.tokens_in_memory < 5:
        await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (await complete(chat, (ChatTurn("user", "Bye"),), 3))[1] == "length"

    assert chat.tokens_in_memory < 2_000
    await chat.close()


async def test_closing_ends_all_chats(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", context=8192)
    chats = [asyncio.create_task(complete(chat, CHAT, 8000)) for _ in range(2)]
    await asyncio.sleep(0)
    await chat.close()
    for running in chats:
        with pytest.raises(PlannerFailed, match="was closed"):
            await running
    with pytest.raises(PlannerFailed, match="was closed"):
        await complete(chat, CHAT, 10)


async def test_too_many_waiting_chats_are_refused(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", max_waiting=1)
    outcomes = await asyncio.gather(*(complete(chat, CHAT, 2) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 2
    await chat.close()


async def test_a_text_beyond_the_context_is_refused(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", context=256)
    with pytest.raises(InvalidRequest, match="at most 256 tokens"):
        await complete(chat, (ChatTurn("user", "word " * 2_000),), 10)
    await chat.close()


async def test_a_missing_file_and_a_model_for_plans_alone_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gguf", write_tiny_gguf(tmp_path / "compact.gguf")):
        chat = LlamaChat(path)
        with pytest.raises(ModelUnavailable) as failure:
            await complete(chat, CHAT, 10)
        assert failure.value.hint
        await chat.close()
