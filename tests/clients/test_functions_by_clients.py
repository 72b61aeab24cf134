"""Function calling with the server's planner and each client's own loop: the client carries out the calls.

The tools are the sixteen that the bundled planner knows, offered as the client's own. What they bring is
made up, so that it is seen to come back in the calls of the next wave.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.clients import ClientFailure, Clients, asks
from tests.support.server import Server
from tests.support.world import World

EVERY = ["openai-oldest", "openai-2", "openai-newest", "openai-node", "langchain", "litellm"]
STREAMING = ["openai-2", "openai-newest", "openai-node", "langchain", "litellm"]
PLAIN = ["openai-oldest", "openai-2", "openai-newest", "openai-node"]

TWO = asks("Text Jane and Leilani that dinner is at seven")
RESULTS = {"get_phone_number": "number of {name}", "send_sms": "Told them: {message}"}

Tools = list[dict[str, Any]]
Wave = list[tuple[str, dict[str, Any]]]


def waves_of(told: dict[str, Any]) -> list[Wave]:
    """The calls of each wave, without their ids, in an order of their own."""
    return [
        sorted(((call["name"], json.loads(call["arguments"])) for call in wave), key=str)
        for wave in told["waves"]
    ]


def lookup(name: str) -> tuple[str, dict[str, Any]]:
    return "get_phone_number", {"name": name}


def check_text(wave: Wave) -> None:
    """The message goes to what the lookups brought."""
    ((tool, arguments),) = wave
    assert tool == "send_sms"
    assert sorted(arguments["recipients"]) == ["number of Jane", "number of Leilani"]
    assert "dinner is at seven" in arguments["message"].casefold()


@pytest.mark.parametrize("name", EVERY)
def test_calls_come_together_and_their_results_fill_the_next_wave(
    clients: Clients, own_tools: Tools, name: str
) -> None:
    told = clients[name]("tools_loop", body={**TWO, "tools": own_tools}, results=RESULTS)
    lookups, text = waves_of(told)
    assert lookups == [lookup("Jane"), lookup("Leilani")]
    check_text(text)
    assert "Told them: " in told["content"]


@pytest.mark.parametrize("name", STREAMING)
def test_the_same_comes_out_of_streams(clients: Clients, own_tools: Tools, name: str) -> None:
    told = clients[name]("tools_loop", body={**TWO, "tools": own_tools}, results=RESULTS, streamed=True)
    lookups, text = waves_of(told)
    assert lookups == [lookup("Jane"), lookup("Leilani")]
    check_text(text)
    assert "Told them: " in told["content"]


@pytest.mark.parametrize("name", EVERY)
def test_calls_come_one_by_one_where_that_is_wanted(clients: Clients, own_tools: Tools, name: str) -> None:
    body = {**TWO, "tools": own_tools, "parallel_tool_calls": False}
    waves = waves_of(clients[name]("tools_loop", body=body, results=RESULTS))
    assert [len(wave) for wave in waves] == [1, 1, 1]
    assert sorted(waves[0] + waves[1], key=str) == [lookup("Jane"), lookup("Leilani")]
    check_text(waves[2])


def test_nothing_happens_on_the_server(clients: Clients, server: Server, own_tools: Tools) -> None:
    with server.client() as http:
        runs = http.get("/v1/runs").json()
        before = World(server.home).snapshot()
        clients["openai-newest"]("tools_loop", body={**TWO, "tools": own_tools}, results=RESULTS)
        assert http.get("/v1/runs").json() == runs
    assert World(server.home).snapshot() == before


@pytest.mark.parametrize("name", ["openai-newest", "openai-node"])
def test_the_clients_stream_helper_sees_each_call_complete(
    clients: Clients, own_tools: Tools, name: str
) -> None:
    told = clients[name]("accumulate", **TWO, tools=own_tools)
    (choice,) = told["completion"]["choices"]
    assert choice["finish_reason"] == "tool_calls"
    calls = choice["message"]["tool_calls"]
    assert len(calls) == 2
    assert len({call["id"] for call in calls}) == 2
    assert sum("arguments.done" in event for event in told["events"]) == 2


@pytest.mark.parametrize("name", PLAIN)
def test_the_chunks_of_calls_have_an_index_and_tell_id_and_name_once(
    clients: Clients, own_tools: Tools, name: str
) -> None:
    *chunks, usage = clients[name]("stream", **TWO, tools=own_tools, stream_options={"include_usage": True})
    assert usage["choices"] == [] and usage["usage"]["total_tokens"] > 0
    assert chunks[-1]["choices"][0]["finish_reason"] == "tool_calls"
    parts = [part for chunk in chunks for part in chunk["choices"][0]["delta"].get("tool_calls") or []]
    for index in (0, 1):
        own = [part for part in parts if part["index"] == index]
        assert sum(bool(part.get("id")) for part in own) == 1
        assert sum(bool(part["function"].get("name")) for part in own) == 1
        assert json.loads("".join(part["function"].get("arguments") or "" for part in own))
    assert {part["index"] for part in parts} == {0, 1}


# --- which tools may or must be called -------------------------------------------------------

NAMED = {"type": "function", "function": {"name": "get_phone_number"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [NAMED]}}


@pytest.mark.parametrize(
    "choice", ["auto", "required", NAMED, ALLOWED], ids=["auto", "required", "named", "allowed"]
)
@pytest.mark.parametrize("name", PLAIN)
def test_a_choice_of_tools_is_obeyed(clients: Clients, own_tools: Tools, name: str, choice: Any) -> None:
    (answer,) = clients[name]("answer", **TWO, tools=own_tools, tool_choice=choice)["choices"]
    assert answer["finish_reason"] == "tool_calls"
    called = [call["function"]["name"] for call in answer["message"]["tool_calls"]]
    assert set(called) == {"get_phone_number"}


def test_a_named_tool_is_called_though_another_one_would_fit(clients: Clients, own_tools: Tools) -> None:
    choice = {"type": "function", "function": {"name": "get_email_address"}}
    (answer,) = clients["openai-newest"](
        "answer", **asks("What is Leilani's phone number?"), tools=own_tools, tool_choice=choice
    )["choices"]
    assert {call["function"]["name"] for call in answer["message"]["tool_calls"]} == {"get_email_address"}


@pytest.mark.parametrize("choice", ["any", "required", "get_phone_number"])
def test_langchain_binds_tools_with_its_own_words_for_the_choice(
    clients: Clients, own_tools: Tools, choice: str
) -> None:
    told = clients["langchain"]("answer", **TWO, tools=own_tools, tool_choice=choice)
    assert [call["name"] for call in told["calls"]] == ["get_phone_number"] * 2


@pytest.mark.parametrize("name", PLAIN)
def test_a_planner_without_prose_refuses_to_call_nothing(
    clients: Clients, own_tools: Tools, name: str
) -> None:
    with pytest.raises(ClientFailure) as caught:
        clients[name]("answer", **TWO, tools=own_tools, tool_choice="none")
    assert (caught.value.status, caught.value.param) == (400, "tool_choice")


def test_with_results_there_and_no_more_calls_wanted_the_answer_comes(
    clients: Clients, own_tools: Tools
) -> None:
    ask = clients["openai-newest"]
    first = ask("answer", **TWO, tools=own_tools)["choices"][0]["message"]
    results = [
        {"role": "tool", "tool_call_id": call["id"], "content": f"result of {call['function']['arguments']}"}
        for call in first["tool_calls"]
    ]
    messages = [*TWO["messages"], first, *results]
    again = ask("answer", model="tinyagent", messages=messages, tools=own_tools, tool_choice="none")
    (answer,) = again["choices"]
    assert answer["finish_reason"] == "stop"
    assert not answer["message"].get("tool_calls")
    assert "Leilani" in answer["message"]["content"]


@pytest.mark.parametrize("name", PLAIN)
def test_a_tool_that_the_planner_cannot_read_is_named(clients: Clients, own_tools: Tools, name: str) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    weather = {"type": "function", "function": {"name": "get_weather", "parameters": schema}}
    with pytest.raises(ClientFailure, match="get_weather") as caught:
        clients[name]("answer", **TWO, tools=[*own_tools, weather])
    assert caught.value.status == 400
    assert str(caught.value.param).startswith("tools")


# --- loops that the clients bring ------------------------------------------------------------


def test_langchains_agent_carries_out_the_plan_in_its_waves(clients: Clients, own_tools: Tools) -> None:
    told = clients["langchain"](
        "agent", model="tinyagent", request=TWO["messages"][0]["content"], tools=own_tools, results=RESULTS
    )
    assert told["rounds"] == [2, 1, 0]
    check_text([(call["name"], call["arguments"]) for call in told["called"][2:]])
    assert "Told them: " in told["content"]


@pytest.mark.parametrize("streamed", [False, True], ids=["in one piece", "streaming"])
def test_openai_nodes_tool_runner_carries_out_the_plan(
    clients: Clients, own_tools: Tools, streamed: bool
) -> None:
    told = clients["openai-node"](
        "run_tools", body={**TWO, "tools": own_tools}, results=RESULTS, streamed=streamed
    )
    assert [call["name"] for call in told["called"]] == ["get_phone_number", "get_phone_number", "send_sms"]
    check_text([(call["name"], call["arguments"]) for call in told["called"][2:]])
    assert "Told them: " in told["content"]


def test_a_tool_that_fails_is_told_and_what_needs_it_is_not_called(
    clients: Clients, own_tools: Tools
) -> None:
    results = {**RESULTS, "get_phone_number": "Error: nobody is called {name}"}
    told = clients["openai-newest"]("tools_loop", body={**TWO, "tools": own_tools}, results=results)
    assert len(told["waves"]) == 1
    assert "nobody is called Jane" in told["content"]
