"""CSRF: what a page of any origin can make a browser send, with what the browser adds by itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.security.wire import JSON, Answer, exchange, json_body, post, request
from tests.support.server import Server

FOREIGN = ("https://evil.example", "null", "http://localhost", "file://", "chrome-extension://abc", "")
FORMS = (
    "text/plain",
    "text/plain;charset=UTF-8",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "text/plain; application/json",
)
"""The types that are sent without asking the server first, as they are written in requests."""


@pytest.fixture(scope="module")
def routes(server: Server) -> list[tuple[str, str]]:
    with server.client() as client:
        paths: dict[str, dict[str, Any]] = client.get("/openapi.json").json()["paths"]
    filled = {path: path.replace("{task}", "1").replace("{run}", "run_0") for path in paths}
    return [(method.upper(), filled[path]) for path, methods in paths.items() for method in methods]


def refused(answer: Answer, *statuses: int) -> None:
    assert answer.status in statuses, answer
    assert answer.error["message"]
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def changing(routes: list[tuple[str, str]]) -> Iterator[str]:
    yield from (path for method, path in routes if method == "POST")


@pytest.mark.parametrize("origin", FOREIGN)
def test_no_page_of_another_origin_reaches_any_route(
    server: Server, routes: list[tuple[str, str]], origin: str
) -> None:
    assert len(routes) > 15
    for method, path in routes:
        sent = request(
            server, f"{method} {path} HTTP/1.1", f"Origin: {origin}", *json_body("{}")[:2], body=b"{}"
        )
        refused(exchange(server, sent), 403)


def test_a_form_is_refused_on_every_route_even_without_an_origin(
    server: Server, routes: list[tuple[str, str]]
) -> None:
    body = b'{"query": "go"}'
    for path, form in itertools.product(changing(routes), FORMS):
        headers = (f"Content-Type: {form}", f"Content-Length: {len(body)}")
        refused(exchange(server, request(server, post(path), *headers, body=body)), 415)
        refused(exchange(server, request(server, post(path), *headers, body=body, token=None)), 401)


def test_a_bodiless_post_of_a_page_starts_and_stops_nothing(
    server: Server, routes: list[tuple[str, str]]
) -> None:
    for path in changing(routes):
        refused(exchange(server, request(server, post(path), "Content-Length: 0", token=None)), 401)
        refused(exchange(server, request(server, post(path), "Content-Length: 0", "Origin: null")), 403)


def test_cookies_and_credentials_that_a_browser_adds_open_nothing(server: Server) -> None:
    token = server.token
    for header in (
        f"Cookie: token={token}; Authorization=Bearer {token}",
        f"Authorization: Basic {token}",
        f"X-Api-Key: {token}",
        f"Proxy-Authorization: Bearer {token}",
        f"Referer: http://127.0.0.1:{server.port}/?token={token}",
    ):
        refused(exchange(server, request(server, "GET /v1/runs HTTP/1.1", header, token=None)), 401)


def test_looking_changes_nothing(server: Server, routes: list[tuple[str, str]]) -> None:
    """An `img` or a link can send a GET, which must have no effect whatever its address is."""
    with server.client() as client:
        client.post("/v1/runs", json={"query": "what is on my calendar?", "mode": "plan"})
        before = client.get("/v1/runs").json()
        files = sorted(path for path in (server.home / "data").rglob("*"))
        for method, path in routes:
            if method == "GET":
                client.get(path)
        assert [run["run"] for run in client.get("/v1/runs").json()["data"]] == [
            run["run"] for run in before["data"]
        ]
    assert sorted(path for path in (server.home / "data").rglob("*")) == files


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "own"])
def test_a_preflight_grants_nothing(server: Server, routes: list[tuple[str, str]], origin: str) -> None:
    own = f"http://127.0.0.1:{server.port}"
    for path in {path for _, path in routes}:
        for asked in (
            ("Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"),
            ("Access-Control-Request-Method: GET", "Access-Control-Request-Private-Network: true"),
        ):
            headers = (f"Origin: {own if origin == 'own' else origin}", *asked)
            line = f"OPTIONS {path} HTTP/1.1"
            refused(exchange(server, request(server, line, *headers)), 403, 405)
            if path != "/healthz":
                refused(exchange(server, request(server, line, *headers, token=None)), 401, 403)


def test_a_web_socket_is_not_opened_for_anybody(server: Server) -> None:
    upgrade = (
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )
    line = "GET /v1/runs HTTP/1.1"
    refused(exchange(server, request(server, line, *upgrade, "Origin: https://evil.example")), 403)
    refused(
        exchange(server, request(server, line, *upgrade, "Origin: https://evil.example", token=None)), 403
    )
    refused(exchange(server, request(server, line, *upgrade, token=None)), 401)
    plain = exchange(server, request(server, line, *upgrade))
    assert (plain.status, "upgrade" in plain.headers) == (200, False)


def test_answers_can_be_neither_framed_as_pages_nor_sniffed(server: Server) -> None:
    answer = exchange(server, request(server, post(), JSON, "Content-Length: 2", body=b"{}"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
