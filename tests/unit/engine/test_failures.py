"""Cancellation, deadlines and broken parts, at the worst moment: a run ends once, and says how."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.support.faulty import FaultyJournal, failing_on
from tests.support.scripted import FakeHost, ScriptedPlanner, spec, until
from tests.unit.engine.conftest import Engine, MakeEngine
from tinyagent.domain.events import TERMINAL, Event
from tinyagent.domain.run import RunState
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import Conflict, JournalError, StorageFull, TinyAgentError
from tinyagent.journal.sqlite import SqliteJournal
from tinyagent.ports import PlanRequest, ToolResult, Usage

FULL = StorageFull("The disk is full.")


def one_end_each(events: Sequence[Event]) -> bool:
    """Whether the run ended once, last of all, and no task ended twice."""
    ends = [event for event in events if isinstance(event, TERMINAL)]
    tasks = [
        event.data.task for event in events if event.type in ("task.succeeded", "task.failed", "task.skipped")
    ]
    return ends == [events[-1]] and len(tasks) == len(set(tasks))


def all_ended(state: RunState) -> bool:
    return all(task.status not in ("planned", "running") for task in state.tasks.values())


async def cancelled(engine: Engine, run: str, journal: FaultyJournal) -> tuple[RunState, list[Event]]:
    """Cancel while the journal holds an event, then let it go on."""
    cancelling = asyncio.create_task(engine.service.cancel(run, "stop"))
    for _ in range(20):
        await asyncio.sleep(0)
    journal.release.set()
    state = await cancelling
    return state, [event async for event in engine.service.events(run)]


@pytest.mark.parametrize(
    "held", ["task.planned", "task.started", "task.succeeded", "plan.delta", "run.completed"]
)
@pytest.mark.parametrize("effect", ["read", "write"])
async def test_a_run_that_is_cancelled_while_an_event_is_stored_ends_once_and_leaves_nothing_open(
    make_engine: MakeEngine, held: str, effect: Any
) -> None:
    journal = FaultyJournal(held=held)
    host = FakeHost().add(spec("do", "str", effect=effect))
    engine = make_engine(ScriptedPlanner('1. do("")\n2. do("$1")\n3. join()'), host, journal=journal)
    run = (await engine.service.start(RunRequest("go"))).run
    await journal.reached.wait()
    state, events = await cancelled(engine, run, journal)
    assert one_end_each(events)
    assert all_ended(state)
    assert state.status == ("completed" if held == "run.completed" else "cancelled")


async def test_nothing_starts_after_cancellation_while_the_planner_takes_its_time_to_stop(
    make_engine: MakeEngine,
) -> None:
    release, stopping, stopped = asyncio.Event(), asyncio.Event(), asyncio.Event()

    class SlowToStop(ScriptedPlanner):
        async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
            try:
                yield '1. get("")\n2. put("$1")\n'
                await asyncio.sleep(3600)
            finally:
                stopping.set()
                await stopped.wait()

    async def get(_: Sequence[Any]) -> str:
        await release.wait()
        return "x"

    host = FakeHost().add(spec("get", "str", effect="write"), get).add(spec("put", "str", effect="write"))
    engine = make_engine(SlowToStop(), host)
    run = (await engine.service.start(RunRequest("go"))).run
    await until(lambda: bool(host.calls), "the first call is under way")
    cancelling = asyncio.create_task(engine.service.cancel(run, "stop"))
    await stopping.wait()
    release.set()
    for _ in range(50):
        await asyncio.sleep(0)
    stopped.set()
    state = await cancelling
    assert [name for name, _ in host.calls] == ["get"]
    assert [task.status for task in state.tasks.values()] == ["succeeded", "skipped"]


@pytest.mark.parametrize(
    "kind",
    ["tools.selected", "plan.delta", "task.planned", "task.started", "task.succeeded", "run.completed"],
)
@pytest.mark.parametrize("error", [FULL, ValueError("a bug")])
async def test_an_event_that_cannot_be_stored_ends_the_run_with_nothing_left_open(
    make_engine: MakeEngine, kind: str, error: Exception
) -> None:
    journal = FaultyJournal(failing_on(kind, error, times=1))
    host = FakeHost().add(spec("put", "str", effect="write")).add(spec("get", "str"))
    planner = ScriptedPlanner('1. put("")\n2. get("")\n3. get("$1")\n4. join()')
    state, events = await make_engine(planner, host, journal=journal).run()
    assert state.status == "failed"
    assert one_end_each(events)
    assert all_ended(state)
    assert state.tasks.get(1) is None or state.tasks[1].outcome_unknown == (kind == "task.succeeded")


@pytest.mark.parametrize("error", [FULL, ValueError("a bug")])
async def test_a_journal_that_fails_for_good_stops_what_reads_and_tells_who_follows(
    make_engine: MakeEngine, error: Exception
) -> None:
    stopped = asyncio.Event()
    journal = FaultyJournal(failing_on("task.succeeded", error))
    healthy = journal._fail

    async def read_on(_: Sequence[Any]) -> str:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()
        return ""

    async def finish(_: Sequence[Any]) -> str:
        journal._fail = failing_on("*", error)
        return "done"

    host = FakeHost().add(spec("get", "str"), read_on).add(spec("put", "str", effect="write"), finish)
    engine = make_engine(ScriptedPlanner('1. get("")\n2. put("")\n3. join()'), host, journal=journal)
    run = (await engine.service.start(RunRequest("go"))).run
    async with asyncio.timeout(5):
        with pytest.raises(JournalError):
            [event async for event in engine.service.events(run)]
        await stopped.wait()
    journal._fail = healthy
    await until(lambda: run not in engine.service._active, "the run was given up")
    assert (await engine.service.get(run)).status == "running"
    with pytest.raises(Conflict):
        await engine.service.cancel(run, "stop")
    await engine.service.delete(run)


async def test_a_run_that_could_not_be_begun_can_be_begun_again_with_the_same_key(
    make_engine: MakeEngine,
) -> None:
    journal = FaultyJournal(failing_on("run.created", FULL, times=1))
    host = FakeHost().add(spec("put", "str", effect="write"))
    engine = make_engine(
        ScriptedPlanner(['1. put("")\n', asyncio.sleep(0), "2. join()"]), host, journal=journal
    )
    with pytest.raises(StorageFull):
        await engine.service.start(RunRequest("go", idempotency_key="k"))
    state, _ = await engine.run(idempotency_key="k")
    assert state.status == "completed"


@pytest.mark.parametrize("effect", ["read", "write"])
async def test_a_part_that_cancels_itself_fails_the_run(make_engine: MakeEngine, effect: Any) -> None:
    async def cancel(_: Sequence[Any]) -> str:
        raise asyncio.CancelledError

    host = FakeHost().add(spec("do", "str", effect=effect), cancel)
    async with asyncio.timeout(5):
        state, _ = await make_engine(ScriptedPlanner('1. do("")\n2. join()'), host).run()
    assert state.status == "failed"
    assert all_ended(state)
    assert state.tasks[1].outcome_unknown == (effect == "write")


async def test_a_planner_that_cancels_itself_fails_the_run(make_engine: MakeEngine) -> None:
    class Cancelling(ScriptedPlanner):
        async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
            yield "1. "
            raise asyncio.CancelledError

    async with asyncio.timeout(5):
        state, _ = await make_engine(Cancelling(), FakeHost().add(spec("get", "str"))).run()
    assert state.status == "failed"


async def test_a_host_that_cannot_list_its_tools_fails_the_run(make_engine: MakeEngine) -> None:
    class NoList(FakeHost):
        def tools(self) -> Any:
            raise RuntimeError("gone")

    async with asyncio.timeout(5):
        state, _ = await make_engine(ScriptedPlanner("1. join()"), NoList()).run()
    assert state.status == "failed"


async def test_a_caller_that_is_cancelled_while_a_run_begins_leaves_no_run_without_an_end(
    make_engine: MakeEngine,
) -> None:
    journal = FaultyJournal(held="run.created")
    engine = make_engine(ScriptedPlanner("1. join()"), FakeHost().add(spec("get", "str")), journal=journal)
    starting = asyncio.create_task(engine.service.start(RunRequest("go")))
    await journal.reached.wait()
    starting.cancel()
    await asyncio.wait({starting})
    journal.release.set()
    async with asyncio.timeout(5):
        while not (states := await engine.service.runs(1)) or states[0].status == "running":
            await asyncio.sleep(0.005)
    assert states[0].status == "completed"


async def test_who_asks_for_events_after_the_last_one_is_told_that_there_are_none(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine(ScriptedPlanner("1. join()"), FakeHost().add(spec("get", "str")))
    state, events = await engine.run()
    async with asyncio.timeout(5):
        assert [event async for event in engine.service.events(state.run, len(events))] == []
        assert [event async for event in engine.service.events(state.run, 9999)] == []


async def test_a_number_beyond_the_last_event_of_a_run_under_way_does_not_hide_its_end(
    make_engine: MakeEngine,
) -> None:
    go = asyncio.Event()
    engine = make_engine(ScriptedPlanner([go.wait(), "1. join()"]), FakeHost().add(spec("get", "str")))
    run = (await engine.service.start(RunRequest("go"))).run
    following = asyncio.create_task(anext(aiter(engine.service.events(run, 9999))))
    await asyncio.sleep(0)
    go.set()
    async with asyncio.timeout(5):
        assert (await following).run == run


async def test_a_reader_of_a_run_that_was_deleted_meanwhile_is_not_kept_waiting(
    make_engine: MakeEngine,
) -> None:
    engine = make_engine(ScriptedPlanner("1. join()"), FakeHost().add(spec("get", "str")))
    run = (await engine.service.start(RunRequest("go"))).run
    slow = engine.service.events(run)
    await anext(slow)
    [event async for event in engine.service.events(run)]
    await until(lambda: run not in engine.service._active, "the run has ended")
    await engine.service.delete(run)
    async with asyncio.timeout(5):
        [event async for event in slow]


async def test_following_finished_runs_leaves_nothing_behind(make_engine: MakeEngine) -> None:
    engine = make_engine(ScriptedPlanner("1. join()"), FakeHost().add(spec("get", "str")))
    for _ in range(3):
        await engine.run()
    assert len(engine.service._feed._signals) == 0
    await until(lambda: not engine.service._active, "all runs have ended")


async def test_a_long_chain_of_calls_after_a_failed_one_is_skipped_link_by_link(
    make_engine: MakeEngine,
) -> None:
    go = asyncio.Event()

    async def fail(_: Sequence[Any]) -> str:
        await go.wait()
        raise TinyAgentError("It did not work.")

    links = "\n".join(f'{number}. put("${number - 1}")' for number in range(2, 1500))
    host = FakeHost().add(spec("get", "str"), fail).add(spec("put", "str"))

    async def release() -> None:
        go.set()

    engine = make_engine(ScriptedPlanner([f'1. get("")\n{links}\n', release(), "1501. join()"]), host)
    state, _ = await engine.run()
    assert state.status == "completed"
    assert {task.status for number, task in state.tasks.items() if number > 1} == {"skipped"}


async def test_text_with_broken_characters_is_stored_repaired(make_engine: MakeEngine) -> None:
    async def odd(_: Sequence[Any]) -> ToolResult:
        return ToolResult("file\udce9.pdf", "Found file\udce9.pdf.")

    host = FakeHost().add(spec("get", "str"), odd)
    planner = ScriptedPlanner('1. get("\\ud83e\\udd8a \\ud83e")\n2. join()')
    state, events = await make_engine(planner, host).run()
    assert host.calls == [("get", ("🦊 \ufffd",))]
    assert state.answer.startswith("Found file\ufffd.pdf.")
    assert all(event.model_dump_json() for event in events)


async def test_a_write_under_way_at_the_run_deadline_is_finished_and_recorded(
    make_engine: MakeEngine,
) -> None:
    release = asyncio.Event()

    async def put(_: Sequence[Any]) -> str:
        await release.wait()
        return "done"

    host = FakeHost().add(spec("put", "str", effect="write"), put)
    engine = make_engine(ScriptedPlanner('1. put("")\n2. put("$1")\n3. join()'), host, run_deadline_s=0.05)
    run = (await engine.service.start(RunRequest("go"))).run
    async for event in engine.service.events(run):
        if event.type == "task.skipped":  # the deadline is over
            release.set()
    state = await engine.service.get(run)
    assert state.fault is not None and state.fault.code == "deadline_exceeded"
    assert [task.status for task in state.tasks.values()] == ["succeeded", "skipped"]


async def test_every_check_of_the_journal_writes(make_engine: MakeEngine, tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    engine = make_engine(ScriptedPlanner("1. join()"), FakeHost().add(spec("get", "str")), journal=journal)
    changes = [await journal._do(lambda connection: connection.total_changes)]
    for _ in range(2):
        assert (await engine.service.ready())["journal"].ok
        changes.append(await journal._do(lambda connection: connection.total_changes))
    assert changes[0] < changes[1] < changes[2]
