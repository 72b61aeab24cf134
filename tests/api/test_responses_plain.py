"""Responses of models that chat by themselves."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.conftest import Api, MakeApi
from tests.support.responses_api import kinds, respond, stream
from tests.support.scripted_chat import SPENT, ScriptedChat, add_chat
from tinyagent.errors import InvalidRequest, PlannerFailed
from tinyagent.ports import ChatEnd, ChatTurn


def talking(api: Api, *script: Any) -> ScriptedChat:
    return add_chat(api.engine.catalog, ScriptedChat(*script), api.planner)


async def test_a_model_answers_and_its_usage_is_told(api: Api) -> None:
    chat = talking(api)
    body = await respond(api, "Hi", model="talker", instructions="Be kind.", temperature=0.3)
    (message,) = body["output"]
    assert message["content"][0]["text"] == "Hello there."
    assert chat.requests[0].messages == (ChatTurn("system", "Be kind."), ChatTurn("user", "Hi"))
    assert chat.requests[0].temperature == body["temperature"] == 0.3
    assert body["usage"] == {
        "input_tokens": 20,
        "input_tokens_details": {"cached_tokens": 15, "cache_write_tokens": 0},
        "output_tokens": 4,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 24,
    }
    assert body["timings"]["predicted_n"] == 4
    assert "tinyagent" not in body


async def test_the_stream_is_one_message(api: Api) -> None:
    talking(api)
    assert kinds(await stream(api, "Hi", model="talker")) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]


async def test_an_answer_that_the_model_had_to_break_off_is_incomplete(api: Api) -> None:
    chat = talking(api, "Once upon", ChatEnd("length", SPENT))
    body = await respond(api, "Tell me a story", model="talker", max_output_tokens=4)
    assert (body["status"], body["incomplete_details"]["reason"]) == ("incomplete", "max_output_tokens")
    assert chat.requests[0].max_tokens == 4


async def test_a_conversation_goes_on_with_all_that_was_said_before(api: Api) -> None:
    chat = talking(api)
    first = await respond(api, "Hi", model="talker", instructions="Be kind.")
    second = await respond(api, "And?", model="talker", previous_response_id=first["id"])
    await respond(api, "More.", model="talker", previous_response_id=second["id"])
    assert [turn.content for turn in chat.requests[2].messages] == [
        "Hi",
        "Hello there.",
        "And?",
        "Hello there.",
        "More.",
    ]


async def test_an_empty_answer_is_an_empty_message(api: Api) -> None:
    talking(api, ChatEnd("stop", SPENT))
    body = await respond(api, "Hi", model="talker")
    assert body["output"][0]["content"][0]["text"] == ""


async def test_json_is_asked_for_by_the_format(api: Api) -> None:
    chat = talking(api, "{}")
    await respond(api, "Hi", model="talker", text={"format": {"type": "json_object"}})
    assert chat.requests[0].schema == {"type": "object"}


async def test_what_the_model_cannot_obey_is_named_as_the_client_wrote_it(api: Api) -> None:
    talking(api, InvalidRequest("This schema cannot be obeyed.", param="schema"))
    form = {"type": "json_schema", "name": "x", "schema": {"type": "object"}}
    error = await respond(api, "Hi", 400, model="talker", text={"format": form})
    assert error["param"] == "text.format"


async def test_a_model_that_breaks_off_in_the_middle_ends_the_stream_with_its_failure(api: Api) -> None:
    talking(api, "Half a", PlannerFailed("The model fell over."))
    events = await stream(api, "Hi", model="talker")
    assert kinds(events)[-4:] == ["output_text.done", "content_part.done", "output_item.done", "failed"]
    failed = events[-1]["response"]
    assert (failed["output"][0]["status"], failed["error"]["code"]) == ("incomplete", "server_error")


async def test_an_unexpected_failure_is_told_without_what_it_says(api: Api) -> None:
    talking(api, "Half a", RuntimeError("a secret"))
    events = await stream(api, "Hi", model="talker")
    assert events[-1]["type"] == "response.failed"
    assert "secret" not in str(events)
    assert (await respond(api, "Hi", 500, model="talker"))["code"] == "internal"


@pytest.mark.parametrize(("model", "status"), [("nobody", 404), ("scripted", 400), ("tinyagent:nobody", 404)])
async def test_a_model_that_is_not_there_or_only_plans_is_refused(
    make_api: MakeApi, model: str, status: int
) -> None:
    assert (await respond(make_api(), "Hi", status, model=model))["param"] == "model"
