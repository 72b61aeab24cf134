"""The planners of a server, and the models that only chat, loaded when first used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tinyagent.engine.faults import keep_out_of_log
from tinyagent.errors import InvalidRequest, ModelNotFound
from tinyagent.ports import ChatModel, Planner

Model = TypeVar("Model", Planner, ChatModel)


@dataclass(frozen=True)
class PlannerEntry:
    """A model that can be loaded. `problem()` says why it cannot, or an empty string.

    `load` makes its planner; it is None for a model that only chats.
    """

    name: str
    description: str
    load: Callable[[], Planner] | None
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
    plans: bool = True
    """Whether it plans: a model that only chats carries no agent and no function calling."""


class _Loaded(Generic[Model]):
    """Models by name. What is being read is read to its end, even when nobody waits for it any more: a
    thread cannot be stopped, and a second reading beside it would take the memory twice."""

    def __init__(self, one_at_a_time: asyncio.Lock) -> None:
        self._one_at_a_time = one_at_a_time
        self._tasks: dict[str, asyncio.Task[Model]] = {}

    async def get(self, name: str, load: Callable[[], Model]) -> Model:
        """The model, read now unless it was before. Raises what `load` does."""
        task = self._tasks.get(name)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._tasks[name] = asyncio.create_task(self._load(load), name=f"load {name}")
            keep_out_of_log(task)
        return await asyncio.shield(task)

    async def _load(self, load: Callable[[], Model]) -> Model:
        async with self._one_at_a_time:
            return await asyncio.to_thread(load)

    async def close(self) -> None:
        """Release all, those too that are still being read."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for model in await asyncio.gather(*tasks, return_exceptions=True):
            if not isinstance(model, BaseException):
                await model.close()


class PlannerCatalog:
    """Models by name; each is loaded once, in a thread."""

    def __init__(self, entries: Sequence[PlannerEntry], default: str) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._default = default
        one_at_a_time = asyncio.Lock()
        self._loaded = _Loaded[Planner](one_at_a_time)
        self._chats = _Loaded[ChatModel](one_at_a_time)

    def resolve(self, name: str | None) -> str:
        """The name of a known planner, the default one for None.

        Raises ModelNotFound, or InvalidRequest for a model that does not plan.
        """
        wanted = name or self._default
        self._loader(wanted)
        return wanted

    async def get(self, name: str) -> Planner:
        """The loaded planner. Raises ModelNotFound, ModelUnavailable, or InvalidRequest for a model that does
        not plan."""
        return await self._loaded.get(name, self._loader(name))

    def _loader(self, name: str) -> Callable[[], Planner]:
        load = self._entry(name).load
        if load is None:
            raise InvalidRequest(
                f"The model {name} does not plan.",
                hint=f"Planners: {', '.join(self._planners())}.",
                param="planner",
            )
        return load

    def _entry(self, name: str) -> PlannerEntry:
        if name not in self._entries:
            raise ModelNotFound(
                f"There is no planner {name!r}.",
                hint=f"Known planners: {', '.join(self._planners())}.",
                param="planner",
            )
        return self._entries[name]

    def _planners(self) -> list[str]:
        return [entry.name for entry in self._entries.values() if entry.load is not None]

    async def chat(self, name: str) -> ChatModel:
        """The chat model of a planner. Raises ModelNotFound, ModelUnavailable, or InvalidRequest for one
        that only plans."""
        load = self._entry(name).load_chat
        if load is None:
            able = [entry.name for entry in self._entries.values() if entry.load_chat is not None]
            raise InvalidRequest(
                f"The model {name} only plans: it writes no prose and no JSON of other forms.",
                hint=f"Models that do: {', '.join(able) or 'none is configured'}.",
                param="model",
            )
        return await self._chats.get(name, load)

    def infos(self) -> list[PlannerInfo]:
        """All models; checking for problems looks at files only."""
        return [
            PlannerInfo(
                entry.name,
                entry.description,
                entry.name == self._default,
                not problem,
                problem,
                entry.size_bytes,
                entry.load_chat is not None,
                entry.load is not None,
            )
            for entry in self._entries.values()
            for problem in (entry.problem(),)
        ]

    async def close(self) -> None:
        """Release all loaded models."""
        await self._loaded.close()
        await self._chats.close()
