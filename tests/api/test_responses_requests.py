"""What a request for a response may say, and how what it may not is refused."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.conftest import Api, MakeApi
from tests.support.responses_api import ROUTE, respond
from tinyagent.api.responses_request import NEUTRAL

ASKED = "say hello to Sid"


@pytest.mark.parametrize(
    "more",
    [
        *({name: value} for name, values in NEUTRAL.items() for value in (None, *values)),
        {"instructions": None, "metadata": None, "previous_response_id": None, "tools": [], "text": {}},
        {"tool_choice": "auto", "parallel_tool_calls": True, "store": True, "truncation": "disabled"},
        {"tool_choice": "none", "parallel_tool_calls": False, "temperature": 0, "top_p": 1, "stream": False},
        {"text": {"format": {"type": "text"}, "verbosity": "medium"}},
        {"prompt_cache_key": "a", "safety_identifier": "b", "user": "c"},
    ],
    ids=str,
)
async def test_what_asks_for_nothing_is_taken(api: Api, more: dict[str, Any]) -> None:
    assert (await respond(api, ASKED, **more))["status"] == "completed"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"include": ["reasoning.encrypted_content"]}, "include"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"prompt": {"id": "p"}}, "prompt"),
        ({"reasoning": {"effort": "high"}}, "reasoning"),
        ({"service_tier": "priority"}, "service_tier"),
        ({"stream_options": {"include_obfuscation": True}}, "stream_options"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"truncation": "auto"}, "truncation"),
        ({"text": {"verbosity": "low"}}, "text.verbosity"),
        ({"text": {"format": {"type": "json_object"}}}, "text.format"),
        ({"store": False}, "store"),
        ({"stop": "x"}, "stop"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": True}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": 3}, "tool_choice"),
        ({"stream": "yes"}, "stream"),
        ({"instructions": 3}, "instructions"),
        ({"model": 3}, "model"),
    ],
    ids=str,
)
async def test_what_cannot_be_obeyed_is_refused_by_name(api: Api, more: dict[str, Any], param: str) -> None:
    error = await respond(api, ASKED, 400, **more)
    assert error["param"] is not None
    assert error["param"].split(".str")[0] == param
    assert not await api.engine.runs(1)


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"role": "user", "content": content, **more}


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (None, "input"),
        (3, "input"),
        ([], "input"),
        (["hi"], "input"),
        ("", "input"),
        ("  ", "input"),
        ([user("hi"), {"role": "assistant", "content": "hm"}], "input"),
        ([user([{"type": "input_image", "image_url": "x"}])], "input[0].content[0]"),
        ([user([{"type": "input_text"}])], "input[0].content[0].text"),
        ([user(None)], "input[0].content"),
        ([user("hi", mood="good")], "input[0].mood"),
        ([{"role": "tool", "content": "hi"}], "input[0].role"),
        ([user("hi"), {"type": "web_search_call", "id": "x"}], "input[1].type"),
        ([user("hi", type=3)], "input[0].type"),
        ([user("hi", type={})], "input[0].type"),
        ([user("hi"), {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}], "input[1]"),
        ([{"type": "item_reference"}], "input[0].id"),
        ([user("half a \ud83d character")], None),
    ],
    ids=str,
)
async def test_input_that_is_no_conversation_is_refused(api: Api, given: Any, param: str | None) -> None:
    if param is None:
        raw = b'{"model": "tinyagent", "input": [{"role": "user", "content": "half a \\ud83d character"}]}'
        answer = await api.client.post(ROUTE, content=raw, headers={"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert "half of a character" in answer.json()["error"]["message"]
        return
    error = await respond(api, given, 400)
    assert error["param"] is not None
    assert error["param"].startswith(param)


async def test_a_request_that_is_too_long_is_told_of_its_input(make_api: MakeApi) -> None:
    api = make_api(limits={"max_query_characters": 10})
    assert (await respond(api, "x" * 11, 413))["param"] == "input"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"previous_response_id": "resp_run_00"}, "previous_response_id"),
        ({"input": [{"type": "item_reference", "id": "msg_run_00_1"}, user("hi")]}, "input"),
        ({"input": [{"type": "item_reference", "id": "msg_00_1"}, user("hi")]}, "input"),
        ({"model": "tinyagent", "tools": [], "previous_response_id": "resp_run_"}, "previous_response_id"),
    ],
    ids=["response", "item of a run", "item", "no id"],
)
async def test_what_is_not_there_cannot_be_gone_on_from(
    client: httpx.AsyncClient, more: dict[str, Any], param: str
) -> None:
    answer = await client.post(ROUTE, json={"model": "tinyagent", "input": ASKED, **more})
    assert answer.status_code in (400, 404)
    assert answer.json()["error"]["param"] == param


async def test_the_agent_does_not_go_on_from_function_calling_nor_the_other_way_round(api: Api) -> None:
    tools = [{"type": "function", "name": "look", "parameters": None}]
    first = await respond(api, ASKED)
    error = await respond(api, "and?", 400, tools=tools, previous_response_id=first["id"])
    assert error["param"] == "previous_response_id"
