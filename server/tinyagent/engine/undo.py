"""Taking back what a run did."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState, TaskState
from tinyagent.engine.agent import Rules
from tinyagent.engine.faults import fault_of
from tinyagent.engine.feed import Feed
from tinyagent.errors import AppFailed, Conflict, DeadlineExceeded, NotFound, TinyAgentError, log_unexpected
from tinyagent.ports import AuditAction, AuditEntry, CallContext, ToolHost

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
    """Take back one call, or all that can be, the last one first; each end is recorded with the run."""
    undone: list[Undone] = []
    for chosen in _chosen(state, task):
        result = await _undo(state, chosen, host)
        data = ev.TaskUndoneData(task=chosen.task, by=by, message=result.message, fault=result.fault)
        await feed.append(ev.event_of(state.run, rules.clock.now(), data))
        action: AuditAction = "failed" if result.fault else "undone"
        code = result.fault.code if result.fault else ""
        entry = AuditEntry(state.run, chosen.task, chosen.tool, chosen.effect, action, by=by, code=code)
        await rules.audit.append(entry)
        undone.append(result)
    return undone


def _chosen(state: RunState, task: int | None) -> list[TaskState]:
    if task is None:
        possible = [one for one in state.tasks.values() if one.can_undo]
        if not possible:
            raise Conflict(f"Run {state.run} did nothing that can be taken back.")
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
    try:
        async with asyncio.timeout(UNDO_S):
            return Undone(task.task, task.tool, await host.undo(task.tool, task.undo, context))
    except TimeoutError:
        error: TinyAgentError = DeadlineExceeded(f"{task.tool} was not taken back within {UNDO_S:g} seconds.")
    except TinyAgentError as raised:
        error = raised
    except Exception as unexpected:
        log_unexpected(logger, f"undo of {task.tool}", unexpected)
        error = AppFailed(f"Taking back {task.tool} failed unexpectedly.")
    return Undone(task.task, task.tool, "", fault_of(error))
