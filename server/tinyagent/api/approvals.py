"""`/v1/runs/{run}`: answer what a run asks, and take back what it did."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from tinyagent.api.schemas import RunBody, UndoList
from tinyagent.api.serving import Caller, ServingHere

router = APIRouter(prefix="/v1/runs/{run}")

MAX_TASKS = 1_000

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
TaskKey = Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,8}$")]
_NO_OTHERS: JsonDict = {"additionalProperties": False}
Digests = Annotated[
    dict[TaskKey, Digest],
    Field(min_length=1, max_length=MAX_TASKS, json_schema_extra=_NO_OTHERS),
]
Reason = Annotated[str, Field(max_length=500)]
TaskNumber = Annotated[int, Path(ge=1)]


class ApproveTask(BaseModel):
    """The digest that the task's `approval` shows: the answer holds for this and nothing else."""

    model_config = ConfigDict(strict=True, extra="forbid")

    digest: Digest


class RejectTask(ApproveTask):
    """The same, with the reason for the record."""

    reason: Reason = ""


class ApproveTasks(BaseModel):
    """Several tasks at once: their numbers and digests."""

    model_config = ConfigDict(strict=True, extra="forbid")

    tasks: Digests

    def decisions(self) -> dict[int, str]:
        return {int(task): digest for task, digest in self.tasks.items()}


class RejectTasks(ApproveTasks):
    """The same, with the reason for the record."""

    reason: Reason = ""


@router.post("/tasks/{task}/approve")
async def approve_task(
    run: str, task: TaskNumber, body: ApproveTask, serving: ServingHere, caller: Caller
) -> RunBody:
    """Let one waiting call be carried out, exactly as it was shown."""
    return RunBody.of(await serving.runs.decide(run, {task: body.digest}, approved=True, by=caller))


@router.post("/tasks/{task}/reject")
async def reject_task(
    run: str, task: TaskNumber, body: RejectTask, serving: ServingHere, caller: Caller
) -> RunBody:
    """Refuse one waiting call."""
    decisions = {task: body.digest}
    return RunBody.of(await serving.runs.decide(run, decisions, False, by=caller, reason=body.reason))


@router.post("/approve")
async def approve_tasks(run: str, body: ApproveTasks, serving: ServingHere, caller: Caller) -> RunBody:
    """Let several waiting calls be carried out: all of them, or none when one digest is not right."""
    return RunBody.of(await serving.runs.decide(run, body.decisions(), approved=True, by=caller))


@router.post("/reject")
async def reject_tasks(run: str, body: RejectTasks, serving: ServingHere, caller: Caller) -> RunBody:
    """Refuse several waiting calls: all of them, or none when one digest is not right."""
    decided = serving.runs.decide(run, body.decisions(), False, by=caller, reason=body.reason)
    return RunBody.of(await decided)


@router.post("/tasks/{task}/undo")
async def undo_task(run: str, task: TaskNumber, serving: ServingHere, caller: Caller) -> UndoList:
    """Take back one call of a run that has ended."""
    return UndoList.of(await serving.runs.undo(run, task, by=caller))


@router.post("/undo")
async def undo_run(run: str, serving: ServingHere, caller: Caller) -> UndoList:
    """Take back every call of a run that can be taken back, the last one first."""
    return UndoList.of(await serving.runs.undo(run, None, by=caller))
