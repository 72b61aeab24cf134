"""A run while it is followed: its state as it changes, and news of it for a client."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from types import TracebackType
from typing import Self

from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState, fold
from tinyagent.errors import JournalError

Tell = Callable[[int, str], Awaitable[None]]


class Watch:
    """Reads a run's events; those above `after` are told. Use as an async context manager."""

    def __init__(self, events: AsyncGenerator[ev.Event], after: int, tell: Tell) -> None:
        self._events = events
        self._after = after
        self._tell = tell
        self.state: RunState | None = None
        self._changed = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._reading.cancel()
        await asyncio.wait({self._reading})

    @property
    def reached(self) -> RunState:
        """The state, once there is one."""
        assert self.state is not None
        return self.state

    async def until(self, condition: Callable[[RunState], bool]) -> None:
        """Wait for a state. Raises what ended the run's record before it came."""
        while self.state is None or not condition(self.state):
            if self._reading.done():
                self._reading.result()
                raise JournalError("The record of the run ends before its end.", hint="The log says why.")
            waiting = asyncio.create_task(self._changed.wait())
            try:
                await asyncio.wait({waiting, self._reading}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                waiting.cancel()

    def _wake(self) -> None:
        """Wake everyone who waits now; who waits later sees the new state first."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def _read(self) -> None:
        async with contextlib.aclosing(self._events) as events:
            async for event in events:
                self.state = fold([event], self.state)
                self._wake()
                text = news(event)
                if text and event.seq > self._after:
                    await self._tell(event.seq, text)


def news(event: ev.Event) -> str:
    """What an event of a task tells people; nothing for other events."""
    match event:
        case ev.TaskPlanned(data=data):
            return f"{data.task}. {data.tool} is planned."
        case ev.TaskStarted(data=data):
            return f"{data.task}. Started."
        case ev.TaskProgress(data=data):
            return f"{data.task}. {data.message}"
        case ev.TaskSucceeded(data=data):
            return f"{data.task}. {data.message or 'Done.'}"
        case ev.TaskFailed(data=data):
            return f"{data.task}. {data.fault.message}"
        case ev.TaskSkipped(data=data):
            return f"{data.task}. {data.reason}"
        case ev.ApprovalRequested(data=data):
            return f"{data.task}. {data.tool} waits for your approval."
        case ev.ApprovalDecided(data=data):
            return f"{data.task}. {'Approved.' if data.approved else 'Not approved.'}"
        case _:
            return ""
