"""A complete journal that forgets when the process ends."""

from __future__ import annotations

from collections.abc import Sequence

from tinyagent.domain.events import TERMINAL, Event
from tinyagent.ports import AuditEntry


class MemoryJournal:
    """Implements the Journal port with lists."""

    def __init__(self) -> None:
        self._events: dict[str, list[Event]] = {}
        self._keys: dict[str, str] = {}

    async def append(self, events: Sequence[Event]) -> list[Event]:
        stored: list[Event] = []
        for event in events:
            log = self._events.setdefault(event.run, [])
            log.append(event.model_copy(update={"seq": len(log) + 1}))
            stored.append(log[-1])
        return stored

    async def read(self, run: str, after: int = 0) -> list[Event]:
        return self._events.get(run, [])[after:]

    async def runs(self, limit: int, before: str | None = None) -> list[str]:
        ids = sorted(self._events, reverse=True)
        return [run for run in ids if before is None or run < before][:limit]

    async def unfinished(self) -> list[str]:
        return [run for run, log in self._events.items() if not _has_ended(log)]

    async def delete(self, run: str) -> bool:
        self._keys = {key: bound for key, bound in self._keys.items() if bound != run}
        return self._events.pop(run, None) is not None

    async def remember_key(self, key: str, run: str) -> str:
        return self._keys.setdefault(key, run)

    async def close(self) -> None:
        pass


def _has_ended(log: Sequence[Event]) -> bool:
    return any(isinstance(event, TERMINAL) for event in log)


class MemoryAuditLog:
    """Implements the AuditLog port with a list."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def append(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    async def close(self) -> None:
        pass
