"""What the writers need of a language model, wherever it runs."""

from __future__ import annotations

from typing import Protocol

Messages = list[dict[str, str]]
"""A chat: each message has a `role` (system, user, assistant) and a `content`."""


class ChatModel(Protocol):
    """A model that continues a chat."""

    @property
    def name(self) -> str:
        """How people know it."""
        ...

    @property
    def room(self) -> int:
        """Characters of material that one chat holds beside its rules and the answer."""
        ...

    async def complete(self, messages: Messages, max_tokens: int) -> str:
        """The answer. Raises NotWritten or a TinyAgentError; stops soon after cancellation."""
        ...

    async def close(self) -> None: ...


class NotWritten(Exception):
    """The model wrote nothing that can be used; `reason` continues “Written without the model: …”."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
