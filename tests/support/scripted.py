"""A planner that writes what a test tells it, and a host with small tools, for engine tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from tinyagent.domain.tools import Effect, Kind, Parameter, ToolSpec
from tinyagent.engine.agent import Rules
from tinyagent.engine.policy import Policy
from tinyagent.journal.memory import MemoryAuditLog
from tinyagent.ports import (
    AuditLog,
    CallContext,
    PlanRequest,
    Selection,
    ToolResult,
    ToolStatus,
    Usage,
    Writer,
    WritingTask,
    Written,
)

NOW = datetime(2025, 3, 8, 11, 20)

Piece = str | Usage | Exception | Awaitable[Any]


class FixedClock:
    """Stands still."""

    def now(self) -> datetime:
        return NOW.replace(tzinfo=UTC)


class ScriptedPlanner:
    """Plays one script a round: text is streamed, awaitables are awaited, exceptions raised."""

    def __init__(
        self, *rounds: Sequence[Piece] | str, can_replan: bool = False, name: str = "scripted"
    ) -> None:
        self.name = name
        self.can_replan = can_replan
        self.requests: list[PlanRequest] = []
        self.closed = False
        self._rounds = list(rounds)

    def knows(self, tool: ToolSpec) -> bool:
        return True

    async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        script = self._rounds[min(len(self.requests), len(self._rounds) - 1)]
        self.requests.append(request)
        for piece in [script] if isinstance(script, str) else script:
            if isinstance(piece, Exception):
                raise piece
            if isinstance(piece, (str, Usage)):
                yield piece
            else:
                await piece

    async def close(self) -> None:
        self.closed = True


def spec(name: str, *kinds: Kind, effect: Effect = "read") -> ToolSpec:
    """A tool with arguments a, b, c … of these kinds."""
    parameters = tuple(Parameter(chr(97 + i), kind, f"argument {i + 1}") for i, kind in enumerate(kinds))
    return ToolSpec(name, f"The tool {name}.", parameters, "text", effect)


Behaviour = Callable[[Sequence[Any]], Awaitable[str | ToolResult]]


async def _taken_back(tool: str, record: Mapping[str, str]) -> str:
    return f"{tool} was taken back."


class NoWriter:
    """Leaves all words to the engine."""

    async def write(self, task: WritingTask) -> Written:
        return Written("")

    async def close(self) -> None:
        pass


def rules(policy: Policy | None = None, audit: AuditLog | None = None, writer: Writer | None = None) -> Rules:
    """Everything is done without asking, unless a policy says otherwise."""
    return Rules(policy or Policy(send="auto"), audit or MemoryAuditLog(), FixedClock(), writer or NoWriter())


class FakeHost:
    """Tools given as functions; records every call."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self._tools: dict[str, tuple[ToolSpec, Behaviour]] = {}
        self._off: dict[str, str] = {}
        self.contexts: list[CallContext] = []
        self.undone: list[tuple[str, dict[str, str]]] = []
        self.shown: dict[str, dict[str, str]] = {}
        """What `details` tells, by tool."""
        self.taking_back = _taken_back

    def add(self, tool: ToolSpec, behaviour: Behaviour | None = None) -> FakeHost:
        async def echo(arguments: Sequence[Any]) -> str:
            return f"{tool.name}({', '.join(map(str, arguments))})"

        self._tools[tool.name] = (tool, behaviour or echo)
        return self

    def tools(self) -> Sequence[ToolStatus]:
        return [
            ToolStatus(tool, tool.name not in self._off, self._off.get(tool.name, ""))
            for tool, _ in self._tools.values()
        ]

    def switch_off(self, name: str, reason: str) -> None:
        """List the tool as one that cannot be used."""
        self._off[name] = reason

    async def details(self, tool: str, arguments: Sequence[Any], context: CallContext) -> dict[str, str]:
        return self.shown.get(tool, {})

    async def undo(self, tool: str, record: Mapping[str, str], context: CallContext) -> str:
        self.undone.append((tool, dict(record)))
        return await self.taking_back(tool, record)

    async def call(self, tool: str, arguments: Sequence[Any], context: CallContext) -> ToolResult:
        self.calls.append((tool, tuple(arguments)))
        self.contexts.append(context)
        result = await self._tools[tool][1](arguments)
        return result if isinstance(result, ToolResult) else ToolResult(result, f"{tool} is done.")


class FixedSelector:
    """Chooses the named tools, or all of them."""

    def __init__(self, *names: str, nothing: bool = False) -> None:
        self._names = names
        self._nothing = nothing

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        names = () if self._nothing else self._names or tuple(tool.name for tool in tools)
        return Selection(tuple(names), {tool.name: float(tool.name in names) for tool in tools})


async def until(condition: Callable[[], bool], description: str, seconds: float = 10.0) -> None:
    """Wait for a condition, at most so long."""
    try:
        async with asyncio.timeout(seconds):
            while not condition():
                await asyncio.sleep(0.005)
    except TimeoutError:
        raise AssertionError(f"did not happen within {seconds} s: {description}") from None
