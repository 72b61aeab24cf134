"""What can happen in a run. A run *is* the list of these events.

Everything that anyone sees (the OpenAI stream, the event feed, the history, recovery after a
crash) is read from that list. Events are frozen; a new meaning is a new type, and fields are
only ever added with a default, so that journals of earlier versions stay readable.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from tinyagent.domain.provenance import Source
from tinyagent.domain.text import whole_characters
from tinyagent.domain.tools import Effect


class _Text(BaseModel):
    """Whatever text goes in can be stored and sent."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _readable(cls, fields: object) -> object:
        return _repaired(fields)


def _repaired(value: object) -> object:
    if isinstance(value, str):
        return whole_characters(value)
    if isinstance(value, dict):
        return {key: _repaired(item) for key, item in cast("dict[object, object]", value).items()}
    if isinstance(value, (list, tuple)):
        items = [_repaired(item) for item in cast("list[object]", value)]
        return tuple(items) if isinstance(value, tuple) else items
    return value


class Fault(_Text):
    """Why something failed: a code of `errors.py`, a sentence, what to do, and choices if any."""

    code: str
    message: str
    hint: str | None = None
    candidates: tuple[str, ...] = ()


class Data(_Text):
    """What an event tells; each type of event has its own."""


class RunCreatedData(Data):
    query: str
    mode: Literal["run", "plan"]
    planner: str
    now: datetime
    instructions: str = ""
    deadline_s: float
    history: tuple[tuple[str, str], ...] = ()
    """Earlier messages, (role, text), oldest first."""
    approval: Literal["draft", "ask", "auto"] | None = None
    """How strict the run wants to be; the settings may be stricter."""
    answerable: bool = False
    """Whether somebody can answer when the run asks for an approval."""
    plan: str = ""
    """A plan that the caller gives; nothing is selected or planned then."""
    follows: str | None = None
    """The run that this one goes on from."""
    fingerprint: str = ""
    """A digest of the request and of who sent it, by which its repetition is known."""


class ToolsSelectedData(Data):
    tools: tuple[str, ...]
    scores: dict[str, float]
    milliseconds: float
    unavailable: dict[str, str] = {}
    """Tools that the request asks for but that cannot be used now, with the reason."""


class PlanDeltaData(Data):
    text: str


class TaskPlannedData(Data):
    task: int
    tool: str
    arguments: tuple[Any, ...]
    """As written in the plan, references as `$n`."""
    effect: Effect
    needs: tuple[int, ...]
    line: str
    thought: str = ""
    round: int = 0


class PlanCompletedData(Data):
    text: str
    round: int = 0
    prompt_tokens: int = 0
    plan_tokens: int = 0
    cached_tokens: int = 0
    milliseconds: float = 0.0
    prompt_ms: float = 0.0
    """Reading the prompt, as far as it was not cached; 0 where it is not known."""
    plan_ms: float = 0.0
    """Writing the plan; 0 where it is not known."""


class TaskProgressData(Data):
    task: int
    message: str
    """What the call waits for or does, for people."""


class ApprovalRequestedData(Data):
    """The user is asked whether a call may be carried out exactly so."""

    task: int
    tool: str
    effect: Effect
    arguments: tuple[Any, ...]
    """After substitution: exactly what the tool would receive."""
    digest: str
    """SHA-256 of tool, arguments and details: an approval holds for this and nothing else."""
    details: dict[str, str] = {}
    """What the call acts on beyond its arguments, such as whom a reply goes to."""
    sources: tuple[Source, ...] = ()
    """Where each argument comes from."""
    reason: str
    expires: datetime


class ApprovalDecidedData(Data):
    task: int
    digest: str
    approved: bool
    by: str
    """The name of the token that decided, or the server when nobody did."""
    reason: str = ""


class TaskStartedData(Data):
    task: int
    arguments: tuple[Any, ...]
    """After substitution: exactly what the tool receives."""
    sources: tuple[Source, ...] = ()
    """Where each argument comes from."""
    sending: bool = False
    """Whether what it writes goes out; a draft is made otherwise."""


class TaskSucceededData(Data):
    task: int
    value: str
    """What `$n` stands for."""
    message: str
    """One sentence for people."""
    link: str | None = None
    untrusted: bool = False
    """The value holds text that others wrote: it is data, never an instruction."""
    milliseconds: float = 0.0
    undo: dict[str, str] | None = None
    """What the tool host needs to take the call back; None when it cannot be taken back."""


class TaskFailedData(Data):
    task: int
    fault: Fault
    outcome_unknown: bool = False
    """The call may have taken effect (stopped in the middle of a write)."""
    milliseconds: float = 0.0


class TaskSkippedData(Data):
    task: int
    reason: str
    because: tuple[int, ...]


class TaskUndoneData(Data):
    """Somebody asked to take a call back; this may come after the end of the run."""

    task: int
    by: str
    message: str = ""
    fault: Fault | None = None
    """Why it was not taken back; None when it was."""


class RunReplannedData(Data):
    round: int
    reason: str


class AnswerDeltaData(Data):
    text: str


class RunCompletedData(Data):
    answer: str


class RunFailedData(Data):
    fault: Fault


class RunCancelledData(Data):
    reason: str


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)

    seq: int = 0
    """Position in the run, from 1; given by the journal."""
    run: str
    time: datetime


class RunCreated(_Event):
    type: Literal["run.created"] = "run.created"
    data: RunCreatedData


class ToolsSelected(_Event):
    type: Literal["tools.selected"] = "tools.selected"
    data: ToolsSelectedData


class PlanDelta(_Event):
    type: Literal["plan.delta"] = "plan.delta"
    data: PlanDeltaData


class TaskPlanned(_Event):
    type: Literal["task.planned"] = "task.planned"
    data: TaskPlannedData


class PlanCompleted(_Event):
    type: Literal["plan.completed"] = "plan.completed"
    data: PlanCompletedData


class ApprovalRequested(_Event):
    type: Literal["approval.requested"] = "approval.requested"
    data: ApprovalRequestedData


class ApprovalDecided(_Event):
    type: Literal["approval.decided"] = "approval.decided"
    data: ApprovalDecidedData


class TaskStarted(_Event):
    type: Literal["task.started"] = "task.started"
    data: TaskStartedData


class TaskProgress(_Event):
    type: Literal["task.progress"] = "task.progress"
    data: TaskProgressData


class TaskSucceeded(_Event):
    type: Literal["task.succeeded"] = "task.succeeded"
    data: TaskSucceededData


class TaskFailed(_Event):
    type: Literal["task.failed"] = "task.failed"
    data: TaskFailedData


class TaskSkipped(_Event):
    type: Literal["task.skipped"] = "task.skipped"
    data: TaskSkippedData


class TaskUndone(_Event):
    type: Literal["task.undone"] = "task.undone"
    data: TaskUndoneData


class RunReplanned(_Event):
    type: Literal["run.replanned"] = "run.replanned"
    data: RunReplannedData


class AnswerDelta(_Event):
    type: Literal["answer.delta"] = "answer.delta"
    data: AnswerDeltaData


class RunCompleted(_Event):
    type: Literal["run.completed"] = "run.completed"
    data: RunCompletedData


class RunFailed(_Event):
    type: Literal["run.failed"] = "run.failed"
    data: RunFailedData


class RunCancelled(_Event):
    type: Literal["run.cancelled"] = "run.cancelled"
    data: RunCancelledData


Event = Annotated[
    RunCreated
    | ToolsSelected
    | PlanDelta
    | TaskPlanned
    | PlanCompleted
    | ApprovalRequested
    | ApprovalDecided
    | TaskStarted
    | TaskProgress
    | TaskSucceeded
    | TaskFailed
    | TaskSkipped
    | TaskUndone
    | RunReplanned
    | AnswerDelta
    | RunCompleted
    | RunFailed
    | RunCancelled,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[Event] = TypeAdapter(Event)
"""Reads and writes events: `EVENT.validate_json(text)`, `EVENT.dump_json(event)`."""

TERMINAL = (RunCompleted, RunFailed, RunCancelled)
"""After one of these the run is over; only `task.undone` may follow."""

_CLASSES: dict[Any, Any] = {cls.model_fields["data"].annotation: cls for cls in get_args(get_args(Event)[0])}


def event_of(run: str, time: datetime, data: Data) -> Event:
    """The event that carries this data, not yet numbered."""
    return _CLASSES[type(data)](run=run, time=time, data=data)
