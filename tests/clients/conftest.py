"""One real server for all tests with real clients, and these clients.

Its planners beside the bundled ones: `held` waits in the middle of its plan, `scripted` says what is written
here, `tiny` is a GGUF file with random weights.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.chat_model import Messages, chat_model
from tests.support.clients import Clients
from tests.support.held_model import HeldModel, held_model
from tests.support.server import Server, serve, tinyagent
from tests.support.tiny_gguf import write_tiny_gguf

PLAN = """\
1. get_forecast({"city": "Oslo"}, 2)
2. get_forecast({"city": "Bergen"}, 3)
3. post("Oslo: $1, Bergen: $2")
4. join()<END_OF_PLAN>"""


def says(messages: Messages) -> str:
    """Plans once, then ends; chats otherwise."""
    told = json.dumps(messages)
    if "join()" not in told:
        return "The board has the forecast."
    return "4. join()<END_OF_PLAN>" if "posted: " in told else PLAN


@pytest.fixture(scope="session")
def held() -> Iterator[HeldModel]:
    with held_model() as model:
        yield model


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, held: HeldModel) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    made = tinyagent(home, "demo")
    assert made.returncode == 0, made.stderr
    gguf = write_tiny_gguf(home / "tiny.gguf")
    with chat_model(says) as scripted:
        (home / "config.toml").write_text(
            held.settings()
            + f'[planners.scripted]\nkind = "openai"\nbase_url = "{scripted.url}"\nmodel = "m"\n'
            + f'[planners.tiny]\nkind = "llama"\npath = "{gguf}"\nprofile = "chat"\ncontext = 2048\n'
        )
        with serve(home, TINYAGENT_DEMO="1") as server:
            yield server


@pytest.fixture(scope="session")
def clients(server: Server) -> Iterator[Clients]:
    clients = Clients(server)
    yield clients
    clients.close()


@pytest.fixture(scope="session")
def own_tools(server: Server) -> list[dict[str, Any]]:
    """The server's own sixteen tools, as a client would offer them."""
    with server.client() as client:
        listed = client.get("/v1/tools").raise_for_status().json()["data"]
    return [
        {"type": "function", "function": {name: tool[name] for name in ("name", "description", "parameters")}}
        for tool in listed
    ]
