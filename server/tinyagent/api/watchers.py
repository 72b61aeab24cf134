"""Who waits for a run: when the last one leaves early and nobody comes back, the run is cancelled."""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict

from tinyagent.api.failures import internal_error
from tinyagent.engine.runs import RunService
from tinyagent.errors import Conflict, NotFound, TinyAgentError

MAX_UNSERVED = 1_000
REASON = "The client disconnected."


class Watchers:
    """Counts the connections that wait for each run.

    A client whose connection broke tries again within a second or so; `grace_s` leaves it the
    time to find its run still going.
    """

    def __init__(self, runs: RunService, grace_s: float) -> None:
        self._runs = runs
        self._grace_s = grace_s
        self._watching: Counter[str] = Counter()
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._unserved: OrderedDict[str, None] = OrderedDict()

    def waiting(self, run: str) -> int:
        """How many connections wait for this run."""
        return self._watching[run]

    def unserved(self, run: str) -> bool:
        """Whether all who waited for this run left before they had its answer."""
        return run in self._unserved

    def attach(self, run: str) -> None:
        """A connection waits for this run from now on."""
        self._watching[run] += 1
        self._unserved.pop(run, None)
        leaving = self._leaving.pop(run, None)
        if leaving is not None:
            leaving.cancel()

    def detach(self, run: str, finished: bool) -> None:
        """A connection waits no more: it got everything, or the client left before."""
        self._watching[run] -= 1
        if self._watching[run] > 0:
            return
        del self._watching[run]
        if not finished:
            self._unserved[run] = None
            while len(self._unserved) > MAX_UNSERVED:
                self._unserved.popitem(last=False)
            self._leaving[run] = asyncio.create_task(self._cancel_later(run), name=f"leave {run}")

    async def _cancel_later(self, run: str) -> None:
        await asyncio.sleep(self._grace_s)
        self._leaving.pop(run, None)
        try:
            await self._runs.cancel(run, REASON)
        except (Conflict, NotFound):
            return
        except TinyAgentError as error:
            internal_error(error, run)
