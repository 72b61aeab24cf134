"""What the engine needs from the rooms around it, as protocols.

Each port has one contract suite in `tests/contracts` that every implementation passes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from tinyagent.domain.events import Event
from tinyagent.domain.run import TaskState
from tinyagent.domain.tools import ToolSpec


class Clock(Protocol):
    """The time of day in the user's time zone."""

    def now(self) -> datetime:
        """An aware datetime."""
        ...


@dataclass(frozen=True)
class Selection:
    """The tools that a request needs, most probable first, with the score of every tool."""

    tools: tuple[str, ...]
    scores: dict[str, float]


class ToolSelector(Protocol):
    """Tool RAG: which tools does this request need?"""

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        """Choose among `tools`; an empty selection says that none can serve the request."""
        ...


@dataclass(frozen=True)
class Example:
    """A solved request that shows a model what a right plan is.

    `number` is its place in its collection; `tools` are the calls' tools, sorted, as often as called.
    """

    number: int
    query: str
    now: datetime
    plan: str
    tools: tuple[str, ...]


@dataclass(frozen=True)
class PlanRequest:
    """All that a planner may know.

    `now` is the user's wall-clock time, without zone. `tools` are the ones to plan with and
    `scores` what Tool RAG thought of each. On a replan `tasks` holds what was done so far, and
    the new calls are numbered from `first_index`; a new call may refer to a succeeded task.
    `examples`, the nearest first, are for models that learn from their prompt.
    """

    query: str
    now: datetime
    tools: tuple[ToolSpec, ...]
    scores: dict[str, float] = field(default_factory=dict[str, float])
    instructions: str = ""
    history: tuple[tuple[str, str], ...] = ()
    tasks: tuple[TaskState, ...] = ()
    first_index: int = 1
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Usage:
    """Tokens read, written and found in a cache by one planning."""

    prompt_tokens: int = 0
    plan_tokens: int = 0
    cached_tokens: int = 0


class Planner(Protocol):
    """Writes a plan for a request."""

    name: str

    @property
    def can_replan(self) -> bool:
        """Whether it reads `tasks`; the engine asks no other for a second plan after a failure."""
        ...

    def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        """Stream the plan in the plan language, in pieces of any size; at most one Usage, last.

        Closing the iterator stops the work. Raises PlannerFailed or ModelUnavailable.
        """
        ...

    async def close(self) -> None:
        """Give back memory, threads and connections."""
        ...


@dataclass(frozen=True)
class ToolResult:
    """What a call brought: the value for `$n`, a sentence for people, a link if there is one."""

    value: str
    message: str
    link: str | None = None
    untrusted: bool = False


@dataclass(frozen=True)
class ToolStatus:
    """A tool and whether it can be used now; `reason` says why not."""

    spec: ToolSpec
    enabled: bool
    reason: str = ""


class ToolHost(Protocol):
    """Carries out calls."""

    def tools(self) -> Sequence[ToolStatus]:
        """All tools, the disabled ones with the reason."""
        ...

    async def call(self, tool: str, arguments: Sequence[Any], now: datetime) -> ToolResult:
        """Carry out one call with resolved arguments; `now` is the run's wall-clock time.

        Raises TinyAgentError and nothing else. The caller sets the deadline by cancelling.
        """
        ...


class Journal(Protocol):
    """The append-only record of all runs."""

    async def append(self, events: Sequence[Event]) -> list[Event]:
        """Store events of one run and return them with their numbers; durable on return."""
        ...

    async def read(self, run: str, after: int = 0) -> list[Event]:
        """The run's events with `seq` above `after`, in order; empty for an unknown run."""
        ...

    async def runs(self, limit: int, before: str | None = None) -> list[str]:
        """Ids of runs, newest first, starting after `before`."""
        ...

    async def unfinished(self) -> list[str]:
        """Ids of runs without a terminal event."""
        ...

    async def delete(self, run: str) -> bool:
        """Forget a run; False when it is unknown."""
        ...

    async def remember_key(self, key: str, run: str) -> str:
        """Bind an idempotency key to a run, or return the run that it is bound to already."""
        ...

    async def close(self) -> None:
        """Finish writing and release the file."""
        ...


class Summarizer(Protocol):
    """Shortens a text."""

    async def summarize(self, text: str) -> str:
        """A few sentences with what matters in `text`."""
        ...
