"""Runs in this process, with the same methods as a server's client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tinyagent.domain.events import Event
    from tinyagent.engine.policy import Mode
    from tinyagent.engine.runs import RunService

USER = "owner"
"""Who decides and takes back here: whoever may use the home folder."""


class LocalRuns:
    """Carries out runs by a service in this process."""

    def __init__(self, service: RunService) -> None:
        self._service = service

    async def start(
        self,
        query: str,
        planner: str | None = None,
        now: datetime | None = None,
        approval: Mode | None = None,
        answerable: bool = True,
        follows: str | None = None,
    ) -> str:
        from tinyagent.engine.runs import RunRequest

        request = RunRequest(
            query, planner=planner, now=now, approval=approval, answerable=answerable, follows=follows
        )
        return (await self._service.start(request)).run

    def events(self, run: str) -> AsyncGenerator[Event]:
        return self._service.events(run)

    async def cancel(self, run: str) -> None:
        await self._service.cancel(run, "The user stopped it.")

    async def decide(self, run: str, decisions: Mapping[int, str], approved: bool, reason: str = "") -> None:
        await self._service.decide(run, decisions, approved, USER, reason)

    async def undo(self, run: str, task: int | None) -> list[dict[str, Any]]:
        undone = await self._service.undo(run, task, USER)
        return [
            {
                "task": one.task,
                "tool": one.tool,
                "message": one.message,
                "error": one.fault.model_dump(mode="json") if one.fault else None,
            }
            for one in undone
        ]

    async def parameters(self) -> dict[str, list[str]]:
        tools = (status.spec for status in self._service.tools())
        return {tool.name: [parameter.name for parameter in tool.parameters] for tool in tools}

    async def run_ids(self, limit: int, before: str | None = None) -> list[str]:
        return [state.run for state in await self._service.runs(limit, before)]
