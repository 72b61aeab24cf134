"""What models a client finds, and what each can do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import openai

from tests.api.conftest import ADMIN, Api, MakeApi, Serve
from tinyagent.engine.catalog import PlannerEntry
from tinyagent.ports import Embeddings


class Encoder:
    """An embedder that only has a name."""

    name, size, max_tokens = "words", 2, 9

    async def embed(self, texts: Sequence[str]) -> Embeddings:
        return Embeddings(tuple((1.0, 0.0) for _ in texts), len(texts))


def chatting(api: Api) -> Api:
    """The same with one more planner, whose model also chats."""
    catalog = api.engine.catalog
    entry = PlannerEntry("talker", "talks", lambda: api.planner, lambda: "", load_chat=lambda: None)  # type: ignore[arg-type,return-value]
    catalog._entries["talker"] = entry  # type: ignore[attr-defined]
    return api


async def capabilities(client: httpx.AsyncClient) -> dict[str, Any]:
    listed = (await client.get("/v1/models")).json()["data"]
    return {model["id"]: model["tinyagent"]["capabilities"] for model in listed}


async def test_each_model_says_what_it_can_do(make_api: MakeApi) -> None:
    api = chatting(make_api(embedder=Encoder()))
    assert await capabilities(api.client) == {
        "tinyagent": ["agent", "function_calling:built_in"],
        "tinyagent:scripted": ["agent", "function_calling:built_in"],
        "tinyagent:absent": ["agent", "function_calling:built_in"],
        "tinyagent:talker": ["agent", "function_calling"],
        "talker": ["function_calling", "chat", "json_schema"],
        "words": ["embeddings"],
    }


async def test_a_planner_that_does_not_chat_and_a_missing_encoder_are_no_models_of_their_own(
    client: httpx.AsyncClient,
) -> None:
    assert set(await capabilities(client)) == {"tinyagent", "tinyagent:scripted", "tinyagent:absent"}
    assert (await client.get("/v1/models/scripted")).status_code == 404


async def test_every_listed_model_is_read_by_its_name_alone(make_api: MakeApi) -> None:
    api = chatting(make_api(embedder=Encoder()))
    for listed in (await api.client.get("/v1/models")).json()["data"]:
        assert (await api.client.get(f"/v1/models/{listed['id']}")).json() == listed


async def test_a_model_that_cannot_be_used_says_why(client: httpx.AsyncClient) -> None:
    details = (await client.get("/v1/models/tinyagent:absent")).json()["tinyagent"]
    assert (details["available"], details["reason"]) == (False, "its file is missing")


async def test_the_document_describes_models(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    answer = document["paths"]["/v1/models/{model}"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ModelBody"}


async def test_the_openai_package_lists_and_reads_models(serve: Serve) -> None:
    served = await serve(embedder=Encoder())
    async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=ADMIN) as client:
        ids = [model.id async for model in client.models.list()]
        found = await client.models.retrieve("words")
    assert ids[0] == "tinyagent"
    assert (found.owned_by, found.object) == ("tinyagent", "model")


async def test_where_the_default_model_only_chats_there_is_no_agent_without_a_name(make_api: MakeApi) -> None:
    api = chatting(make_api())
    catalog = api.engine.catalog
    writer = PlannerEntry("writer", "writes", None, lambda: "", load_chat=lambda: None)  # type: ignore[arg-type,return-value]
    catalog._entries["writer"] = writer  # type: ignore[attr-defined]
    catalog._default = "writer"  # type: ignore[attr-defined]
    listed = await capabilities(api.client)
    assert "tinyagent" not in listed
    assert "tinyagent:writer" not in listed
    assert listed["writer"] == ["chat", "json_schema"]
    for route, asked in (("chat/completions", "messages"), ("responses", "input")):
        for name in ("tinyagent", "tinyagent:writer"):
            body = {"model": name, asked: [{"role": "user", "content": "hi"}]}
            refused = await api.client.post(f"/v1/{route}", json=body)
            assert (refused.status_code, refused.json()["error"]["param"]) == (400, "model")


async def test_a_model_that_only_chats_is_no_advice_for_function_calling(make_api: MakeApi) -> None:
    api = chatting(make_api())
    writer = PlannerEntry("writer", "writes", None, lambda: "", load_chat=lambda: None)  # type: ignore[arg-type,return-value]
    api.engine.catalog._entries["writer"] = writer  # type: ignore[attr-defined]
    tools = [{"type": "function", "function": {"name": "f"}}]
    body = {"model": "tinyagent", "messages": [{"role": "user", "content": "hi"}], "tools": tools}
    refused = await api.client.post("/v1/chat/completions", json={**body, "tool_choice": "none"})
    assert "tinyagent:talker" in refused.json()["error"]["message"]
    assert "tinyagent:writer" not in refused.json()["error"]["message"]
