"""Responses of the agent to clients that leave and come back: nothing is done twice."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pytest

from tests.api.conftest import ADMIN, PLAN, Api, MakeApi, Serve, Served
from tests.support.responses_api import ROUTE
from tests.support.scripted import ScriptedPlanner, until
from tests.support.scripted_chat import ScriptedChat, add_chat

BODY: dict[str, Any] = {"model": "tinyagent", "input": "say hello to Sid"}
RETRY = {"x-stainless-retry-count": "1"}


async def ask(api: Api, headers: dict[str, str] | None = None, **more: Any) -> str:
    answer = await api.client.post(ROUTE, json={**BODY, **more}, headers=headers or {})
    assert answer.status_code == 200, answer.text
    return answer.json()["id"]


async def test_a_retry_finds_the_response_and_another_request_does_not(api: Api) -> None:
    first = await ask(api)
    assert await ask(api, RETRY) == first
    assert await ask(api) != first
    assert await ask(api, RETRY, user="somebody") != first
    assert len(api.host.calls) == 6


async def test_a_key_stands_for_one_request(api: Api) -> None:
    key = {"Idempotency-Key": "k"}
    first = await ask(api, key)
    assert await ask(api, key) == first
    other = await api.client.post(ROUTE, json={**BODY, "input": "another"}, headers=key)
    assert other.status_code == 409


async def leave(served: Served, body: dict[str, Any], waiting: Any) -> None:
    """Ask over a real connection and close it as soon as `waiting()`."""

    async def request() -> None:
        async with served.api_client() as client, client.stream("POST", ROUTE, json=body) as answer:
            await answer.aread()

    asking = asyncio.create_task(request())
    await until(waiting, "the request is worked on")
    asking.cancel()
    await asyncio.wait({asking})


@pytest.mark.parametrize("streaming", [False, True])
async def test_leaving_cancels_the_run(serve: Serve, streaming: bool) -> None:
    served = await serve(ScriptedPlanner([asyncio.sleep(3600)]), disconnect_grace_s=0.0)
    api = served.api
    watching = api.app.state.serving.watchers._watching
    await leave(served, {**BODY, "stream": streaming}, lambda: sum(watching.values()) > 0)
    (state,) = await api.engine.runs(1)
    await api.finished(state.run)
    assert (await api.engine.get(state.run)).status == "cancelled"


@pytest.mark.parametrize("streaming", [False, True])
async def test_leaving_stops_a_model(serve: Serve, streaming: bool) -> None:
    served = await serve()
    chat = ScriptedChat("Half a", asyncio.sleep(3600))
    add_chat(served.api.engine.catalog, chat, served.api.planner)
    body = {"model": "talker", "input": "Hi", "stream": streaming}
    await leave(served, body, lambda: bool(chat.requests))
    await until(lambda: chat.stopped, "the model has stopped")


async def test_the_openai_package_that_times_out_and_retries_gets_the_answer_of_its_one_run(
    serve: Serve,
) -> None:
    gate = asyncio.Event()
    served = await serve(ScriptedPlanner([gate.wait(), PLAN]))
    attempts: list[str] = []

    async def count(request: Any) -> None:
        attempts.append(request.headers["x-stainless-retry-count"])
        if len(attempts) == 2:
            gate.set()

    http_client = openai.DefaultAsyncHttpxClient(event_hooks={"request": [count]})
    async with openai.AsyncOpenAI(
        base_url=f"{served.url}/v1", api_key=ADMIN, timeout=1.0, http_client=http_client
    ) as client:
        response = await client.responses.create(**BODY)
    assert (attempts, response.status) == (["0", "1"], "completed")
    assert [tool for tool, _ in served.api.host.calls] == ["look", "keep"]


async def test_too_many_runs_are_refused_before_anything_is_started(make_api: MakeApi) -> None:
    gate = asyncio.Event()
    api = make_api(ScriptedPlanner([gate.wait(), PLAN]), limits={"max_active_runs": 1})
    waiting = asyncio.create_task(ask(api))
    await until(lambda: bool(api.planner.requests), "the first one is planned")
    answer = await api.client.post(ROUTE, json={**BODY, "stream": True})
    assert (answer.status_code, answer.json()["error"]["type"]) == (429, "rate_limit_error")
    gate.set()
    await waiting
