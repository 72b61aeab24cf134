"""Responses at the edges: odd items, other tokens, long chains."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.conftest import RUNNER, Api, MakeApi, bearer
from tests.api.test_responses_calling import ASKED, PLAN, PLANNED, TOOLS, calls_of, results
from tests.support.responses_api import ROUTE, respond
from tests.support.scripted import ScriptedPlanner
from tests.support.scripted_chat import ScriptedChat, add_chat
from tinyagent.api.responses_items import message_item
from tinyagent.api.responses_store import MAX_BYTES, Kept, ResponseStore

USER = {"role": "user", "content": ASKED}


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api(ScriptedPlanner([PLAN, PLANNED]))


def call(id_: str = "c1", arguments: str = '{"city": "Oslo"}') -> dict[str, Any]:
    return {"type": "function_call", "call_id": id_, "name": "get-weather", "arguments": arguments}


def result(id_: str = "c1", output: Any = "rain") -> dict[str, Any]:
    return {"type": "function_call_output", "call_id": id_, "output": output}


@pytest.mark.parametrize(
    ("items", "param"),
    [
        ([USER, call(), call(), result()], "input[2].call_id"),
        ([USER, call(), result(), call(), result()], "input[3].call_id"),
        ([USER, call(arguments='{"a": "\\ud800"}'), result()], "input[1].arguments"),
        ([USER, {"type": "reasoning", "summary": []}, call(arguments="[]"), result()], "input[2].arguments"),
        ([USER, {"type": "reasoning", "summary": []}, result()], "input[2].call_id"),
        ([{"role": "user", "content": " "}], "input"),
        ([{"role": "user", "content": []}], "input"),
        ([{"type": "reasoning", "summary": []}], "input"),
    ],
)
async def test_items_that_make_no_request_are_refused_by_their_place(
    api: Api, items: Any, param: str
) -> None:
    assert (await respond(api, items, 400, tools=TOOLS))["param"] == param
    assert api.planner.requests == []


async def test_the_agent_names_the_place_of_an_item_that_is_not_its_own(api: Api) -> None:
    items = [{"type": "reasoning", "summary": []}, call(), result(), USER]
    assert (await respond(api, items, 400))["param"] == "input[1]"


async def test_a_chat_without_any_message_is_refused(api: Api) -> None:
    chat = add_chat(api.engine.catalog, ScriptedChat(), api.planner)
    refused = await respond(api, [{"type": "reasoning", "summary": []}], 400, model=chat.name)
    assert refused["param"] == "input"
    assert chat.requests == []


async def test_arguments_of_nothing_but_space_are_none(api: Api) -> None:
    clock = {**call(arguments=" "), "name": "get_time"}
    body = await respond(api, [USER, call("c2"), clock, result(), result("c2")], tools=TOOLS)
    assert [one["name"] for one in calls_of(body)] == ["tell"]


async def test_an_id_may_come_again_after_the_users_next_message(api: Api) -> None:
    done = [call(), result(), {"role": "assistant", "content": "Rain."}]
    body = await respond(api, [USER, *done, USER, *done[:2]], tools=TOOLS)
    assert [one["name"] for one in calls_of(body)] == ["get_time"]


async def test_a_response_is_nobody_elses_to_forget_or_to_go_on_from(api: Api) -> None:
    first = await respond(api, ASKED, tools=TOOLS)
    place = f"{ROUTE}/{first['id']}"
    other = bearer(RUNNER)
    following = {
        "model": "tinyagent",
        "input": results(calls_of(first), "rain", "noon"),
        "previous_response_id": first["id"],
        "tools": TOOLS,
    }
    assert (await api.client.post(ROUTE, json=following, headers=other)).status_code == 404
    assert (await api.client.delete(place, headers=other)).status_code == 403
    assert (await api.client.get(place)).status_code == 200
    assert (await api.client.delete(place)).status_code == 200
    assert (await api.client.get(place)).status_code == 404


async def test_one_history_goes_on_in_two_ways_by_its_id(api: Api) -> None:
    first = await respond(api, ASKED, tools=TOOLS)
    for weather in ("rain", "sun"):
        items = results(calls_of(first), weather, "noon")
        body = await respond(api, items, tools=TOOLS, previous_response_id=first["id"])
        (told,) = calls_of(body)
        assert json.loads(told["arguments"])["what"] == f"{weather} at noon"
    assert len(api.planner.requests) == 1


def test_a_long_chain_of_responses_takes_bounded_room() -> None:
    store = ResponseStore()
    before: tuple[Any, ...] = ()
    for number in range(40):
        given = (message_item("user", "x" * (MAX_BYTES // 20), f"msg_{number}"),)
        kept = Kept("owner", {"output": []}, given, before)
        store.keep(f"resp_{number}", kept)
        before = kept.conversation
        if store.find(f"resp_{number}", "owner") is None:
            return
    raise AssertionError("a chain of twice the room was kept")
