"""The state of a run, folded from its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from tinyagent.domain import events as ev
from tinyagent.domain.tools import Effect
from tinyagent.errors import UnreadableRun

RunStatus = Literal["running", "completed", "failed", "cancelled"]
TaskStatus = Literal["planned", "waiting", "running", "succeeded", "failed", "skipped"]
"""`waiting`: the user is asked."""

OPEN: frozenset[TaskStatus] = frozenset({"planned", "waiting", "running"})
"""A task in one of these has not ended."""


@dataclass(frozen=True)
class TaskState:
    """One call of a run as it stands."""

    task: int
    tool: str
    arguments: tuple[Any, ...]
    effect: Effect
    needs: tuple[int, ...]
    line: str
    round: int = 0
    status: TaskStatus = "planned"
    value: str | None = None
    message: str = ""
    link: str | None = None
    untrusted: bool = False
    fault: ev.Fault | None = None
    outcome_unknown: bool = False
    started: datetime | None = None
    ended: datetime | None = None
    approval: ev.ApprovalRequestedData | None = None
    """What the user was asked last about this call."""
    approved: bool | None = None
    sending: bool = False
    progress: str = ""
    undo: dict[str, str] | None = None
    undone: str = ""
    """What was taken back, in a sentence; empty while nothing was."""

    @property
    def can_undo(self) -> bool:
        """Whether there is something to take back."""
        return self.undo is not None and not self.undone


@dataclass(frozen=True)
class RunState:
    """A run as it stands: what was asked, planned, done and answered."""

    run: str
    created: datetime
    query: str
    mode: Literal["run", "plan"]
    planner: str
    now: datetime
    approval: Literal["draft", "ask", "auto"] | None = None
    """How strict the run was to be."""
    status: RunStatus = "running"
    tools: tuple[str, ...] = ()
    scores: dict[str, float] = field(default_factory=dict[str, float])
    unavailable: dict[str, str] = field(default_factory=dict[str, str])
    plan: str = ""
    tasks: dict[int, TaskState] = field(default_factory=dict[int, TaskState])
    rounds: int = 0
    answer: str = ""
    fault: ev.Fault | None = None
    prompt_tokens: int = 0
    plan_tokens: int = 0
    cached_tokens: int = 0
    prompt_ms: float = 0.0
    plan_ms: float = 0.0
    last_seq: int = 0
    ended: datetime | None = None
    follows: str | None = None
    """The run that this one goes on from."""
    fingerprint: str = ""
    """A digest of the request and of who sent it."""


def current_tasks(state: RunState) -> list[TaskState]:
    """The tasks that tell how the run stands: a later plan replaced those that it tried again.

    What was done, or may have been done, stays.
    """
    tasks = state.tasks.values()
    last = {tool: max(task.round for task in tasks if task.tool == tool) for tool in {t.tool for t in tasks}}
    return [
        task
        for task in tasks
        if task.status == "succeeded" or task.outcome_unknown or task.round == last[task.tool]
    ]


Question = tuple[int, str]
"""What a run asks: its task and the digest of what the call would do."""


def open_questions(state: RunState) -> dict[Question, ev.ApprovalRequestedData]:
    """What the run asks now, by task."""
    tasks = (state.tasks[number] for number in sorted(state.tasks))
    asked = [task.approval for task in tasks if task.status == "waiting" and task.approval is not None]
    return {(one.task, one.digest): one for one in asked}


def all_asked(state: RunState) -> bool:
    """Whether no further question can come before one is answered."""
    tasks = state.tasks.values()
    succeeded = {task.task for task in tasks if task.status == "succeeded"}
    planning = any(task.round >= state.rounds for task in tasks)
    moving = any(
        task.status == "running" or (task.status == "planned" and succeeded.issuperset(task.needs))
        for task in tasks
    )
    return not planning and not moving


def fold(events: Iterable[ev.Event], state: RunState | None = None) -> RunState | None:
    """The state after these events, starting from `state`; None when there are none.

    Raises UnreadableRun when they do not start with run.created.
    """
    for event in events:
        state = _apply(state, event)
    return state


def _apply(state: RunState | None, event: ev.Event) -> RunState:
    if isinstance(event, ev.RunCreated):
        data = event.data
        return RunState(
            event.run,
            event.time,
            data.query,
            data.mode,
            data.planner,
            data.now,
            data.approval,
            last_seq=event.seq,
            follows=data.follows,
            fingerprint=data.fingerprint,
        )
    if state is None:
        raise UnreadableRun(
            f"The journal holds events of run {event.run} without its beginning.", hint="Delete the run."
        )
    return replace(_apply_task(_apply_run(state, event), event), last_seq=event.seq)


def _apply_run(state: RunState, event: ev.Event) -> RunState:
    match event:
        case ev.ToolsSelected(data=data):
            return replace(state, tools=data.tools, scores=data.scores, unavailable=data.unavailable)
        case ev.PlanDelta(data=data):
            return replace(state, plan=state.plan + data.text)
        case ev.PlanCompleted(data=data):
            return replace(
                state,
                rounds=data.round + 1,
                prompt_tokens=state.prompt_tokens + data.prompt_tokens,
                plan_tokens=state.plan_tokens + data.plan_tokens,
                cached_tokens=state.cached_tokens + data.cached_tokens,
                prompt_ms=state.prompt_ms + data.prompt_ms,
                plan_ms=state.plan_ms + data.plan_ms,
            )
        case ev.AnswerDelta(data=data):
            return replace(state, answer=state.answer + data.text)
        case ev.RunCompleted(data=data):
            return replace(state, status="completed", answer=data.answer, ended=event.time)
        case ev.RunFailed(data=data):
            return replace(state, status="failed", fault=data.fault, ended=event.time)
        case ev.RunCancelled(data=data):
            return replace(
                state,
                status="cancelled",
                fault=ev.Fault(code="cancelled", message=data.reason),
                ended=event.time,
            )
        case _:
            return state


def _apply_task(state: RunState, event: ev.Event) -> RunState:
    match event:
        case ev.TaskPlanned(data=data):
            task = TaskState(
                data.task, data.tool, data.arguments, data.effect, data.needs, data.line, data.round
            )
        case ev.ApprovalRequested(data=data):
            task = replace(
                state.tasks[data.task],
                status="waiting",
                arguments=data.arguments,
                approval=data,
                approved=None,
            )
        case ev.ApprovalDecided(data=data):
            task = replace(state.tasks[data.task], status="planned", approved=data.approved)
        case ev.TaskStarted(data=data):
            task = replace(
                state.tasks[data.task],
                status="running",
                arguments=data.arguments,
                started=event.time,
                sending=data.sending,
            )
        case ev.TaskProgress(data=data):
            task = replace(state.tasks[data.task], progress=data.message)
        case ev.TaskUndone(data=data):
            task = state.tasks[data.task]
            if data.fault is None:
                task = replace(task, undone=data.message)
        case ev.TaskSucceeded(data=data):
            task = replace(
                state.tasks[data.task],
                status="succeeded",
                value=data.value,
                message=data.message,
                link=data.link,
                untrusted=data.untrusted,
                undo=data.undo,
                ended=event.time,
            )
        case ev.TaskFailed(data=data):
            task = replace(
                state.tasks[data.task],
                status="failed",
                fault=data.fault,
                outcome_unknown=data.outcome_unknown,
                ended=event.time,
            )
        case ev.TaskSkipped(data=data):
            task = replace(state.tasks[data.task], status="skipped", message=data.reason, ended=event.time)
        case _:
            return state
    return replace(state, tasks={**state.tasks, task.task: task})
