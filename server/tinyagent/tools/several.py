"""Several hosts as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tinyagent.errors import UnknownTool
from tinyagent.ports import CallContext, ToolHost, ToolResult, ToolStatus


class SeveralHosts:
    """The tools of all hosts; of two with one name the earlier host's counts, and the other is not there."""

    def __init__(self, hosts: Sequence[ToolHost]) -> None:
        self._hosts = tuple(hosts)

    def tools(self) -> Sequence[ToolStatus]:
        """All tools, the disabled ones with the reason."""
        found: dict[str, ToolStatus] = {}
        for host in self._hosts:
            for status in host.tools():
                found.setdefault(status.spec.name, status)
        return list(found.values())

    async def details(self, tool: str, arguments: Sequence[Any], context: CallContext) -> dict[str, str]:
        """What an approval has to show beyond the arguments."""
        return await self._host(tool).details(tool, arguments, context)

    async def call(self, tool: str, arguments: Sequence[Any], context: CallContext) -> ToolResult:
        """Carry out one call with resolved arguments."""
        return await self._host(tool).call(tool, arguments, context)

    async def undo(self, tool: str, record: Mapping[str, str], context: CallContext) -> str:
        """Take back a call by the record that its result carried."""
        return await self._host(tool).undo(tool, record, context)

    def _host(self, tool: str) -> ToolHost:
        for host in self._hosts:
            if any(status.spec.name == tool for status in host.tools()):
                return host
        raise UnknownTool(f"There is no tool called {tool}.")
