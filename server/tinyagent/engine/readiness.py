"""Whether each part of the engine can work now."""

from __future__ import annotations

from dataclasses import dataclass

from tinyagent.engine.catalog import PlannerCatalog
from tinyagent.errors import TinyAgentError
from tinyagent.ports import Journal, ToolHost, ToolSelector


@dataclass(frozen=True)
class Check:
    """One part of readiness."""

    ok: bool
    detail: str


async def check_planner(planners: PlannerCatalog) -> Check:
    """The default planner, loaded."""
    try:
        name = planners.resolve(None)
        await planners.get(name)
    except TinyAgentError as error:
        return Check(False, str(error))
    return Check(True, name)


async def check_selector(selector: ToolSelector, host: ToolHost) -> Check:
    """Tool RAG, used once."""
    try:
        await selector.select("ready?", [status.spec for status in host.tools()])
    except TinyAgentError as error:
        return Check(False, str(error))
    return Check(True, "loaded")


async def check_journal(journal: Journal) -> Check:
    """The journal, written once."""
    try:
        await journal.remember_key("readiness", "readiness")
        await journal.delete("readiness")  # so that the next check writes again
    except TinyAgentError as error:
        return Check(False, str(error))
    return Check(True, "writable")


def check_host(host: ToolHost) -> Check:
    """The tools: how many can be used and by which workers, and why the others cannot."""
    statuses = host.tools()
    off: dict[str, list[str]] = {}
    for status in statuses:
        if not status.enabled:
            off.setdefault(status.reason, []).append(status.spec.name)
    able = len(statuses) - sum(map(len, off.values()))
    workers = sorted({name for status in statuses for name in status.workers})
    by = f" by {', '.join(workers)}" if workers else ""
    details = [f"{able} tool{'s' if able > 1 else ''}{by}"] if able else []
    details += [f"{_named(names, len(statuses))}: {reason}" for reason, names in off.items()]
    return Check(able > 0, "; ".join(details))


def _named(names: list[str], all_tools: int) -> str:
    return "all tools" if len(names) == all_tools else ", ".join(names)
