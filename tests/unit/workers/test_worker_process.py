"""The worker against a real server in the same process, on a host whose tools wait for the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from tests.api.conftest import RUNNER, WORKER, Serve
from tests.support.scripted import FakeHost, until
from tests.unit.workers.conftest import CONTEXT, EVERYTHING, SENDING, SPECS, calling, take
from tinyagent.errors import (
    AccessDenied,
    AppFailed,
    Conflict,
    DeadlineExceeded,
    Forbidden,
    NoMatch,
    OutcomeUnknown,
    ServerUnreachable,
    Unauthorized,
    WorkerUnavailable,
)
from tinyagent.ports import ToolResult
from tinyagent.workers.link import Link
from tinyagent.workers.queue import WorkerQueue
from tinyagent.workers.wire import MAX_OUTCOME_BYTES, new_worker
from tinyagent.workers.worker import SLOTS, Worker

ALL = [tool.name for tool in SPECS]


@dataclass
class Gated:
    """A tool that waits until the test opens the gate."""

    begun: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, arguments: Sequence[Any]) -> str:
        self.begun.append(str(arguments[0]))
        await self.gate.wait()
        self.ended.append(str(arguments[0]))
        return f"did {arguments[0]}"


def host_of(tool: str, behaviour: Callable[[Sequence[Any]], Awaitable[str | ToolResult]]) -> FakeHost:
    host = FakeHost()
    for one in SPECS:
        host.add(one, behaviour if one.name == tool else None)
    return host


@dataclass
class Working:
    """A worker under way, and what it said."""

    worker: Worker
    link: Link
    task: asyncio.Task[None]
    said: list[str]


@asynccontextmanager
async def working(
    url: str, host: FakeHost, allowed: Sequence[str] = ALL, token: str = WORKER, name: str = "mac"
) -> AsyncIterator[Working]:
    said: list[str] = []
    link = Link(url, token, new_worker(name))
    worker = Worker(host, link, allowed, said.append)
    task = asyncio.create_task(worker.run())
    try:
        yield Working(worker, link, task, said)
    finally:
        worker.stop()
        await asyncio.wait({task}, timeout=20)
        await link.close()


@pytest.fixture
async def url(serve: Serve, queue: WorkerQueue) -> str:
    return (await serve(host=queue, workers=queue)).url


async def test_calls_details_and_undo_are_carried_out(url: str, queue: WorkerQueue) -> None:
    async def keep(arguments: Sequence[Any]) -> ToolResult:
        return ToolResult("kept", "It is kept.", "note:1", undo={"id": "7"})

    host = host_of("keep", keep)
    host.shown["mail"] = {"to": "sid@example.com"}
    async with working(url, host):
        result = await queue.call("keep", ["a", 1, False, ["b"]], CONTEXT)
        assert result == ToolResult("kept", "It is kept.", "note:1", undo={"id": "7", "worker": "mac"})
        assert host.calls == [("keep", ("a", 1, False, ["b"]))]
        assert (host.contexts[0].key, host.contexts[0].now) == (CONTEXT.key, CONTEXT.now)
        assert await queue.details("mail", ["x"], CONTEXT) == {"to": "sid@example.com", "worker": "mac"}
        assert result.undo is not None
        assert await queue.undo("keep", result.undo, CONTEXT) == "keep was taken back."
        assert host.undone == [("keep", {"id": "7"})]


async def test_a_tools_error_arrives_as_it_was_raised(url: str, queue: WorkerQueue) -> None:
    async def fail(arguments: Sequence[Any]) -> str:
        raise NoMatch("There is no Sid.", hint="Look in the contacts.")

    async with working(url, host_of("look", fail)):
        with pytest.raises(NoMatch, match=r"There is no Sid\. Look in the contacts\."):
            await queue.call("look", ["Sid"], CONTEXT)


async def test_several_calls_run_at_once_and_no_more_than_it_has_room_for(
    url: str, queue: WorkerQueue
) -> None:
    gated = Gated()
    async with working(url, host_of("mail", gated)):
        calls = [calling(queue, "mail", str(number)) for number in range(SLOTS + 1)]
        await until(lambda: len(gated.begun) == SLOTS, "all slots are busy")
        assert all(status.enabled for status in queue.tools())
        assert len(gated.begun) == SLOTS
        gated.gate.set()
        await asyncio.gather(*calls)
    assert sorted(gated.ended) == [str(number) for number in range(SLOTS + 1)]


async def test_two_workers_do_each_call_once(url: str, queue: WorkerQueue) -> None:
    gated = Gated()
    gated.gate.set()
    async with working(url, host_of("mail", gated)), working(url, host_of("mail", gated), name="imac"):
        calls = [calling(queue, "mail", str(number)) for number in range(20)]
        await asyncio.gather(*calls)
    assert sorted(gated.begun, key=int) == [str(number) for number in range(20)]


async def test_a_tool_that_is_not_on_its_list_is_neither_offered_nor_carried_out(
    url: str, queue: WorkerQueue
) -> None:
    host = host_of("mail", Gated())
    async with working(url, host, allowed=["look"]) as mac:
        await until(lambda: any(status.enabled for status in queue.tools()), "the worker is there")
        assert {status.spec.name for status in queue.tools() if status.enabled} == {"look"}
        mac.worker.offers = lambda: EVERYTHING  # type: ignore[method-assign]
        for under_way in (
            queue.details("mail", ["x"], CONTEXT),
            queue.call("mail", ["x"], SENDING),
            queue.undo("mail", {"id": "1"}, CONTEXT),
        ):
            waiting = asyncio.create_task(under_way)
            await queue.call("look", ["wakes the worker up"], CONTEXT)
            with pytest.raises(AccessDenied, match="does not carry out mail"):
                await waiting
    assert {name for name, _ in host.calls} == {"look"} and not host.undone


@pytest.mark.parametrize(("tool", "ends"), [("look", []), ("mail", ["x"])])
async def test_a_cancelled_call_is_stopped_when_it_reads_and_finished_when_it_does_more(
    serve: Serve,
    tool: str,
    ends: list[str],
) -> None:
    queue = WorkerQueue(SPECS, wait_s=20, lease_s=0.6)
    served = await serve(host=queue, workers=queue)
    gated = Gated()
    async with working(served.url, host_of(tool, gated)) as mac:
        call = calling(queue, tool, "x")
        await until(lambda: gated.begun == ["x"], "it has begun")
        call.cancel()
        if tool == "look":
            await until(lambda: any("stopped" in said for said in mac.said), "it is stopped")
        gated.gate.set()
        if tool == "mail":
            await until(lambda: any("did not take the result" in said for said in mac.said), "it is told")
        assert gated.ended == ends


async def test_a_worker_that_is_told_to_stop_finishes_what_it_does_and_takes_nothing_more(
    url: str, queue: WorkerQueue
) -> None:
    gated = Gated()
    async with working(url, host_of("mail", gated)) as mac:
        call = calling(queue, "mail", "first")
        await until(lambda: gated.begun == ["first"], "it has begun")
        mac.worker.stop()
        late = calling(queue, "mail", "late")
        await asyncio.sleep(0)
        assert not mac.task.done()
        gated.gate.set()
        result = await call
        assert isinstance(result, ToolResult) and result.value == "did first"
        await mac.task
    assert gated.begun == ["first"]
    late.cancel()


async def test_a_call_that_takes_too_long_is_stopped_and_told_honestly(url: str, queue: WorkerQueue) -> None:
    short = replace(CONTEXT, seconds=1.0)
    async with working(url, host_of("look", Gated())):
        with pytest.raises(DeadlineExceeded):
            await queue.call("look", ["x"], short)
    async with working(url, host_of("keep", Gated())):
        with pytest.raises(OutcomeUnknown):
            await queue.call("keep", ["x", 1, True, []], short)


@pytest.mark.parametrize("value", ["x" * MAX_OUTCOME_BYTES, "half a pair \ud800"])
async def test_a_result_that_cannot_be_sent_never_looks_like_a_call_that_failed(
    url: str, queue: WorkerQueue, value: str
) -> None:
    async def big(arguments: Sequence[Any]) -> str:
        return value

    async with working(url, host_of("mail", big)):
        with pytest.raises(OutcomeUnknown, match="was carried out"):
            await queue.call("mail", ["x"], SENDING)
    async with working(url, host_of("look", big)):
        with pytest.raises(AppFailed, match="result cannot be sent"):
            await queue.call("look", ["x"], CONTEXT)


async def test_one_sign_of_life_that_is_lost_on_the_way_costs_nothing(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = WorkerQueue(SPECS, wait_s=20, lease_s=1.5)
    served = await serve(host=queue, workers=queue)
    gated, beats, beat = Gated(), list[str](), Link.heartbeat

    async def losing_the_second(self: Link, job: str, seconds: float) -> bool:
        beats.append(job)
        if len(beats) == 2:
            await asyncio.sleep(seconds)
            raise ServerUnreachable("It did not answer in time.")
        return await beat(self, job, seconds)

    monkeypatch.setattr(Link, "heartbeat", losing_the_second)
    async with working(served.url, host_of("mail", gated)):
        call = calling(queue, "mail", "x")
        await until(lambda: len(beats) == 4, "it was heard of again, or given up")
        gated.gate.set()
        assert isinstance(await call, ToolResult)


# --- servers that refuse, are old, or are none -----------------------------------------------


async def test_a_wrong_token_ends_the_worker_with_what_to_do(url: str) -> None:
    async with working(url, FakeHost(), token="no-token-of-this-server") as mac:
        with pytest.raises(Unauthorized, match="tinyagent token --worker"):
            await mac.task


async def test_a_token_without_the_right_to_work_ends_it(url: str) -> None:
    async with working(url, FakeHost(), token=RUNNER) as mac:
        with pytest.raises(Forbidden, match="worker"):
            await mac.task


async def test_a_server_without_work_for_workers_ends_it(serve: Serve) -> None:
    served = await serve()
    async with working(served.url, FakeHost()) as mac:
        with pytest.raises(Conflict, match="executor"):
            await mac.task


async def test_another_version_is_told(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyagent.api.worker.__version__", "99.0")
    monkeypatch.setattr("tinyagent.workers.worker.POLL_S", 0.0)
    async with working(url, FakeHost()) as mac:
        await until(lambda: any("99.0" in said for said in mac.said), "the version is told")
        assert not mac.task.done()


@asynccontextmanager
async def strange_server(*answers: bytes) -> AsyncIterator[tuple[str, list[str]]]:
    """Gives the answers in turn, the last one again and again; records what is asked for."""
    asked: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        asked.append(head.split(b" ")[1].decode())
        body = answers[min(len(asked), len(answers)) - 1]
        writer.write(body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        server.close()


def http(status: str, body: bytes, kind: str = "application/json") -> bytes:
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


PAGE = b"<html>Log in to the network</html>"


@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", PAGE, "text/html"),
        http("200 OK", b'{"some": "thing"}'),
        http("401 Unauthorized", PAGE, "text/html"),
        http("302 Found", b""),
        http("503 Service Unavailable", b'{"error": {"message": "later", "code": "overloaded"}}'),
        b"garbage",
        b"",
    ],
)
async def test_strange_answers_are_told_and_it_tries_again(answer: bytes) -> None:
    async with strange_server(answer) as (url, asked), working(url, FakeHost()) as mac:
        await until(lambda: len(asked) >= 3, "it tries again")
        assert not mac.task.done()
        assert len([said for said in mac.said if "Tries again" in said]) == 1


async def test_nothing_is_begun_before_the_server_has_agreed() -> None:
    gated = Gated()
    lost = WorkerQueue(SPECS, wait_s=20, lease_s=0.5)
    call = calling(lost, "mail", "x")
    await asyncio.sleep(0)
    job = http("200 OK", (await take(lost)).model_dump_json().encode())
    down = http("503 Service Unavailable", b'{"error": {"message": "down", "code": "internal"}}')
    async with strange_server(job, down) as (url, asked), working(url, host_of("mail", gated)) as mac:
        await until(lambda: any("not begun" in said for said in mac.said), "it gives the job up")
        assert any(path.endswith("/heartbeat") for path in asked)
    assert gated.begun == []
    with pytest.raises(WorkerUnavailable, match="not begun"):
        await call
