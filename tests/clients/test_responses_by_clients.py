"""The responses API by the clients that speak it: whole, streamed, with calls, and stored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.clients import ClientFailure, Clients
from tests.support.server import Server
from tests.support.world import World

LEILANI = "+18085550116"
QUESTION: dict[str, Any] = {"model": "tinyagent", "input": "What is Leilani's phone number?"}
CLIENTS = ["openai-2", "openai-newest", "openai-node"]

TWO = {"model": "tinyagent", "input": "Text Jane and Leilani that dinner is at seven"}
RESULTS = {"get_phone_number": "number of {name}", "send_sms": "Told them: {message}"}


@pytest.fixture(scope="module")
def flat_tools(own_tools: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The server's own tools as this API writes functions."""
    return [{"type": "function", **tool["function"], "strict": None} for tool in own_tools]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_question_is_answered(clients: Clients, name: str) -> None:
    told = clients[name]("respond", **QUESTION)
    assert LEILANI in told["text"]
    assert (told["object"], told["status"]) == ("response", "completed")
    assert told["usage"]["total_tokens"] == told["usage"]["input_tokens"] + told["usage"]["output_tokens"] > 0
    assert told["tinyagent"]["tasks"][0]["tool"] == "get_phone_number"


@pytest.mark.parametrize("name", CLIENTS)
def test_the_events_of_a_stream_are_numbered_and_each_text_is_told_three_times(
    clients: Clients, name: str
) -> None:
    events = clients[name]("respond_stream", **QUESTION)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    kinds = [event["type"] for event in events]
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    deltas = "".join(event["delta"] for event in events if event["type"] == "response.output_text.delta")
    (done,) = [event["text"] for event in events if event["type"] == "response.output_text.done"]
    *_, message = events[-1]["response"]["output"]
    assert LEILANI in deltas
    assert deltas == done == message["content"][0]["text"]


@pytest.mark.parametrize("name", CLIENTS)
def test_the_clients_stream_helper_ends_with_the_whole_response(clients: Clients, name: str) -> None:
    told = clients[name]("respond_accumulate", **QUESTION)
    assert LEILANI in told["text"]
    assert told["status"] == "completed"


def test_work_is_done_once(clients: Clients, server: Server) -> None:
    clients["openai-newest"]("respond_stream", model="tinyagent", input="Make a note called Harbour: bread")
    assert [path.stem for path in World(server.home).snapshot() if "Harbour" in path.stem] == ["Harbour"]


def test_a_response_goes_on_from_an_earlier_one(clients: Clients) -> None:
    first = clients["openai-newest"]("respond", **QUESTION)
    asked = {"model": "tinyagent", "input": "What is Jane's phone number?"}
    again = clients["openai-newest"]("respond", **asked, previous_response_id=first["id"])
    assert "+14155550101" in again["text"]
    assert again["previous_response_id"] == first["id"]


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "sent again"])
@pytest.mark.parametrize("name", ["openai-2", "openai-newest"])
def test_calls_come_in_waves(clients: Clients, flat_tools: list[Any], name: str, stored: bool) -> None:
    told = clients[name]("respond_loop", body={**TWO, "tools": flat_tools}, results=RESULTS, stored=stored)
    lookups, (text,) = told["waves"]
    assert sorted(json.loads(call["arguments"])["name"] for call in lookups) == ["Jane", "Leilani"]
    recipients = json.loads(text["arguments"])["recipients"]
    assert sorted(recipients) == ["number of Jane", "number of Leilani"]
    assert "Told them: " in told["content"]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_wrong_parameter_is_named(clients: Clients, name: str) -> None:
    with pytest.raises(ClientFailure) as caught:
        clients[name]("respond", **QUESTION, temperature=9)
    assert "BadRequestError" in caught.value.kinds
    assert (caught.value.status, caught.value.param) == (400, "temperature")


@pytest.mark.parametrize("name", CLIENTS)
def test_an_unknown_earlier_response_is_not_found(clients: Clients, name: str) -> None:
    with pytest.raises(ClientFailure) as caught:
        clients[name]("respond", **QUESTION, previous_response_id="resp_of_nobody")
    assert caught.value.param == "previous_response_id"
    assert caught.value.status in (400, 404)
