"""One real server for each module, and the real clients that talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.clients import Clients
from tests.support.server import Server, serve, tinyagent


@pytest.fixture(scope="module")
def settings() -> str:
    """The server's `config.toml`; a module may have its own."""
    return ""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, settings: str) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    made = tinyagent(home, "demo")
    assert made.returncode == 0, made.stderr
    if settings:
        (home / "config.toml").write_text(settings)
    with serve(home, TINYAGENT_DEMO="1") as server:
        yield server


@pytest.fixture(scope="module")
def clients(server: Server) -> Iterator[Clients]:
    clients = Clients(server)
    yield clients
    clients.close()


@pytest.fixture(scope="module")
def own_tools(server: Server) -> list[dict[str, Any]]:
    """The server's own sixteen tools, as a client would offer them."""
    with server.client() as client:
        listed = client.get("/v1/tools").raise_for_status().json()["data"]
    return [
        {"type": "function", "function": {name: tool[name] for name in ("name", "description", "parameters")}}
        for tool in listed
    ]
