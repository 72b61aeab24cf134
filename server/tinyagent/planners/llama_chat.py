"""A chat with a GGUF file by llama.cpp, in this process, in prose or in JSON under a grammar."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, closing
from functools import partial
from pathlib import Path

from tinyagent.errors import InvalidRequest, ModelUnavailable, PlannerFailed
from tinyagent.planners.chat_template import chat_tokens
from tinyagent.planners.json_grammar import json_grammar
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.llama_sampler import Draw, GrammarSampler, Scores
from tinyagent.planners.llama_text import LlamaText
from tinyagent.planners.llama_worker import LlamaWorker, Stopped, worker_of
from tinyagent.planners.profiles import PROFILES, InstructedProfile, ProfileName, choose_profile
from tinyagent.planners.prompts import Message
from tinyagent.planners.stop_texts import StopTexts
from tinyagent.ports import ChatEnd, ChatRequest

_ANSWER_SHARE = 3
"""The part of the context, one in so many, that is kept for rules and answer."""

_CHARACTERS_PER_TOKEN = 2
"""Fewer than most texts have, so that a full room still fits."""


class LlamaChat:
    """Continues chats with an instruction-tuned GGUF file; see `ports.ChatModel`."""

    def __init__(
        self,
        model: Path | LlamaWorker,
        *,
        name: str = "",
        profile: ProfileName | None = None,
        context: int = 4096,
        threads: int | None = None,
        max_waiting: int = 16,
    ) -> None:
        """`model` is a file, or the worker of one that others use too, which then decides about context,
        threads and waiting; see `LlamaWorker`. `name` is the file's when empty, `profile` None goes by the
        file's metadata."""
        self._worker = worker_of(model, context, threads, max_waiting)
        self._name = name or self._worker.path.stem
        self._profile: ProfileName | None = profile

    @property
    def name(self) -> str:
        """How people know the model."""
        return self._name

    @property
    def room(self) -> int:
        """Characters of material that one chat holds beside its rules and the answer."""
        context = self._worker.context
        return (context - context // _ANSWER_SHARE) * _CHARACTERS_PER_TOKEN

    @property
    def tokens_in_memory(self) -> int:
        """Tokens of chat and answer that the model has read and keeps."""
        return self._worker.tokens_in_memory

    async def chat(self, request: ChatRequest) -> AsyncGenerator[str | ChatEnd]:
        """Stream the answer; see `ports.ChatModel`."""
        await asyncio.to_thread(self._check_profile)
        grammar = None if request.schema is None else await asyncio.to_thread(json_grammar, request.schema)
        async with aclosing(self._worker.stream(partial(self._answer, request, grammar))) as pieces:
            async for piece in pieces:
                yield piece

    def _check_profile(self) -> None:
        profile = self._profile or choose_profile(self._worker.header).name
        if profile != CHAT:
            raise ModelUnavailable(
                f"The model {self._worker.path} was made to write plans and nothing else.",
                hint="Choose an instruction-tuned model for texts.",
            )

    def _answer(
        self, request: ChatRequest, grammar: str | None, model: LlamaModel, stopped: Stopped
    ) -> Iterator[str | ChatEnd]:
        """The answer's pieces and its end; nothing more once stopped. Runs in the worker's thread."""
        chat = [Message(turn.role, turn.content) for turn in request.messages]
        prompt = chat_tokens(chat, model.chat_template() or _usual_template(), model)
        text, stops = LlamaText(model, prompt, stopped), StopTexts(request.stop)
        if text.room < 1:
            raise InvalidRequest(
                f"The model {self._name} reads at most {model.context} tokens, the messages have "
                f"{len(prompt)}.",
                hint="Send less, or choose a model with a longer context.",
                param="messages",
            )
        if request.seed is not None and request.temperature > 0:
            model.forget()
        limit = text.room if request.max_tokens is None else min(request.max_tokens, text.room)
        with closing(_Chooser(request, grammar, model)) as chooser:
            for piece in text.write(chooser, limit):
                if shown := stops.feed(piece):
                    yield shown
                if stops.found:
                    break
        if stopped():
            return
        if held := stops.close():
            yield held
        yield ChatEnd("stop" if text.ended or stops.found else "length", text.usage())

    async def close(self) -> None:
        """Free model and thread; chats under way fail at their next token."""
        await self._worker.close()


CHAT: ProfileName = "chat"
"""The profile of the models that continue chats."""


class _Chooser:
    """Chooses tokens as a request wants them."""

    def __init__(self, request: ChatRequest, grammar: str | None, model: LlamaModel) -> None:
        self._draw = Draw(request.temperature, request.top_p, request.seed)
        self._sampler = None if grammar is None else _sampler(model, grammar)

    def __call__(self, logits: Scores) -> int:
        scores = self._draw.scores(logits)
        return int(scores.argmax()) if self._sampler is None else self._sampler.choose(scores)

    def close(self) -> None:
        if self._sampler is not None:
            self._sampler.close()


def _sampler(model: LlamaModel, grammar: str) -> GrammarSampler:
    try:
        return GrammarSampler(model, grammar)
    except PlannerFailed:
        raise InvalidRequest(
            "`schema` refers to itself without an end, so that no answer fits it.",
            hint="Give the parts that refer to themselves a property or an item in between.",
            param="schema",
        ) from None


def _usual_template() -> str:
    """How a model whose file has no chat template is asked: as for plans."""
    profile = PROFILES[CHAT]
    assert isinstance(profile, InstructedProfile)
    return profile.template
