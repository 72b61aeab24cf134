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

CHAT = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello there"}]
PROFILE_KEY, OTHER_KEY = b"tinyagent.profile", b"tinyagent.nothing"
END_KEY = b"tokenizer.ggml.eos_token_id"
STEPS = 12


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model that says the same for ever."""
    path = write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")
    path.write_bytes(path.read_bytes().replace(PROFILE_KEY, OTHER_KEY))
    return path


def greedy(path: Path) -> list[tuple[int, bytes]]:
    """The first tokens that the model writes, with their bytes."""
    model = LlamaModel(path)
    profile = PROFILES["chat"]
    assert isinstance(profile, InstructedProfile)
    messages = [Message("system", "Be brief."), Message("user", "Hello there")]
    model.read(chat_tokens(messages, profile.template, model), lambda: False)
    written: list[tuple[int, bytes]] = []
    for _ in range(STEPS):
        token = int(model.logits().argmax())
        written.append((token, model.piece(token)))
        model.extend([token])
    model.close()
    return written


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

    answer = await chat.complete(CHAT, 50)

    assert end > 0
    assert answer == b"".join(piece for _, piece in written[:end]).decode("utf-8", "replace")
    assert chat.name == "short"
    await chat.close()


async def test_an_answer_without_an_end_is_a_failure_with_advice(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", name="tiny")
    with pytest.raises(PlannerFailed, match="tiny wrote 20 tokens") as failure:
        await chat.complete(CHAT, 20)
    assert failure.value.hint
    await chat.close()


async def test_cancelling_stops_the_work_and_leaves_the_model_usable(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", context=8192)
    running = asyncio.create_task(chat.complete(CHAT, 8000))
    while chat.tokens_in_memory < 5:
        await asyncio.sleep(0.001)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    with pytest.raises(PlannerFailed, match="3 tokens"):
        await chat.complete([{"role": "user", "content": "Bye"}], 3)

    assert chat.tokens_in_memory < 2_000
    await chat.close()


async def test_closing_ends_all_chats(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", context=8192)
    chats = [asyncio.create_task(chat.complete(CHAT, 8000)) for _ in range(2)]
    await asyncio.sleep(0)
    await chat.close()
    for running in chats:
        with pytest.raises(PlannerFailed, match="was closed"):
            await running
    with pytest.raises(PlannerFailed, match="was closed"):
        await chat.complete(CHAT, 10)


async def test_too_many_waiting_chats_are_refused(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", max_waiting=1)
    outcomes = await asyncio.gather(*(chat.complete(CHAT, 2) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(outcome, Overloaded) for outcome in outcomes) == 2
    await chat.close()


async def test_a_text_beyond_the_context_is_refused(endless: Path) -> None:
    chat = LlamaChat(endless, profile="chat", context=256)
    with pytest.raises(InvalidRequest, match="at most 256 tokens"):
        await chat.complete([{"role": "user", "content": "word " * 2_000}], 10)
    await chat.close()


async def test_a_missing_file_and_a_model_for_plans_alone_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.gguf", write_tiny_gguf(tmp_path / "compact.gguf")):
        chat = LlamaChat(path)
        with pytest.raises(ModelUnavailable) as failure:
            await chat.complete(CHAT, 10)
        assert failure.value.hint
        await chat.close()
