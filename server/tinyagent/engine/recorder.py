"""Makes the events of one run, stores them and keeps the run's state folded."""

from __future__ import annotations

import asyncio

from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState, fold
from tinyagent.engine.feed import Feed
from tinyagent.ports import Clock


class Recorder:
    """All writing of one run goes through here."""

    def __init__(self, feed: Feed, clock: Clock, state: RunState) -> None:
        self._feed = feed
        self._clock = clock
        self._turn = asyncio.Lock()
        self.state = state

    async def record(self, *happenings: ev.Data) -> None:
        """Store what happened; durable, and visible to followers, when this returns.

        A cancelled caller does not undo it: journal and state stay the same. What comes after the
        end of the run is dropped.
        """
        await asyncio.shield(self._record(happenings))

    async def settled(self) -> RunState:
        """The state once everything that was handed in before is stored."""
        async with self._turn:
            return self.state

    async def _record(self, happenings: tuple[ev.Data, ...]) -> None:
        async with self._turn:
            if self.state.status != "running":
                return
            time = self._clock.now()
            events = [ev.event_of(self.state.run, time, data) for data in happenings]
            state = fold(await self._feed.append(*events), self.state)
            assert state is not None
            self.state = state
