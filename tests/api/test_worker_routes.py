"""`/v1/worker`: who may speak there, what is refused, and that no job is lost with a client."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.api.conftest import ADMIN, READER, RUNNER, TOKENS, WORKER, Api, MakeApi, Serve, bearer
from tests.support.scripted import NOW, spec, until
from tinyagent import __version__
from tinyagent.api.app import create_app
from tinyagent.api.security import SecuritySettings, Token, host_values
from tinyagent.errors import Ambiguous
from tinyagent.ports import CallContext, ToolResult
from tinyagent.workers.queue import WorkerQueue
from tinyagent.workers.wire import VERSION_HEADER

SPECS = [spec("look", "str"), spec("keep", "str", "str", effect="write")]
MAC = {"worker": "Sid's Mac", "instance": "a" * 32}
OTHER = {"worker": "iMac", "instance": "b" * 32}
TOOLS = {"tools": {tool.name: {"enabled": True} for tool in SPECS}}
OK = {"ok": {"value": "v", "message": "Done."}}
CONTEXT = CallContext(NOW, seconds=20)


@pytest.fixture
def queue() -> WorkerQueue:
    return WorkerQueue(SPECS, wait_s=20, lease_s=20)


@pytest.fixture
def api(make_api: MakeApi, queue: WorkerQueue) -> Api:
    return make_api(host=queue, workers=queue)


async def claim(
    client: httpx.AsyncClient, wait_s: float = 5, token: str = WORKER, **body: Any
) -> httpx.Response:
    return await client.post(
        "/v1/worker/claim", json={**MAC, **TOOLS, "wait_s": wait_s, **body}, headers=bearer(token)
    )


async def say(client: httpx.AsyncClient, job: str, what: str, **body: Any) -> httpx.Response:
    path = f"/v1/worker/tasks/{job}/{what}"
    return await client.post(path, json={**MAC, **body}, headers=bearer(WORKER))


def call(queue: WorkerQueue, *arguments: str) -> asyncio.Task[ToolResult]:
    return asyncio.create_task(queue.call("keep", arguments or ("a", "b"), CONTEXT))


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


async def test_a_job_goes_out_goes_on_and_comes_back(api: Api, queue: WorkerQueue) -> None:
    under_way = call(queue)
    taken = await claim(api.client)
    job = taken.json()
    assert (taken.status_code, job["tool"], job["arguments"]) == (200, "keep", ["a", "b"])
    assert taken.headers[VERSION_HEADER] == __version__
    assert (await say(api.client, job["id"], "heartbeat")).json() == {"cancel": False}
    assert (await say(api.client, job["id"], "result", **OK)).json() == {"taken": True}
    assert (await under_way).value == "v"
    again = await say(api.client, job["id"], "result", **OK)  # as a worker does that missed the answer
    assert (again.status_code, again.json()) == (200, {"taken": True})
    refused(await say(api.client, job["id"], "result", ok={"value": "other"}), 409, "conflict")


async def test_a_failure_comes_back_with_all_it_says(api: Api, queue: WorkerQueue) -> None:
    under_way = call(queue)
    job = (await claim(api.client)).json()["id"]
    error = {"code": "ambiguous", "message": "Two.", "hint": "Which?", "candidates": ["A", "B"]}
    assert (await say(api.client, job, "result", error=error)).status_code == 200
    with pytest.raises(Ambiguous) as caught:
        await under_way
    assert (caught.value.message, caught.value.hint, caught.value.candidates) == (
        "Two.",
        "Which?",
        ("A", "B"),
    )


async def test_nothing_to_do_is_told_with_204(api: Api) -> None:
    answer = await claim(api.client, wait_s=0)
    assert (answer.status_code, answer.content, answer.headers[VERSION_HEADER]) == (204, b"", __version__)


async def test_a_job_that_was_cancelled_is_told_with_the_heartbeat(api: Api, queue: WorkerQueue) -> None:
    under_way = call(queue)
    job = (await claim(api.client)).json()["id"]
    under_way.cancel()
    await asyncio.wait({under_way})
    assert (await say(api.client, job, "heartbeat")).json() == {"cancel": True}
    refused(await say(api.client, job, "result", **OK), 409, "conflict")


async def test_another_worker_may_not_answer(api: Api, queue: WorkerQueue) -> None:
    under_way = call(queue)
    job = (await claim(api.client)).json()["id"]
    refused(await say(api.client, job, "result", **{**OTHER, **OK}), 403, "forbidden")
    refused(await say(api.client, job, "heartbeat", **OTHER), 403, "forbidden")
    await say(api.client, job, "result", **OK)
    await under_way


async def test_an_unknown_job_is_not_found(api: Api) -> None:
    refused(await say(api.client, "job_0", "heartbeat"), 404, "not_found")
    refused(await say(api.client, "job_0", "result", **OK), 404, "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"wait_s": 31},
        {"wait_s": -1},
        {"wait_s": "5"},
        {"worker": ""},
        {"worker": "a\nb"},
        {"worker": "x" * 65},
        {"instance": "short"},
        {"tools": []},
        {"tools": {"look": True}},
        {"tools": {"look": {"enabled": "yes"}}},
        {"tools": {f"t{number}": {"enabled": True} for number in range(201)}},
        {"more": 1},
    ],
)
async def test_a_claim_that_is_not_as_it_should_be_is_refused(api: Api, body: dict[str, Any]) -> None:
    refused(await claim(api.client, **{"wait_s": 0, **body}), 400, "invalid_request")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {**OK, "error": {"code": "no_match", "message": "None."}},
        {"error": {"code": "made_up", "message": "x"}},
        {"error": {"code": "no_match", "message": "x" * 2001}},
        {"error": {"code": "no_match", "message": "x", "candidates": ["c"] * 51}},
        {"ok": {"value": 1}},
        {"ok": {"value": "v", "undo": {"id": 1}}},
        {"ok": {"value": "v", "more": "x"}},
    ],
)
async def test_a_result_that_is_not_as_it_should_be_is_refused_and_the_job_goes_on(
    api: Api, queue: WorkerQueue, body: dict[str, Any]
) -> None:
    under_way = call(queue)
    job = (await claim(api.client)).json()["id"]
    refused(await say(api.client, job, "result", **body), 400, "invalid_request")
    await say(api.client, job, "result", **OK)
    assert (await under_way).value == "v"


async def test_only_workers_get_in(api: Api) -> None:
    for token in (READER, RUNNER):
        refused(await claim(api.client, wait_s=0, token=token), 403, "forbidden")
    refused(await claim(api.client, wait_s=0, token="no-token-of-anybody"), 401, "unauthorized")
    assert (await claim(api.client, wait_s=0, token=ADMIN)).status_code == 204


async def test_the_workers_token_opens_nothing_else(api: Api) -> None:
    for method, path in (("GET", "/v1/runs"), ("POST", "/v1/runs"), ("GET", "/v1/tools"), ("GET", "/readyz")):
        refused(await api.client.request(method, path, headers=bearer(WORKER)), 403, "forbidden")


async def test_a_server_that_does_its_calls_itself_says_so(
    client: httpx.AsyncClient, make_api: MakeApi
) -> None:
    answer = await claim(make_api().client, wait_s=0)
    refused(answer, 409, "conflict")
    assert "executor" in answer.json()["error"]["message"]


async def test_tools_and_readiness_show_the_workers(api: Api) -> None:
    before = (await api.client.get("/v1/tools")).json()["data"]
    assert {(tool["enabled"], tuple(tool["workers"])) for tool in before} == {(False, ())}
    assert "tinyagent worker" in before[0]["reason"]
    assert (await api.client.get("/readyz")).status_code == 503
    offer = {"look": {"enabled": True, "drafts_only": "no account"}, "keep": {"enabled": True}}
    await claim(api.client, wait_s=0, tools=offer)
    after = {tool["name"]: tool for tool in (await api.client.get("/v1/tools")).json()["data"]}
    assert after["look"]["workers"] == ["Sid's Mac"] and after["look"]["drafts_only"] == "no account"
    assert after["keep"]["enabled"] and after["keep"]["drafts_only"] == ""
    assert (await api.client.get("/readyz")).status_code == 200


# --- revocation ------------------------------------------------------------------------------


class Kept:
    """A token that can be taken away."""

    secret = "the-token-that-can-be-revoked"

    def tokens(self) -> list[Token]:
        return [Token("worker", self.secret, frozenset({"worker"}))]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def revocable(api: Api, queue: WorkerQueue, kept: Kept) -> Any:
    hosts = host_values(["127.0.0.1"], 8765)
    security = replace(SecuritySettings(TOKENS, hosts), more_tokens=kept.tokens)
    app = create_app(api.engine, security, workers=queue)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8765"
    ) as client:
        yield client


async def test_a_revoked_token_is_refused_at_once(revocable: httpx.AsyncClient, kept: Kept) -> None:
    secret = kept.secret
    assert (await claim(revocable, wait_s=0, token=secret)).status_code == 204
    kept.secret = ""
    refused(await claim(revocable, wait_s=0, token=secret), 401, "unauthorized")
    refused(await claim(revocable, wait_s=0, token=""), 401, "unauthorized")


async def test_a_worker_whose_token_is_revoked_while_it_waits_gets_no_job(
    revocable: httpx.AsyncClient, kept: Kept, queue: WorkerQueue
) -> None:
    waiting = asyncio.create_task(claim(revocable, wait_s=20, token=kept.secret))
    await until(lambda: all(status.enabled for status in queue.tools()), "the worker waits")
    kept.secret = "another-token-altogether"
    under_way = call(queue)
    refused(await waiting, 401, "unauthorized")
    under_way.cancel()


async def test_a_token_that_anybody_could_guess_is_none(revocable: httpx.AsyncClient, kept: Kept) -> None:
    kept.secret = "short"
    refused(await claim(revocable, wait_s=0, token="short"), 401, "unauthorized")


# --- over a real connection ------------------------------------------------------------------


async def test_a_client_that_disconnects_while_it_waits_leaves_the_job_to_others(
    serve: Serve, queue: WorkerQueue
) -> None:
    served = await serve(host=queue, workers=queue)
    async with served.api_client() as client:
        waiting = asyncio.create_task(claim(client, wait_s=20))
        await until(lambda: all(status.enabled for status in queue.tools()), "the worker waits")
        waiting.cancel()
        await asyncio.wait({waiting})
    async with served.api_client() as client:
        # The server has read of the broken connection when it has answered a later one.
        await client.get("/healthz")
        under_way = call(queue)
        taken = await claim(client, **OTHER)
        assert taken.status_code == 200
        await say(client, taken.json()["id"], "result", **{**OTHER, **OK})
        assert (await under_way).value == "v"
