"""Clients that leave, and clients that come back: nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import openai
import pytest

from tests.api.conftest import ADMIN, PLAN, RUNNER, Api, MakeApi, Serve, Served, bearer, two_tools
from tests.support.scripted import FakeHost, ScriptedPlanner, spec, until
from tinyagent.api.retries import fingerprint
from tinyagent.api.watchers import Watchers
from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState
from tinyagent.engine.runs import RunRequest
from tinyagent.journal.memory import MemoryJournal

CHAT = "/v1/chat/completions"
BODY: dict[str, Any] = {"model": "tinyagent", "messages": [{"role": "user", "content": "say hello to Sid"}]}
STREAM = {**BODY, "stream": True}
RETRY = {"x-stainless-retry-count": "1"}


async def leave_when_started(served: Served, body: dict[str, Any]) -> str:
    """Ask, close the connection once the run is there, and return the run."""
    known = {state.run for state in await served.api.engine.runs(100)}
    run = ""

    async def ask() -> None:
        async with served.api_client() as client, client.stream("POST", CHAT, json=body) as answer:
            await answer.aread()

    asking = asyncio.create_task(ask())
    async with asyncio.timeout(10):
        while not run:
            await asyncio.sleep(0)
            states = await served.api.engine.runs(100)
            run = next((state.run for state in states if state.run not in known), "")
    watchers = served.api.app.state.serving.watchers
    await until(lambda: watchers.waiting(run) > 0, "the request waits for its run")
    asking.cancel()
    await asyncio.wait({asking})
    return run


async def ended(api: Api, run: str) -> RunState:
    await api.finished(run)
    return await api.engine.get(run)


@pytest.mark.parametrize("body", [BODY, STREAM], ids=["in one piece", "streaming"])
async def test_leaving_stops_planning_and_what_has_not_started_and_finishes_what_writes(
    serve: Serve, body: dict[str, Any]
) -> None:
    release = asyncio.Event()

    async def write(arguments: Any) -> str:
        await release.wait()
        return "kept"

    host = FakeHost().add(spec("look", "str")).add(spec("keep", "str", "str", effect="write"), write)
    script = ['1. keep("a", "b")\n2. look("$1")\n', asyncio.sleep(3600)]
    served = await serve(ScriptedPlanner(script), host, disconnect_grace_s=0.0)
    run = await leave_when_started(served, body)
    async for event in served.api.engine.events(run):
        if event.type == "task.skipped":
            release.set()
    state = await ended(served.api, run)
    assert state.status == "cancelled"
    assert state.fault is not None and "disconnected" in state.fault.message
    assert [task.status for task in state.tasks.values()] == ["succeeded", "skipped"]


@pytest.mark.parametrize("body", [BODY, STREAM], ids=["in one piece", "streaming"])
async def test_a_client_that_comes_back_finds_its_run_still_going(serve: Serve, body: dict[str, Any]) -> None:
    gate = asyncio.Event()
    served = await serve(ScriptedPlanner([gate.wait(), PLAN]), disconnect_grace_s=30.0)
    run = await leave_when_started(served, body)
    async with served.api_client() as client:
        again = asyncio.create_task(client.post(CHAT, json=body, headers=RETRY))
        await until(lambda: served.api.app.state.serving.watchers.waiting(run) > 0, "the retry waits")
        gate.set()
        answer = await again
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, run)
    assert (await ended(served.api, run)).status == "completed"
    assert len(await served.api.engine.runs(10)) == 1


async def test_coming_back_within_the_grace_calls_the_cancellation_off(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([asyncio.sleep(3600)]))
    watchers = Watchers(api.engine, grace_s=0.0)
    run = (await api.engine.start(RunRequest("go"))).run
    watchers.attach(run)
    watchers.detach(run, finished=False)
    watchers.attach(run)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (await api.engine.get(run)).status == "running"
    watchers.detach(run, finished=False)
    assert (await ended(api, run)).status == "cancelled"


async def test_the_run_goes_on_while_one_of_two_clients_waits(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([asyncio.sleep(3600)]))
    watchers = Watchers(api.engine, grace_s=0.0)
    run = (await api.engine.start(RunRequest("go"))).run
    watchers.attach(run)
    watchers.attach(run)
    watchers.detach(run, finished=False)
    for _ in range(20):
        await asyncio.sleep(0)
    assert (await api.engine.get(run)).status == "running"


async def test_closing_after_the_last_frame_cancels_nothing(serve: Serve) -> None:
    served = await serve(disconnect_grace_s=0.0)
    async with served.api_client() as client, client.stream("POST", CHAT, json=STREAM) as answer:
        async for line in answer.aiter_lines():
            if line == "data: [DONE]":
                break
    (state,) = await served.api.engine.runs(1)
    assert state.status == "completed"
    assert served.api.app.state.serving.watchers.waiting(state.run) == 0


async def test_the_openai_package_that_times_out_and_retries_gets_the_answer_of_its_one_run(
    serve: Serve,
) -> None:
    gate = asyncio.Event()
    served = await serve(ScriptedPlanner([gate.wait(), PLAN]), two_tools())
    attempts: list[str] = []

    async def count(request: Any) -> None:
        attempts.append(request.headers["x-stainless-retry-count"])
        if len(attempts) == 2:
            gate.set()

    http_client = openai.DefaultAsyncHttpxClient(event_hooks={"request": [count]})
    async with openai.AsyncOpenAI(
        base_url=f"{served.url}/v1", api_key=ADMIN, timeout=1.0, http_client=http_client
    ) as client:
        completion = await client.chat.completions.create(**BODY)
    assert attempts == ["0", "1"]
    assert completion.choices[0].finish_reason == "stop"
    assert len(served.api.planner.requests) == 1
    assert [tool for tool, _ in served.api.host.calls] == ["look", "keep"]


# --- which run a repeated request finds ------------------------------------------------------


async def ask(api: Api, headers: dict[str, str] | None = None, **more: Any) -> str:
    answer = await api.client.post(CHAT, json={**BODY, **more}, headers=headers or {})
    assert answer.status_code == 200, answer.text
    return answer.headers["x-request-id"]


async def test_a_retry_finds_the_finished_run(api: Api) -> None:
    assert await ask(api) == await ask(api, RETRY)
    assert len(api.host.calls) == 2


async def test_the_same_request_asked_anew_is_another_run(api: Api) -> None:
    assert await ask(api) != await ask(api)
    assert await ask(api, {"x-stainless-retry-count": "0"}) == await ask(api, RETRY)


async def test_a_retry_with_another_body_or_token_is_another_run(api: Api) -> None:
    first = await ask(api)
    assert await ask(api, RETRY, user="somebody") != first
    assert await ask(api, {**RETRY, **bearer(RUNNER)}) != first


async def test_a_retry_of_a_request_that_was_turned_away_starts_its_run(make_api: MakeApi) -> None:
    gate = asyncio.Event()
    api = make_api(ScriptedPlanner([gate.wait()], PLAN), limits={"max_active_runs": 1})
    blocker = (await api.engine.start(RunRequest("in the way"))).run
    answer = await api.client.post(CHAT, json=BODY)
    assert answer.status_code == 429
    assert "x-should-retry" not in answer.headers
    gate.set()
    await api.finished(blocker)
    await until(lambda: api.engine._active == {}, "the engine is free")  # type: ignore[attr-defined]
    assert await ask(api, RETRY) != blocker


async def test_retries_at_the_same_time_share_one_run(make_api: MakeApi) -> None:
    api = make_api()
    runs = await asyncio.gather(*(ask(api, RETRY) for _ in range(3)))
    assert len(set(runs)) == 1
    assert len(api.host.calls) == 2


def sent_before(age: timedelta, caller: str = "admin") -> ev.RunCreated:
    """The beginning of the run that an earlier server began for BODY."""
    time = datetime.now(UTC) - age
    raw = httpx.Request("POST", "http://127.0.0.1", json=BODY).content
    created = ev.RunCreatedData(
        query="say hello to Sid",
        mode="run",
        planner="scripted",
        now=time,
        deadline_s=30,
        fingerprint=fingerprint(caller.encode(), CHAT.encode(), raw),
    )
    return ev.RunCreated(run="run_1", time=time, data=created)


async def test_a_retry_after_a_restart_finds_the_run_that_was_done_before(make_api: MakeApi) -> None:
    journal = MemoryJournal()
    begun = sent_before(timedelta(minutes=1))
    done = ev.RunCompleted(run="run_1", time=begun.time, data=ev.RunCompletedData(answer="Said hello."))
    await journal.append([begun, done])
    api = make_api(journal=journal)
    answer = await api.client.post(CHAT, json=BODY, headers=RETRY)
    assert answer.json()["choices"][0]["message"]["content"] == "Said hello."
    assert api.host.calls == []


@pytest.mark.parametrize(
    "begun", [sent_before(timedelta(hours=2)), sent_before(timedelta(minutes=1), caller="runner")]
)
async def test_a_retry_after_a_restart_takes_no_old_run_and_none_of_another_token(
    make_api: MakeApi, begun: ev.RunCreated
) -> None:
    journal = MemoryJournal()
    await journal.append([begun])
    api = make_api(journal=journal)
    await api.engine.recover()
    assert await ask(api, RETRY) != "run_1"


async def test_a_retry_after_a_restart_is_told_of_the_interrupted_run_and_repeats_nothing(
    make_api: MakeApi,
) -> None:
    journal = MemoryJournal()
    await journal.append([sent_before(timedelta(minutes=1))])
    api = make_api(journal=journal)
    await api.engine.recover()
    answer = await api.client.post(CHAT, json=BODY, headers=RETRY)
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "interrupted")
    assert answer.json()["tinyagent"]["run"] == "run_1"
    assert answer.headers["x-should-retry"] == "false"
    assert await ask(api) != "run_1"


@pytest.mark.parametrize("count", ["x", "-1", "1.5"])
async def test_a_retry_count_that_is_no_number_is_refused(client: httpx.AsyncClient, count: str) -> None:
    answer = await client.post(CHAT, json=BODY, headers={"x-stainless-retry-count": count})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-stainless-retry-count")


async def test_a_client_that_left_unserved_finds_its_run_though_it_does_not_say_that_it_repeats_itself(
    serve: Serve,
) -> None:
    release = asyncio.Event()

    async def write(arguments: Any) -> str:
        await release.wait()
        return "kept"

    host = FakeHost().add(spec("keep", "str", effect="write"), write)
    served = await serve(ScriptedPlanner('1. keep("x")\n2. join()'), host, disconnect_grace_s=5)
    run = await leave_when_started(served, BODY)
    release.set()
    async with served.api_client() as client:
        answer = await client.post(CHAT, json=BODY)
        assert answer.json()["tinyagent"]["run"] == run
        again = await client.post(CHAT, json=BODY)
        assert again.json()["tinyagent"]["run"] != run
    assert len(host.calls) == 2


async def test_a_key_stands_for_the_whole_request(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "one"}
    first = {"query": "keep it", "planner": "scripted"}
    assert (await client.post("/v1/runs", json=first, headers=headers)).status_code == 202
    assert (await client.post("/v1/runs", json=first, headers=headers)).status_code == 202
    other = await client.post("/v1/runs", json={**first, "now": "2030-01-01 10:00"}, headers=headers)
    assert other.status_code == 409
