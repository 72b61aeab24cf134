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
from tinyagent.engine.faults import fault_of
from tinyagent.errors import (
    AppFailed,
    DeadlineExceeded,
    JournalError,
    OutcomeUnknown,
    TinyAgentError,
    log_unexpected,
)
from tinyagent.ports import AuditAction, AuditEntry, AuditLog, CallContext, ToolHost, ToolResult

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
        await self._note(entry, "started")
        started = time.monotonic()
        result, error = await self._attempt(spec, arguments, context)
        if isinstance(error, AppFailed) and spec.effect == "read":
            result, error = await self._attempt(spec, arguments, context)
        unknown = isinstance(error, (DeadlineExceeded, OutcomeUnknown)) and spec.effect in ("write", "send")
        elapsed = (time.monotonic() - started) * 1000
        try:
            await self._note(entry, "failed" if error else "succeeded", error.code if error else "")
        except JournalError as lost:  # it is done, and the run's own record tells so
            logger.error("run %s: the audit log misses the end of task %d: %s", self._run, index, lost)
        return Outcome(result, fault_of(error) if error else None, unknown, elapsed)

    async def _note(self, entry: AuditEntry, action: AuditAction, code: str = "") -> None:
        if entry.effect != "read":
            await self._audit.append(replace(entry, action=action, code=code))

    async def _attempt(
        self, spec: ToolSpec, arguments: tuple[Any, ...], context: CallContext
    ) -> tuple[ToolResult | None, TinyAgentError | None]:
        try:
            async with asyncio.timeout(self.call_deadline_s):
                return await self._host.call(spec.name, arguments, context), None
        except TimeoutError:
            return None, DeadlineExceeded(
                f"{spec.name} did not finish within {self.call_deadline_s:g} seconds and was stopped.",
                hint="Look whether the application waits for you (a dialog, a permission), then try again.",
            )
        except TinyAgentError as error:
            return None, error
        except Exception as error:
            log_unexpected(logger, spec.name, error)
            return None, AppFailed(
                f"{spec.name} failed unexpectedly.", hint="The server's log has the details."
            )
