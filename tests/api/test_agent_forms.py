"""Answers of the agent as JSON of a given form: worded by its chat model when the run has ended."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.api.conftest import Api, MakeApi, Serve
from tests.api.test_chat_streaming import chunks_of
from tests.support.responses_api import ROUTE, kinds, respond, stream
from tests.support.scripted import FakeHost, ScriptedPlanner, spec, until
from tests.support.scripted_chat import SPENT, ScriptedChat, add_chat
from tinyagent.engine.formed_answer import ROOM
from tinyagent.errors import InvalidRequest, PlannerFailed
from tinyagent.ports import ChatEnd, ChatRequest, Usage

CHAT = "/v1/chat/completions"
SCHEMA = {"type": "object", "properties": {"phone": {"type": "string"}}, "required": ["phone"]}
FORM = {"type": "json_schema", "json_schema": {"name": "phone", "schema": SCHEMA}}
FLAT = {"format": {"type": "json_schema", "name": "phone", "schema": SCHEMA}}
PLAN = ['1. look("Sid")\n2. join()<END_OF_PLAN>', Usage(100, 10, 90)]
ANSWER = '{"phone": "look(Sid)"}'


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api(ScriptedPlanner(PLAN))


@pytest.fixture
def chat(api: Api) -> ScriptedChat:
    end = ChatEnd("stop", SPENT)
    return add_chat(api.engine.catalog, ScriptedChat('{"phone": ', '"look(Sid)"}', end), api.planner)


async def ask(api: Api, **more: Any) -> Any:
    messages = [{"role": "system", "content": "Be terse."}, {"role": "user", "content": "Phone of Sid?"}]
    body = {"model": "tinyagent:talker", "messages": messages, "response_format": FORM, **more}
    return await api.client.post(CHAT, json=body)


async def test_the_model_words_the_answer_from_what_was_done(api: Api, chat: ScriptedChat) -> None:
    body = (await ask(api, seed=3, max_tokens=50, stop="END")).json()
    (choice,) = body["choices"]
    assert (choice["message"]["content"], choice["finish_reason"]) == (ANSWER, "stop")
    probe, request = chat.requests
    assert (probe.schema, request.schema) == (SCHEMA, SCHEMA)
    assert (request.temperature, request.seed, request.max_tokens, request.stop) == (0, 3, 50, ("END",))
    system, record = request.messages
    assert json.dumps(SCHEMA) in system.content
    assert system.content.endswith("Be terse.")
    told = json.loads(record.content)
    assert told["request"] == "Phone of Sid?"
    assert told["done"] == [{"tool": "look", "status": "succeeded", "result": "look(Sid)"}]
    assert body["tinyagent"]["status"] == "completed"
    assert body["usage"]["prompt_tokens"] == 100 + SPENT.prompt_tokens
    assert body["usage"]["completion_tokens"] == 10 + SPENT.plan_tokens


async def test_any_object_will_do_where_no_schema_is_given(api: Api, chat: ScriptedChat) -> None:
    assert (await ask(api, response_format={"type": "json_object"})).status_code == 200
    assert chat.requests[-1].schema == {"type": "object"}


async def test_a_stream_has_the_json_alone_for_its_content(api: Api, chat: ScriptedChat) -> None:
    chunks = chunks_of((await ask(api, stream=True, stream_options={"include_usage": True})).text)
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == ANSWER
    reasons = [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    assert chunks[-1]["usage"]["completion_tokens"] == 10 + SPENT.plan_tokens


async def test_an_answer_that_is_cut_says_so(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner(PLAN))
    add_chat(api.engine.catalog, ScriptedChat('{"pho', ChatEnd("length", SPENT)), api.planner)
    assert (await ask(api)).json()["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("streaming", [False, True])
async def test_a_form_that_nobody_can_be_held_to_is_refused_before_anything_is_done(
    make_api: MakeApi, streaming: bool
) -> None:
    api = make_api(ScriptedPlanner(PLAN))
    refusal = InvalidRequest("It uses `not`.", param="schema")
    add_chat(api.engine.catalog, ScriptedChat(refusal), api.planner)
    for model in ("tinyagent", "tinyagent:talker"):
        answer = await ask(api, model=model, stream=streaming)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, "response_format")
    refused = await respond(api, "Phone of Sid?", 400, model="tinyagent", text=FLAT)
    assert (refused["param"], "tinyagent:talker" in refused["message"]) == ("text.format", True)
    assert api.host.calls == []
    assert await api.engine.runs(1) == []


class FailingLater(ScriptedChat):
    """Can be held to any form, and then fails."""

    async def chat(self, request: ChatRequest) -> Any:
        self.requests.append(request)
        if len(self.requests) > 1:
            raise PlannerFailed("The model fell over.")
        yield "{"


async def test_a_model_that_fails_afterwards_is_an_error_that_is_not_to_be_repeated(
    make_api: MakeApi,
) -> None:
    api = make_api(ScriptedPlanner(PLAN))
    add_chat(api.engine.catalog, FailingLater(), api.planner)
    answer = await ask(api)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
    assert len(api.host.calls) == 1


async def test_a_run_that_fails_is_told_as_it_is(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([PlannerFailed("The planner fell over.")]))
    chat = add_chat(api.engine.catalog, ScriptedChat("{}"), api.planner)
    answer = await ask(api)
    assert (answer.status_code, answer.json()["tinyagent"]["status"]) == (502, "failed")
    assert len(chat.requests) == 1


async def test_long_results_leave_room_for_the_answer(make_api: MakeApi) -> None:
    async def long(arguments: Any) -> str:
        return "x" * 100_000

    api = make_api(ScriptedPlanner(PLAN), host=FakeHost().add(spec("look", "str"), long))
    chat = add_chat(api.engine.catalog, ScriptedChat("{}"), api.planner)
    assert (await ask(api)).status_code == 200
    assert ROOM / 2 < len(chat.requests[-1].messages[1].content) < 2 * ROOM


async def test_leaving_stops_the_wording(serve: Serve) -> None:
    stopped = asyncio.Event()

    async def think() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    served = await serve(ScriptedPlanner(PLAN))
    chat = ScriptedChat("{", think())
    add_chat(served.api.engine.catalog, chat, served.api.planner)

    async def read() -> None:
        async with served.api_client() as client:
            await client.post(
                CHAT,
                json={
                    "model": "tinyagent:talker",
                    "messages": [{"role": "user", "content": "Phone of Sid?"}],
                    "response_format": FORM,
                },
            )

    reading = asyncio.create_task(read())
    await until(lambda: len(chat.requests) == 2, "the answer is being worded")
    reading.cancel()
    await asyncio.wait({reading})
    async with asyncio.timeout(10):
        await stopped.wait()


async def test_a_response_has_the_form_too_and_is_read_again_as_it_was(api: Api, chat: ScriptedChat) -> None:
    body = await respond(api, "Phone of Sid?", model="tinyagent:talker", text=FLAT)
    assert body["output"][-1]["content"][0]["text"] == ANSWER
    assert body["usage"]["output_tokens"] == 10 + SPENT.plan_tokens
    again = (await api.client.get(f"{ROUTE}/{body['id']}")).json()
    assert (again["output"], again["usage"]) == (body["output"], body["usage"])
    events = await stream(api, "Phone of Sid?", model="tinyagent:talker", text=FLAT)
    assert kinds(events)[-1] == "completed"
    (done,) = [event for event in events if event["type"] == "response.output_text.done"]
    assert done["text"] == ANSWER
