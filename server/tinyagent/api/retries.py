"""Repeated requests find the run that the first one started.

OpenAI clients repeat a request after a broken connection or a 5xx without an idempotency key. An
agent that sends mail must not do its work twice for that.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from tinyagent.api.watchers import Watchers
from tinyagent.domain.run import RunState
from tinyagent.engine.runs import RunRequest, RunService
from tinyagent.errors import Conflict, InvalidRequest

KEEP_S = 900.0
"""Longer than the ten minutes after which OpenAI clients give a request up."""
MAX_KEPT = 1_000
EARLIER_RUNS = 50
MAX_KEY_CHARACTERS = 255


@dataclass(frozen=True)
class _Start:
    task: asyncio.Task[RunState]
    at: float


def fingerprint(*parts: bytes) -> str:
    """A digest of the parts and of where each one ends."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


class Retries:
    """Starts runs, or finds those that an earlier attempt started."""

    def __init__(
        self, runs: RunService, watchers: Watchers, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._runs = runs
        self._watchers = watchers
        self._clock = clock
        self._began = datetime.now(UTC)
        self._starts: dict[str, _Start] = {}

    async def start_with_key(self, request: RunRequest, caller: str, route: str, key: str) -> RunState:
        """The run of this `Idempotency-Key`. Raises Conflict when it stands for another request."""
        if not key or len(key) > MAX_KEY_CHARACTERS:
            raise InvalidRequest(f"The Idempotency-Key must have 1 to {MAX_KEY_CHARACTERS} characters.")
        scoped = fingerprint(caller.encode(), route.encode(), key.encode())
        own = fingerprint(repr(request).encode("utf-8", "surrogatepass"))
        state = await self._runs.start(replace(request, idempotency_key=scoped, fingerprint=own))
        if state.fingerprint != own:
            raise Conflict(
                "This Idempotency-Key was used for another request.", hint="Use a new key for a new request."
            )
        return state

    async def start(self, request: RunRequest, print_: str, repeated: bool) -> RunState:
        """A new run, or for a repeated request the one of the earlier attempt with this fingerprint.

        A client that does not say that it repeats itself is taken to do so when the earlier attempt's
        connection broke before it had its answer.
        """
        earlier = await self._earlier(print_, repeated)
        if earlier is not None:
            return earlier
        self._forget_old()
        search = repeated and print_ not in self._starts
        task = asyncio.create_task(self._begin(replace(request, fingerprint=print_), search))
        self._starts[print_] = _Start(task, self._clock())
        return await asyncio.shield(task)

    async def _earlier(self, print_: str, repeated: bool) -> RunState | None:
        start = self._starts.get(print_)
        if start is None or _failed(start.task):
            return None
        if repeated:
            return await self._runs.get((await asyncio.shield(start.task)).run)
        if not start.task.done() or not self._watchers.unserved(start.task.result().run):
            return None
        state = await self._runs.get(start.task.result().run)
        return None if state.status == "cancelled" else state

    async def _begin(self, request: RunRequest, search: bool) -> RunState:
        """Start a run, unless an earlier life of the server started it already."""
        known = await self._of_an_earlier_life(request.fingerprint) if search else None
        return known or await self._runs.start(request)

    async def _of_an_earlier_life(self, print_: str) -> RunState | None:
        """The run of this request that was started before this server was, not too long ago."""
        oldest = self._began - timedelta(seconds=KEEP_S)
        for state in await self._runs.runs(EARLIER_RUNS):
            if state.fingerprint == print_ and oldest < state.created < self._began:
                return state
        return None

    def _forget_old(self) -> None:
        oldest = self._clock() - KEEP_S
        fresh = [(name, start) for name, start in self._starts.items() if start.at > oldest]
        self._starts = dict(fresh[-MAX_KEPT:])


def _failed(task: asyncio.Task[RunState]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
