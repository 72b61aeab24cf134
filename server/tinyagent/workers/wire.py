"""What the server and its workers send each other, as JSON."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from tinyagent.errors import TinyAgentError, error_kinds
from tinyagent.ports import CallContext, ToolResult

MAX_WAIT_S = 30.0
MAX_JOB_BYTES = 1_000_000
MAX_OUTCOME_BYTES = 1_500_000
"""Below what the server takes as a body."""
MAX_TOOLS = 200
MAX_TEXT = 2000
MAX_CANDIDATES = 50
VERSION_HEADER = "tinyagent-version"

JobKind = Literal["call", "details", "undo"]
NAME_PATTERN = r"^[\w.()' -]{1,64}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Instance = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]
Sentence = Annotated[str, StringConstraints(max_length=MAX_TEXT)]


def _known_code(code: str) -> str:
    if code not in error_kinds():
        raise ValueError("it is no known error code")
    return code


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class WorkerId(_Body):
    """Who speaks: the name that people see, and a random number of the process behind it."""

    worker: Name
    instance: Instance


def new_worker(name: str) -> WorkerId:
    """The identity of a process that starts to work."""
    return WorkerId(worker=name, instance=secrets.token_hex(16))


class Offer(_Body):
    """A tool of a worker, as `ToolStatus` tells it."""

    enabled: bool
    reason: Sentence = ""
    drafts_only: Sentence = ""
    invites: bool = False


class Claim(WorkerId):
    """A worker that is ready for one more job, and waits for it at most `wait_s` seconds."""

    tools: dict[Annotated[str, StringConstraints(max_length=64)], Offer] = Field(max_length=MAX_TOOLS)
    wait_s: float = Field(default=0.0, ge=0, le=MAX_WAIT_S)


class Heartbeat(WorkerId):
    """A worker that carries out a job; the first one asks whether it may begin."""


class Success(_Body):
    """What a job brought: a tool's result, details, or an undo's `message`."""

    value: str = ""
    message: str = ""
    link: str | None = None
    untrusted: bool = False
    undo: dict[str, str] | None = None
    details: dict[str, str] = {}

    @classmethod
    def of(cls, result: ToolResult) -> Success:
        undo = dict(result.undo) if result.undo is not None else None
        return cls(
            value=result.value,
            message=result.message,
            link=result.link,
            untrusted=result.untrusted,
            undo=undo,
        )

    def result(self) -> ToolResult:
        """The result as the engine knows it."""
        return ToolResult(self.value, self.message, self.link, self.untrusted, self.undo)


class Failure(_Body):
    """Why a job failed."""

    code: Annotated[str, AfterValidator(_known_code)]
    message: Sentence
    hint: Sentence | None = None
    candidates: list[Sentence] = Field(default=[], max_length=MAX_CANDIDATES)

    @classmethod
    def of(cls, error: TinyAgentError) -> Failure:
        """The error, its texts cut to what may be sent."""
        return cls(
            code=error.code,
            message=_sendable(error.message),
            hint=None if error.hint is None else _sendable(error.hint),
            candidates=[_sendable(candidate) for candidate in error.candidates[:MAX_CANDIDATES]],
        )

    def error(self) -> TinyAgentError:
        """The error as the tool raised it."""
        return error_kinds()[self.code](self.message, hint=self.hint, candidates=self.candidates)


def _sendable(text: str) -> str:
    return text[:MAX_TEXT].encode("utf-8", "replace").decode("utf-8")


class Outcome(WorkerId):
    """How a job ended: exactly one of `ok` and `error`."""

    ok: Success | None = None
    error: Failure | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Outcome:
        if (self.ok is None) == (self.error is None):
            raise ValueError("either `ok` or `error` is needed")
        return self


class Surroundings(BaseModel):
    """A call's context. Fields that a newer server adds are left aside."""

    now: datetime
    key: str
    send: bool
    details: dict[str, str] | None
    instructions: str
    query: str
    seconds: float

    @classmethod
    def of(cls, context: CallContext, details: Mapping[str, str] | None) -> Surroundings:
        """The context with these details."""
        return cls(
            now=context.now,
            key=context.key,
            send=context.send,
            details=None if details is None else dict(details),
            instructions=context.instructions,
            query=context.query,
            seconds=context.seconds,
        )

    def context(self) -> CallContext:
        """The context as tools know it."""
        return CallContext(
            now=self.now,
            key=self.key,
            send=self.send,
            details=self.details,
            instructions=self.instructions,
            query=self.query,
            seconds=self.seconds,
        )


class Job(BaseModel):
    """One thing to do: a call, what an approval has to show, or taking a call back."""

    id: str
    kind: JobKind
    tool: str
    arguments: list[str | int | bool | list[str]] = []
    record: dict[str, str] = {}
    context: Surroundings
    lease_s: float
    """Longest silence that the server bears, in seconds."""


class Standing(BaseModel):
    """The answer to a heartbeat."""

    cancel: bool


class Taken(BaseModel):
    """The answer to a result."""

    taken: Literal[True] = True


def plain(arguments: Sequence[Any]) -> list[Any]:
    """Arguments as JSON holds them: lists for tuples."""
    return [list(cast("Sequence[Any]", value)) if isinstance(value, tuple) else value for value in arguments]
