"""Responses in agent mode: a request becomes a run, its plan is the reasoning, its answer the message."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.api.conftest import PLAN, Api, MakeApi
from tests.support.responses_api import ROUTE, checked, kinds, respond, stream
from tests.support.scripted import ScriptedPlanner
from tinyagent.errors import PlannerFailed
from tinyagent.ports import Usage

PLANNED = Usage(prompt_tokens=100, plan_tokens=40, cached_tokens=90)

WHOLE_STREAM = [
    "created",
    "in_progress",
    "output_item.added",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
    "output_item.done",
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
    "completed",
]


def once(names: list[str]) -> list[str]:
    """The names without direct repetitions."""
    return [name for at, name in enumerate(names) if at == 0 or names[at - 1] != name]


async def test_a_request_is_run_and_answered_with_its_plan_and_its_message(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([PLAN, PLANNED]))
    body = await respond(api, "say hello to Sid", metadata={"from": "test"}, user="me")
    (state,) = await api.engine.runs(1)
    assert (body["id"], body["status"], body["error"]) == (f"resp_{state.run}", "completed", None)
    reasoning, message = body["output"]
    assert reasoning["summary"] == [{"type": "summary_text", "text": state.plan}]
    assert message["content"][0]["text"] == state.answer
    assert (message["role"], message["status"]) == ("assistant", "completed")
    assert [tool for tool, _ in api.host.calls] == ["look", "keep"]
    assert (body["metadata"], body["user"], body["model"]) == ({"from": "test"}, "me", "tinyagent")
    assert body["tinyagent"]["run"] == state.run
    usage = body["usage"]
    assert (usage["input_tokens"], usage["input_tokens_details"]["cached_tokens"]) == (100, 90)
    assert usage["output_tokens_details"]["reasoning_tokens"] == 40
    assert usage["total_tokens"] == 100 + usage["output_tokens"] > 140


async def test_the_stream_tells_each_step_and_ends_with_what_is_answered_in_one_piece(
    make_api: MakeApi,
) -> None:
    api = make_api(ScriptedPlanner([PLAN, PLANNED]))
    events = await stream(api, "say hello to Sid")
    assert once(kinds(events)) == WHOLE_STREAM
    final = events[-1]["response"]
    texts = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    assert texts == final["output"][1]["content"][0]["text"] != ""
    plans = [e["delta"] for e in events if e["type"] == "response.reasoning_summary_text.delta"]
    assert "".join(plans) == final["output"][0]["summary"][0]["text"]
    run = final["id"].removeprefix("resp_")
    assert final == (await api.client.get(f"{ROUTE}/{final['id']}")).json()
    assert final["tinyagent"] == (await api.client.get(f"/v1/runs/{run}")).json()


async def test_what_happens_in_the_run_rides_on_events_that_every_client_knows(api: Api) -> None:
    events = await stream(api, "say hello to Sid")
    told = [event for event in events if "tinyagent" in event]
    assert {event["type"] for event in told} == {"response.in_progress"}
    names = [event["tinyagent"]["type"] for event in told]
    assert (names[0], names[-1]) == ("run.created", "run.completed")
    assert [event["tinyagent"]["seq"] for event in told] == list(range(1, len(told) + 1))
    assert all(event["response"]["output"] == [] for event in told)


async def test_earlier_messages_and_instructions_reach_the_planner(api: Api) -> None:
    items: list[Any] = [
        {"role": "developer", "content": "Be brief."},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "who is Sid?"}]},
        {"type": "reasoning", "id": "rs_x", "summary": [{"type": "summary_text", "text": "hm"}]},
        {
            "type": "message",
            "role": "assistant",
            "id": "msg_x",
            "status": "completed",
            "content": [{"type": "output_text", "text": "A friend.", "annotations": [], "logprobs": []}],
        },
        {"role": "user", "content": "say hello to him"},
    ]
    await respond(api, items, instructions="Be kind.")
    request = api.planner.requests[0]
    assert request.query == "say hello to him"
    assert request.history == (("user", "who is Sid?"), ("assistant", "A friend."))
    assert request.instructions == "Be kind.\n\nBe brief."


async def test_a_response_goes_on_from_an_earlier_one(api: Api) -> None:
    first = await respond(api, "who is Sid?")
    second = await respond(api, "say hello to him", previous_response_id=first["id"])
    said = first["output"][1]["content"][0]["text"]
    assert api.planner.requests[1].history == (("user", "who is Sid?"), ("assistant", said))
    assert second["previous_response_id"] == first["id"]


async def test_an_answer_is_referred_to_by_the_id_of_its_item(api: Api) -> None:
    reasoning, message = (await respond(api, "who is Sid?"))["output"]
    items = [
        {"role": "user", "content": "who is Sid?"},
        {"type": "item_reference", "id": reasoning["id"]},
        {"id": message["id"]},
        {"role": "user", "content": "say hello to him"},
    ]
    await respond(api, items)
    said = message["content"][0]["text"]
    assert api.planner.requests[1].history == (("user", "who is Sid?"), ("assistant", said))


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_answer_that_is_cut_is_incomplete(api: Api, streaming: bool) -> None:
    if streaming:
        events = await stream(api, "say hello to Sid", max_output_tokens=2)
        assert events[-1]["type"] == "response.incomplete"
        body = checked(events[-1]["response"])
    else:
        body = await respond(api, "say hello to Sid", max_output_tokens=2)
    assert (body["status"], body["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert body["output"][-1]["status"] == "incomplete"
    assert body["completed_at"] is None
    assert (await api.client.get(f"{ROUTE}/{body['id']}")).json() == body


async def test_a_run_that_fails_is_an_error_that_is_not_to_be_repeated(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([PlannerFailed("The planner fell over.")]))
    answer = await api.client.post(ROUTE, json={"model": "tinyagent", "input": "go"})
    assert (answer.status_code, answer.headers["x-should-retry"]) == (502, "false")
    assert answer.json()["error"]["code"] == "planner_failed"
    run = answer.json()["tinyagent"]["run"]
    assert answer.headers["x-request-id"] == run
    stored = checked((await api.client.get(f"{ROUTE}/resp_{run}")).json())
    assert (stored["status"], stored["error"]["code"]) == ("failed", "server_error")


async def test_a_stream_of_a_run_that_fails_ends_with_the_failure(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner(['1. look("a")\n', PlannerFailed("The planner fell over.")]))
    events = await stream(api, "go")
    assert events[-1]["type"] == "response.failed"
    failed = checked(events[-1]["response"])
    assert failed["status"] == "failed"
    assert failed["error"]["message"] == "The planner fell over."
    assert failed["error"]["tinyagent"]["code"] == "planner_failed"
    assert failed["tinyagent"]["status"] == "failed"
    assert failed["output"][0]["status"] == "incomplete"
    assert failed == (await api.client.get(f"{ROUTE}/{failed['id']}")).json()


async def test_a_silent_stream_is_kept_alive_by_comments(make_api: MakeApi) -> None:
    api = make_api(ScriptedPlanner([asyncio.sleep(0.05), PLAN]), keepalive_s=0.01)
    answer = await api.client.post(ROUTE, json={"model": "tinyagent", "input": "go", "stream": True})
    assert ": ping\n" in answer.text
    assert "\nid:" not in answer.text and "[DONE]" not in answer.text
