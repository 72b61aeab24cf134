"""Whether the user's own tools load, and the servers with further tools answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from tinyagent.cli.findings import ANSWER_S, Finding

if TYPE_CHECKING:
    from tinyagent.ports import ToolStatus
    from tinyagent.settings import Settings

PATIENCE_S = 2 * ANSWER_S
"""How long servers may take to start and to list their tools."""

NO_SUCH_TOOL = "`GET /v1/tools` lists them; those of a server are known when it answers."
READS_SCHEMAS = "Use a planner that reads schemas: nano and compact know the built-in tools alone."


async def examine_further_tools(settings: Settings) -> AsyncIterator[Finding]:
    """Each server, each file and each package with tools, as far as there are any."""
    from tinyagent.bootstrap.hosting import further_hosts, has_further_tools
    from tinyagent.engine.readiness import unknown_names
    from tinyagent.tools.registry import BUILT_IN

    if not has_further_tools(settings):
        return
    async with further_hosts(settings, PATIENCE_S) as hosts:
        statuses = [status for host in hosts for status in host.tools()]
    known = [*(tool.spec.name for tool in BUILT_IN), *(status.spec.name for status in statuses)]
    for name in unknown_names(settings.approvals.tools, known):
        yield Finding("tools", "advice", f"approvals.tools names {name}, which is no tool", NO_SUCH_TOOL)
    for status in statuses:
        if not status.enabled:
            yield Finding("tools", "advice", f"{status.spec.name}: {status.reason}")
    usable = [status for status in statuses if status.enabled]
    if usable:
        yield _told(settings, usable)


def _told(settings: Settings, usable: list[ToolStatus]) -> Finding:
    names = ", ".join(status.spec.name for status in usable)
    if settings.planner in ("nano", "compact"):
        return Finding("tools", "advice", f"{names}: not planned by {settings.planner}", READS_SCHEMAS)
    return Finding("tools", "ok", names)
