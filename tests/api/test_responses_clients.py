"""Responses as the OpenAI package reads them over a real connection, sync and async."""

from __future__ import annotations

import asyncio
from typing import Any

import openai
import pydantic
import pytest

from tests.api.conftest import ADMIN, Serve, Served
from tests.api.test_responses_calling import ASKED, PLAN, PLANNED, TOOLS
from tests.support.scripted import ScriptedPlanner
from tests.support.scripted_chat import ScriptedChat, add_chat
from tinyagent.errors import PlannerFailed

RESULTS = {"get-weather": "rain", "get_time": "noon", "tell": "told"}
WAVES = [["get-weather", "get_time"], ["tell"]]


class City(pydantic.BaseModel):
    name: str
    rain: bool


def client_of(served: Served) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key=ADMIN, timeout=20, max_retries=0)


def sync_client_of(served: Served) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{served.url}/v1", api_key=ADMIN, timeout=20, max_retries=0)


def results_of(output: list[Any]) -> list[Any]:
    return [
        {"type": "function_call_output", "call_id": item.call_id, "output": RESULTS[item.name]}
        for item in output
        if item.type == "function_call"
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


async def test_the_agent_answers_in_one_piece_and_is_read_again_and_deleted(serve: Serve) -> None:
    served = await serve()
    async with client_of(served) as client:
        response = await client.responses.create(model="tinyagent", input="say hello to Sid")
        assert response.output_text == response.output[1].content[0].text != ""  # type: ignore[union-attr]
        assert response.model_extra is not None and response.model_extra["tinyagent"]["status"] == "completed"
        again = await client.responses.retrieve(response.id)
        assert again.output_text == response.output_text
        items = [item async for item in client.responses.input_items.list(response.id)]
        assert items[0].content[0].text == "say hello to Sid"  # type: ignore[union-attr]
        await client.responses.delete(response.id)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(response.id)


@pytest.mark.parametrize("model", ["tinyagent", "talker"])
async def test_the_streaming_helper_comes_to_the_whole_response(talking: Served, model: str) -> None:
    async with client_of(talking) as client, client.responses.stream(model=model, input="Hi") as events:
        snapshot = ""
        async for event in events:
            if event.type == "response.output_text.delta":
                snapshot = event.snapshot
        response = await events.get_final_response()
        assert (response.status, response.output_text) == ("completed", snapshot)
        assert (await client.responses.retrieve(response.id)).output_text == snapshot != ""


async def test_the_streaming_helper_in_a_thread(talking: Served) -> None:
    def read() -> tuple[str, str, int]:
        with sync_client_of(talking) as client:
            with client.responses.stream(model="tinyagent", input="say hello to Sid") as events:
                told = sum(bool((event.model_extra or {}).get("tinyagent")) for event in events)
                streamed = events.get_final_response().output_text
            whole = client.responses.create(model="tinyagent", input="say hello to Sid")
            return streamed, whole.output_text, told

    streamed, whole, told = await asyncio.to_thread(read)
    assert streamed == whole != ""
    assert told > 5


async def test_raw_events_are_of_their_types(talking: Served) -> None:
    async with client_of(talking) as client:
        stream = await client.responses.create(model="tinyagent", input="Hi", stream=True)
        kinds = [type(event).__name__ async for event in stream]
    assert (kinds[0], kinds[-1]) == ("ResponseCreatedEvent", "ResponseCompletedEvent")
    assert {"ResponseReasoningSummaryTextDeltaEvent", "ResponseTextDeltaEvent"} < set(kinds)


async def test_a_loop_of_calls_with_the_whole_conversation(planning: Served) -> None:
    said: list[Any] = [{"role": "user", "content": ASKED}]
    waves: list[list[str]] = []
    async with client_of(planning) as client:
        while True:
            response = await client.responses.create(model="tinyagent", input=said, tools=TOOLS)  # type: ignore[arg-type]
            results = results_of(response.output)
            if not results:
                break
            waves.append([item.name for item in response.output if item.type == "function_call"])
            said += [*response.output, *results]
    assert waves == WAVES
    assert "told" in response.output_text


async def test_a_loop_of_streamed_calls_that_goes_on_by_id(planning: Served) -> None:
    given: Any = ASKED
    previous: str | None = None
    waves: list[list[str]] = []
    async with client_of(planning) as client:
        while True:
            async with client.responses.stream(
                model="tinyagent",
                input=given,
                tools=TOOLS,  # type: ignore[arg-type]
                previous_response_id=previous,
            ) as events:
                snapshots = [
                    event.snapshot
                    async for event in events
                    if event.type == "response.function_call_arguments.delta"
                ]
                response = await events.get_final_response()
            given, previous = results_of(response.output), response.id
            if not given:
                break
            calls = [item for item in response.output if item.type == "function_call"]
            assert [call.arguments for call in calls] == snapshots
            waves.append([call.name for call in calls])
    assert waves == WAVES
    assert "told" in response.output_text


async def test_tools_made_of_pydantic_models_come_back_as_these(serve: Serve) -> None:
    served = await serve(ScriptedPlanner('1. City(name="Oslo", rain=True)\n2. join()'))
    async with client_of(served) as client:
        response = await client.responses.parse(
            model="tinyagent",
            input=ASKED,
            tools=[openai.pydantic_function_tool(City)["function"] | {"type": "function"}],  # type: ignore[operator,list-item]
        )
    call = response.output[-1]
    assert call.type == "function_call"
    assert call.parsed_arguments == {"name": "Oslo", "rain": True}


async def test_an_answer_is_parsed_into_a_pydantic_model(talking: Served) -> None:
    async with client_of(talking) as client:
        response = await client.responses.parse(model="talker", input="Hi", text_format=City)
        async with client.responses.stream(model="talker", input="Hi", text_format=City) as events:
            streamed = await events.get_final_response()
    assert response.output_parsed == streamed.output_parsed == City(name="Oslo", rain=True)


async def test_a_failure_in_the_middle_of_a_stream_is_the_last_event(serve: Serve) -> None:
    served = await serve(ScriptedPlanner(['1. look("a")\n', PlannerFailed("The planner fell over.")]))
    async with client_of(served) as client:
        async with client.responses.stream(model="tinyagent", input="go") as events:
            last: Any = [event async for event in events][-1]
        assert (last.type, last.response.error.message) == ("response.failed", "The planner fell over.")
        with pytest.raises(openai.InternalServerError):
            await client.responses.create(model="tinyagent", input="go")


async def test_errors_are_the_packages_own(talking: Served) -> None:
    async with client_of(talking) as client:
        with pytest.raises(openai.NotFoundError, match="There is no model"):
            await client.responses.create(model="gpt-4o", input="Hi")
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="tinyagent", input="Hi", truncation="auto", stream=True)
        assert caught.value.param == "truncation"
        with pytest.raises(openai.ConflictError):
            response = await client.responses.create(model="talker", input="Hi")
            await client.responses.cancel(response.id)
