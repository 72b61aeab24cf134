"""What a server finds after it was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.scripted import NOW, FakeHost, FixedSelector, rules
from tinyagent.domain import events as ev
from tinyagent.engine.catalog import PlannerCatalog
from tinyagent.engine.limits import Limits
from tinyagent.engine.runs import RunService
from tinyagent.errors import Conflict, JournalError, UnreadableRun
from tinyagent.journal.memory import MemoryAuditLog, MemoryJournal
from tinyagent.journal.sqlite import SqliteJournal
from tinyagent.ports import AuditEntry


async def test_an_interrupted_write_is_unknown_a_waiting_call_skipped_and_the_run_ends() -> None:
    journal = MemoryJournal()
    planned = [
        ev.TaskPlannedData(task=n, tool=tool, arguments=(), effect=effect, needs=(), line=f"{n}. {tool}()")
        for n, tool, effect in [(1, "get", "read"), (2, "put", "write"), (3, "put", "write")]
    ]
    created = ev.RunCreatedData(query="q", mode="run", planner="p", now=NOW, deadline_s=1)
    await journal.append([ev.RunCreated(run="r", time=NOW, data=created)])
    await journal.append([ev.TaskPlanned(run="r", time=NOW, data=data) for data in planned])
    await journal.append(
        [ev.TaskStarted(run="r", time=NOW, data=ev.TaskStartedData(task=n, arguments=())) for n in (1, 2)]
    )
    await journal.append(
        [ev.TaskSucceeded(run="r", time=NOW, data=ev.TaskSucceededData(task=1, value="v", message="m"))]
    )
    service = RunService(journal, PlannerCatalog([], "p"), FixedSelector(), FakeHost(), rules(), Limits())
    assert await service.recover() == 1
    state = await service.get("r")
    assert state.status == "failed"
    assert [task.status for task in state.tasks.values()] == ["succeeded", "failed", "skipped"]
    assert state.tasks[2].outcome_unknown
    assert [event.type async for event in service.events("r")][-1] == "run.failed"
    assert await service.recover() == 0
    await service.close()


async def test_a_call_that_waited_or_was_only_just_approved_was_not_begun() -> None:
    journal = MemoryJournal()
    created = ev.RunCreatedData(query="q", mode="run", planner="p", now=NOW, deadline_s=1)
    await journal.append([ev.RunCreated(run="r", time=NOW, data=created)])
    happened: list[ev.Data] = []
    for n in (1, 2):
        planned = {"task": n, "tool": "send", "arguments": (), "effect": "send"}
        happened.append(ev.TaskPlannedData(**planned, needs=(), line=f"{n}. send()"))
        happened.append(ev.ApprovalRequestedData(**planned, digest="d", reason="Asked.", expires=NOW))
    happened.append(ev.ApprovalDecidedData(task=2, digest="d", approved=True, by="owner"))
    await journal.append([ev.event_of("r", NOW, data) for data in happened])
    service = RunService(journal, PlannerCatalog([], "p"), FixedSelector(), FakeHost(), rules(), Limits())
    assert await service.recover() == 1
    state = await service.get("r")
    assert [(task.status, task.outcome_unknown) for task in state.tasks.values()] == [("skipped", False)] * 2
    with pytest.raises(Conflict):
        await service.decide("r", {1: "d"}, True, "owner")
    await service.close()


async def test_events_without_a_beginning_stop_neither_the_server_nor_the_list_and_can_be_deleted() -> None:
    journal = MemoryJournal()
    undone = ev.TaskUndoneData(task=1, by="owner")
    await journal.append([ev.TaskUndone(run="lost", time=NOW, data=undone)])
    service = RunService(journal, PlannerCatalog([], "p"), FixedSelector(), FakeHost(), rules(), Limits())
    assert await service.recover() == 0
    assert await service.runs(10) == []
    with pytest.raises(UnreadableRun):
        await service.get("lost")
    await service.delete("lost")
    await service.close()


async def test_a_run_that_cannot_be_read_stops_neither_the_server_nor_the_list_and_can_be_deleted(
    tmp_path: Path,
) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    created = ev.RunCreatedData(query="q", mode="run", planner="p", now=NOW, deadline_s=1)
    for run in ("a", "b"):
        await journal.append([ev.RunCreated(run=run, time=NOW, data=created)])
    damage = "UPDATE events SET body = '{}' WHERE run = 'a'"
    await journal._do(lambda connection: connection.executescript(damage))
    service = RunService(journal, PlannerCatalog([], "p"), FixedSelector(), FakeHost(), rules(), Limits())
    assert await service.recover() == 1
    assert [(state.run, state.status) for state in await service.runs(10)] == [("b", "failed")]
    with pytest.raises(JournalError):
        await service.get("a")
    await service.delete("a")
    await service.close()


async def test_the_audit_log_tells_how_what_was_asked_and_begun_ended() -> None:
    journal, audit = MemoryJournal(), MemoryAuditLog()
    created = ev.RunCreatedData(query="q", mode="run", planner="p", now=NOW, deadline_s=1)
    asked = ev.ApprovalRequestedData(
        task=1, tool="send", effect="send", arguments=(), digest="d" * 64, reason="r", expires=NOW
    )
    planned = [
        ev.TaskPlannedData(task=n, tool="send", arguments=(), effect="send", needs=(), line="")
        for n in (1, 2, 3)
    ]
    happened = [created, *planned, asked, ev.TaskStartedData(task=2, arguments=())]
    await journal.append([ev.event_of("r", NOW, data) for data in happened])
    service = RunService(
        journal, PlannerCatalog([], "p"), FixedSelector(), FakeHost(), rules(audit=audit), Limits()
    )
    await service.recover()
    told = [(entry.task, entry.action, entry.code) for entry in audit.entries]
    assert told == [(1, "refused", "interrupted"), (2, "failed", "interrupted")]
    state = await service.get("r")
    assert [task.status for task in state.tasks.values()] == ["skipped", "failed", "skipped"]
    await service.close()


async def test_a_broken_audit_log_keeps_no_run_open() -> None:
    class Broken(MemoryAuditLog):
        async def append(self, entry: AuditEntry) -> None:
            raise JournalError("The audit log is damaged.")

    journal = MemoryJournal()
    created = ev.RunCreatedData(query="q", mode="run", planner="p", now=NOW, deadline_s=1)
    planned = ev.TaskPlannedData(task=1, tool="put", arguments=(), effect="write", needs=(), line="")
    happened = [created, planned, ev.TaskStartedData(task=1, arguments=())]
    await journal.append([ev.event_of("r", NOW, data) for data in happened])
    service = RunService(
        journal, PlannerCatalog([], "p"), FixedSelector(), FakeHost(), rules(audit=Broken()), Limits()
    )
    assert await service.recover() == 1
    assert (await service.get("r")).status == "failed"
    await service.close()
