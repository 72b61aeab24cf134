"""Runs: start, list, read, cancel and forget."""

from __future__ import annotations

import asyncio

import httpx
import pytest

from tests.api.conftest import PLAN, Api, MakeApi, two_tools
from tests.support.scripted import ScriptedPlanner


async def start(
    client: httpx.AsyncClient, query: str = "say hello to Sid", **fields: object
) -> httpx.Response:
    return await client.post("/v1/runs", json={"query": query, **fields})


async def test_a_started_run_is_accepted_with_its_place(api: Api) -> None:
    answer = await start(api.client)
    run = answer.json()["run"]
    assert (answer.status_code, answer.headers["location"]) == (202, f"/v1/runs/{run}")
    assert answer.json()["status"] == "running"


async def test_the_whole_run_is_read_back(api: Api) -> None:
    run = (await start(api.client)).json()["run"]
    await api.finished(run)
    body = (await api.client.get(f"/v1/runs/{run}")).json()
    assert (body["status"], body["query"], body["planner"], body["error"]) == (
        "completed",
        "say hello to Sid",
        "scripted",
        None,
    )
    assert body["plan"] == PLAN
    assert [(t["task"], t["tool"], t["status"], t["arguments"]) for t in body["tasks"]] == [
        (1, "look", "succeeded", ["Sid"]),
        (2, "keep", "succeeded", ["look(Sid)", "hello"]),
    ]
    assert body["tasks"][0]["started"] and body["tasks"][0]["ended"]
    assert body["answer"]


async def test_a_plan_is_made_and_not_carried_out(api: Api) -> None:
    run = (await start(api.client, mode="plan")).json()["run"]
    await api.finished(run)
    body = (await api.client.get(f"/v1/runs/{run}")).json()
    assert (body["status"], body["answer"], api.host.calls) == ("completed", PLAN, [])


@pytest.mark.parametrize("written", ["2025-03-09 10:00", "2025-03-09T10:00", "2025-03-09T10:00:00"])
async def test_now_is_the_callers_wall_clock(api: Api, written: str) -> None:
    body = (await start(api.client, now=written)).json()
    assert body["now"] == "2025-03-09T10:00:00"


@pytest.mark.parametrize(
    "written",
    ["tomorrow", "2025-03-09", "2025-13-09 10:00", "2025-03-09T10:00Z", "2025-03-09T10:00+01:00", ""],
)
async def test_a_now_that_is_no_wall_clock_time_is_refused(api: Api, written: str) -> None:
    answer = await start(api.client, now=written)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "now")


async def test_only_known_approvals_are_taken(api: Api) -> None:
    assert (await start(api.client, approval="draft")).status_code == 202
    assert (await start(api.client, approval=None)).status_code == 202
    answer = await start(api.client, approval="send")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "approval")
    assert "draft" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "query"),
        ({"query": 3}, "query"),
        ({"query": None}, "query"),
        ({"query": "   "}, "query"),
        ({"query": "go", "mode": "dance"}, "mode"),
        ({"query": "go", "planner": 1}, "planner"),
        ({"query": "go", "now": 1}, "now"),
        ({"query": "go", "colour": "red"}, "colour"),
    ],
)
async def test_a_wrong_field_is_named(api: Api, body: dict[str, object], param: str) -> None:
    answer = await api.client.post("/v1/runs", json=body)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert answer.json()["error"]["code"] == "invalid_request"


async def test_an_unknown_planner_is_404(api: Api) -> None:
    answer = await start(api.client, planner="other")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found")


async def test_more_runs_than_the_server_carries_is_429_with_a_pause(make_api: MakeApi) -> None:
    never = asyncio.get_running_loop().create_future()
    api = make_api(ScriptedPlanner([never]), limits={"max_active_runs": 1})
    assert (await start(api.client)).status_code == 202
    answer = await start(api.client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "overloaded")
    assert answer.headers["retry-after"].isdecimal()


async def test_the_same_idempotency_key_is_the_same_run(api: Api) -> None:
    api.client.headers["Idempotency-Key"] = "k1"
    first, second = await start(api.client), await start(api.client)
    assert second.status_code == 202
    assert first.json()["run"] == second.json()["run"]
    assert len((await api.client.get("/v1/runs")).json()["data"]) == 1


async def test_an_idempotency_key_for_another_request_is_a_conflict(api: Api) -> None:
    api.client.headers["Idempotency-Key"] = "k1"
    await start(api.client)
    for other in ({"query": "something else"}, {"approval": "ask"}, {"mode": "plan"}):
        answer = await start(api.client, **other)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")


async def test_an_idempotency_key_belongs_to_its_token(api: Api) -> None:
    api.client.headers["Idempotency-Key"] = "k1"
    first = await start(api.client)
    api.client.headers["Authorization"] = "Bearer the-token-of-a-runner"
    assert (await start(api.client)).json()["run"] != first.json()["run"]


@pytest.mark.parametrize("key", ["", "x" * 256])
async def test_an_idempotency_key_without_a_sensible_length_is_refused(api: Api, key: str) -> None:
    api.client.headers["Idempotency-Key"] = key
    assert (await start(api.client)).status_code == 400


async def test_pages_of_runs_join_without_gap_or_repeat(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner("1. join()"))
    for number in range(5):
        run = (await start(api.client, f"request {number}")).json()["run"]
        await api.finished(run)
    seen: list[str] = []
    page: dict[str, object] = {"limit": 2}
    while True:
        body = (await api.client.get("/v1/runs", params=page)).json()
        assert len(body["data"]) <= 2
        seen += [run["run"] for run in body["data"]]
        if body["next"] is None:
            break
        page["before"] = body["next"]
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "colour=red", "token=x"])
async def test_a_wrong_query_parameter_is_named(api: Api, query: str) -> None:
    answer = await api.client.get(f"/v1/runs?{query}")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, query.partition("=")[0])


async def test_a_deleted_run_is_forgotten(api: Api) -> None:
    run = (await start(api.client)).json()["run"]
    await api.finished(run)
    answer = await api.client.delete(f"/v1/runs/{run}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await api.client.get(f"/v1/runs/{run}")).status_code == 404


async def test_a_run_under_way_is_cancelled_then_deleted(make_api: MakeApi) -> None:
    never = asyncio.get_running_loop().create_future()
    api = make_api(ScriptedPlanner(['1. look("Sid")\n', never]), two_tools())
    run = (await start(api.client)).json()["run"]
    assert (await api.client.delete(f"/v1/runs/{run}")).status_code == 409
    answer = await api.client.post(f"/v1/runs/{run}/cancel", json={"reason": "changed my mind"})
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["error"] == {
        "code": "cancelled",
        "message": "changed my mind",
        "hint": None,
        "candidates": [],
    }
    assert (await api.client.delete(f"/v1/runs/{run}")).status_code == 204


async def test_a_cancellation_needs_no_body(make_api: MakeApi) -> None:
    never = asyncio.get_running_loop().create_future()
    api = make_api(ScriptedPlanner([never]))
    run = (await start(api.client)).json()["run"]
    assert (await api.client.post(f"/v1/runs/{run}/cancel")).json()["status"] == "cancelled"


async def test_a_run_that_has_ended_cannot_be_cancelled(api: Api) -> None:
    run = (await start(api.client)).json()["run"]
    await api.finished(run)
    assert (await api.client.post(f"/v1/runs/{run}/cancel")).status_code == 409
