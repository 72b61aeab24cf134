"""What a client can find out before it asks for anything."""

from __future__ import annotations

import httpx

from tests.api.conftest import Api, MakeApi
from tests.support.scripted import FakeHost


async def test_models_are_the_agent_and_the_agent_with_each_planner(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/models")).json()
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]] == ["tinyagent", "tinyagent:scripted", "tinyagent:absent"]
    assert {model["object"] for model in body["data"]} == {"model"}
    assert body["data"][2]["tinyagent"] == {
        "planner": "absent",
        "description": "has no file",
        "available": False,
        "reason": "its file is missing",
        "capabilities": ["agent", "function_calling:built_in"],
    }


async def test_one_model_is_read_by_its_name(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/models/tinyagent:scripted")).json()
    assert (body["id"], body["object"], body["owned_by"]) == ("tinyagent:scripted", "model", "tinyagent")
    assert (await client.get("/v1/models/tinyagent")).json()["tinyagent"]["planner"] == "scripted"


async def test_an_unknown_model_is_404_with_its_code(client: httpx.AsyncClient) -> None:
    for name in ("gpt-4o", "tinyagent:", "tinyagent:other", "tinyagentx"):
        answer = await client.get(f"/v1/models/{name}")
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "model_not_found"), name


async def test_tools_come_with_schema_and_effect(client: httpx.AsyncClient) -> None:
    body = (await client.get("/v1/tools")).json()
    assert [(tool["name"], tool["effect"], tool["enabled"]) for tool in body["data"]] == [
        ("look", "read", True),
        ("keep", "write", True),
    ]
    assert body["data"][0]["parameters"]["required"] == ["a"]


async def test_health_needs_no_token_and_says_nothing_else(api: Api) -> None:
    del api.client.headers["Authorization"]
    answer = await api.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_readiness_lists_every_part(client: httpx.AsyncClient) -> None:
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "ready"
    assert {name: check["ok"] for name, check in answer.json()["checks"].items()} == {
        "planner": True,
        "toolrag": True,
        "journal": True,
        "executor": True,
    }


async def test_a_part_that_cannot_work_makes_the_server_unready_with_the_reason(make_api: MakeApi) -> None:
    answer = await make_api(host=FakeHost()).client.get("/readyz")
    body = answer.json()
    assert (answer.status_code, body["status"]) == (503, "unready")
    assert body["checks"]["executor"]["ok"] is False
    assert "executor" in body["error"]["message"]
    assert answer.headers["retry-after"].isdecimal()
