"""One call: hand to the host within its deadline, retry what only reads."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tinyagent.domain import events as ev
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.faults import fault_of
from tinyagent.errors import AppFailed, DeadlineExceeded, TinyAgentError, log_unexpected
from tinyagent.ports import ToolHost, ToolResult

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
    """Carries out calls by a host."""

    def __init__(self, host: ToolHost, call_deadline_s: float) -> None:
        self._host = host
        self.call_deadline_s = call_deadline_s

    async def execute(self, spec: ToolSpec, arguments: tuple[Any, ...], now: datetime) -> Outcome:
        """Carry out one call. Never raises but for cancellation; every failure is an outcome."""
        started = time.monotonic()
        result, error = await self._attempt(spec, arguments, now)
        if isinstance(error, AppFailed) and spec.effect == "read":
            result, error = await self._attempt(spec, arguments, now)
        unknown = isinstance(error, DeadlineExceeded) and spec.effect in ("write", "send")
        elapsed = (time.monotonic() - started) * 1000
        return Outcome(result, fault_of(error) if error else None, unknown, elapsed)

    async def _attempt(
        self, spec: ToolSpec, arguments: tuple[Any, ...], now: datetime
    ) -> tuple[ToolResult | None, TinyAgentError | None]:
        try:
            async with asyncio.timeout(self.call_deadline_s):
                return await self._host.call(spec.name, arguments, now), None
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
