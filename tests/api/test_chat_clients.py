"""Chat completions as the OpenAI package reads them over a real connection, sync and async."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import openai
import pydantic
import pytest

from tests.api.conftest import ADMIN, Serve, Served
from tests.api.test_chat_calling import PLAN, PLANNED, TOOLS
from tests.support.scripted import ScriptedPlanner
from tests.support.scripted_chat import ScriptedChat, add_chat

ASKED: list[Any] = [{"role": "user", "content": "Tell Ann the weather in Oslo"}]
RESULTS = {"get-weather": "rain", "get_time": "noon", "tell": "told"}
WAVES = [["get-weather", "get_time"], ["tell"]]


class City(pydantic.BaseModel):
    name: str
    rain: bool


def client_of(served: Served) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=ADMIN, timeout=20, max_retries=0)


def sync_client_of(served: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key=ADMIN, timeout=20, max_retries=0)


def results_of(message: Any) -> list[Any]:
    return [
        {"role": "tool", "tool_call_id": call.id, "content": RESULTS[call.function.name]}
        for call in message.tool_calls
    ]


@pytest.fixture
async def planning(serve: Serve) -> Served:
    return await serve(ScriptedPlanner([PLAN, PLANNED]))


@pytest.fixture
async def talking(serve: Serve) -> Served:
    served = await serve()
    chat = ScriptedChat('{"name": "Oslo", ', '"rain": true}')
    add_chat(served.api.engine.catalog, chat, served.api.planner)
    return served


async def test_a_loop_of_calls_comes_to_its_final_message(planning: Served) -> None:
    messages, waves = list(ASKED), list[list[str]]()
    async with client_of(planning) as client:
        while True:
            completion = await client.chat.completions.create(
                model="tinyagent", messages=messages, tools=TOOLS
            )
            choice = completion.choices[0]
            if choice.finish_reason != "tool_calls":
                break
            assert choice.message.content is None
            waves.append([call.function.name for call in choice.message.tool_calls or []])
            messages += [choice.message, *results_of(choice.message)]
    assert waves == WAVES
    assert "told" in (choice.message.content or "")


async def test_the_same_loop_in_a_thread_with_the_streaming_helper(planning: Served) -> None:
    def loop() -> tuple[list[list[str]], str]:
        messages, waves = list(ASKED), list[list[str]]()
        with sync_client_of(planning) as client:
            while True:
                with client.chat.completions.stream(
                    model="tinyagent", messages=messages, tools=TOOLS, stream_options={"include_usage": True}
                ) as events:
                    done = [
                        event.name for event in events if event.type == "tool_calls.function.arguments.done"
                    ]
                    completion = events.get_final_completion()
                choice = completion.choices[0]
                assert completion.usage is not None
                if choice.finish_reason != "tool_calls":
                    return waves, choice.message.content or ""
                waves.append(done)
                assert [call.function.name for call in choice.message.tool_calls or []] == done
                messages += [choice.message, *results_of(choice.message)]

    waves, said = await asyncio.to_thread(loop)
    assert waves == WAVES
    assert "told" in said


async def test_tools_made_of_pydantic_models_come_back_as_these(serve: Serve) -> None:
    served = await serve(ScriptedPlanner('1. City(name="Oslo", rain=True)\n2. join()'))
    async with client_of(served) as client:
        completion = await client.chat.completions.parse(
            model="tinyagent", messages=ASKED, tools=[openai.pydantic_function_tool(City)]
        )
    (call,) = completion.choices[0].message.tool_calls or []
    assert call.function.parsed_arguments == City(name="Oslo", rain=True)


async def test_an_answer_is_parsed_into_a_pydantic_model(talking: Served) -> None:
    async with client_of(talking) as client:
        completion = await client.chat.completions.parse(model="talker", messages=ASKED, response_format=City)
        async with client.chat.completions.stream(
            model="talker", messages=ASKED, response_format=City
        ) as events:
            streamed = await events.get_final_completion()
    assert completion.choices[0].message.parsed == City(name="Oslo", rain=True)
    assert streamed.choices[0].message.parsed == City(name="Oslo", rain=True)


async def test_a_plain_chat_is_read_in_a_thread_whole_and_in_chunks(talking: Served) -> None:
    def read() -> tuple[str | None, str, Any]:
        with sync_client_of(talking) as client:
            whole = client.chat.completions.create(model="talker", messages=ASKED)
            chunks = list(
                client.chat.completions.create(
                    model="talker", messages=ASKED, stream=True, stream_options={"include_usage": True}
                )
            )
        assert whole._request_id is not None
        text = "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)
        return whole.choices[0].message.content, text, chunks[-1]

    whole, streamed, last = await asyncio.to_thread(read)
    assert whole == streamed == '{"name": "Oslo", "rain": true}'
    assert last.usage.completion_tokens == 4
    assert last.model_extra["timings"]["cache_n"] == 15


async def test_a_refusal_is_the_packages_own_error_with_the_parameter(planning: Served) -> None:
    async with client_of(planning) as client:
        with pytest.raises(openai.BadRequestError) as refused:
            await client.chat.completions.create(
                model="tinyagent", messages=ASKED, tools=TOOLS, logprobs=True
            )
        with pytest.raises(openai.NotFoundError) as unknown:
            await client.chat.completions.create(model="gpt-6", messages=ASKED)
    assert refused.value.param == "logprobs"
    assert refused.value.request_id is not None
    assert (unknown.value.code, unknown.value.param) == ("model_not_found", "model")


async def test_an_answer_in_one_piece_is_complete_by_the_packages_types(planning: Served) -> None:
    body = {"model": "tinyagent", "messages": ASKED, "tools": TOOLS}
    async with planning.api_client() as client:
        text = (await client.post("/v1/chat/completions", json=body)).text
    from openai.types.chat import ChatCompletion

    completion = ChatCompletion.model_validate_json(text, strict=True)
    assert json.loads(text)["choices"][0]["message"]["tool_calls"][0]["id"] == (
        (completion.choices[0].message.tool_calls or [])[0].id
    )
