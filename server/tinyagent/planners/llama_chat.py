"""A chat with a GGUF file by llama.cpp, in this process, for whoever needs prose of a model.

One thread owns the model; chats wait for their turn. Cancelling stops the work at the next token or,
while the chat is read, after at most 128 tokens.
"""

from __future__ import annotations

import asyncio
import codecs
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, cast

from tinyagent.errors import ModelUnavailable, Overloaded, PlannerFailed
from tinyagent.planners.chat_template import chat_tokens
from tinyagent.planners.gguf_header import read_header
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.profiles import PROFILES, InstructedProfile, choose_profile
from tinyagent.planners.prompts import Message

_ANSWER_SHARE = 3
"""The part of the context, one in so many, that is kept for rules and answer."""

_CHARACTERS_PER_TOKEN = 2
"""Fewer than most texts have, so that a full room still fits."""


class LlamaChat:
    """Continues chats with a GGUF file, always by the likeliest token. The first chat loads the file."""

    def __init__(
        self,
        path: Path,
        *,
        name: str = "",
        context: int = 4096,
        threads: int | None = None,
        max_waiting: int = 16,
    ) -> None:
        """`name` is the file's when empty; `threads` None goes by the file's size."""
        self._name = name or path.stem
        self._path, self._context, self._threads = path, context, threads
        self._max_waiting = max_waiting
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")
        self._model: LlamaModel | None = None
        self._waiting = 0
        self._closing = threading.Event()

    @property
    def name(self) -> str:
        """How people know the model."""
        return self._name

    @property
    def room(self) -> int:
        """Characters of material that one chat holds beside its rules and the answer."""
        return (self._context - self._context // _ANSWER_SHARE) * _CHARACTERS_PER_TOKEN

    @property
    def tokens_in_memory(self) -> int:
        """Tokens of chat and answer that the model has read and keeps."""
        return self._model.tokens_in_memory if self._model else 0

    async def complete(self, messages: Sequence[Mapping[str, str]], max_tokens: int) -> str:
        """The answer; each message has a `role` and a `content`.

        Raises ModelUnavailable, Overloaded when too many chats wait, and PlannerFailed when the chat
        is too long or the answer does not come to an end.
        """
        if self._waiting > self._max_waiting:
            raise Overloaded("Too many texts wait for the model.", hint="Try again in a moment.")
        if self._closing.is_set():
            raise self._closed()
        cancelled = threading.Event()

        def stopped() -> bool:
            return cancelled.is_set() or self._closing.is_set()

        chat = [_message(message) for message in messages]
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._worker, self._answer, chat, max_tokens, stopped)
        finally:
            cancelled.set()
            self._waiting -= 1

    def _answer(self, chat: list[Message], max_tokens: int, stopped: Callable[[], bool]) -> str:
        """Runs in the worker's thread."""
        if stopped():
            raise self._closed()
        model = self._loaded()
        prompt = chat_tokens(chat, model.chat_template() or _usual_template(), model)
        limit = min(max_tokens, model.context - len(prompt) - 1)
        if limit < 1:
            raise PlannerFailed(
                f"The model {self._name} reads at most {model.context} tokens, the text has {len(prompt)}.",
                hint="Choose a model with a longer context.",
            )
        if model.read(prompt, stopped) is None:
            raise self._closed()
        return self._write(model, limit, stopped)

    def _write(self, model: LlamaModel, limit: int, stopped: Callable[[], bool]) -> str:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        text = ""
        for _ in range(limit):
            if stopped():
                raise self._closed()
            token = int(model.logits().argmax())
            if model.is_end(token):
                return text + decoder.decode(b"", final=True)
            text += decoder.decode(model.piece(token))
            model.extend([token])
        raise PlannerFailed(
            f"The model {self._name} wrote {limit} tokens without coming to an end.",
            hint="Choose another model for texts.",
        )

    def _loaded(self) -> LlamaModel:
        if self._model is None:
            if choose_profile(read_header(self._path)).translate is not None:
                raise ModelUnavailable(
                    f"The model {self._path} was made to write plans and nothing else.",
                    hint="Choose an instruction-tuned model for texts.",
                )
            self._model = LlamaModel(self._path, context=self._context, threads=self._threads)
        return self._model

    def _closed(self) -> PlannerFailed:
        return PlannerFailed(f"The model {self._name} was stopped.", hint="Start the server again.")

    async def close(self) -> None:
        """Free model and thread; chats under way fail at their next token."""
        self._closing.set()
        await asyncio.get_running_loop().run_in_executor(None, self._shut)

    def _shut(self) -> None:
        self._worker.shutdown(wait=True)
        if self._model is not None:
            self._model.close()
            self._model = None


def _message(message: Mapping[str, str]) -> Message:
    return Message(cast("Literal['system', 'user', 'assistant']", message["role"]), message["content"])


def _usual_template() -> str:
    """How a model whose file has no chat template is asked: as for plans."""
    profile = PROFILES["chat"]
    assert isinstance(profile, InstructedProfile)
    return profile.template
