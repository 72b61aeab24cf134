"""Whether each part of the engine can work now."""

from __future__ import annotations

from collections.abc import Iterable
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


def unknown_names(named: Iterable[str], tools: Iterable[str]) -> list[str]:
    """Those of the named tools that do not exist."""
    known = set(tools)
    return [name for name in named if name not in known]


def check_host(host: ToolHost, named: Iterable[str] = ()) -> Check:
    """The tools: how many can be used and by which workers, and why the others cannot.

    `named` are those that the settings make exceptions for, of which some may not exist.
    """
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
    unknown = unknown_names(named, (status.spec.name for status in statuses))
    details += [f"approvals.tools names {', '.join(unknown)}: no such tool is known now"] if unknown else []
    return Check(able > 0, "; ".join(details))


def _named(names: list[str], all_tools: int) -> str:
    return "all tools" if len(names) == all_tools else ", ".join(names)
