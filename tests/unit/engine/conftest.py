"""An engine with a memory journal, a scripted planner and small tools."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

import pytest

from tests.support.scripted import FakeHost, FixedSelector, ScriptedPlanner, rules
from tinyagent.domain.events import Event
from tinyagent.domain.run import RunState
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.engine.limits import Limits
from tinyagent.engine.policy import Policy
from tinyagent.engine.runs import RunRequest, RunService
from tinyagent.journal.memory import MemoryAuditLog, MemoryJournal
from tinyagent.ports import Journal, Writer


@dataclass
class Engine:
    """A service with what it was made of."""

    service: RunService
    host: FakeHost
    planner: ScriptedPlanner
    audit: MemoryAuditLog

    async def run(self, query: str = "do it", **fields: object) -> tuple[RunState, list[Event]]:
        """Start a run and follow it to its end."""
        started = await self.service.start(RunRequest(query, **fields))  # type: ignore[arg-type]
        events = [event async for event in self.service.events(started.run)]
        return await self.service.get(started.run), events


MakeEngine = Callable[..., Engine]


@pytest.fixture
async def make_engine() -> AsyncIterator[MakeEngine]:
    services: list[RunService] = []

    def make(
        planner: ScriptedPlanner,
        host: FakeHost,
        selector: FixedSelector | None = None,
        journal: Journal | None = None,
        policy: Policy | None = None,
        writer: Writer | None = None,
        **limits: float,
    ) -> Engine:
        catalog = PlannerCatalog(
            [PlannerEntry(planner.name, "plays a script", lambda: planner, lambda: "")], planner.name
        )
        audit = MemoryAuditLog()
        service = RunService(
            journal or MemoryJournal(),
            catalog,
            selector or FixedSelector(),
            host,
            rules(policy, audit, writer),
            replace(Limits(run_deadline_s=10, call_deadline_s=5), **limits),
        )
        services.append(service)
        return Engine(service, host, planner, audit)

    yield make
    for service in services:
        await service.close()
