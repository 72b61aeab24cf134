"""A chat model that says what a test tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any

from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.ports import ChatEnd, ChatRequest, Planner, Usage

SPENT = Usage(prompt_tokens=20, plan_tokens=4, cached_tokens=15, prompt_ms=10.0, plan_ms=8.0)

Piece = str | ChatEnd | Exception | Awaitable[Any]


class ScriptedChat:
    """Plays its script for every request: text is streamed, awaitables are awaited, exceptions raised."""

    def __init__(self, *script: Piece, name: str = "talker") -> None:
        self.name = name
        self.requests: list[ChatRequest] = []
        self.stopped = False
        """Whether an answer was closed before its end."""
        self._script = script or ("Hello ", "there.")

    async def chat(self, request: ChatRequest) -> AsyncIterator[str | ChatEnd]:
        self.requests.append(request)
        ended = False
        try:
            for piece in self._script:
                if isinstance(piece, Exception):
                    raise piece
                if isinstance(piece, (str, ChatEnd)):
                    yield piece
                else:
                    await piece
            if not isinstance(self._script[-1], ChatEnd):
                yield ChatEnd("stop", SPENT)
            ended = True
        finally:
            self.stopped = self.stopped or not ended

    async def close(self) -> None:
        """Nothing is held."""


def add_chat(
    catalog: PlannerCatalog, chat: ScriptedChat, planner: Planner, problem: str = ""
) -> ScriptedChat:
    """Put a planner that also chats into a catalog."""
    entry = PlannerEntry(chat.name, "talks", lambda: planner, lambda: problem, load_chat=lambda: chat)
    catalog._entries[chat.name] = entry  # type: ignore[attr-defined]
    return chat
