"""The planners of a server, loaded when first used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyagent.errors import InvalidRequest, ModelNotFound
from tinyagent.ports import ChatModel, Planner


@dataclass(frozen=True)
class PlannerEntry:
    """A planner that can be loaded. `problem()` says why it cannot, or an empty string."""

    name: str
    description: str
    load: Callable[[], Planner]
    problem: Callable[[], str]
    size_bytes: int | None = None
    """Of its files on this computer, where it has any."""
    load_chat: Callable[[], ChatModel] | None = None
    """Makes the chat model of the same file or address; None where the model can only plan."""


@dataclass(frozen=True)
class PlannerInfo:
    """A planner as listings show it."""

    name: str
    description: str
    default: bool
    available: bool
    reason: str
    size_bytes: int | None = None
    chats: bool = False
    """Whether it also continues chats, so that it reads any tool's schema and answers in prose."""


class PlannerCatalog:
    """Planners by name; each is loaded once, in a thread."""

    def __init__(self, entries: Sequence[PlannerEntry], default: str) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._default = default
        self._loaded: dict[str, Planner] = {}
        self._chats: dict[str, ChatModel] = {}
        self._loading = asyncio.Lock()

    def resolve(self, name: str | None) -> str:
        """The name of a known planner, the default one for None. Raises ModelNotFound."""
        wanted = name or self._default
        if wanted not in self._entries:
            known = ", ".join(self._entries)
            raise ModelNotFound(
                f"There is no planner {wanted!r}.", hint=f"Known planners: {known}.", param="planner"
            )
        return wanted

    async def get(self, name: str) -> Planner:
        """The loaded planner. Raises ModelUnavailable."""
        async with self._loading:
            if name not in self._loaded:
                self._loaded[name] = await asyncio.to_thread(self._entries[name].load)
            return self._loaded[name]

    async def chat(self, name: str) -> ChatModel:
        """The chat model of a planner. Raises ModelNotFound, ModelUnavailable, or InvalidRequest for one
        that only plans."""
        load = self._entries[self.resolve(name)].load_chat
        if load is None:
            able = [entry.name for entry in self._entries.values() if entry.load_chat is not None]
            raise InvalidRequest(
                f"The model {name} only plans: it writes no prose and no JSON of other forms.",
                hint=f"Models that do: {', '.join(able) or 'none is configured'}.",
                param="model",
            )
        async with self._loading:
            if name not in self._chats:
                self._chats[name] = await asyncio.to_thread(load)
            return self._chats[name]

    def infos(self) -> list[PlannerInfo]:
        """All planners; checking for problems looks at files only."""
        return [
            PlannerInfo(
                entry.name,
                entry.description,
                entry.name == self._default,
                not problem,
                problem,
                entry.size_bytes,
                entry.load_chat is not None,
            )
            for entry in self._entries.values()
            for problem in (entry.problem(),)
        ]

    async def close(self) -> None:
        """Release all loaded planners."""
        for model in (*self._loaded.values(), *self._chats.values()):
            await model.close()
        self._loaded.clear()
        self._chats.clear()
