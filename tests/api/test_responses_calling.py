"""Responses with functions of the client's: waves of calls, the final message, and what goes on from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.conftest import Api, MakeApi
from tests.support.responses_api import ROUTE, checked, kinds, respond, stream
from tests.support.scripted import ScriptedPlanner
from tests.support.scripted_chat import SPENT, ScriptedChat, add_chat
from tinyagent.errors import PlannerFailed
from tinyagent.ports import ChatEnd, Usage

PLAN = '1. get_weather(city="Oslo")\n2. get_time()\n3. tell("Ann", "$1 at $2")\n4. join()<END_OF_PLAN>'
PLANNED = Usage(prompt_tokens=100, plan_tokens=40, cached_tokens=90, prompt_ms=50.0, plan_ms=80.0)


def function(name: str, *parameters: str, **more: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {parameter: {"type": "string"} for parameter in parameters},
        "required": list(parameters),
    }
    return {"type": "function", "name": name, "parameters": schema, **more}


TOOLS = [function("get-weather", "city"), function("get_time"), function("tell", "who", "what", strict=True)]
ASKED = "Tell Ann the weather in Oslo"


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api(ScriptedPlanner([PLAN, PLANNED]))


def calls_of(body: Any) -> list[Any]:
    return [item for item in body["output"] if item["type"] == "function_call"]


def results(calls: list[Any], *texts: str) -> list[Any]:
    return [
        {"type": "function_call_output", "call_id": call["call_id"], "output": text}
        for call, text in zip(calls, texts, strict=True)
    ]


async def ask(api: Api, given: Any = ASKED, **more: Any) -> Any:
    return await respond(api, given, tools=TOOLS, **more)


async def test_calls_that_are_ready_come_together_and_the_next_ones_with_their_results(api: Api) -> None:
    body = await ask(api)
    first = calls_of(body)
    assert [(call["name"], json.loads(call["arguments"])) for call in first] == [
        ("get-weather", {"city": "Oslo"}),
        ("get_time", {}),
    ]
    assert (body["status"], body["tools"][2]["strict"]) == ("completed", True)
    assert len({call["id"] for call in first} | {call["call_id"] for call in first}) == 4
    said: list[Any] = [{"role": "user", "content": ASKED}, *body["output"], *results(first, "rain", "noon")]
    body = await ask(api, said)
    (second,) = calls_of(body)
    assert json.loads(second["arguments"]) == {"who": "Ann", "what": "rain at noon"}
    body = await ask(api, [*said, *body["output"], *results([second], "told")])
    assert calls_of(body) == []
    assert "told" in body["output"][-1]["content"][0]["text"]


async def test_a_conversation_goes_on_by_the_id_of_the_response_before(api: Api) -> None:
    first = await ask(api)
    second = await ask(api, results(calls_of(first), "rain", "noon"), previous_response_id=first["id"])
    third = await ask(api, results(calls_of(second), "told"), previous_response_id=second["id"])
    assert "told" in third["output"][-1]["content"][0]["text"]
    assert third["previous_response_id"] == second["id"]


async def test_calls_are_referred_to_by_the_ids_of_their_items(api: Api) -> None:
    calls = calls_of(await ask(api))
    items = [
        {"role": "user", "content": ASKED},
        *({"type": "item_reference", "id": call["id"]} for call in calls),
        *results(calls, "rain", "noon"),
    ]
    assert [call["name"] for call in calls_of(await ask(api, items))] == ["tell"]


async def test_the_stream_tells_of_each_call(api: Api) -> None:
    events = await stream(api, ASKED, tools=TOOLS)
    told = kinds(events)
    one = [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert told[-9:] == [*one, *one, "completed"]
    added = [event for event in events if event["type"] == "response.output_item.added"]
    assert [event["output_index"] for event in added] == list(range(len(added)))
    assert added[-1]["item"]["arguments"] == ""
    done = [event for event in events if event["type"] == "response.function_call_arguments.done"]
    assert [(event["name"], event["arguments"]) for event in done] == [
        ("get-weather", '{"city": "Oslo"}'),
        ("get_time", "{}"),
    ]
    assert events[-1]["response"]["usage"]["input_tokens"] == 100
    assert events[-1]["response"]["timings"]["cache_n"] == 90


async def test_one_call_at_a_time_when_they_may_not_be_parallel(api: Api) -> None:
    assert len(calls_of(await ask(api, parallel_tool_calls=False))) == 1


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "function", "name": "get_time"},
        {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "get_time"}]},
    ],
)
async def test_only_tools_that_are_chosen_are_called(make_api: MakeApi, choice: Any) -> None:
    api = make_api(ScriptedPlanner("1. get_time()\n2. join()"))
    body = await ask(api, tool_choice=choice)
    assert [call["name"] for call in calls_of(body)] == ["get_time"]
    assert body["tool_choice"] == choice
    assert [tool.name for tool in api.planner.requests[0].tools] == ["get_time"]


async def test_no_tool_is_called_where_none_may_be(api: Api) -> None:
    chat = add_chat(api.engine.catalog, ScriptedChat("Just words."), api.planner)
    body = await ask(api, model=chat.name, tool_choice="none")
    assert body["output"][-1]["content"][0]["text"] == "Just words."


async def test_a_message_in_the_form_of_a_schema_after_calls(api: Api) -> None:
    end = ChatEnd("stop", SPENT)
    chat = add_chat(api.engine.catalog, ScriptedChat('{"sky": "grey"}', end), api.planner)
    form = {"type": "json_schema", "name": "sky", "schema": {"type": "object"}, "strict": True}
    more: dict[str, Any] = {
        "model": chat.name,
        "tool_choice": "none",
        "text": {"format": form},
        "temperature": 0,
        "top_p": 0.5,
        "max_output_tokens": 30,
    }
    body = await ask(api, **more)
    assert body["output"][0]["content"][0]["text"] == '{"sky": "grey"}'
    (request,) = chat.requests
    assert (request.schema, request.temperature, request.top_p) == ({"type": "object"}, 0, 0.5)
    assert request.max_tokens == 30
    assert body["text"] == {"format": form}


async def test_a_planner_that_fails_is_an_error(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([PlannerFailed("The planner fell over.")]))
    assert (await respond(api, ASKED, 502, tools=TOOLS))["code"] == "planner_failed"
    events = await stream(api, ASKED, tools=TOOLS)
    failed = checked(events[-1]["response"])
    assert (events[-1]["type"], failed["error"]["message"]) == ("response.failed", "The planner fell over.")
    assert (await api.client.get(f"{ROUTE}/{failed['id']}")).status_code == 404


@pytest.mark.parametrize(
    ("items", "param"),
    [
        ([{"role": "user", "content": "go"}, {"type": "function_call_output", "call_id": "c", "output": "x"}],
         "input[1].call_id"),
        ([{"role": "user", "content": "go"}, {"type": "function_call", "call_id": "c", "name": "tell",
                                              "arguments": "{}"}], "input"),
        ([{"type": "function_call", "call_id": "c", "name": "tell", "arguments": "{}"},
          {"role": "user", "content": "go"}], "input[1]"),
        ([{"type": "function_call", "call_id": "c", "name": "tell", "arguments": "[]"}],
         "input[0].arguments"),
        ([{"type": "function_call", "call_id": "c", "name": "tell", "arguments": '{"a": NaN}'}],
         "input[0].arguments"),
        ([{"type": "function_call", "name": "tell", "arguments": "{}"}], "input[0].call_id"),
        ([{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_image"}]}],
         "input[0].output[0]"),
        ([{"role": "assistant", "content": "hm"}], "input"),
    ],
)  # fmt: skip
async def test_a_conversation_that_does_not_hold_together_is_refused(
    api: Api, items: Any, param: str
) -> None:
    assert (await respond(api, items, 400, tools=TOOLS))["param"] == param


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"tools": [{"type": "custom", "name": "x"}]}, "tools[0]"),
        ({"tools": [{"type": "function", "name": "no name"}]}, "tools[0].name"),
        ({"tools": [function("a"), function("a")]}, "tools[1].name"),
        ({"tools": [{"type": "function", "name": "a", "parameters": {"type": 3}}]}, "tools[0].parameters"),
        ({"tools": [{"type": "function", "function": {"name": "a"}}]}, "tools[0].name"),
        ({"tool_choice": {"type": "function", "name": "other"}}, "tool_choice"),
        ({"tool_choice": {"type": "file_search"}}, "tool_choice"),
        ({"tool_choice": "any"}, "tool_choice"),
        ({"text": {"format": {"type": "xml"}}}, "text.format"),
        ({"text": {"format": {"type": "json_schema", "schema": {}}}}, "text.format.name"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format"),
    ],
)
async def test_wrong_tools_and_formats_are_refused_by_name(api: Api, more: Any, param: str) -> None:
    assert (await respond(api, ASKED, 400, **{"tools": TOOLS, **more}))["param"] == param
