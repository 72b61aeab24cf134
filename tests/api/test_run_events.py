"""The event feed of a run, over a real connection."""

from __future__ import annotations

import asyncio
import json
from typing import NamedTuple

import httpx
import httpx_sse
import pytest

from tests.api.conftest import PLAN, Serve, two_tools
from tests.support.scripted import ScriptedPlanner, until


class Received(NamedTuple):
    event: str
    id: str
    data: str


async def read(
    client: httpx.AsyncClient, run: str, after: int | None = None, at_most: int = 10_000
) -> list[Received]:
    headers = {} if after is None else {"Last-Event-ID": str(after)}
    events: list[Received] = []
    async with httpx_sse.aconnect_sse(client, "GET", f"/v1/runs/{run}/events", headers=headers) as source:
        async for event in source.aiter_sse():
            events.append(Received(event.event, event.id, event.data))
            if len(events) == at_most:
                break
    return events


async def started(client: httpx.AsyncClient) -> str:
    return (await client.post("/v1/runs", json={"query": "go"})).json()["run"]


async def test_every_event_carries_its_type_its_number_and_itself(serve: Serve) -> None:
    async with (await serve()).api_client() as client:
        run = await started(client)
        events = await read(client, run)
    assert events[0].event == "run.created"
    assert events[-1].event == "run.completed"
    assert [int(event.id) for event in events] == list(range(1, len(events) + 1))
    for event in events:
        body = json.loads(event.data)
        assert set(body) == {"seq", "run", "time", "type", "data"}
        assert (body["seq"], body["run"], body["type"]) == (int(event.id), run, event.event)


async def test_a_reader_resumes_at_every_position_without_gap_or_repeat(serve: Serve) -> None:
    async with (await serve()).api_client() as client:
        run = await started(client)
        whole = await read(client, run)
        for position in range(len(whole)):
            assert await read(client, run, after=position) == whole[position:], position


async def test_a_reader_that_is_cut_off_at_every_position_of_a_live_run_misses_nothing(serve: Serve) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    script = [
        piece for number, gate in enumerate(gates, 1) for piece in (f'{number}. look("x")\n', gate.wait())
    ]
    served = await serve(ScriptedPlanner([*script, "4. join()"]), two_tools())
    async with served.api_client() as client:
        run = await started(client)
        seen: list[str] = []
        done = False
        while not done:
            (event,) = await read(client, run, after=len(seen), at_most=1)
            seen.append(event.id)
            done = event.event == "run.completed"
            for gate in gates[: len(served.api.host.calls)]:
                gate.set()
    assert seen == [str(number) for number in range(1, len(seen) + 1)]


async def test_two_readers_of_a_live_run_see_the_same(serve: Serve) -> None:
    gate = asyncio.Event()
    served = await serve(ScriptedPlanner(['1. look("x")\n', gate.wait(), "2. join()"]), two_tools())
    async with served.api_client() as client:
        run = await started(client)
        readers = [asyncio.create_task(read(client, run)) for _ in range(2)]
        await until(lambda: served.api.host.calls != [], "the first call runs")
        gate.set()
        one, other = await asyncio.gather(*readers)
    assert one == other
    assert one[-1].event == "run.completed"


async def test_a_reader_that_has_seen_the_end_is_told_to_stop(serve: Serve) -> None:
    async with (await serve()).api_client() as client:
        run = await started(client)
        last = (await read(client, run))[-1].id
        answer = await client.get(f"/v1/runs/{run}/events", headers={"Last-Event-ID": last})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("value", ["x", "-1", "1.5", ""])
async def test_a_last_event_id_that_is_no_number_is_refused(serve: Serve, value: str) -> None:
    async with (await serve()).api_client() as client:
        run = await started(client)
        answer = await client.get(f"/v1/runs/{run}/events", headers={"Last-Event-ID": value})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "last-event-id")


async def test_silence_is_filled_with_comments_that_readers_skip(serve: Serve) -> None:
    gate = asyncio.Event()
    served = await serve(ScriptedPlanner([gate.wait(), PLAN]), keepalive_s=0.02)
    async with served.api_client() as client:
        run = await started(client)
        text = ""
        async with client.stream("GET", f"/v1/runs/{run}/events") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            async for piece in answer.aiter_text():
                text += piece
                if text.count(": ping\n") >= 2:
                    gate.set()
        assert "run.completed" in text
        decoded = [json.loads(event.data)["seq"] for event in await read(client, run)]
    assert decoded == list(range(1, len(decoded) + 1))


async def test_leaving_the_feed_does_not_stop_the_run(serve: Serve) -> None:
    gate = asyncio.Event()
    served = await serve(ScriptedPlanner([gate.wait(), PLAN]), disconnect_grace_s=0.0)
    async with served.api_client() as client:
        run = await started(client)
        await read(client, run, at_most=1)
        gate.set()
        await served.api.finished(run)
        assert (await client.get(f"/v1/runs/{run}")).json()["status"] == "completed"


async def test_the_feed_of_an_unknown_run_is_404(serve: Serve) -> None:
    async with (await serve()).api_client() as client:
        answer = await client.get("/v1/runs/run_0/events")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
