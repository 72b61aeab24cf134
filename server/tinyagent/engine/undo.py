"""Taking back what a run did."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState, TaskState
from tinyagent.engine.agent import Rules
from tinyagent.engine.bounded import bounded
from tinyagent.engine.faults import fault_of
from tinyagent.engine.feed import Feed
from tinyagent.errors import (
    Conflict,
    DeadlineExceeded,
    JournalError,
    NotFound,
    OutcomeUnknown,
    TinyAgentError,
)
from tinyagent.ports import AuditEntry, AuditLog, CallContext, ToolHost

logger = logging.getLogger(__name__)

UNDO_S = 60.0


@dataclass(frozen=True)
class Undone:
    """What became of taking back one call: a sentence, or the fault that kept it."""

    task: int
    tool: str
    message: str
    fault: ev.Fault | None = None


async def undo_tasks(
    state: RunState, task: int | None, by: str, host: ToolHost, feed: Feed, rules: Rules
) -> list[Undone]:
    """Take back one call, or all that can be, the last one first; each end is recorded with the run.

    What is taken back stands in the audit log before. Raises JournalError when it cannot, with nothing done,
    or when the end cannot be recorded with the run.
    """
    undone: list[Undone] = []
    for chosen in _chosen(state, task):
        entry = AuditEntry(state.run, chosen.task, chosen.tool, chosen.effect, "started", by=by)
        await rules.audit.append(entry)
        result = await _undo(state, chosen, host)
        await _note_end(entry, result.fault, rules.audit)
        data = ev.TaskUndoneData(task=chosen.task, by=by, message=result.message, fault=result.fault)
        await feed.append(ev.event_of(state.run, rules.clock.now(), data))
        undone.append(result)
    return undone


async def _note_end(entry: AuditEntry, fault: ev.Fault | None, audit: AuditLog) -> None:
    code = fault.code if fault else ""
    try:
        await audit.append(replace(entry, action="failed" if fault else "undone", code=code))
    except JournalError as lost:  # it is done, and the run's own record tells so
        logger.error(
            "run %s: the audit log misses how taking back task %d ended: %s", entry.run, entry.task, lost
        )


def _chosen(state: RunState, task: int | None) -> list[TaskState]:
    if task is None:
        possible = [one for one in state.tasks.values() if one.can_undo]
        if not possible:
            before = any(one.undone for one in state.tasks.values())
            what = "was taken back before" if before else "did nothing that can be taken back"
            raise Conflict(f"Run {state.run} {what}.")
        return sorted(possible, key=_end, reverse=True)
    one = state.tasks.get(task)
    if one is None:
        raise NotFound(f"Run {state.run} has no task {task}.")
    if one.undone:
        raise Conflict(f"Task {task} was taken back before.")
    if not one.can_undo:
        raise Conflict(
            f"Task {task} ({one.tool}) cannot be taken back.",
            hint="What only reads leaves nothing behind, and what was sent is gone.",
        )
    return [one]


def _end(task: TaskState) -> tuple[datetime, int]:
    assert task.ended is not None
    return task.ended, task.task


async def _undo(state: RunState, task: TaskState, host: ToolHost) -> Undone:
    assert task.undo is not None
    context = CallContext(now=state.now, key=f"{state.run}/{task.task}/undo", seconds=UNDO_S)
    what = f"Taking back {task.tool}"
    work = host.undo(task.tool, task.undo, context)
    try:
        return Undone(task.task, task.tool, await bounded(work, what, UNDO_S, OutcomeUnknown))
    except DeadlineExceeded:
        error: TinyAgentError = OutcomeUnknown(
            f"{what} did not finish within {UNDO_S:g} seconds; it may have been done or not.",
            hint="Look in the application.",
        )
    except TinyAgentError as raised:
        error = raised
    return Undone(task.task, task.tool, "", fault_of(error))
