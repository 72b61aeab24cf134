"""Chat completions of a model itself: an ordinary chat, in one piece and as a stream."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.conftest import MakeApi, Serve
from tests.api.test_chat_streaming import chunks_of
from tests.support.scripted import until
from tests.support.scripted_chat import SPENT, ScriptedChat, add_chat
from tinyagent.errors import InvalidRequest, ModelUnavailable, PlannerFailed
from tinyagent.ports import ChatEnd, ChatTurn, Usage

CHAT = "/v1/chat/completions"
USER = {"role": "user", "content": "Say hello"}


async def ask(client: httpx.AsyncClient, *messages: dict[str, Any], **parameters: Any) -> httpx.Response:
    body = {"model": "talker", "messages": list(messages) or [USER], **parameters}
    return await client.post(CHAT, json=body)


def talking(make_api: MakeApi, *script: Any) -> tuple[httpx.AsyncClient, ScriptedChat]:
    api = make_api()
    return api.client, add_chat(api.engine.catalog, ScriptedChat(*script), api.planner)


async def test_the_answer_is_the_models_with_what_it_took(make_api: MakeApi) -> None:
    client, chat = talking(make_api)
    answer = await ask(client, {"role": "developer", "content": "Be kind."}, USER)
    body = answer.json()
    assert answer.status_code == 200, body
    assert body["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hello there.",
                "reasoning_content": None,
                "refusal": None,
            },
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert body["usage"] == {
        "prompt_tokens": 20,
        "completion_tokens": 4,
        "total_tokens": 24,
        "prompt_tokens_details": {"cached_tokens": 15},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }
    assert (body["timings"]["cache_n"], body["timings"]["prompt_n"]) == (15, 5)
    assert body["timings"]["predicted_per_second"] == 500.0
    assert (body["service_tier"], body["system_fingerprint"][:10]) == ("default", "tinyagent-")
    assert answer.headers["x-request-id"] == body["id"].replace("chatcmpl-", "req_")
    (request,) = chat.requests
    assert request.messages == (ChatTurn("system", "Be kind."), ChatTurn("user", "Say hello"))
    assert (request.temperature, request.top_p, request.seed, request.max_tokens) == (1.0, 1.0, None, None)


async def test_a_conversation_with_calls_can_go_on_without_tools(make_api: MakeApi) -> None:
    client, chat = talking(make_api)
    call = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    assistant = {"role": "assistant", "content": None, "tool_calls": [call]}
    answer = await ask(client, USER, assistant, {"role": "tool", "tool_call_id": "c1", "content": "rain"})
    assert answer.status_code == 200, answer.text
    assert [turn.role for turn in chat.requests[0].messages] == ["user", "assistant", "user"]
    assert "rain" in chat.requests[0].messages[-1].content


async def test_the_stream_is_the_models_text_and_its_end(make_api: MakeApi) -> None:
    client, _ = talking(make_api, "Hello ", "there", ChatEnd("length", SPENT))
    text = (
        await ask(client, stream=True, stream_options={"include_usage": True, "include_obfuscation": False})
    ).text
    *told, usage = chunks_of(text)
    deltas = [chunk["choices"][0]["delta"] for chunk in told]
    assert deltas == [{"role": "assistant", "content": ""}, {"content": "Hello "}, {"content": "there"}, {}]
    assert told[-1]["choices"][0]["finish_reason"] == "length"
    assert told[-1]["timings"] == usage["timings"]
    assert all(chunk["usage"] is None for chunk in told)
    assert usage["usage"]["total_tokens"] == 24
    assert len({chunk["id"] for chunk in (*told, usage)}) == 1


@pytest.mark.parametrize(
    ("parameters", "param"),
    [
        ({"model": "scripted"}, "model"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"parallel_tool_calls": False}, "parallel_tool_calls"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema.name"),
        ({"store": True}, "store"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content[0]"),
    ],
)
async def test_what_the_model_cannot_obey_is_refused_by_name(
    make_api: MakeApi, parameters: dict[str, Any], param: str
) -> None:
    client, chat = talking(make_api)
    answer = await ask(client, **parameters)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param), answer.text
    assert chat.requests == []


async def test_a_model_whose_file_is_missing_is_told_before_the_stream(make_api: MakeApi) -> None:
    api = make_api()
    add_chat(api.engine.catalog, ScriptedChat(), api.planner, "its file is missing")
    answer = await ask(api.client, stream=True)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "model_unavailable")
    assert "its file is missing" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("sent", "param"),
    [({"max_tokens": 5}, "max_tokens"), ({"max_completion_tokens": 5}, "max_completion_tokens")],
)
async def test_a_refusal_of_the_model_names_the_parameter_as_it_was_sent(
    make_api: MakeApi, sent: dict[str, Any], param: str
) -> None:
    client, _ = talking(make_api, InvalidRequest("Too many.", param="max_tokens"))
    assert (await ask(client, **sent)).json()["error"]["param"] == param
    client, _ = talking(make_api, InvalidRequest("No such form.", param="schema"))
    answer = await ask(client, response_format={"type": "json_object"}, stream=True)
    assert chunks_of(answer.text)[-1]["error"]["param"] == "response_format"


@pytest.mark.parametrize(
    ("failure", "status"), [(PlannerFailed("It broke."), 502), (ModelUnavailable("It is gone."), 503)]
)
async def test_a_failure_of_the_model_is_an_error_with_its_status(
    make_api: MakeApi, failure: Exception, status: int
) -> None:
    client, _ = talking(make_api, "Hel", failure)
    answer = await ask(client)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, str(failure))
    chunks = chunks_of((await ask(client, stream=True)).text)
    assert chunks[1]["choices"][0]["delta"] == {"content": "Hel"}
    assert chunks[-1]["error"]["message"] == str(failure)


async def test_an_answer_that_breaks_off_is_a_failure(
    make_api: MakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, chat = talking(make_api)

    async def broken(request: Any) -> Any:
        yield "Hel"

    monkeypatch.setattr(chat, "chat", broken)
    assert (await ask(client)).json()["error"]["code"] == "planner_failed"
    assert chunks_of((await ask(client, stream=True)).text)[-1]["error"]["code"] == "planner_failed"


async def test_the_head_goes_out_and_silence_is_filled_while_the_model_is_not_there_yet(serve: Serve) -> None:
    gate = asyncio.Event()
    served = await serve(keepalive_s=0.02)
    add_chat(served.api.engine.catalog, ScriptedChat(gate.wait(), "Hello"), served.api.planner)
    body = {"model": "talker", "messages": [USER], "stream": True}
    text = ""
    async with served.api_client() as client, client.stream("POST", CHAT, json=body) as answer:
        assert answer.status_code == 200
        async for piece in answer.aiter_text():
            text += piece
            if ": ping\n" in text:
                gate.set()
    assert text.index('"role"') < text.index(": ping\n") < text.index("Hello")


@pytest.mark.parametrize("stream", [False, True], ids=["in one piece", "streaming"])
async def test_leaving_stops_the_model(serve: Serve, stream: bool) -> None:
    served = await serve()
    chat = ScriptedChat("Hel", asyncio.sleep(3600))
    add_chat(served.api.engine.catalog, chat, served.api.planner)
    body = {"model": "talker", "messages": [USER], "stream": stream}

    async def read() -> None:
        async with served.api_client() as client, client.stream("POST", CHAT, json=body) as answer:
            await answer.aread()

    reading = asyncio.create_task(read())
    await until(lambda: bool(chat.requests), "the model was asked")
    reading.cancel()
    await asyncio.wait({reading})
    await until(lambda: chat.stopped, "the model stopped")


class CountedUsage:
    """The server's figures, of which only the use of models matters here."""

    def __init__(self) -> None:
        self.uses: list[tuple[str, Usage]] = []

    def text(self) -> bytes:
        return b""

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        pass

    def used(self, planner: str, usage: Usage) -> None:
        self.uses.append((planner, usage))


async def test_what_a_model_reads_and_writes_is_counted(make_api: MakeApi) -> None:
    figures = CountedUsage()
    api = make_api(figures=figures)
    add_chat(api.engine.catalog, ScriptedChat(), api.planner)
    await ask(api.client)
    await ask(api.client, stream=True)
    assert figures.uses == [("talker", SPENT)] * 2
