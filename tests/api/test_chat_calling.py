"""Chat completions with tools: waves of calls, the final message, and what is refused."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.api.conftest import Api, MakeApi, Serve
from tests.api.test_chat_streaming import chunks_of
from tests.support.scripted import ScriptedPlanner, until
from tests.support.scripted_chat import SPENT, ScriptedChat, add_chat
from tinyagent.engine.calling import CallingRequest
from tinyagent.errors import PlannerFailed
from tinyagent.ports import Usage

CHAT = "/v1/chat/completions"
USER = {"role": "user", "content": "Tell Ann the weather in Oslo"}


def tool(name: str, *parameters: str, **more: Any) -> dict[str, Any]:
    schema = {
        "type": "object",
        "properties": {parameter: {"type": "string"} for parameter in parameters},
        "required": list(parameters),
    }
    return {"type": "function", "function": {"name": name, "parameters": schema, **more}}


TOOLS = [tool("get-weather", "city"), tool("get_time"), tool("tell", "who", "what")]
PLAN = '1. get_weather(city="Oslo")\n2. get_time()\n3. tell("Ann", "$1 at $2")\n4. join()<END_OF_PLAN>'
PLANNED = Usage(prompt_tokens=100, plan_tokens=40, cached_tokens=90, prompt_ms=50.0, plan_ms=80.0)


def with_chat(api: Api, chat: ScriptedChat | None = None) -> ScriptedChat:
    return add_chat(api.engine.catalog, chat or ScriptedChat(), api.planner)


async def ask(client: httpx.AsyncClient, *messages: dict[str, Any], **parameters: Any) -> httpx.Response:
    body = {"model": "tinyagent", "messages": list(messages) or [USER], "tools": TOOLS, **parameters}
    return await client.post(CHAT, json=body)


def results(message: dict[str, Any], *texts: str) -> list[dict[str, Any]]:
    return [
        {"role": "tool", "tool_call_id": call["id"], "content": text}
        for call, text in zip(message["tool_calls"], texts, strict=True)
    ]


async def test_calls_that_are_ready_come_together_and_the_next_ones_with_their_results(
    make_api: MakeApi,
) -> None:
    api = make_api(ScriptedPlanner([PLAN, PLANNED]))
    answer = await ask(api.client)
    body = answer.json()
    assert answer.status_code == 200, body
    (choice,) = body["choices"]
    message = choice["message"]
    assert (choice["finish_reason"], message["content"]) == ("tool_calls", None)
    assert message["reasoning_content"] == PLAN
    assert [call["function"] for call in message["tool_calls"]] == [
        {"name": "get-weather", "arguments": '{"city": "Oslo"}'},
        {"name": "get_time", "arguments": "{}"},
    ]
    assert {call["type"] for call in message["tool_calls"]} == {"function"}
    assert "tinyagent" not in body

    second = (await ask(api.client, USER, message, *results(message, "rain", "noon"))).json()["choices"][0]
    (call,) = second["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"who": "Ann", "what": "rain at noon"}
    assert await api.engine.runs(1) == []


async def test_usage_and_timings_tell_of_the_planning(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([PLAN, PLANNED]))
    body = (await ask(api.client)).json()
    assert body["usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 40,
        "total_tokens": 140,
        "prompt_tokens_details": {"cached_tokens": 90},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }
    assert body["timings"] == {
        "cache_n": 90,
        "prompt_n": 10,
        "prompt_ms": 50.0,
        "prompt_per_token_ms": 5.0,
        "prompt_per_second": 200.0,
        "predicted_n": 40,
        "predicted_ms": 80.0,
        "predicted_per_token_ms": 2.0,
        "predicted_per_second": 500.0,
    }


async def test_a_stream_of_calls_has_each_id_and_name_once_and_the_usage_last(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([PLAN, PLANNED]))
    answer = await ask(api.client, stream=True, stream_options={"include_usage": True})
    assert answer.headers["x-request-id"].startswith("req_")
    chunks = chunks_of(answer.text)
    *told, usage = chunks
    deltas = [chunk["choices"][0]["delta"] for chunk in told]
    assert deltas[0] == {"role": "assistant", "content": None}
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == PLAN
    calls = [call for delta in deltas for call in delta.get("tool_calls", [])]
    assert [call["index"] for call in calls] == [0, 0, 1, 1]
    assert [sorted(call) for call in calls] == [
        ["function", "id", "index", "type"],
        ["function", "index"],
    ] * 2
    assert [call["function"] for call in calls] == [
        {"name": "get-weather", "arguments": ""},
        {"arguments": '{"city": "Oslo"}'},
        {"name": "get_time", "arguments": ""},
        {"arguments": "{}"},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in told] == [None] * (len(told) - 1) + [
        "tool_calls"
    ]
    assert told[-1]["timings"] == usage["timings"]
    assert (usage["choices"], usage["usage"]["prompt_tokens"]) == ([], 100)


async def test_the_final_message_is_the_models_with_the_wording_that_was_asked_for(
    make_api: MakeApi,
) -> None:
    api = make_api(ScriptedPlanner("1. join()<END_OF_PLAN>", can_replan=True))
    chat = with_chat(api)
    wording = {"temperature": 0.5, "top_p": 0.9, "seed": 7, "stop": "END", "max_completion_tokens": 30}
    format_ = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    answer = await ask(api.client, model="talker", response_format=format_, **wording)
    (choice,) = answer.json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("Hello there.", "stop")
    assert "tool_calls" not in choice["message"]
    (request,) = chat.requests
    assert (request.temperature, request.top_p, request.seed) == (0.5, 0.9, 7)
    assert (request.stop, request.max_tokens, request.schema) == (("END",), 30, {"type": "object"})


async def test_a_composed_final_message_is_cut_by_the_server(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner("1. get_time()\n2. join()<END_OF_PLAN>"))
    message = (await ask(api.client)).json()["choices"][0]["message"]
    back = [USER, message, *results(message, "It is noon. And more.")]
    (cut,) = (await ask(api.client, *back, stop=".")).json()["choices"]
    assert (cut["message"]["content"], cut["finish_reason"]) == ("It is noon", "stop")
    (cut,) = (await ask(api.client, *back, max_tokens=2)).json()["choices"]
    assert (cut["message"]["content"], cut["finish_reason"]) == ("It is ", "length")


async def test_the_request_reaches_the_engine_as_it_was_asked(
    make_api: MakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = make_api(ScriptedPlanner(PLAN))
    asked: list[CallingRequest] = []

    async def check(request: CallingRequest) -> None:
        asked.append(request)

    monkeypatch.setattr(api.app.state.serving.calling, "check", check)
    await ask(api.client, model="tinyagent:scripted", parallel_tool_calls=False, tool_choice="required")
    await ask(api.client, tool_choice={"type": "function", "function": {"name": "get_time"}})
    await ask(api.client, model="scripted", parallel_tool_calls=True)
    first, second, third = asked
    assert (first.planner, first.parallel, first.choice.mode) == ("scripted", False, "required")
    assert (second.planner, second.parallel) == (None, True)
    assert (second.choice.mode, second.choice.names) == ("required", {"get_time"})
    assert (third.planner, third.caller) == ("scripted", "admin")
    assert [one.name for one in third.tools] == ["get-weather", "get_time", "tell"]


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"tools": "all"}, "tools"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools[0].type"),
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": "get weather"}}]}, "tools[0].function.name"),
        ({"tools": [tool("a", colour="red")]}, "tools[0].function.colour"),
        ({"tools": [tool("a"), tool("a")]}, "tools[1].function.name"),
        ({"tools": [tool(f"tool{number}") for number in range(129)]}, "tools"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "x"}}}]},
            "tools[0].function.parameters",
        ),
        ({"tool_choice": {"type": "function", "function": {"name": "other"}}}, "tool_choice"),
        ({"parallel_tool_calls": "no"}, "parallel_tool_calls"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"store": True}, "store"),
        ({"logprobs": True}, "logprobs"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"messages": [USER, {"role": "function", "name": "f", "content": "x"}]}, "messages[1].role"),
        ({"messages": [USER, {"role": "assistant", "content": "so"}]}, "messages"),
        (
            {"messages": [USER, {"role": "tool", "tool_call_id": "c1", "content": "x"}]},
            "messages[1].tool_call_id",
        ),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"model": "tinyagent:other"}, "model"),
        ({"model": "gpt-6"}, "model"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_what_can_be_known_before_is_a_plain_refusal_by_name(
    make_api: MakeApi, parameters: dict[str, Any], param: str, stream: bool
) -> None:
    api = make_api(ScriptedPlanner(PLAN))
    answer = await ask(api.client, stream=stream, **parameters)
    status = 404 if param == "model" else 400
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param), answer.text
    assert answer.headers["x-request-id"].startswith("req_")
    assert api.planner.requests == []


async def test_a_text_that_no_model_can_read_is_refused(api: Api) -> None:
    body = {"model": "tinyagent", "messages": [USER], "tools": [tool("a", description="\ud800")]}
    headers = {"Content-Type": "application/json"}
    answer = await api.client.post(CHAT, content=json.dumps(body), headers=headers)
    assert answer.status_code == 400
    assert "half of a character" in answer.json()["error"]["message"]


async def test_a_plan_that_fails_is_an_error_in_one_piece_and_a_chunk_in_a_stream(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([PlannerFailed("The model stopped.")]))
    answer = await ask(api.client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "planner_failed")
    chunks = chunks_of((await ask(api.client, stream=True)).text)
    assert chunks[-1]["error"]["message"] == "The model stopped."
    assert chunks[-1]["choices"] == [{"index": 0, "delta": {}, "finish_reason": "error"}]


async def test_reasoning_is_told_apart_from_words_where_one_model_wrote_both(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner(["1. join()<END_OF_PLAN>", Usage(100, 6, 0)], can_replan=True))
    with_chat(api)
    usage = (await ask(api.client, model="talker")).json()["usage"]
    assert usage["completion_tokens"] == 6 + SPENT.plan_tokens
    assert 0 < usage["completion_tokens_details"]["reasoning_tokens"] < usage["completion_tokens"]


@pytest.mark.parametrize("stream", [False, True], ids=["in one piece", "streaming"])
async def test_leaving_stops_the_planning(serve: Serve, stream: bool) -> None:
    stopped = asyncio.Event()

    async def think() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    served = await serve(ScriptedPlanner(["1. get_time()\n", think()]))
    body = {"model": "tinyagent", "messages": [USER], "tools": TOOLS, "stream": stream}

    async def read() -> None:
        async with served.api_client() as client, client.stream("POST", CHAT, json=body) as answer:
            await answer.aread()

    reading = asyncio.create_task(read())
    await until(lambda: bool(served.api.planner.requests), "the planner was asked")
    reading.cancel()
    await asyncio.wait({reading})
    async with asyncio.timeout(10):
        await stopped.wait()
