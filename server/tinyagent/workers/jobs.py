"""One job of the queue, from the call that waits for it to the worker's answer."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tinyagent.errors import Conflict, Forbidden, NotFound
from tinyagent.workers.wire import Job, Outcome, WorkerId

REMEMBERED = 512
"""How many ended jobs are known, so that a result which comes twice is recognized."""


def _future() -> asyncio.Future[None]:
    return asyncio.get_running_loop().create_future()


@dataclass(eq=False)
class Entry:
    """A job, who has it, and how far it is.

    `goes_out`: it needs a worker that can send, or invite; `only`: the name of the worker that must take it.
    """

    job: Job
    reads: bool
    goes_out: bool = False
    only: str = ""
    created: float = field(default_factory=time.monotonic)
    claimed: asyncio.Future[None] = field(default_factory=_future)
    answered: asyncio.Future[None] = field(default_factory=_future)
    claimer: WorkerId | None = None
    begun: bool = False
    heard: float = 0.0
    cancelled: bool = False
    outcome: Outcome | None = None

    def digest(self) -> str:
        """What a repeated result is recognized by; empty when none came in time."""
        return digest(self.outcome) if self.outcome else ""


def digest(outcome: Outcome) -> str:
    """SHA-256 of a result."""
    return hashlib.sha256(outcome.model_dump_json().encode()).hexdigest()


@dataclass(frozen=True)
class _Ended:
    claimer: WorkerId | None
    digest: str
    cancelled: bool


class Jobs:
    """The jobs that wait and those that are carried out, each given out once only."""

    def __init__(self) -> None:
        self._waiting: deque[Entry] = deque()
        self._taken: dict[str, Entry] = {}
        self._ended: OrderedDict[str, _Ended] = OrderedDict()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._taken)

    @property
    def taken(self) -> int:
        """How many are in the hands of workers."""
        return len(self._taken)

    def add(self, entry: Entry) -> None:
        self._waiting.append(entry)

    def waiting(self) -> list[Entry]:
        return list(self._waiting)

    def take(self, who: WorkerId, fits: Callable[[Entry], bool]) -> Entry | None:
        """The longest waiting job that fits, which nobody else gets from now on."""
        entry = next(filter(fits, self._waiting), None)
        if entry is not None:
            self._waiting.remove(entry)
            self._taken[entry.job.id] = entry
            entry.claimer, entry.heard = who, time.monotonic()
            entry.claimed.set_result(None)
        return entry

    def end(self, entry: Entry) -> None:
        """Take the job out of the queue for good."""
        if self._taken.pop(entry.job.id, None) is None:
            self._waiting.remove(entry)
            return
        self._ended[entry.job.id] = _Ended(entry.claimer, entry.digest(), entry.cancelled)
        while len(self._ended) > REMEMBERED:
            self._ended.popitem(last=False)

    def beat(self, job: str, who: WorkerId) -> bool:
        """A sign of life from the one who has the job; whether the job is cancelled.

        Raises NotFound, Forbidden, or Conflict when the job has ended without it.
        """
        entry = self._taken.get(job)
        if entry is None:
            if not self._ended_of(job, who).cancelled:
                raise _over(job)
            return True
        _check_claimer(entry.claimer, who)
        entry.heard, entry.begun = time.monotonic(), True
        return False

    def answer(self, job: str, outcome: Outcome) -> None:
        """Take a result. The same one again changes nothing. Raises NotFound, Forbidden or Conflict."""
        who = WorkerId(worker=outcome.worker, instance=outcome.instance)
        entry = self._taken.get(job)
        if entry is None:
            if self._ended_of(job, who).digest != digest(outcome):
                raise _over(job)
            return
        _check_claimer(entry.claimer, who)
        entry.outcome = outcome
        self.end(entry)
        entry.answered.set_result(None)

    def _ended_of(self, job: str, who: WorkerId) -> _Ended:
        ended = self._ended.get(job)
        if ended is None:
            raise NotFound(f"There is no job {job!r}.", hint="The server may have been started anew.")
        _check_claimer(ended.claimer, who)
        return ended


def _check_claimer(claimer: WorkerId | None, who: WorkerId) -> None:
    if claimer is None or (claimer.worker, claimer.instance) != (who.worker, who.instance):
        raise Forbidden("Another worker has this job.")


def _over(job: str) -> Conflict:
    return Conflict(f"Job {job} has ended; nothing that comes for it now is taken.")
