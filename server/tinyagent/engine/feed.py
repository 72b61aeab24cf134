"""Append, then wake: whoever follows a run reads the journal until it has caught up.

Replay and live are one path, so there is no window in which an event is lost or seen twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from weakref import WeakValueDictionary

from tinyagent.domain.events import TERMINAL, Event, TaskUndone
from tinyagent.errors import TinyAgentError
from tinyagent.ports import Journal

Observer = Callable[[Event], None]
"""Is shown what happens in all runs, for figures and traces."""


class Feed:
    """Writes events to the journal and tells followers that there is something new."""

    def __init__(self, journal: Journal, observers: Sequence[Observer] = ()) -> None:
        """`observers` are shown every event once it is stored; they must not block."""
        self._journal = journal
        self._observers = tuple(observers)
        self._open: set[str] = set()
        self._signals: WeakValueDictionary[str, asyncio.Event] = WeakValueDictionary()
        """One for each run that somebody follows; it goes with the last follower."""
        self._broken: dict[str, TinyAgentError] = {}

    async def append(self, *events: Event) -> list[Event]:
        """Store events of one run; they are durable when this returns. Raises JournalError."""
        run = events[0].run
        stored = await self._journal.append(events)
        for event in stored:
            for observe in self._observers:
                observe(event)
        if isinstance(stored[-1], TERMINAL):
            self._open.discard(run)
        elif not isinstance(stored[-1], TaskUndone):
            self._open.add(run)
        self._wake(run)
        return stored

    def give_up(self, run: str, error: TinyAgentError) -> None:
        """No more events will come of this run, not even its end: tell the followers why."""
        self._broken[run] = error
        self._open.discard(run)
        self._wake(run)

    def forget(self, run: str) -> None:
        """The run was deleted."""
        self._broken.pop(run, None)

    async def follow(self, run: str, after: int = 0) -> AsyncIterator[Event]:
        """All events above `after`, as they come; ends when no more can come.

        Raises the error that stopped the run when its end could not be stored.
        """
        while True:
            signal = self._signals.setdefault(run, asyncio.Event())
            more = run in self._open
            events = await self._journal.read(run, after)
            for event in events:
                yield event
                after = event.seq
                if isinstance(event, TERMINAL):
                    return
            if events:
                continue
            if run in self._broken:
                raise self._broken[run]
            if not more:
                return
            await signal.wait()

    def _wake(self, run: str) -> None:
        """Wake everyone who waits now; who comes later reads first."""
        signal = self._signals.pop(run, None)
        if signal is not None:
            signal.set()
