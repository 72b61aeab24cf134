"""Chat completions in agent mode, in one piece: what is obeyed and what is refused."""

from __future__ import annotations

import inspect
from typing import Any

import httpx
import pytest
from openai.resources.chat.completions import AsyncCompletions

from tests.api.conftest import PLAN, Api, MakeApi
from tests.support.scripted import FixedSelector, ScriptedPlanner
from tinyagent.api import chat_request
from tinyagent.errors import PlannerFailed
from tinyagent.ports import Usage

USER = {"role": "user", "content": "say hello to Sid"}


async def ask(client: httpx.AsyncClient, *messages: dict[str, Any], **parameters: Any) -> httpx.Response:
    body = {"model": "tinyagent", "messages": list(messages) or [USER], **parameters}
    return await client.post("/v1/chat/completions", json=body)


async def test_the_answer_is_a_chat_completion_with_the_plan_and_the_run(api: Api) -> None:
    answer = await ask(api.client)
    body = answer.json()
    run = body["tinyagent"]["run"]
    assert (answer.status_code, body["object"], body["model"]) == (200, "chat.completion", "tinyagent")
    assert body["id"] == f"chatcmpl-{run}"
    assert answer.headers["x-request-id"] == run
    (choice,) = body["choices"]
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
    assert choice["message"]["role"] == "assistant"
    assert choice["message"]["content"] == body["tinyagent"]["answer"] != ""
    assert choice["message"]["reasoning_content"] == PLAN
    assert [task["status"] for task in body["tinyagent"]["tasks"]] == ["succeeded", "succeeded"]
    assert body["tinyagent"] == (await api.client.get(f"/v1/runs/{run}")).json()


async def test_usage_counts_the_planners_tokens_and_the_answers(make_api: MakeApi) -> None:
    planner = ScriptedPlanner([PLAN, Usage(prompt_tokens=100, plan_tokens=40, cached_tokens=90)])
    body = (await ask(make_api(planner).client, max_tokens=3)).json()
    assert body["usage"] == {
        "prompt_tokens": 100,
        "completion_tokens": 43,
        "total_tokens": 143,
        "prompt_tokens_details": {"cached_tokens": 90},
        "completion_tokens_details": {"reasoning_tokens": 40},
    }


async def test_the_last_user_message_is_the_request_and_the_rest_is_context(api: Api) -> None:
    await ask(
        api.client,
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Who is Sid?"},
        {"role": "assistant", "content": "A friend."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        {
            "role": "user",
            "content": [{"type": "text", "text": "Say hello"}, {"type": "text", "text": "to him"}],
        },
    )
    (request,) = api.planner.requests
    assert request.query == "Say hello\nto him"
    assert request.instructions == "Be brief.\n\nBe kind."
    assert request.history == (("user", "Who is Sid?"), ("assistant", "A friend."))


async def test_an_answer_may_be_sent_back_as_it_was_received(api: Api) -> None:
    earlier = (await ask(api.client)).json()["choices"][0]["message"]
    empty = {"annotations": None, "audio": None, "function_call": None, "tool_calls": None}
    answer = await ask(api.client, USER, {**earlier, **empty}, {"role": "user", "content": "and again"})
    assert answer.status_code == 200


async def test_a_model_can_name_its_planner(api: Api) -> None:
    body = (await ask(api.client, model="tinyagent:scripted")).json()
    assert (body["model"], body["tinyagent"]["planner"]) == ("tinyagent:scripted", "scripted")
    answer = await ask(api.client, model="tinyagent:other")
    assert (answer.status_code, answer.json()["error"]["param"]) == (404, "model")


@pytest.mark.parametrize(
    ("parameters", "content", "reason"),
    [
        ({}, "1. join()<END_OF_PLAN>", "stop"),
        ({"stop": "()"}, "1. join", "stop"),
        ({"stop": ["zzz", "<END"]}, "1. join()", "stop"),
        ({"max_tokens": 3}, "1. join", "length"),
        ({"max_completion_tokens": 2, "max_tokens": 9}, "1. ", "length"),
        ({"max_tokens": 100}, "1. join()<END_OF_PLAN>", "stop"),
    ],
)
async def test_stop_and_max_tokens_cut_the_answer(
    make_api: MakeApi, monkeypatch: pytest.MonkeyPatch, parameters: dict[str, Any], content: str, reason: str
) -> None:
    api = make_api(ScriptedPlanner("1. join()<END_OF_PLAN>"))
    monkeypatch.setattr("tinyagent.engine.agent.compose_answer", lambda state: state.plan)
    (choice,) = (await ask(api.client, **parameters)).json()["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (content, reason)


@pytest.mark.parametrize(
    "parameters",
    [
        {"temperature": 0.7, "top_p": 0.9, "seed": 7, "n": 1},
        {"user": "me", "metadata": {"a": "b"}, "stream": False},
        {"safety_identifier": "me", "prompt_cache_key": "mine", "prompt_cache_retention": "in_memory"},
        {"verbosity": "medium", "stream_options": None, "modalities": ["text"]},
        {"temperature": None, "top_p": None, "n": None, "stop": None, "max_tokens": None, "seed": None},
        {"tools": None, "response_format": {"type": "text"}, "logprobs": False, "frequency_penalty": 0},
        {"tools": [], "tool_choice": "auto", "parallel_tool_calls": None, "logit_bias": {}},
        {"tools": [], "tool_choice": "none", "presence_penalty": 0.0, "store": True, "service_tier": "auto"},
    ],
)
async def test_parameters_that_are_obeyed_or_ask_for_nothing_are_taken(
    api: Api, parameters: dict[str, Any]
) -> None:
    answer = await ask(api.client, **parameters)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": {"type": "function", "function": {"name": "f"}}}, "tool_choice"),
        ({"tools": [], "tool_choice": "required"}, "tool_choice"),
        ({"parallel_tool_calls": True}, "parallel_tool_calls"),
        ({"response_format": {"type": "json_object"}}, "response_format"),
        ({"response_format": {"type": "yaml"}}, "response_format"),
        ({"logprobs": True}, "logprobs"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logit_bias": {"1": 2}}, "logit_bias"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"audio": {"voice": "x"}}, "audio"),
        ({"store": False}, "store"),
        ({"reasoning_effort": "high"}, "reasoning_effort"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"function_call": "auto"}, "function_call"),
        ({"prediction": {"type": "content"}}, "prediction"),
        ({"prompt_cache_retention": "24h"}, "prompt_cache_retention"),
        ({"prompt_cache_key": 5}, "prompt_cache_key"),
        ({"verbosity": "low"}, "verbosity"),
        ({"web_search_options": {}}, "web_search_options"),
        ({"service_tier": "flex"}, "service_tier"),
        ({"n": 2}, "n"),
        ({"n": "1"}, "n"),
        ({"colour": "red"}, "colour"),
        ({"colour": None}, "colour"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"colour": 1}}, "stream_options.colour"),
        (
            {"stream": True, "stream_options": {"include_obfuscation": True}},
            "stream_options.include_obfuscation",
        ),
        ({"stream": "yes"}, "stream"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 3}, "temperature"),
        ({"top_p": 1.5}, "top_p"),
        ({"seed": 1.5}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_completion_tokens": "9"}, "max_completion_tokens"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": ""}, "stop[0]"),
        ({"stop": 5}, "stop"),
        ({"user": 5}, "user"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"metadata": {"a": "b" * 513}}, "metadata.a"),
        ({"metadata": {str(number): "" for number in range(17)}}, "metadata"),
        ({"model": None}, "model"),
        ({"messages": []}, "messages"),
        ({"messages": "hello"}, "messages"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": "x", "name": "Ann"}]}, "messages[0].name"),
        ({"messages": [{"role": "user", "content": None}]}, "messages[0].content"),
        ({"messages": [USER, {"role": "assistant", "content": "so"}]}, "messages"),
        ({"messages": [{"role": "system", "content": "only"}]}, "messages"),
        ({"messages": [{"role": "user", "content": "  "}]}, "messages"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
        ({"messages": [{"role": "user", "content": "x" * 8001}]}, "messages"),
    ],
)
async def test_what_is_not_supported_is_refused_by_name_and_starts_nothing(
    api: Api, parameters: dict[str, Any], param: str
) -> None:
    answer = await ask(api.client, **parameters)
    status = 413 if len(str(parameters)) > 8000 else 400
    assert (answer.status_code, answer.json()["error"]["param"]) == (status, param), answer.text
    assert param in answer.json()["error"]["message"] or status == 413 or param == "messages"
    assert await api.engine.runs(1) == []


def test_every_parameter_of_the_openai_client_is_obeyed_or_refused_as_known() -> None:
    transport = {"self", "extra_headers", "extra_query", "extra_body", "timeout"}
    parameters = set(inspect.signature(AsyncCompletions.create).parameters) - transport
    known = chat_request.ChatRequest.model_fields.keys() | chat_request.NEUTRAL.keys()
    assert parameters - known == set()


async def test_a_failed_run_is_an_error_with_the_status_of_its_code_and_the_run(make_api: MakeApi) -> None:
    failure = PlannerFailed("The model stopped.", hint="Try again.")
    api = make_api(ScriptedPlanner(['1. look("Sid")\n2. keep("a", "b")\n', failure]))
    answer = await ask(api.client)
    body = answer.json()
    assert answer.status_code == 502
    assert body["error"] == {
        "message": "The model stopped. What was done until then is listed with the run. Try again.",
        "type": "server_error",
        "param": None,
        "code": "planner_failed",
    }
    assert body["tinyagent"]["status"] == "failed"
    assert answer.headers["x-should-retry"] == "false"


async def test_a_request_that_no_tool_can_serve_is_answered_in_words(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner("unused"), selector=FixedSelector(nothing=True))
    (choice,) = (await ask(api.client)).json()["choices"]
    assert choice["message"]["content"]
    assert choice["finish_reason"] == "stop"


async def test_the_same_idempotency_key_gets_the_same_answer_once_done(api: Api) -> None:
    api.client.headers["Idempotency-Key"] = "k"
    first, second = await ask(api.client), await ask(api.client)
    assert first.json() == second.json()
    assert len(api.host.calls) == 2
