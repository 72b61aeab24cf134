"""A journal that holds or fails on the events that a test names."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from tinyagent.domain.events import Event
from tinyagent.journal.memory import MemoryJournal


class FaultyJournal(MemoryJournal):
    """`fail(event)` gives the error to raise for an event, `held` is the type of event that waits."""

    def __init__(self, fail: Callable[[Event], Exception | None] = lambda _: None, held: str = "") -> None:
        super().__init__()
        self._fail = fail
        self._held = held
        self.reached = asyncio.Event()
        self.release = asyncio.Event()

    async def append(self, events: Sequence[Event]) -> list[Event]:
        for event in events:
            if (error := self._fail(event)) is not None:
                raise error
        if any(event.type == self._held for event in events):
            self.reached.set()
            await self.release.wait()
        return await super().append(events)


def failing_on(kind: str, error: Exception, times: int = 1_000_000) -> Callable[[Event], Exception | None]:
    """Fail the first so many events of a type; `*` stands for all types but `run.created`."""
    left = [times]

    def fail(event: Event) -> Exception | None:
        matches = event.type != "run.created" if kind == "*" else event.type == kind
        if not matches or not left[0]:
            return None
        left[0] -= 1
        return error

    return fail
