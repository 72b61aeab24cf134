"""What to do at start with runs that the last stop of the server left unfinished.

A finished call is never run again and nothing is guessed: an interrupted write is reported as
unknown, what had not started is skipped, and the run ends with the reason.
"""

from __future__ import annotations

import logging

from tinyagent.domain import events as ev
from tinyagent.domain.run import OPEN, RunState, TaskState, fold
from tinyagent.engine.approvals import NOBODY
from tinyagent.engine.faults import fault_of
from tinyagent.engine.feed import Feed
from tinyagent.engine.recorder import Recorder
from tinyagent.errors import Interrupted, JournalError, UnreadableRun
from tinyagent.ports import AuditAction, AuditEntry, AuditLog, Clock, Journal

logger = logging.getLogger(__name__)


async def recover(journal: Journal, feed: Feed, clock: Clock, audit: AuditLog) -> int:
    """Bring every unfinished run to its end, how many there were; one that cannot be read is left."""
    ended = 0
    for run in await journal.unfinished():
        try:
            state = fold(await journal.read(run))
        except UnreadableRun as error:
            logger.error("run %s is left as it is: %s", run, error)
            continue
        if state is not None:
            await _note_ends(state, audit)
            await Recorder(feed, clock, state).record(*_endings(state))
            ended += 1
    return ended


def _endings(state: RunState) -> list[ev.Data]:
    endings = [_ending(task) for task in state.tasks.values() if task.status in OPEN]
    done = any(task.status == "succeeded" for task in state.tasks.values())
    hint = "Its finished tasks are done; ask again for the others only." if done else "Ask again."
    error = Interrupted("The server stopped in the middle of this run.", hint=hint)
    return [*endings, ev.RunFailedData(fault=fault_of(error))]


async def _note_ends(state: RunState, audit: AuditLog) -> None:
    try:
        for entry in _left_open(state):
            await audit.append(entry)
    except JournalError as error:  # what is asked next will say so; the runs are ended all the same
        logger.error("the audit log misses the ends of run %s: %s", state.run, error)


def _left_open(state: RunState) -> list[AuditEntry]:
    """The ends that the audit log misses: of questions that nobody answered, and of calls under way."""
    entries: list[AuditEntry] = []
    for task in state.tasks.values():
        if task.effect == "read" or task.status not in ("waiting", "running"):
            continue
        asked = task.approval.digest if task.approval else ""
        action: AuditAction = "refused" if task.status == "waiting" else "failed"
        entry = AuditEntry(
            state.run, task.task, task.tool, task.effect, action, asked, NOBODY, Interrupted.code
        )
        entries.append(entry)
    return entries


def _ending(task: TaskState) -> ev.Data:
    if task.status != "running":
        return ev.TaskSkippedData(task=task.task, reason="The server stopped before it started.", because=())
    unknown = task.effect in ("write", "send")
    error = Interrupted("The server stopped while this task was running.")
    return ev.TaskFailedData(task=task.task, fault=fault_of(error), outcome_unknown=unknown)
