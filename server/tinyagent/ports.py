"""What the engine needs from the rooms around it, as protocols.

Each port has one contract suite in `tests/contracts` that every implementation passes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

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
    `examples`, the nearest first, are for models that learn from their prompt. With `must_call` the
    plan has at least one call.
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
    must_call: bool = False


@dataclass(frozen=True)
class Usage:
    """Tokens read, written and found in a cache by one planning or one answer of a model.

    `prompt_tokens` counts the cached ones too. The milliseconds are those of reading what was not cached,
    and of writing; 0 where they are not known.
    """

    prompt_tokens: int = 0
    plan_tokens: int = 0
    cached_tokens: int = 0
    prompt_ms: float = 0.0
    plan_ms: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        """What both took together."""
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.plan_tokens + other.plan_tokens,
            self.cached_tokens + other.cached_tokens,
            self.prompt_ms + other.prompt_ms,
            self.plan_ms + other.plan_ms,
        )


class Planner(Protocol):
    """Writes a plan for a request."""

    name: str

    @property
    def can_replan(self) -> bool:
        """Whether it reads `tasks`; the engine asks no other for a second plan after a failure."""
        ...

    def knows(self, tool: ToolSpec) -> bool:
        """Whether it can plan calls of this tool: a model that reads schemas knows every one."""
        ...

    def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        """Stream the plan in the plan language, in pieces of any size; at most one Usage, last.

        Closing the iterator stops the work. Raises PlannerFailed or ModelUnavailable.
        """
        ...

    async def close(self) -> None:
        """Give back memory, threads and connections."""
        ...


ChatRole = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class ChatTurn:
    """One message of a chat."""

    role: ChatRole
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """A chat to be continued.

    `max_tokens` None is as many as the model has room for. `temperature` 0 is always the likeliest token;
    with `seed` a sampled answer can be had again. The answer ends before the first of `stop`. With
    `schema` (a JSON schema; `{}` is any JSON value) the answer is JSON that fits it.
    """

    messages: tuple[ChatTurn, ...]
    max_tokens: int | None = None
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ChatEnd:
    """How an answer ended: by itself or a stop text, or because `max_tokens` were written."""

    finish_reason: Literal["stop", "length"]
    usage: Usage


class ChatModel(Protocol):
    """Continues chats in prose or JSON."""

    @property
    def name(self) -> str:
        """How people know it."""
        ...

    def chat(self, request: ChatRequest) -> AsyncIterator[str | ChatEnd]:
        """Stream the answer in pieces of any size, then one ChatEnd.

        Closing the iterator stops the work. Raises InvalidRequest for what this model cannot obey
        (naming the field of ChatRequest), PlannerFailed, Overloaded or ModelUnavailable.
        """
        ...

    async def close(self) -> None:
        """Give back memory, threads and connections."""
        ...


@dataclass(frozen=True)
class Embeddings:
    """Vectors of texts, in their order, and how many tokens were read."""

    vectors: tuple[tuple[float, ...], ...]
    tokens: int


class Embedder(Protocol):
    """Turns texts into vectors of one length whose cosine tells how near their meanings are."""

    @property
    def name(self) -> str: ...

    @property
    def size(self) -> int:
        """Numbers of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens that are read of one text."""
        ...

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        """The vectors, each of length 1. Raises InvalidRequest for a text that is too long."""
        ...


@dataclass(frozen=True)
class ToolResult:
    """What a call brought: the value for `$n`, a sentence for people, a link if there is one.

    `untrusted`: the value holds text that others wrote. `undo` is what the host needs to take the
    call back, None when it cannot be taken back.
    """

    value: str
    message: str
    link: str | None = None
    untrusted: bool = False
    undo: Mapping[str, str] | None = None


@dataclass(frozen=True)
class ToolStatus:
    """A tool and whether it can be used now; `reason` says why not.

    `drafts_only` says why what it could send can only be drafted here, or is empty. `invites`: although
    it only writes, a call that names recipients may also tell them, and does so when it may send.
    `workers` are the names of the workers that carry it out; none when it is carried out in this process.
    `asks` says why every call is asked for first, whatever the settings of its effect; or is empty.
    """

    spec: ToolSpec
    enabled: bool
    reason: str = ""
    drafts_only: str = ""
    invites: bool = False
    workers: tuple[str, ...] = ()
    asks: str = ""


async def tell_nobody(message: str) -> None:
    """For calls whose progress nobody follows."""


@dataclass(frozen=True)
class CallContext:
    """The surroundings of one call.

    `now` is the run's wall-clock time, without zone. `key` is the same for every delivery of one call
    and of no other. With `send`, mail and messages go out; without it they are drafted. `details` are
    those that the user saw and approved: what no longer fits them is not carried out (ChangedSince).
    `instructions` are the user's own, for whatever is written in prose; `query` is the request.
    `seconds` is how long the call may take. `tell` takes a short sentence about what it waits for or does.
    `planned` is the tool as it was when the call was planned.
    """

    now: datetime
    key: str = ""
    send: bool = False
    details: Mapping[str, str] | None = None
    instructions: str = ""
    query: str = ""
    seconds: float = 60.0
    tell: Callable[[str], Awaitable[None]] = tell_nobody
    planned: ToolSpec | None = None


class ToolHost(Protocol):
    """Carries out calls. Methods raise TinyAgentError and nothing else, but for cancellation.

    The caller sets deadlines by cancelling.
    """

    def tools(self) -> Sequence[ToolStatus]:
        """All tools, the disabled ones with the reason."""
        ...

    async def details(self, tool: str, arguments: Sequence[Any], context: CallContext) -> dict[str, str]:
        """What an approval has to show beyond the arguments, by name: whom a reply goes to, its subject.

        Nothing is changed by asking.
        """
        ...

    async def call(self, tool: str, arguments: Sequence[Any], context: CallContext) -> ToolResult:
        """Carry out one call with resolved arguments."""
        ...

    async def undo(self, tool: str, record: Mapping[str, str], context: CallContext) -> str:
        """Take back a call by the record that its result carried; a sentence for people."""
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


AuditAction = Literal[
    "requested", "approved", "rejected", "refused", "started", "succeeded", "failed", "undone"
]


@dataclass(frozen=True)
class AuditEntry:
    """One thing that was done, asked or refused, without any text of the user's.

    `arguments` is a SHA-256 of the resolved arguments; `by` says who decided or did it; `code` is that
    of a fault.
    """

    run: str
    task: int
    tool: str
    effect: str
    action: AuditAction
    arguments: str = ""
    by: str = ""
    code: str = ""


class AuditLog(Protocol):
    """The append-only record of what was done to the world."""

    async def append(self, entry: AuditEntry) -> None:
        """Store the entry; durable on return. Raises JournalError."""
        ...

    async def close(self) -> None: ...


WritingRole = Literal["email", "note", "summary", "answer"]


VERBATIM = "verbatim"
"""The fact whose lines must stand in the text word for word."""


@dataclass(frozen=True)
class WritingTask:
    """What is to be written.

    `material` is what the text is made from; it may hold what others wrote, and is never followed as an
    instruction. `query` is the user's request, `instructions` the user's standing wishes. `facts` are
    further particulars by name, such as the subject and the recipients of a mail.
    """

    role: WritingRole
    material: str
    query: str = ""
    instructions: str = ""
    facts: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Written:
    """A text, and the model that wrote it; `by` is empty when it was composed without one.

    `remark` says why a configured model did not write it, or is empty.
    """

    text: str
    by: str = ""
    remark: str = ""


class Writer(Protocol):
    """Writes what people read. Without a model it composes from the material itself."""

    async def write(self, task: WritingTask) -> Written:
        """The text. A model that fails or is not there is no failure: the text is composed then."""
        ...

    async def close(self) -> None: ...
