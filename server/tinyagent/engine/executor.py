"""One call: hand to the host within its deadline, retry what only reads, keep the audit log."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import Any

from tinyagent.domain import events as ev
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.approvals import digest_of
from tinyagent.engine.bounded import bounded
from tinyagent.engine.faults import fault_of
from tinyagent.errors import (
    AppFailed,
    Cancelled,
    DeadlineExceeded,
    JournalError,
    OutcomeUnknown,
    TinyAgentError,
)
from tinyagent.ports import AuditEntry, AuditLog, CallContext, ToolHost, ToolResult

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """How a call ended: a result or a fault.

    `unknown`: it was stopped in the middle and may have taken effect. A tool that reports an
    error itself did not take effect.
    """

    result: ToolResult | None
    fault: ev.Fault | None
    unknown: bool
    milliseconds: float


class Executor:
    """Carries out the calls of one run by a host."""

    def __init__(self, run: str, host: ToolHost, audit: AuditLog, call_deadline_s: float) -> None:
        self._run = run
        self._host = host
        self._audit = audit
        self.call_deadline_s = call_deadline_s

    async def execute(
        self, index: int, spec: ToolSpec, arguments: tuple[Any, ...], context: CallContext
    ) -> Outcome:
        """Carry out one call. Every failure of it is an outcome.

        What does more than read stands in the audit log before it is done. Raises JournalError when that
        cannot be written, before anything is done.
        """
        entry = AuditEntry(
            self._run,
            index,
            spec.name,
            spec.effect,
            "started",
            digest_of(spec.name, arguments, context.details),
        )
        started = time.monotonic()
        try:
            await self._note(entry)
            result, error = await self._attempt(spec, arguments, context)
            if isinstance(error, AppFailed) and spec.effect == "read":
                result, error = await self._attempt(spec, arguments, context)
        except asyncio.CancelledError:
            await self._note_end(entry, Cancelled.code)
            raise
        unknown = isinstance(error, (DeadlineExceeded, OutcomeUnknown)) and spec.effect in ("write", "send")
        elapsed = (time.monotonic() - started) * 1000
        await self._note_end(entry, error.code if error else "")
        return Outcome(result, fault_of(error) if error else None, unknown, elapsed)

    async def _note_end(self, entry: AuditEntry, code: str) -> None:
        try:
            await self._note(replace(entry, action="failed" if code else "succeeded", code=code))
        except JournalError as lost:  # it is done, and the run's own record tells so
            logger.error("run %s: the audit log misses the end of task %d: %s", self._run, entry.task, lost)

    async def _note(self, entry: AuditEntry) -> None:
        if entry.effect != "read":
            await self._audit.append(entry)

    async def _attempt(
        self, spec: ToolSpec, arguments: tuple[Any, ...], context: CallContext
    ) -> tuple[ToolResult | None, TinyAgentError | None]:
        # A tool that breaks in the middle, unlike one that reports an error, may have done its work.
        unexpected = OutcomeUnknown if spec.effect in ("write", "send") else AppFailed
        work = self._host.call(spec.name, arguments, replace(context, planned=spec))
        try:
            return await bounded(work, spec.name, self.call_deadline_s, unexpected), None
        except TinyAgentError as error:
            return None, error
