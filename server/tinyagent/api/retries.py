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
from datetime import UTC, datetime

from tinyagent.domain.run import RunState
from tinyagent.engine.runs import RunRequest, RunService
from tinyagent.errors import Conflict, Interrupted, InvalidRequest

KEEP_S = 900.0
"""Longer than the ten minutes after which OpenAI clients give a request up."""
MAX_KEPT = 1_000
INTERRUPTED_RUNS = 20
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

    def __init__(self, runs: RunService, clock: Callable[[], float] = time.monotonic) -> None:
        self._runs = runs
        self._clock = clock
        self._began = datetime.now(UTC)
        self._starts: dict[str, _Start] = {}

    async def start_with_key(self, request: RunRequest, caller: str, route: str, key: str) -> RunState:
        """The run of this `Idempotency-Key`. Raises Conflict when it stands for another request."""
        if not key or len(key) > MAX_KEY_CHARACTERS:
            raise InvalidRequest(f"The Idempotency-Key must have 1 to {MAX_KEY_CHARACTERS} characters.")
        scoped = fingerprint(caller.encode(), route.encode(), key.encode())
        state = await self._runs.start(replace(request, idempotency_key=scoped))
        asked = (request.query.strip(), request.mode, request.approval, request.follows)
        if (state.query, state.mode, state.approval, state.follows) != asked:
            raise Conflict(
                "This Idempotency-Key was used for another request.", hint="Use a new key for a new request."
            )
        return state

    async def start(self, request: RunRequest, print_: str, repeated: bool) -> RunState:
        """A new run, or for a repeated request the one of the earlier attempt with this fingerprint."""
        earlier = self._starts.get(print_) if repeated else None
        if earlier is not None and not _failed(earlier.task):
            return await self._runs.get((await asyncio.shield(earlier.task)).run)
        self._forget_old()
        task = asyncio.create_task(self._begin(request, search=repeated and earlier is None))
        self._starts[print_] = _Start(task, self._clock())
        return await asyncio.shield(task)

    async def _begin(self, request: RunRequest, search: bool) -> RunState:
        """Start a run, unless an earlier life of the server started it already."""
        interrupted = await self._interrupted(request) if search else None
        return interrupted or await self._runs.start(request)

    async def _interrupted(self, request: RunRequest) -> RunState | None:
        """The run of this request that ended because the server stopped in the middle of it."""
        for state in await self._runs.runs(INTERRUPTED_RUNS):
            same = (state.query, state.mode) == (request.query.strip(), request.mode)
            stopped = state.fault is not None and state.fault.code == Interrupted.code
            if same and stopped and state.created < self._began:
                return state
        return None

    def _forget_old(self) -> None:
        oldest = self._clock() - KEEP_S
        fresh = [(name, start) for name, start in self._starts.items() if start.at > oldest]
        self._starts = dict(fresh[-MAX_KEPT:])


def _failed(task: asyncio.Task[RunState]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
