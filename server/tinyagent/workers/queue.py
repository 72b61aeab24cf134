"""The server's side: a tool host that hands every call to a worker, once, and waits for what comes of it."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import PydanticSerializationError

from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import (
    AppFailed,
    ArgumentError,
    OutcomeUnknown,
    Overloaded,
    TinyAgentError,
    UnknownTool,
    WorkerUnavailable,
)
from tinyagent.ports import CallContext, ToolResult, ToolStatus
from tinyagent.workers.jobs import Entry, Jobs
from tinyagent.workers.roster import Roster
from tinyagent.workers.wire import (
    MAX_JOB_BYTES,
    Claim,
    Job,
    JobKind,
    Outcome,
    Success,
    Surroundings,
    WorkerId,
    plain,
)

MAX_JOBS = 256
MAX_CLAIMS = 64
RECHECK_S = 1.0
"""How often a waiting claim looks whether its client is still there and still let in."""
WORKER = "worker"
"""The name among details and in undo records of the worker that they come from."""


class WorkerQueue:
    """Calls in the order in which they came, each given to one worker and to no other ever.

    A call that no worker takes within `wait_s` seconds fails with WorkerUnavailable: nothing was
    done. A worker that took one and then is silent for `lease_s` seconds may have done it or not:
    OutcomeUnknown, unless the call only reads or was never begun. Belongs to one event loop.
    """

    def __init__(self, specs: Sequence[ToolSpec], *, wait_s: float, lease_s: float) -> None:
        self._specs = {spec.name: spec for spec in specs}
        self._wait_s = wait_s
        self._lease_s = lease_s
        self._roster = Roster(lease_s)
        self._jobs = Jobs()
        self._claims: list[asyncio.Future[None]] = []
        self._stopped = False

    # --- the engine's side -------------------------------------------------------------------

    def tools(self) -> Sequence[ToolStatus]:
        """The built-in tools; enabled are those that a worker carries out which is there now."""
        return [self._roster.status(spec) for spec in self._specs.values()]

    async def call(self, tool: str, arguments: Sequence[Any], context: CallContext) -> ToolResult:
        """Have a worker carry out the call. An approved one goes to the worker that gave the details."""
        details = dict(context.details) if context.details is not None else None
        only = details.pop(WORKER, "") if details else ""
        spec = self._spec(tool)
        job = self._job("call", tool, context, details, arguments=plain(arguments))
        entry = Entry(job, spec.effect == "read", _goes_out(spec, context), only)
        success, who = await self._carry_out(entry, context)
        result = success.result()
        if result.undo is None:
            return result
        undo = {**result.undo, WORKER: who}
        return ToolResult(result.value, result.message, result.link, result.untrusted, undo)

    async def details(self, tool: str, arguments: Sequence[Any], context: CallContext) -> dict[str, str]:
        """What a worker has to show beyond the arguments, and which one, when there is anything."""
        spec = self._spec(tool)
        job = self._job("details", tool, context, context.details, arguments=plain(arguments))
        entry = Entry(job, reads=True, goes_out=_goes_out(spec, context))
        success, who = await self._carry_out(entry, context)
        return {**success.details, WORKER: who} if success.details else {}

    async def undo(self, tool: str, record: Mapping[str, str], context: CallContext) -> str:
        """Have the worker that carried out a call take it back."""
        self._spec(tool)
        own = dict(record)
        only = own.pop(WORKER, "")
        job = self._job("undo", tool, context, context.details, record=own)
        success, _ = await self._carry_out(Entry(job, reads=False, only=only), context)
        return success.message

    def _spec(self, tool: str) -> ToolSpec:
        spec = self._specs.get(tool)
        if spec is None:
            raise UnknownTool(f"There is no tool called {tool}.")
        return spec

    def _job(
        self,
        kind: JobKind,
        tool: str,
        context: CallContext,
        details: Mapping[str, str] | None,
        *,
        arguments: Sequence[Any] = (),
        record: Mapping[str, str] | None = None,
    ) -> Job:
        """Raises ArgumentError for what cannot be sent."""
        try:
            job = Job(
                id=f"job_{secrets.token_hex(16)}",
                kind=kind,
                tool=tool,
                arguments=list(arguments),
                record=dict(record or {}),
                context=Surroundings.of(context, details),
                lease_s=self._lease_s,
            )
            size = len(job.model_dump_json().encode())
        except (ValueError, PydanticSerializationError) as error:
            raise ArgumentError(f"{tool}: the arguments cannot be sent to a worker.") from error
        if size > MAX_JOB_BYTES:
            raise ArgumentError(f"{tool}: the arguments are too long to be sent to a worker.")
        return job

    async def _carry_out(self, entry: Entry, context: CallContext) -> tuple[Success, str]:
        """What the job brought and the worker's name. Raises TinyAgentError."""
        if self._stopped or len(self._jobs) >= MAX_JOBS:
            reason = "the server is stopping" if self._stopped else "too many calls wait for one"
            raise WorkerUnavailable(f"{entry.job.tool} was not given to a worker: {reason}.")
        self._jobs.add(entry)
        try:
            self._wake()
            await self._taken(entry, context)
            await self._answer(entry)
        except asyncio.CancelledError:
            entry.cancelled = True
            raise
        finally:
            if entry.outcome is None:
                self._jobs.end(entry)
        assert entry.outcome is not None
        if entry.outcome.error is not None:
            raise entry.outcome.error.error()
        assert entry.outcome.ok is not None
        return entry.outcome.ok, entry.outcome.worker

    async def _taken(self, entry: Entry, context: CallContext) -> None:
        """Wait until a worker has the job. Raises WorkerUnavailable."""
        await asyncio.wait({entry.claimed}, timeout=min(RECHECK_S, self._wait_s))
        if not entry.claimed.done():
            await context.tell("It waits for a worker.")
            left = entry.created + self._wait_s - time.monotonic()
            await asyncio.wait({entry.claimed}, timeout=max(left, 0))
        if not entry.claimed.done() or entry.claimer is None:
            raise self._nobody(entry)

    def _nobody(self, entry: Entry) -> TinyAgentError:
        tool, names = entry.job.tool, self._roster.names()
        if self._stopped:
            return WorkerUnavailable(f"{tool} was not begun: the server is stopping.")
        if entry.only and entry.only not in names:
            return WorkerUnavailable(
                f"{tool} was not begun: the worker {entry.only}, which has to do it, is not connected.",
                hint=f"Start `tinyagent worker` on {entry.only}, then try again.",
            )
        if not names:
            return WorkerUnavailable(
                f"{tool} was not begun: no worker is connected.",
                hint="Start `tinyagent worker --server URL` where it is to be done, then try again.",
            )
        return WorkerUnavailable(
            f"{tool} was not begun: no worker took it within {self._wait_s:g} seconds.",
            hint=f"Connected: {', '.join(names)}. Look whether they are busy, then try again.",
        )

    async def _answer(self, entry: Entry) -> None:
        """Wait for the result as long as the worker is heard of."""
        while not entry.answered.done():
            left = entry.heard + self._lease_s - time.monotonic()
            if left <= 0:
                raise _silence(entry)
            await asyncio.wait({entry.answered}, timeout=left)

    # --- the workers' side -------------------------------------------------------------------

    async def claim(self, claim: Claim, present: Callable[[], bool]) -> Job | None:
        """The next job for this worker, or None when there is none in time or `present` turns false.

        `present` is asked immediately before a job is given out; it may raise. Raises Overloaded,
        or WorkerUnavailable when the server is stopping.
        """
        if len(self._claims) >= MAX_CLAIMS:
            raise Overloaded("Too many workers wait for calls.", hint="Stop some of them.")
        who = WorkerId(worker=claim.worker, instance=claim.instance)
        deadline = time.monotonic() + claim.wait_s
        while present():
            if self._stopped:
                raise WorkerUnavailable("The server is stopping.")
            self._roster.heard(who, claim.tools)
            entry = self._jobs.take(who, lambda entry: self._fits(entry, who))
            if entry is not None:
                return _as_given(entry)
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            await self._news(min(left, RECHECK_S, self._lease_s / 3))
        return None

    def heartbeat(self, job: str, who: WorkerId) -> bool:
        """A sign of life; whether the job is cancelled. Raises NotFound, Forbidden or Conflict."""
        self._roster.heard(who)
        return self._jobs.beat(job, who)

    def finish(self, job: str, outcome: Outcome) -> None:
        """Take a job's result. Raises NotFound, Forbidden, or Conflict when the job has ended before."""
        self._roster.heard(WorkerId(worker=outcome.worker, instance=outcome.instance))
        self._jobs.answer(job, outcome)
        self._wake()

    def _fits(self, entry: Entry, who: WorkerId) -> bool:
        offer = self._roster.offer(who, entry.job.tool)
        if offer is None or not offer.enabled or entry.only not in ("", who.worker):
            return False
        sends = self._specs[entry.job.tool].effect == "send"
        return not entry.goes_out or (not offer.drafts_only if sends else offer.invites)

    def _wake(self) -> None:
        for waiting in self._claims:
            if not waiting.done():
                waiting.set_result(None)

    async def _news(self, seconds: float) -> None:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._claims.append(waiting)
        try:
            await asyncio.wait({waiting}, timeout=seconds)
        finally:
            self._claims.remove(waiting)

    # --- the end -----------------------------------------------------------------------------

    def stop(self) -> None:
        """Give out nothing more. What no worker has taken fails at once; what is begun goes on."""
        self._stopped = True
        for entry in self._jobs.waiting():
            entry.claimed.set_result(None)
        self._wake()

    async def drained(self, seconds: float) -> bool:
        """Wait until no worker has a job, at most so long."""
        deadline = time.monotonic() + seconds
        while self._jobs.taken and (left := deadline - time.monotonic()) > 0:
            await self._news(min(left, RECHECK_S))
        return not self._jobs.taken


def _goes_out(spec: ToolSpec, context: CallContext) -> bool:
    """Whether the call is to reach other people: as a message, or as an invitation to what it writes."""
    return context.send and spec.effect in ("send", "write")


def _as_given(entry: Entry) -> Job:
    """The job with the time that is left for it."""
    waited = time.monotonic() - entry.created
    context = entry.job.context
    left = context.model_copy(update={"seconds": max(context.seconds - waited, 1.0)})
    return entry.job.model_copy(update={"context": left})


def _silence(entry: Entry) -> TinyAgentError:
    name = entry.claimer.worker if entry.claimer else "unknown"
    tool = entry.job.tool
    if not entry.begun:
        return WorkerUnavailable(
            f"{tool} was not begun: the worker {name} took it and was not heard of again.",
            hint="Look whether it runs and reaches the server, then try again.",
        )
    if entry.reads:
        return AppFailed(f"{tool} has no result: the worker {name} stopped answering in the middle.")
    return OutcomeUnknown(
        f"The worker {name} stopped answering in the middle of {tool}; it may have been done or not.",
        hint="Look in the application before you ask for it again.",
    )
