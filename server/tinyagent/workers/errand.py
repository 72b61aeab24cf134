"""One job on the worker's side: asked for leave, carried out under heartbeats, handed in."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pydantic_core import PydanticSerializationError

from tinyagent.errors import (
    AccessDenied,
    AppFailed,
    DeadlineExceeded,
    OutcomeUnknown,
    ServerUnreachable,
    TinyAgentError,
    log_unexpected,
)
from tinyagent.ports import ToolHost
from tinyagent.workers.backoff import Backoff
from tinyagent.workers.link import Link
from tinyagent.workers.wire import MAX_OUTCOME_BYTES, Failure, Job, Outcome, Success

logger = logging.getLogger(__name__)

T = TypeVar("T")

LAST_WORDS_S = 10.0
"""How long a result is handed in that the worker, or the server, does not wait for any more."""


class Errands:
    """Carries out jobs by a tool host, each to its end.

    `allowed` are the tools that are carried out whatever the server says; `stopping` is set when the
    worker is to end; `say` takes sentences without any text of the user's.
    """

    def __init__(
        self,
        host: ToolHost,
        link: Link,
        allowed: frozenset[str],
        say: Callable[[str], None],
        stopping: asyncio.Event,
    ) -> None:
        self._host = host
        self._link = link
        self._allowed = allowed
        self._say = say
        self._stop = stopping

    async def run(self, job: Job) -> None:
        """Do one job. Whatever goes wrong is handed in or logged, never raised."""
        try:
            await self._work(job)
        except Exception as error:
            log_unexpected(logger, job.tool, error)

    async def _work(self, job: Job) -> None:
        """Begin when the server agrees, tell it that the job goes on, and hand in what came of it."""
        if not await self._may_begin(job):
            self._say(f"{job.tool}: not begun, the server does not wait for it any more.")
            return
        cancelled = asyncio.Event()
        pulse = asyncio.create_task(self._pulse(job, cancelled))
        try:
            outcome = await self._perform(job, cancelled)
            if outcome is not None:
                await self._hand_in(job, outcome, cancelled)
        finally:
            pulse.cancel()
            await asyncio.gather(pulse, return_exceptions=True)

    async def _may_begin(self, job: Job) -> bool:
        """Ask with the first heartbeat. Without an answer nothing is begun, so that nothing is done twice."""
        try:
            async with asyncio.timeout(job.lease_s):
                return not await self._persist(lambda: self._link.heartbeat(job.id, job.lease_s / 3))
        except (TinyAgentError, TimeoutError):
            return False

    async def _pulse(self, job: Job, cancelled: asyncio.Event) -> None:
        """Heartbeats to the end of the job; a job that the server has given up counts as cancelled."""
        period = pause = job.lease_s / 3
        while not cancelled.is_set():
            await asyncio.sleep(pause)
            sent = time.monotonic()
            try:
                if await self._link.heartbeat(job.id, period):
                    cancelled.set()
            except ServerUnreachable:
                pass
            except TinyAgentError:
                cancelled.set()
            # One that was waited for in vain must not delay the next, which comes just before the end.
            pause = max(period - (time.monotonic() - sent), 0.0)

    async def _perform(self, job: Job, cancelled: asyncio.Event) -> Outcome | None:
        """What came of the job; None when it only read and was cancelled."""
        work = asyncio.create_task(self._attempt(job))
        stop = asyncio.create_task(cancelled.wait())
        try:
            await asyncio.wait({work, stop} if self._reads(job) else {work}, return_when="FIRST_COMPLETED")
            if not work.done():
                self._say(f"{job.tool}: stopped, as the server asked.")
                return None
            return work.result()
        finally:
            for task in (work, stop):
                task.cancel()
            await asyncio.gather(work, stop, return_exceptions=True)

    def _reads(self, job: Job) -> bool:
        effects = {status.spec.name: status.spec.effect for status in self._host.tools()}
        return job.kind == "details" or (job.kind == "call" and effects.get(job.tool) == "read")

    async def _attempt(self, job: Job) -> Outcome:
        try:
            async with asyncio.timeout(job.context.seconds):
                success = await self._do(job)
        except TinyAgentError as error:
            return self._failed(job, error)
        except TimeoutError:
            return self._failed(job, self._too_late(job))
        except Exception as error:
            log_unexpected(logger, job.tool, error)
            kind = AppFailed if self._reads(job) else OutcomeUnknown
            hint = "The worker's log says where."
            return self._failed(job, kind(f"{job.tool} failed unexpectedly on the worker.", hint=hint))
        return self._succeeded(job, success)

    async def _do(self, job: Job) -> Success:
        if job.tool not in self._allowed:
            raise AccessDenied(
                f"The worker {self._link.who.worker} does not carry out {job.tool}.",
                hint="Its list of tools is set on its own computer (`worker.tools`, or `--tool`).",
            )
        context = job.context.context()
        if job.kind == "details":
            return Success(details=await self._host.details(job.tool, job.arguments, context))
        if job.kind == "undo":
            return Success(message=await self._host.undo(job.tool, job.record, context))
        return Success.of(await self._host.call(job.tool, job.arguments, context))

    def _too_late(self, job: Job) -> TinyAgentError:
        message = f"{job.tool} did not finish within {job.context.seconds:g} seconds and was stopped."
        hint = "Look whether the application waits for you (a dialog, a permission)."
        return (DeadlineExceeded if self._reads(job) else OutcomeUnknown)(message, hint=hint)

    def _failed(self, job: Job, error: TinyAgentError) -> Outcome:
        self._say(f"{job.tool}: {error.code}.")
        return self._outcome(error=Failure.of(error))

    def _succeeded(self, job: Job, success: Success) -> Outcome:
        """The result, if it can be sent; the server must not take a done call for one that failed."""
        try:
            outcome = self._outcome(ok=success)
            if len(outcome.model_dump_json()) <= MAX_OUTCOME_BYTES:
                self._say(f"{job.tool}: done.")
                return outcome
        except (ValueError, PydanticSerializationError):
            pass
        message = f"{job.tool} was carried out, but its result cannot be sent to the server."
        return self._failed(job, (AppFailed if self._reads(job) else OutcomeUnknown)(message))

    def _outcome(self, ok: Success | None = None, error: Failure | None = None) -> Outcome:
        who = self._link.who
        return Outcome(worker=who.worker, instance=who.instance, ok=ok, error=error)

    async def _hand_in(self, job: Job, outcome: Outcome, cancelled: asyncio.Event) -> None:
        """Send the result until the server has it or does not want it.

        It is given up when the worker is to end, or when the server has given up the job.
        """
        sending = asyncio.create_task(self._persist(lambda: self._link.finish(job.id, outcome)))
        ends = [asyncio.create_task(event.wait()) for event in (self._stop, cancelled)]
        try:
            await asyncio.wait({sending, *ends}, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait({sending}, timeout=LAST_WORDS_S)
            if not sending.done():
                self._say(f"{job.tool}: its result could not be handed in.")
            elif error := sending.exception():
                code = error.code if isinstance(error, TinyAgentError) else type(error).__name__
                self._say(f"{job.tool}: the server did not take the result ({code}).")
        finally:
            for task in (sending, *ends):
                task.cancel()
            await asyncio.gather(sending, *ends, return_exceptions=True)

    async def _persist(self, request: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The answer to a request that is repeated while the server does not answer."""
        backoff = Backoff()
        while True:
            try:
                return await request()
            except ServerUnreachable:
                await asyncio.sleep(backoff.next())
