"""Runs whose events are observed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.support.scripted import FakeHost, FixedSelector, ScriptedPlanner, rules, spec
from tinyagent.domain.run import RunState
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.engine.feed import Observer
from tinyagent.engine.limits import Limits
from tinyagent.engine.runs import RunRequest, RunService
from tinyagent.errors import AppFailed
from tinyagent.journal.memory import MemoryJournal
from tinyagent.ports import Usage

PLAN = '1. look("Zoe")\n2. keep("$1")\n3. broken("x")\n4. keep("$3")\n5. join()<END_OF_PLAN>'
SECRET = "Zoe"
"""What no figure, trace or line of a log may hold."""

Observed = Callable[[Observer], Awaitable[RunState]]


async def _broken(arguments: object) -> str:
    raise AppFailed(f"No answer about {SECRET}.")


@pytest.fixture
def observed() -> Observed:
    """Carries out one run of two tasks that succeed, one that fails and one that is skipped."""

    async def run(observer: Observer) -> RunState:
        host = FakeHost().add(spec("look", "str")).add(spec("keep", "str", effect="write"))
        host.add(spec("broken", "str", effect="write"), _broken)
        planner = ScriptedPlanner([PLAN, Usage(100, 30, 40)])
        service = RunService(
            MemoryJournal(),
            PlannerCatalog([PlannerEntry("scripted", "", lambda: planner, lambda: "")], "scripted"),
            FixedSelector(),
            host,
            rules(),
            Limits(),
            observers=[observer],
        )
        started = await service.start(RunRequest(f"Find {SECRET}"))
        async for _ in service.events(started.run):
            pass
        state = await service.get(started.run)
        await service.close()
        return state

    return run
