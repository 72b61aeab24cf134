"""Failures arrive as the clients' own exceptions, and are repeated only where that helps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.clients import Client, ClientFailure, Clients, asks, client
from tests.support.cutting_proxy import Cut, cutting_proxy
from tests.support.held_model import HeldModel, names_about, request_about
from tests.support.server import Server, serve
from tests.support.world import World

PLAIN = ["openai-oldest", "openai-2", "openai-newest", "openai-node"]
RETRYING = ["openai-2", "openai-newest", "openai-node"]
"""Clients that say with each request how often it was sent before."""
EVERY = [*PLAIN, "langchain", "litellm"]


def failing(there: Client, step: str = "answer", **body: Any) -> ClientFailure:
    with pytest.raises(ClientFailure) as caught:
        there(step, **body)
    return caught.value


def test_a_wrong_token_is_an_authentication_error(server: Server, clients: Clients) -> None:
    for name in PLAIN:
        failure = failing(clients[name], "attempt", options=wrong_token(name), **asks("hello"))
        assert "AuthenticationError" in failure.kinds
        assert failure.status == 401
        assert failure.code == "unauthorized"


def test_a_client_that_tells_no_retries_repeats_nothing_when_it_sends_a_key(
    clients: Clients, server: Server
) -> None:
    with cutting_proxy(server.port) as proxy, client("openai-oldest", server, proxy.url) as there:
        proxy.cuts = [Cut("answer body")]
        told = there(
            "attempt",
            options={"max_retries": 2, "default_headers": {"Idempotency-Key": "oldest"}},
            **asks("Make a note called Island: bread"),
        )
        assert len(proxy.heads) == 2
        assert not any("x-stainless-retry-count" in head.casefold() for head in proxy.heads)
    assert told["choices"][0]["finish_reason"] == "stop"
    assert [path.stem for path in World(server.home).snapshot() if "Island" in path.stem] == ["Island"]


def wrong_token(name: str) -> dict[str, str]:
    return {"apiKey" if name == "openai-node" else "api_key": "not-the-token-of-this-server"}


@pytest.mark.parametrize("name", EVERY)
def test_an_unknown_model_is_a_not_found_error(clients: Clients, name: str) -> None:
    failure = failing(clients[name], **asks("hello", model="tinyagent:nobody"))
    assert "NotFoundError" in failure.kinds
    assert failure.status == 404
    assert "nobody" in str(failure)
    if name in PLAIN:
        assert failure.code == "model_not_found"
        assert failure.param == "model"


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("parameter", ["n", "logprobs", "temperature"])
def test_a_parameter_that_is_not_obeyed_is_a_bad_request_that_names_it(
    clients: Clients, name: str, parameter: str
) -> None:
    value = {"n": 2, "logprobs": True, "temperature": 9}[parameter]
    failure = failing(clients[name], **asks("hello"), **{parameter: value})
    assert "BadRequestError" in failure.kinds
    assert failure.status == 400
    assert failure.param == parameter


@pytest.mark.parametrize("name", PLAIN)
def test_too_large_a_request_is_told_as_such(clients: Clients, name: str) -> None:
    failure = failing(clients[name], **asks("x" * 2_100_000))
    assert failure.status == 413
    assert failure.code == "request_too_large"


@pytest.mark.parametrize("name", ["litellm", "langchain"])
def test_other_clients_know_the_kind_of_a_bad_request(clients: Clients, name: str) -> None:
    failure = failing(clients[name], **asks(" "))
    assert "BadRequestError" in failure.kinds


@pytest.mark.parametrize("name", RETRYING)
def test_what_cannot_succeed_is_sent_once(clients: Clients, name: str) -> None:
    told = clients[name]("attempts", options=retries(name, 2), **asks("hello", model="tinyagent:nobody"))
    assert told["sent"] == ["0"]
    assert told["failure"]["status"] == 404


def retries(name: str, number: int) -> dict[str, int]:
    return {"maxRetries" if name == "openai-node" else "max_retries": number}


@pytest.mark.parametrize("name", PLAIN)
def test_leaving_a_stream_cancels_the_run_and_keeps_what_was_done(
    clients: Clients, server: Server, held: HeldModel, name: str
) -> None:
    word = {
        "openai-oldest": "Oldest",
        "openai-2": "Middle",
        "openai-newest": "Newest",
        "openai-node": "Node",
    }[name]
    asked = asks(request_about(word), model="tinyagent:held")
    run = clients[name]("leave", after="task.succeeded", **asked)
    state = ended(server, run)
    held.go_on(word)
    assert state["status"] == "cancelled"
    assert [path.stem for path in World(server.home).snapshot() if word in path.stem] == [
        names_about(word)[0]
    ]


def ended(server: Server, run: str) -> dict[str, Any]:
    with server.client() as there:
        there.get(f"/v1/runs/{run}/events").raise_for_status()
        return there.get(f"/v1/runs/{run}").json()


# --- a server that is busy -------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory, held: HeldModel) -> Iterator[Server]:
    """A server that takes one run at a time, and has one."""
    home = tmp_path_factory.mktemp("busy")
    (home / "config.toml").write_text(f"max_active_runs = 1\n{held.settings()}")
    with serve(home) as server:
        with server.client() as there:
            body = {"query": request_about("Busy"), "planner": "held"}
            there.post("/v1/runs", json=body).raise_for_status()
        yield server
        held.go_on("Busy")


@pytest.mark.parametrize("name", RETRYING)
def test_a_busy_server_is_a_rate_limit_error_and_is_asked_again_after_a_while(
    busy: Server, name: str
) -> None:
    with client(name, busy) as there:
        told = there("attempts", options=retries(name, 1), **asks("What is Leilani's phone number?"))
    assert told["sent"] == ["0", "1"]
    assert told["failure"]["status"] == 429
    assert told["failure"]["code"] == "overloaded"
    assert "RateLimitError" in told["failure"]["kinds"]
    assert told["failure"]["headers"]["retry-after"] == "2"
