"""Responses read again, forgotten and cancelled, and the items that they were asked with."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import openai.types.responses as types
import pytest
from pydantic import TypeAdapter

from tests.api.conftest import PLAN, READER, RUNNER, Api, MakeApi, bearer
from tests.support.responses_api import ROUTE, checked, respond
from tests.support.scripted import ScriptedPlanner, until
from tests.support.scripted_chat import ScriptedChat, add_chat
from tinyagent.api import responses_store
from tinyagent.api.responses_store import KEEP_S, Kept, ResponseStore
from tinyagent.engine.runs import RunRequest

_ITEM: TypeAdapter[Any] = TypeAdapter(types.ResponseItem)


@pytest.fixture
def talking(api: Api) -> Api:
    add_chat(api.engine.catalog, ScriptedChat(), api.planner)
    return api


async def get(api: Api, path: str, token: str | None = None, **query: Any) -> httpx.Response:
    return await api.client.get(f"{ROUTE}/{path}", params=query, headers=bearer(token) if token else {})


async def test_a_response_is_read_as_it_was_answered(talking: Api) -> None:
    for model in ("tinyagent", "talker"):
        body = await respond(talking, "Hi", model=model, metadata={"a": "b"}, instructions="Be kind.")
        assert (await get(talking, body["id"])).json() == body


async def test_a_run_that_was_started_elsewhere_is_a_response_too(api: Api) -> None:
    run = (await api.engine.start(RunRequest("say hello to Sid"))).run
    await api.finished(run)
    body = checked((await get(api, f"resp_{run}")).json())
    assert (body["status"], body["model"]) == ("completed", "tinyagent:scripted")
    items = (await get(api, f"resp_{run}/input_items")).json()["data"]
    assert items[0]["content"] == [{"type": "input_text", "text": "say hello to Sid"}]


async def test_a_run_under_way_is_in_progress_and_can_be_cancelled(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner(['1. look("a")\n', asyncio.sleep(3600)]))
    run = (await api.engine.start(RunRequest("go"))).run
    await until(lambda: bool(api.host.calls), "the first task has run")
    body = checked((await get(api, f"resp_{run}")).json())
    assert (body["status"], body["output"][0]["status"]) == ("in_progress", "in_progress")
    conflict = await api.client.delete(f"{ROUTE}/resp_{run}")
    assert conflict.status_code == 409
    cancelled = checked((await api.client.post(f"{ROUTE}/resp_{run}/cancel")).json())
    assert (cancelled["status"], cancelled["tinyagent"]["status"]) == ("cancelled", "cancelled")
    assert (await api.client.post(f"{ROUTE}/resp_{run}/cancel")).status_code == 409


@pytest.mark.parametrize("model", ["tinyagent", "talker"])
async def test_a_response_that_was_deleted_is_gone(talking: Api, model: str) -> None:
    body = await respond(talking, "Hi", model=model)
    path = f"{ROUTE}/{body['id']}"
    gone = await talking.client.delete(path)
    assert gone.json() == {"id": body["id"], "object": "response", "deleted": True}
    assert (await talking.client.get(path)).status_code == 404
    assert (await talking.client.get(f"{path}/input_items")).status_code == 404
    assert (await talking.client.post(f"{path}/cancel")).status_code == 404
    assert (await talking.client.delete(path)).status_code == 404
    assert not await talking.engine.runs(1)
    error = await respond(talking, "And?", 404, model=model, previous_response_id=body["id"])
    assert error["param"] == "previous_response_id"


async def test_only_an_admin_deletes_and_a_reader_only_reads(talking: Api) -> None:
    body = await respond(talking, "Hi")
    path = f"{ROUTE}/{body['id']}"
    assert (await get(talking, body["id"], READER)).status_code == 200
    assert (await talking.client.delete(path, headers=bearer(RUNNER))).status_code == 403
    assert (await talking.client.post(f"{path}/cancel", headers=bearer(READER))).status_code == 403
    answer = await talking.client.post(ROUTE, json={"model": "talker", "input": "Hi"}, headers=bearer(READER))
    assert answer.status_code == 403


async def test_what_a_model_answered_one_token_is_not_there_for_another(talking: Api) -> None:
    body = {"model": "talker", "input": "Hi"}
    mine = (await talking.client.post(ROUTE, json=body, headers=bearer(RUNNER))).json()
    assert (await get(talking, mine["id"], READER)).status_code == 404
    assert (await get(talking, f"{mine['id']}/input_items", READER)).status_code == 404
    following = {**body, "previous_response_id": mine["id"]}
    assert (await talking.client.post(ROUTE, json=following)).status_code == 404
    referring = {**body, "input": [{"type": "item_reference", "id": mine["output"][0]["id"]}]}
    assert (await talking.client.post(ROUTE, json=referring)).status_code == 404
    assert (await talking.client.delete(f"{ROUTE}/{mine['id']}")).status_code == 200


async def test_a_response_that_was_not_to_be_stored_is_not_kept(talking: Api) -> None:
    body = await respond(talking, "Hi", model="talker", store=False)
    assert body["store"] is False
    assert (await get(talking, body["id"])).status_code == 404


async def test_a_response_of_a_model_has_ended_and_is_not_cancelled(talking: Api) -> None:
    body = await respond(talking, "Hi", model="talker")
    assert (await talking.client.post(f"{ROUTE}/{body['id']}/cancel")).status_code == 409


@pytest.mark.parametrize("name", ["nothing", "resp_x", "resp_run_0", "run_0"])
async def test_an_unknown_response_is_not_found(api: Api, name: str) -> None:
    answer = await get(api, name)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


# --- input items -------------------------------------------------------------------------------


async def test_input_items_come_in_pages_the_last_one_first(talking: Api) -> None:
    given: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "yes?"},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "x"}]},
        {"role": "user", "content": "last", "id": "msg_mine"},
    ]
    path = f"{(await respond(talking, given, model='talker'))['id']}/input_items"
    whole = (await get(talking, path, order="asc")).json()
    for item in whole["data"]:
        _ITEM.validate_python(item)
    assert [item["type"] for item in whole["data"]].count("message") == 4
    assert whole["data"][-1]["id"] == "msg_mine"
    assert whole["has_more"] is False
    first = (await get(talking, path, limit=4)).json()
    assert [item["id"] for item in first["data"]] == [item["id"] for item in whole["data"]][:1:-1]
    assert (first["first_id"], first["has_more"]) == ("msg_mine", True)
    rest = (await get(talking, path, limit=4, after=first["last_id"])).json()
    assert [item["id"] for item in rest["data"]] == [item["id"] for item in whole["data"]][1::-1]
    assert rest["has_more"] is False


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 0}, 400),
        ({"limit": 101}, 400),
        ({"order": "up"}, 400),
        ({"after": "x"}, 404),
        ({"x": "y"}, 400),
    ],
)
async def test_a_wrong_page_is_refused(talking: Api, query: Any, status: int) -> None:
    body = await respond(talking, "Hi")
    answer = await get(talking, f"{body['id']}/input_items", **query)
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, next(iter(query)))


# --- how long and how many ---------------------------------------------------------------------


def kept(caller: str = "me", size: int = 0) -> Kept:
    return Kept(caller, {"output": [], "padding": "x" * size}, ())


def test_old_responses_are_forgotten() -> None:
    now = [0.0]
    store = ResponseStore(lambda: now[0])
    store.keep("old", kept())
    now[0] = KEEP_S
    assert store.find("old", "me")
    now[0] += 1
    assert store.find("old", "me") is None
    store.keep("new", kept())
    assert not store.forget("old")
    assert store.forget("new")


def test_the_oldest_response_makes_room_for_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_store, "MAX_KEPT", 2)
    store = ResponseStore()
    for name in ("first", "second", "third"):
        store.keep(name, kept())
    assert [store.find(name, "me") is not None for name in ("first", "second", "third")] == [
        False,
        True,
        True,
    ]


def test_large_responses_make_room_by_their_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(responses_store, "MAX_BYTES", 1_000)
    store = ResponseStore()
    store.keep("first", kept(size=600))
    store.keep("second", kept(size=600))
    assert (store.find("first", "me"), store.find("second", "me") is None) == (None, False)
    store.keep("huge", kept(size=2_000))
    store.keep("small", kept())
    assert (store.find("huge", "me"), store.find("small", "me") is None) == (None, False)


async def test_a_run_whose_request_was_forgotten_is_read_from_the_journal(api: Api) -> None:
    first = await respond(api, "who is Sid?")
    body = await respond(api, "say hello", instructions="Be kind.", previous_response_id=first["id"])
    serving = api.app.state.serving
    api.app.state.serving = replace(serving, responses=ResponseStore())
    again = checked((await get(api, body["id"])).json())
    assert (again["output"], again["usage"]) == (body["output"], body["usage"])
    assert (again["instructions"], again["previous_response_id"]) == (None, first["id"])
    assert PLAN.split("\n")[0] in again["output"][0]["summary"][0]["text"]
