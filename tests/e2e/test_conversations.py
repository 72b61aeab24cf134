"""Requests that go on from earlier ones: a real server, and a planner that reads what was said before."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.support.obedient_model import ObedientModel, obedient_model
from tests.support.server import Server, serve, tinyagent
from tests.support.world import World

FIRST = "What is the email address of Maria Santos?"
SECOND = "Remind me to write to her tomorrow"
LOOK = '1. get_email_address("Maria Santos")\n2. join()<END_OF_PLAN>'
REMIND = '1. create_reminder("Write to Maria", "2030-01-02", "", "", 0, True)\n2. join()<END_OF_PLAN>'


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, ObedientModel]]:
    home = tmp_path_factory.mktemp("home")
    assert tinyagent(home, "demo").returncode == 0
    with obedient_model() as model:
        (home / "config.toml").write_text(
            f'planner = "mine"\n[planners.mine]\nkind = "openai"\nbase_url = "{model.url}/v1"\nmodel = "m"\n'
        )
        with serve(home) as server:
            yield server, model


def shown_turns(model: ObedientModel) -> list[tuple[str, str]]:
    """The messages of the model's last request, without the rules and the request itself."""
    messages: list[dict[str, Any]] = json.loads(model.shown[-1])["messages"]
    return [(message["role"], message["content"]) for message in messages[1:-1]]


def answer_of(server: Server) -> str:
    with server.client() as client:
        run = client.get("/v1/runs").json()["data"][0]
    return str(run["answer"])


def test_in_the_terminal_a_request_goes_on_from_the_last_run(talking: tuple[Server, ObedientModel]) -> None:
    server, model = talking
    model.obey(LOOK, REMIND)
    address = {"TINYAGENT_URL": server.url}
    assert tinyagent(server.home, "ask", FIRST, **address).returncode == 0
    first = answer_of(server)
    assert "@" in first
    done = tinyagent(server.home, "ask", "--after", "last", SECOND, **address)
    assert done.returncode == 0, done.stdout + done.stderr
    assert shown_turns(model) == [("user", FIRST), ("assistant", first)]
    assert any("Write to Maria" in todo.summary.value for todo in World(server.home).reminders())


def test_a_chat_shows_its_earlier_messages(talking: tuple[Server, ObedientModel]) -> None:
    server, model = talking
    model.obey(REMIND)
    client = OpenAI(base_url=f"{server.url}/v1", api_key=server.token)
    client.chat.completions.create(
        model="tinyagent",
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": FIRST},
            {"role": "assistant", "content": "It is maria@example.com."},
            {"role": "user", "content": SECOND},
        ],
    )
    assert shown_turns(model) == [("user", FIRST), ("assistant", "It is maria@example.com.")]


def test_a_response_goes_on_from_an_earlier_one(talking: tuple[Server, ObedientModel]) -> None:
    server, model = talking
    model.obey(LOOK, REMIND)
    client = OpenAI(base_url=f"{server.url}/v1", api_key=server.token)
    first = client.responses.create(model="tinyagent", input=FIRST)
    client.responses.create(model="tinyagent", input=SECOND, previous_response_id=first.id)
    assert shown_turns(model) == [("user", FIRST), ("assistant", first.output_text)]


def test_a_run_that_follows_none_is_refused(talking: tuple[Server, ObedientModel], tmp_path: Path) -> None:
    server, _ = talking
    refused = tinyagent(server.home, "ask", "--after", "run_none", SECOND, TINYAGENT_URL=server.url)
    assert refused.returncode == 1
    assert "There is no run 'run_none'" in refused.stderr + refused.stdout
    with server.client() as client:
        answer = client.post("/v1/runs", json={"query": SECOND, "follows": "run_none"})
    assert answer.status_code == 404
