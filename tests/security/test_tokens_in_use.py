"""Tokens of a server that runs: made, replaced and ended, they hold or hold no more from that moment on."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator

import httpx
import pytest

from tests.support.server import Server, serve
from tinyagent.home import rotate_owner_token
from tinyagent.settings import Settings, load_settings
from tinyagent.tokens import create_token, revoke_token, rotate_token


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serve(tmp_path_factory.mktemp("tokens") / "home", TINYAGENT_APPROVALS__WRITE="ask") as started:
        yield started


@pytest.fixture
def settings(own: Server) -> Settings:
    return load_settings(home=own.home)


def status(server: Server, token: str, method: str = "GET", path: str = "/v1/models") -> int:
    body = {"json": {"query": "go", "mode": "plan"}} if method == "POST" else {}
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.request(method, server.url + path, headers=headers, **body).status_code


def test_a_token_is_known_as_soon_as_it_is_made_and_not_after_it_was_revoked(
    own: Server, settings: Settings
) -> None:
    secret = create_token(settings, "one", ["read"])
    assert status(own, secret) == 200
    revoke_token(settings, "one")
    assert status(own, secret) == 401


def test_a_replaced_token_is_refused_at_once(own: Server, settings: Settings) -> None:
    old = create_token(settings, "two", ["read"])
    new = rotate_token(settings, "two")
    assert (status(own, old), status(own, new)) == (401, 200)


def test_the_owners_replaced_token_is_refused_at_once_and_the_new_one_taken(
    own: Server, settings: Settings
) -> None:
    old = own.token
    assert status(own, old) == 200
    new = rotate_owner_token(settings)
    assert (status(own, old), status(own, new)) == (401, 200)


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("read", {"see"}),
        ("run", {"start"}),
        ("worker", {"claim"}),
        ("admin", {"see", "start", "forget", "claim"}),
    ],
)
def test_a_token_opens_what_its_scope_says(
    own: Server, settings: Settings, scope: str, allowed: set[str]
) -> None:
    secret = create_token(settings, f"only-{scope}", [scope])  # type: ignore[list-item]
    requests = {
        "see": ("GET", "/v1/runs"),
        "start": ("POST", "/v1/runs"),
        "forget": ("DELETE", "/v1/runs/run_0"),
        "claim": ("POST", "/v1/worker/claim"),
    }
    for name, (method, path) in requests.items():
        assert (status(own, secret, method, path) != 403) == (name in allowed), name


def test_nobody_may_approve_or_undo_with_a_token_that_only_sees(own: Server, settings: Settings) -> None:
    secret = create_token(settings, "looks-on", ["read"])
    for path in ("/approve", "/reject", "/undo", "/cancel", "/tasks/1/approve", "/tasks/1/undo"):
        assert status(own, secret, "POST", f"/v1/runs/run_0{path}") == 403


def test_a_stream_ends_when_its_token_is_revoked(own: Server, settings: Settings) -> None:
    """The run waits for an answer; what happens after the token was revoked is not shown to its bearer."""
    secret = create_token(settings, "listener", ["read"])
    with own.client() as client:
        run = client.post("/v1/runs", json={"query": "create a note called Plans saying hello"}).json()["run"]
        connection = http.client.HTTPConnection("127.0.0.1", own.port, timeout=60)
        connection.request("GET", f"/v1/runs/{run}/events", headers={"Authorization": f"Bearer {secret}"})
        stream = connection.getresponse()
        seen = b""
        while b"approval.requested" not in seen:
            seen += stream.readline()
        revoke_token(settings, "listener")
        later: list[bytes] = []
        reading = threading.Thread(target=lambda: later.append(stream.read()))
        reading.start()
        client.post(f"/v1/runs/{run}/cancel")
        reading.join(30)
        assert not reading.is_alive()
        assert b"event: run." not in later[0]
        assert client.get(f"/v1/runs/{run}").json()["status"] == "cancelled"
        connection.close()
