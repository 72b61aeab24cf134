"""Models that read any schema, through the server to real clients: plain chats, forms of answers, any tools.

One is a tiny GGUF file with random weights: whatever fits a schema there is the grammar's merit. The other
stands behind an OpenAI-compatible address and says what `conftest.says` makes it say.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.clients import ClientFailure, Clients, asks

PLAIN = ["openai-oldest", "openai-2", "openai-newest", "openai-node"]
EVERY = [*PLAIN, "langchain", "litellm"]
STREAMING = ["openai-2", "openai-newest", "openai-node", "langchain", "litellm"]
REMINDER = {"kind", "urgent", "tags"}

FORECAST = {
    "type": "function",
    "function": {
        "name": "get-forecast",
        "description": "The weather of some days.",
        "parameters": {
            "type": "object",
            "properties": {
                "place": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
                "days": {"type": "integer", "minimum": 1},
            },
            "required": ["place", "days"],
        },
    },
}
POST = {
    "type": "function",
    "function": {
        "name": "post",
        "description": "Put a text on the board.",
        "parameters": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]},
    },
}
RESULTS = {"get-forecast": "dry for {days} days", "post": "posted: {text}"}


def message_of(told: dict[str, Any]) -> tuple[str, str]:
    told = told.get("completion", told)
    if "choices" not in told:
        return told["content"], told["finish_reason"]
    (choice,) = told["choices"]
    return choice["message"]["content"], choice["finish_reason"]


# --- a model's own chat ----------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY)
def test_a_models_own_chat_is_passed_on(clients: Clients, name: str) -> None:
    content, reason = message_of(clients[name]("answer", **asks("Is it there?", model="scripted")))
    assert (content, reason) == ("The board has the forecast.", "stop")


@pytest.mark.parametrize("name", STREAMING)
def test_a_models_own_chat_is_streamed(clients: Clients, name: str) -> None:
    content, reason = message_of(clients[name]("accumulate", **asks("Is it there?", model="scripted")))
    assert (content, reason) == ("The board has the forecast.", "stop")


@pytest.mark.parametrize("name", PLAIN)
def test_a_limit_ends_a_chat_and_is_told(clients: Clients, name: str) -> None:
    told = clients[name]("answer", **asks("hello", model="tiny"), max_tokens=5, seed=1, temperature=0)
    assert told["choices"][0]["finish_reason"] == "length"
    assert told["usage"]["completion_tokens"] == 5


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("name", ["openai-2", "openai-newest", "openai-node"])
def test_an_answer_of_a_given_form_is_validated_by_the_client(clients: Clients, name: str, seed: int) -> None:
    parsed = clients[name]("parse", **asks("call or write?", model="tiny"), seed=seed, max_tokens=400)
    assert parsed.keys() == REMINDER
    assert parsed["kind"] in ("call", "write")
    assert isinstance(parsed["urgent"], bool)


@pytest.mark.parametrize("name", ["openai-2", "openai-newest"])
def test_a_response_of_a_given_form_is_validated_by_the_client(clients: Clients, name: str) -> None:
    parsed = clients[name]("respond_parse", model="tiny", input="call or write?", max_output_tokens=400)
    assert parsed.keys() == REMINDER


def test_langchain_has_structured_output(clients: Clients) -> None:
    parsed = clients["langchain"]("structured", **asks("call or write?", model="tiny"))
    assert parsed["kind"] in ("call", "write")


@pytest.mark.parametrize("name", PLAIN)
def test_a_planner_that_only_plans_is_no_chat_model(clients: Clients, name: str) -> None:
    with pytest.raises(ClientFailure) as caught:
        clients[name]("answer", **asks("hello", model="nano"))
    assert (caught.value.status, caught.value.param) == (400, "model")


# --- tools of any schema ---------------------------------------------------------------------


def check_waves(told: dict[str, Any]) -> None:
    first, (post,) = told["waves"]
    assert [(call["name"], json.loads(call["arguments"])) for call in first] == [
        ("get-forecast", {"place": {"city": "Oslo"}, "days": 2}),
        ("get-forecast", {"place": {"city": "Bergen"}, "days": 3}),
    ]
    assert json.loads(post["arguments"]) == {"text": "Oslo: dry for 2 days, Bergen: dry for 3 days"}
    assert told["content"]


@pytest.mark.parametrize("name", EVERY)
def test_tools_of_any_name_and_schema_are_called_in_waves(clients: Clients, name: str) -> None:
    body = {**asks("Put the forecast on the board", model="tinyagent:scripted"), "tools": [FORECAST, POST]}
    check_waves(clients[name]("tools_loop", body=body, results=RESULTS))


@pytest.mark.parametrize("name", STREAMING)
def test_tools_of_any_name_and_schema_are_called_from_streams(clients: Clients, name: str) -> None:
    body = {**asks("Put the forecast on the board", model="tinyagent:scripted"), "tools": [FORECAST, POST]}
    check_waves(clients[name]("tools_loop", body=body, results=RESULTS, streamed=True))


@pytest.mark.parametrize("name", ["openai-newest", "openai-node"])
def test_a_call_by_any_model_fits_the_schema(clients: Clients, name: str) -> None:
    body = {"tools": [FORECAST], "tool_choice": "required", "max_tokens": 400, "seed": 1}
    (choice,) = clients[name]("answer", **asks("weather", model="tinyagent:tiny"), **body)["choices"]
    assert choice["finish_reason"] == "tool_calls"
    for call in choice["message"]["tool_calls"]:
        arguments = json.loads(call["function"]["arguments"])
        assert isinstance(arguments["place"]["city"], str)
        assert arguments["days"] >= 1
