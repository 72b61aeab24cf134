"""The planners of a server, loaded when first used."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyagent.errors import ModelNotFound
from tinyagent.ports import Planner


@dataclass(frozen=True)
class PlannerEntry:
    """A planner that can be loaded. `problem()` says why it cannot, or an empty string."""

    name: str
    description: str
    load: Callable[[], Planner]
    problem: Callable[[], str]
    size_bytes: int | None = None
    """Of its files on this computer, where it has any."""


@dataclass(frozen=True)
class PlannerInfo:
    """A planner as listings show it."""

    name: str
    description: str
    default: bool
    available: bool
    reason: str
    size_bytes: int | None = None


class PlannerCatalog:
    """Planners by name; each is loaded once, in a thread."""

    def __init__(self, entries: Sequence[PlannerEntry], default: str) -> None:
        self._entries = {entry.name: entry for entry in entries}
        self._default = default
        self._loaded: dict[str, Planner] = {}
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
            )
            for entry in self._entries.values()
            for problem in (entry.problem(),)
        ]

    async def close(self) -> None:
        """Release all loaded planners."""
        for planner in self._loaded.values():
            await planner.close()
        self._loaded.clear()
