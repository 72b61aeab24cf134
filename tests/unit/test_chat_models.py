"""Which configured models chat, and that a file is in memory once for all who use it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.plan_requests import make_request
from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.bootstrap.chatting import LlamaFiles
from tinyagent.bootstrap.planning import build_planners
from tinyagent.bootstrap.writing import build_writer
from tinyagent.errors import InvalidRequest, ModelUnavailable
from tinyagent.planners.llama import LlamaPlanner
from tinyagent.planners.llama_chat import LlamaChat
from tinyagent.planners.openai_chat import OpenAIChat
from tinyagent.ports import ChatEnd, ChatRequest, ChatTurn, WritingTask
from tinyagent.settings import Settings, load_settings

FAR = {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "model": "m"}
HELLO = ChatRequest((ChatTurn("user", "Hello"),), max_tokens=3)


@pytest.fixture
def gguf(tmp_path: Path) -> Path:
    return write_tiny_gguf(tmp_path / "tiny.gguf")


def configured(home: Path, **settings: Any) -> Settings:
    return load_settings(home=home, **settings)


def chats(settings: Settings) -> dict[str, bool]:
    return {info.name: info.chats for info in build_planners(settings).infos()}


def test_the_file_or_the_settings_say_whether_a_model_chats(tmp_path: Path, gguf: Path) -> None:
    told = write_tiny_gguf(tmp_path / "told.gguf")
    told.write_bytes(told.read_bytes().replace(b"tinyagent", b"something"))
    paths = {
        "plan": (gguf, None),
        "forced": (gguf, "chat"),
        "told": (told, None),
        "small": (told, "tinyagent-7b"),
    }
    planners = {
        name: {"kind": "llama", "path": str(path), "profile": profile}
        for name, (path, profile) in paths.items()
    }
    planners |= {"missing": {"kind": "llama", "path": str(tmp_path / "none.gguf")}, "far": FAR}
    assert chats(configured(tmp_path, planners=planners)) == {
        "nano": False,
        "compact": False,
        "plan": False,
        "forced": True,
        "told": True,
        "small": False,
        "missing": True,
        "far": True,
    }


async def test_the_model_for_texts_chats_and_plans_nothing(tmp_path: Path, gguf: Path) -> None:
    local = {"kind": "llama", "path": str(gguf), "profile": "chat"}
    for model, kind in ((FAR, OpenAIChat), (local, LlamaChat)):
        catalog = build_planners(configured(tmp_path, writer={"model": model}))
        info = catalog.infos()[-1]
        assert (info.name, info.plans, info.chats, info.available) == ("writer", False, True, True)
        assert isinstance(await catalog.chat("writer"), kind)
        with pytest.raises(InvalidRequest, match="does not plan"):
            catalog.resolve("writer")
        await catalog.close()


def test_a_planner_called_writer_stands_for_itself(tmp_path: Path, gguf: Path) -> None:
    planner = {"kind": "llama", "path": str(gguf)}
    infos = build_planners(configured(tmp_path, planners={"writer": planner}, writer={"model": FAR})).infos()
    assert [(info.name, info.plans) for info in infos if info.name == "writer"] == [("writer", True)]


async def test_planner_chat_and_writer_read_one_file_into_memory_once(tmp_path: Path, gguf: Path) -> None:
    model = {"kind": "llama", "path": str(gguf), "profile": "chat", "context": 8192}
    settings = configured(tmp_path, planners={"mine": model}, writer={"model": model})
    files = LlamaFiles()
    catalog, writer = build_planners(settings, files), build_writer(settings, files)
    planner, chat, texts = await catalog.get("mine"), await catalog.chat("mine"), await catalog.chat("writer")
    assert isinstance(planner, LlamaPlanner)
    assert isinstance(chat, LlamaChat)
    assert isinstance(texts, LlamaChat)
    pieces = [piece async for piece in chat.chat(HELLO)]
    assert isinstance(pieces[-1], ChatEnd)
    assert planner.tokens_in_memory == chat.tokens_in_memory == texts.tokens_in_memory > 0
    before = chat.tokens_in_memory
    await writer.write(WritingTask("answer", "One reminder was made.", "Remind me"))
    assert planner.tokens_in_memory > before
    await catalog.close()
    await writer.close()


async def test_files_with_other_settings_are_read_for_themselves(tmp_path: Path, gguf: Path) -> None:
    model = {"kind": "llama", "path": str(gguf), "profile": "chat"}
    planners = {"short": {**model, "context": 512}, "long": model}
    catalog = build_planners(configured(tmp_path, planners=planners))
    short, long = await catalog.chat("short"), await catalog.chat("long")
    assert isinstance(short, LlamaChat)
    assert isinstance(long, LlamaChat)
    assert short.room < long.room
    assert [piece async for piece in short.chat(HELLO)]
    assert long.tokens_in_memory == 0
    await catalog.close()


async def test_a_missing_file_is_named_by_whoever_uses_it(tmp_path: Path) -> None:
    planners = {"gone": {"kind": "llama", "path": str(tmp_path / "none.gguf")}}
    catalog = build_planners(configured(tmp_path, planners=planners))
    chat, planner = await catalog.chat("gone"), await catalog.get("gone")
    with pytest.raises(ModelUnavailable, match=r"none\.gguf does not exist"):
        _ = [piece async for piece in chat.chat(HELLO)]
    with pytest.raises(ModelUnavailable, match=r"none\.gguf does not exist"):
        _ = [piece async for piece in planner.plan(make_request())]
    await catalog.close()
