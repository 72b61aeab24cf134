"""Texts by a chat model, checked before anybody reads them.

A text that is longer than the model can read is summarized part by part, and then the summaries.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from tinyagent.errors import ModelUnavailable, Overloaded, TinyAgentError
from tinyagent.ports import ChatEnd, ChatModel, ChatRequest, WritingRole, WritingTask, Written
from tinyagent.writers.checks import cleaned, objection
from tinyagent.writers.model import NotWritten
from tinyagent.writers.parts import split_parts
from tinyagent.writers.prompts import chat

ROOM = 12_000
"""Characters that any usual model reads at once."""
MOST_PARTS = 8
PARTS_AT_ONCE = 2

_TOKENS: dict[WritingRole, tuple[int, int]] = {
    "email": (2, 300),
    "note": (2, 200),
    "summary": (0, 400),
    "answer": (3, 300),
}
"""Tokens that a text may have: one for so many characters of the material (0: none), and so many more."""

_MOST_TOKENS = 4_096


class ChatWriter:
    """Writes with a model; see `choosing.ModelWriter`.

    `room` is how many characters of material one chat holds beside its rules and the answer. `timeout_s`
    bounds each answer of the model, and `total_s` a whole text. `shorten` brings a text that is longer
    than all parts together down to so many characters.
    """

    def __init__(
        self,
        model: ChatModel,
        shorten: Callable[[str, int], str],
        *,
        room: int = ROOM,
        timeout_s: float = 30.0,
        total_s: float = 45.0,
    ) -> None:
        self._model, self._shorten, self._room = model, shorten, room
        self._timeout_s, self._total_s = timeout_s, total_s

    async def write(self, task: WritingTask) -> Written:
        """The text. Raises NotWritten when the model fails, or what it wrote cannot stand."""
        try:
            async with asyncio.timeout(self._total_s):
                text = await self._write(task)
        except TimeoutError:
            raise NotWritten("it did not answer in time") from None
        except ModelUnavailable:
            raise NotWritten("its file cannot be used") from None
        except Overloaded:
            raise NotWritten("too many texts wait for it") from None
        except TinyAgentError as error:
            reason = error.message[:1].lower() + error.message[1:].rstrip(".")
            raise NotWritten(reason, f"it failed ({error.code})") from None
        return Written(text, by=self._model.name)

    async def close(self) -> None:
        await self._model.close()

    async def _write(self, task: WritingTask) -> str:
        if len(task.material) <= self._room:
            return await self._answer(task)
        if task.role != "summary":
            raise NotWritten("the text is too long for it")
        parts = await asyncio.to_thread(self._parts, task.material)
        summaries = await self._summaries([replace(task, material=part) for part in parts])
        return await self._answer(replace(task, material="\n\n".join(summaries)))

    def _parts(self, text: str) -> list[str]:
        room = self._room
        fitting = self._shorten(text, room * MOST_PARTS // 2)  # no part is under half a room
        return split_parts(fitting, room)

    async def _summaries(self, tasks: list[WritingTask]) -> list[str]:
        """A summary of each part, in order, all together no longer than the model can read."""
        free = asyncio.Semaphore(PARTS_AT_ONCE)
        longest = self._room // len(tasks) - 2

        async def summary(task: WritingTask) -> str:
            async with free:
                return (await self._answer(task))[:longest]

        try:
            async with asyncio.TaskGroup() as group:
                running = [group.create_task(summary(task)) for task in tasks]
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from None
        return [task.result() for task in running]

    async def _answer(self, task: WritingTask) -> str:
        mark = f"=={secrets.token_hex(8)}=="
        characters, more = _TOKENS[task.role]
        tokens = min(more + (len(task.material) // characters if characters else 0), _MOST_TOKENS)
        async with asyncio.timeout(self._timeout_s):
            answer = await self._said(ChatRequest(chat(task, mark), tokens, temperature=0))
        text = cleaned(task.role, answer)
        if fault := objection(task, text, mark):
            raise NotWritten(fault)
        return text

    async def _said(self, request: ChatRequest) -> str:
        """The whole answer."""
        text = ""
        async with aclosing(cast("AsyncGenerator[str | ChatEnd]", self._model.chat(request))) as pieces:
            async for piece in pieces:
                if isinstance(piece, str):
                    text += piece
                elif piece.finish_reason == "length":
                    raise NotWritten("it did not come to an end")
        return text
