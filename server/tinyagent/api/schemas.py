"""Runs and tools as clients read them. Fields are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from tinyagent.domain.events import ApprovalRequestedData, Fault
from tinyagent.domain.run import RunState, RunStatus, TaskState, TaskStatus
from tinyagent.domain.tools import Effect
from tinyagent.engine.undo import Undone
from tinyagent.ports import ToolStatus


class TaskBody(BaseModel):
    """One call of a run. `value` is what `$n` stands for, `message` a sentence for people.

    `approval` is what the user was asked last, with `status` "waiting" as long as no answer came; `undone`
    says what was taken back.
    """

    task: int
    tool: str
    arguments: list[Any]
    effect: Effect
    needs: list[int]
    line: str
    round: int
    status: TaskStatus
    value: str | None
    message: str
    link: str | None
    untrusted: bool
    error: Fault | None
    outcome_unknown: bool
    approval: ApprovalRequestedData | None
    can_undo: bool
    undone: str
    started: datetime | None
    ended: datetime | None

    @classmethod
    def of(cls, task: TaskState) -> TaskBody:
        return cls(
            task=task.task,
            tool=task.tool,
            arguments=list(task.arguments),
            effect=task.effect,
            needs=list(task.needs),
            line=task.line,
            round=task.round,
            status=task.status,
            value=task.value,
            message=task.message,
            link=task.link,
            untrusted=task.untrusted,
            error=task.fault,
            outcome_unknown=task.outcome_unknown,
            approval=task.approval,
            can_undo=task.can_undo,
            undone=task.undone,
            started=task.started,
            ended=task.ended,
        )


class UndoneBody(BaseModel):
    """How taking back one call went; with an `error` it stays as it was."""

    task: int
    tool: str
    message: str
    error: Fault | None


class UndoList(BaseModel):
    """What was taken back, in that order."""

    object: Literal["list"] = "list"
    data: list[UndoneBody]

    @classmethod
    def of(cls, undone: Sequence[Undone]) -> UndoList:
        return cls(
            data=[
                UndoneBody(task=one.task, tool=one.tool, message=one.message, error=one.fault)
                for one in undone
            ]
        )


class UsageBody(BaseModel):
    """Tokens that planning read, wrote and found in a cache."""

    prompt_tokens: int
    plan_tokens: int
    cached_tokens: int


class RunSummary(BaseModel):
    """A run as lists show it."""

    object: Literal["run"] = "run"
    run: str
    created: datetime
    ended: datetime | None
    status: RunStatus
    mode: Literal["run", "plan"]
    query: str
    planner: str
    answer: str
    error: Fault | None

    @classmethod
    def of(cls, state: RunState) -> RunSummary:
        return cls(**_summary(state))


class RunBody(RunSummary):
    """The whole run. `now` is the wall-clock time of its dates, `follows` the run that it goes on from."""

    now: datetime
    follows: str | None
    tools: list[str]
    scores: dict[str, float]
    plan: str
    rounds: int
    tasks: list[TaskBody]
    usage: UsageBody
    last_seq: int

    @classmethod
    def of(cls, state: RunState) -> RunBody:
        return cls(
            **_summary(state),
            now=state.now,
            follows=state.follows,
            tools=list(state.tools),
            scores=state.scores,
            plan=state.plan,
            rounds=state.rounds,
            tasks=[TaskBody.of(state.tasks[number]) for number in sorted(state.tasks)],
            usage=UsageBody(
                prompt_tokens=state.prompt_tokens,
                plan_tokens=state.plan_tokens,
                cached_tokens=state.cached_tokens,
            ),
            last_seq=state.last_seq,
        )


def _summary(state: RunState) -> dict[str, Any]:
    return {
        "run": state.run,
        "created": state.created,
        "ended": state.ended,
        "status": state.status,
        "mode": state.mode,
        "query": state.query,
        "planner": state.planner,
        "answer": state.answer,
        "error": state.fault,
    }


class RunList(BaseModel):
    """A page of runs, newest first; `next` is the `before` of the following page, if there is one."""

    object: Literal["list"] = "list"
    data: list[RunSummary]
    next: str | None

    @classmethod
    def page(cls, states: Sequence[RunState], limit: int) -> RunList:
        """The first `limit` of `states`, which holds one more when there is a following page."""
        data = [RunSummary.of(state) for state in states[:limit]]
        return cls(data=data, next=data[-1].run if len(states) > limit else None)


class ToolBody(BaseModel):
    """A tool; `parameters` is a JSON schema and `reason` says why a disabled one is.

    `drafts_only` says why it cannot send here, or is empty. `workers` are those that carry it out.
    """

    name: str
    description: str
    parameters: dict[str, Any]
    returns: str
    effect: Effect
    app: str
    enabled: bool
    reason: str
    drafts_only: str
    workers: list[str]

    @classmethod
    def of(cls, status: ToolStatus) -> ToolBody:
        spec = status.spec
        return cls(
            name=spec.name,
            description=spec.description,
            parameters=spec.json_schema(),
            returns=spec.returns,
            effect=spec.effect,
            app=spec.app,
            enabled=status.enabled,
            reason=status.reason,
            drafts_only=status.drafts_only,
            workers=list(status.workers),
        )


class ToolList(BaseModel):
    """All tools, the disabled ones too."""

    object: Literal["list"] = "list"
    data: list[ToolBody]
