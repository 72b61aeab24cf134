"""A plan that the caller wrote: checked, recorded and carried out as any other."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from tinyagent.domain.plan import END_OF_PLAN
from tinyagent.domain.plan_parser import parse_plan
from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import PlanRequest, Selection, Usage

NAME = "given"
"""What the planner of such a run is called."""


class GivenPlan:
    """Stands where Tool RAG and a planner stand otherwise."""

    name = NAME
    can_replan = False

    def __init__(self, text: str) -> None:
        """Raises PlanError for a text that is no plan."""
        self._text = text if END_OF_PLAN in text else f"{text.rstrip()}{END_OF_PLAN}"
        self.tools = frozenset(call.tool for call in parse_plan(text).calls)

    def knows(self, tool: ToolSpec) -> bool:
        return True

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        """The tools that the plan calls."""
        named = tuple(tool.name for tool in tools if tool.name in self.tools)
        return Selection(named, dict.fromkeys(named, 1.0))

    async def plan(self, request: PlanRequest) -> AsyncGenerator[str | Usage]:
        yield self._text

    async def close(self) -> None:
        """Nothing is held open."""
