"""The engine, put together from settings."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tinyagent.bootstrap.hosting import build_local_host, further_hosts, has_further_tools, joined
from tinyagent.bootstrap.planning import build_toolkit
from tinyagent.bootstrap.writing import build_writer
from tinyagent.engine.agent import Rules
from tinyagent.engine.feed import Observer
from tinyagent.engine.limits import Limits
from tinyagent.engine.policy import Policy
from tinyagent.engine.runs import RunService
from tinyagent.errors import ConfigurationError
from tinyagent.home import home_lock
from tinyagent.journal.audit import FileAuditLog
from tinyagent.journal.sqlite import SqliteJournal
from tinyagent.ports import ToolHost
from tinyagent.settings import Settings

if TYPE_CHECKING:
    from tinyagent.workers.queue import WorkerQueue


class SystemClock:
    """The computer's clock in the user's time zone: the named one, or the system's."""

    def __init__(self, zone: str = "") -> None:
        self._zone = ZoneInfo(zone) if zone else None

    def now(self) -> datetime:
        return datetime.now(UTC).astimezone(self._zone)


@asynccontextmanager
async def open_service(
    settings: Settings,
    workers: WorkerQueue | None = None,
    observers: Sequence[Observer] = (),
    patience_s: float = 0.0,
) -> AsyncGenerator[RunService]:
    """The engine with everything it needs, alone on its home folder; closed at the end.

    `workers` carry out its calls where they are given, and this process does otherwise. `observers` are
    shown all that happens in its runs. Servers with further tools are waited for at most `patience_s`.

    Raises Conflict, ConfigurationError, ModelNotFound for an unknown default planner, ModelUnavailable or
    JournalError.
    """
    with home_lock(settings):
        async with further_hosts(settings, patience_s) as further:
            service = _build_service(settings, workers, observers, further)
            try:
                await service.recover()
                yield service
            finally:
                await service.close()


def _build_service(
    settings: Settings,
    workers: WorkerQueue | None,
    observers: Sequence[Observer],
    further: Sequence[ToolHost],
) -> RunService:
    toolkit = build_toolkit(settings)
    toolkit.planners.resolve(None)  # a default that does not exist is told before anything is asked of it
    clock, writer = SystemClock(settings.timezone), build_writer(settings, toolkit.files)
    limits = Limits(
        run_deadline_s=settings.run_deadline_s,
        call_deadline_s=settings.call_deadline_s,
        max_query_characters=settings.max_query_characters,
        max_active_runs=settings.max_active_runs,
    )
    return RunService(
        SqliteJournal(settings.journal),
        toolkit.planners,
        toolkit.selector,
        joined(workers or build_local_host(settings, writer), further),
        Rules(build_policy(settings), FileAuditLog(settings.audit_file, clock), clock, writer),
        limits,
        settings.instructions,
        observers,
    )


def build_policy(settings: Settings) -> Policy:
    """Who decides what. Raises ConfigurationError for an exception that fits no tool."""
    from tinyagent.tools.registry import BUILT_IN

    effects = {tool.spec.name: tool.spec.effect for tool in BUILT_IN}
    rules = settings.approvals
    for name, mode in rules.tools.items():
        if name not in effects and has_further_tools(settings):
            continue  # which they are shows only when servers and files are there: readiness tells of others
        if name not in effects:
            raise ConfigurationError(
                f"approvals.tools names {name}, which is no tool.", hint=f"Tools: {', '.join(effects)}."
            )
        if mode == "draft" and effects[name] != "send":
            raise ConfigurationError(
                f"approvals.tools sets {name} to draft, but it makes no drafts.",
                hint="Set it to ask or auto.",
            )
    return Policy(rules.send, rules.write, rules.open, rules.tools, rules.wait_s)
