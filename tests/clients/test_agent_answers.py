"""The agent as every client's model: a request becomes done work, and the answer comes as any model's."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest

from tests.support.clients import Clients, asks, clean_environ, environment
from tests.support.server import Server
from tests.support.world import World

LEILANI = "+18085550116"
QUESTION = "What is Leilani's phone number?"

EVERY = ["openai-oldest", "openai-2", "openai-newest", "openai-node", "langchain", "litellm"]
PLAIN = ["openai-oldest", "openai-2", "openai-newest", "openai-node"]
"""Clients that show a body as it is, unknown keys included."""
ACCUMULATING = ["openai-2", "openai-newest", "openai-node", "langchain", "litellm"]


def message_of(told: dict[str, Any]) -> tuple[str, str]:
    """What was said and why it ended, by any client."""
    told = told.get("completion", told)
    if "choices" not in told:
        return told["content"], told["finish_reason"]
    (choice,) = told["choices"]
    return choice["message"]["content"], choice["finish_reason"]


@pytest.mark.parametrize("name", EVERY)
def test_a_question_is_answered(clients: Clients, name: str) -> None:
    content, reason = message_of(clients[name]("answer", **asks(QUESTION)))
    assert LEILANI in content
    assert reason == "stop"


@pytest.mark.parametrize("name", ["openai-oldest", "openai-newest", "langchain", "litellm"])
def test_a_question_is_answered_to_an_asynchronous_client(clients: Clients, name: str) -> None:
    content, reason = message_of(clients[name]("answer_async", **asks(QUESTION)))
    assert LEILANI in content
    assert reason == "stop"


@pytest.mark.parametrize("name", ACCUMULATING)
def test_what_a_client_puts_together_from_a_stream_is_the_answer(clients: Clients, name: str) -> None:
    content, reason = message_of(clients[name]("accumulate", **asks(QUESTION)))
    assert content.count(LEILANI) == 1
    assert reason == "stop"


@pytest.mark.parametrize("step", ["stream", "stream_async"])
@pytest.mark.parametrize("name", PLAIN)
def test_a_stream_shows_the_plan_the_tasks_and_the_answer(clients: Clients, name: str, step: str) -> None:
    if name == "openai-node" and step == "stream_async":
        pytest.skip("openai-node knows no other streams than asynchronous ones")
    chunks = clients[name](step, **asks(QUESTION))
    events = [chunk["tinyagent"] for chunk in chunks if chunk.get("tinyagent")]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["type"] == "run.created"
    assert events[-1]["type"] == "run.completed"
    (task,) = [event["data"] for event in events if event["type"] == "task.succeeded"]
    assert LEILANI in json.dumps(task)
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    plan = "".join(delta.get("reasoning_content") or "" for delta in deltas)
    assert plan.startswith("1. get_phone_number(")
    assert LEILANI in "".join(delta.get("content") or "" for delta in deltas)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("name", PLAIN)
def test_a_whole_answer_shows_the_run_with_its_tasks(clients: Clients, server: Server, name: str) -> None:
    run = clients[name]("answer", **asks(QUESTION))["tinyagent"]
    assert [(task["tool"], task["status"]) for task in run["tasks"]] == [("get_phone_number", "succeeded")]
    with server.client() as client:
        assert client.get(f"/v1/runs/{run['run']}").json() == run


@pytest.mark.parametrize("name", EVERY)
def test_usage_is_told(clients: Clients, name: str) -> None:
    told = clients[name]("answer", **asks(QUESTION))["usage"]
    read, written = (
        (told["prompt_tokens"], told["completion_tokens"])
        if "prompt_tokens" in told
        else (told["input_tokens"], told["output_tokens"])
    )
    assert read > 0 < written
    assert told["total_tokens"] == read + written


@pytest.mark.parametrize("name", PLAIN)
def test_usage_ends_a_stream_that_asks_for_it(clients: Clients, name: str) -> None:
    *others, last = clients[name]("stream", **asks(QUESTION), stream_options={"include_usage": True})
    assert not any(chunk.get("usage") for chunk in others)
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0


def test_langchain_reads_the_usage_of_a_stream(clients: Clients) -> None:
    assert clients["langchain"]("accumulate", **asks(QUESTION))["usage"]["total_tokens"] > 0


@pytest.mark.parametrize("number", range(len(EVERY)), ids=EVERY)
def test_work_is_done_once_for_each_client(clients: Clients, server: Server, number: int) -> None:
    word = ["Anchor", "Bridge", "Candle", "Garden", "Engine", "Forest"][number]
    step = "stream" if EVERY[number] in PLAIN else "accumulate"
    clients[EVERY[number]](step, **asks(f"Make a note called {word}: bread"))
    assert [path.stem for path in World(server.home).snapshot() if word in path.stem] == [word]


def test_an_earlier_answer_is_sent_back_as_it_came(clients: Clients) -> None:
    first = clients["openai-newest"]("answer", **asks(QUESTION))["choices"][0]["message"]
    messages = [
        *asks(QUESTION)["messages"],
        first,
        {"role": "user", "content": "What is Jane's phone number?"},
    ]
    again = clients["openai-newest"]("answer", model="tinyagent", messages=messages)
    assert "+14155550101" in message_of(again)[0]


@pytest.mark.parametrize("name", PLAIN)
def test_the_models_are_listed_and_each_can_be_looked_up(clients: Clients, name: str) -> None:
    names = clients[name]("models")
    assert {"tinyagent", "tinyagent:nano"} <= set(names)
    if name != "openai-oldest":
        for known in names:
            assert clients[name]("model", name=known)["id"] == known


# --- the command of llm, and curl ------------------------------------------------------------


def llm(server: Server, *arguments: str) -> str:
    """Run the `llm` command, to which the server is a model in a file of its own."""
    folder = server.home / "llm"
    folder.mkdir(exist_ok=True)
    (folder / "extra-openai-models.yaml").write_text(
        "- model_id: agent\n  model_name: tinyagent\n"
        f"  api_base: {server.url}/v1\n  api_key_name: tinyagent\n"
    )
    (folder / "keys.json").write_text(json.dumps({"tinyagent": server.token}))
    made = subprocess.run(
        [environment("openai-newest") / "bin/python", "-m", "llm", *arguments],
        env=clean_environ(LLM_USER_PATH=str(folder), HOME=str(server.home)),
        capture_output=True,
        text=True,
        timeout=90,
        stdin=subprocess.DEVNULL,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout


@pytest.mark.parametrize("streaming", [[], ["--no-stream"]], ids=["streaming", "in one piece"])
def test_the_llm_command_asks_the_agent(server: Server, streaming: list[str]) -> None:
    assert LEILANI in llm(server, "-m", "agent", *streaming, QUESTION)


def test_the_llm_command_goes_on_with_a_conversation(server: Server) -> None:
    llm(server, "-m", "agent", QUESTION)
    assert "+14155550101" in llm(server, "-c", "What is Jane's phone number?")


CURL = ["curl", "-sSN", "--fail-with-body", "--max-time", "60", "--data-binary", "@-"]
CURL += ["-H", "Content-Type: application/json"]


def curl(server: Server, body: dict[str, Any]) -> str:
    made = subprocess.run(
        [*CURL, "-H", f"Authorization: Bearer {server.token}", f"{server.url}/v1/chat/completions"],
        input=json.dumps(body).encode(),
        capture_output=True,
        timeout=90,
    )
    assert made.returncode == 0, made.stderr
    return made.stdout.decode()


def test_the_bytes_of_a_stream_are_frames_of_one_line_of_json_each(server: Server) -> None:
    text = curl(server, {**asks(QUESTION), "stream": True})
    *frames, last, rest = text.split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    for frame in frames:
        assert re.fullmatch(r"data: \{.*\}", frame), frame
        assert json.loads(frame.removeprefix("data: "))["object"] == "chat.completion.chunk"
