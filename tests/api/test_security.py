"""Every attack that a page in the user's browser, or a neighbour on the network, may try."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.api.conftest import ADMIN, READER, RUNNER, TOKENS, WORKER, Api, MakeApi, bearer
from tinyagent.api.app import create_app
from tinyagent.api.bearers import HashedToken, Token, digest_of
from tinyagent.api.bodies import BodyLimits
from tinyagent.api.security import (
    CALLER_KEY,
    SecurityMiddleware,
    SecuritySettings,
    host_values,
    required_scope,
)
from tinyagent.errors import ConfigurationError
from tinyagent.observability.metrics import Metrics

START = {"query": "go"}


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.headers["cache-control"] == "no-store"


# --- Host and Origin -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8765",
        "evil.example",
        "127.0.0.1",
        "localhost",
        "127.0.0.1:80",
        "127.0.0.1:8765.evil.example",
        "localhost.:8765",
        "printer.local:8765",
        "0.0.0.0:8765",
        "user@127.0.0.1:8765",
        "",
    ],
)
async def test_a_name_that_was_rebound_to_this_address_is_refused(
    client: httpx.AsyncClient, host: str
) -> None:
    for path in ("/v1/models", "/healthz"):
        refused(await client.get(path, headers={"Host": host}), 421, "misdirected_request")


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost:8765", "LocalHost:8765", "[::1]:8765"])
async def test_the_servers_own_names_are_known(client: httpx.AsyncClient, host: str) -> None:
    assert (await client.get("/v1/models", headers={"Host": host})).status_code == 200


async def test_two_or_no_host_headers_are_refused(api: Api) -> None:
    for hosts in ([], [(b"host", b"127.0.0.1:8765"), (b"host", b"evil.example")]):
        status = await bare_request(api, [*hosts, (b"authorization", f"Bearer {ADMIN}".encode())])
        assert status == 421


async def bare_request(api: Api, headers: list[tuple[bytes, bytes]], kind: str = "http") -> int:
    """The status (or the close code) of a GET of /v1/models with exactly these headers."""
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/v1/models",
        "raw_path": b"/v1/models",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
    }
    await api.app(scope, receive, send)
    return sent[0].get("status") or sent[0]["code"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost",
        "http://localhost:3000",
        "http://127.0.0.1:8765.evil.example",
        "file://",
    ],
)
async def test_a_page_of_another_origin_is_refused(client: httpx.AsyncClient, origin: str) -> None:
    refused(await client.post("/v1/runs", json=START, headers={"Origin": origin}), 403, "forbidden")


async def test_the_servers_own_page_and_configured_origins_get_in(make_api: MakeApi) -> None:
    api = make_api(origins=frozenset({"https://notes.example"}))
    for origin in ("http://127.0.0.1:8765", "https://notes.example"):
        answer = await api.client.post("/v1/runs", json=START, headers={"Origin": origin})
        assert answer.status_code == 202
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_no_preflight_is_granted(client: httpx.AsyncClient) -> None:
    headers = {"Origin": "http://127.0.0.1:8765", "Access-Control-Request-Method": "POST"}
    answer = await client.options("/v1/runs", headers=headers)
    refused(answer, 405, "method_not_allowed")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_a_web_socket_of_another_origin_is_closed_before_it_opens(api: Api) -> None:
    own = [(b"host", b"127.0.0.1:8765"), (b"authorization", f"Bearer {ADMIN}".encode())]
    assert await bare_request(api, [*own, (b"origin", b"https://evil.example")], "websocket") == 1008
    assert await bare_request(api, [(b"host", b"evil.example")], "websocket") == 1008


# --- tokens ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong-token-of-some-length",
        f"Bearer {ADMIN}x",
        f"Bearer {ADMIN[:-1]}",
        f"Basic {ADMIN}",
        ADMIN,
        "Bearer \xff\xfe",
    ],
)
async def test_no_token_or_a_wrong_one_is_401_with_a_challenge(api: Api, authorization: str | None) -> None:
    del api.client.headers["Authorization"]
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    for path in ("/v1/models", "/openapi.json", "/nowhere", "/docs", "/"):
        answer = await api.client.get(path, headers=headers)
        refused(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "authorization"])
async def test_a_token_in_the_address_is_no_token(api: Api, name: str) -> None:
    del api.client.headers["Authorization"]
    refused(await api.client.get("/v1/models", params={name: ADMIN}), 401, "unauthorized")
    refused(
        await api.client.get("/v1/models", params={name: ADMIN}, headers=bearer()), 400, "invalid_request"
    )


async def test_a_cookie_is_no_token(api: Api) -> None:
    del api.client.headers["Authorization"]
    answer = await api.client.get(
        "/v1/models", headers={"Cookie": f"token={ADMIN}; Authorization=Bearer {ADMIN}"}
    )
    refused(answer, 401, "unauthorized")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/models", {ADMIN, READER}),
        ("GET", "/v1/runs", {ADMIN, READER}),
        ("GET", "/openapi.json", {ADMIN, READER}),
        ("POST", "/v1/runs", {ADMIN, RUNNER}),
        ("POST", "/v1/chat/completions", {ADMIN, RUNNER}),
        ("POST", "/v1/runs/run_0/cancel", {ADMIN, RUNNER}),
        ("DELETE", "/v1/runs/run_0", {ADMIN}),
        ("POST", "/v1/worker/claim", {ADMIN, WORKER}),
    ],
)
async def test_a_token_opens_what_its_scopes_say(api: Api, method: str, path: str, allowed: set[str]) -> None:
    for token in (ADMIN, READER, RUNNER, WORKER):
        answer = await api.client.request(method, path, headers=bearer(token))
        if token in allowed:
            assert answer.status_code not in (401, 403)
        else:
            refused(answer, 403, "forbidden")


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/embeddings", "run"),
        ("POST", "/v1/responses", "run"),
        ("GET", "/v1/responses/resp_0", "read"),
        ("DELETE", "/v1/responses/resp_0", "admin"),
        ("GET", "/metrics", "read"),
        ("GET", "/mcp", "run"),
        ("POST", "/mcp", "run"),
        ("DELETE", "/mcp", "run"),
        ("GET", "/mcpx", "read"),
        ("HEAD", "/v1/runs", "read"),
        ("GET", "/v1/worker/claim", "worker"),
        ("TRACE", "/v1/runs", "run"),
    ],
)
def test_every_route_needs_the_least_that_it_can_do_with(method: str, path: str, scope: str) -> None:
    assert required_scope(method, path) == scope


async def say_who(scope: Any, receive: Any, send: Any) -> None:
    """An application that answers with the name of the caller's token."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": scope[CALLER_KEY].encode()})


async def test_a_token_is_known_by_its_digest_alone() -> None:
    secret = "a secret of which nothing but its digest is kept"
    kept = HashedToken("kept", digest_of(secret.encode()), frozenset({"read"}))
    settings = SecuritySettings((), host_values(["127.0.0.1"], 8765), more_tokens=lambda: [kept])
    transport = httpx.ASGITransport(SecurityMiddleware(say_who, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        assert (await client.get("/v1/models", headers=bearer(secret))).text == "kept"
        refused(await client.get("/v1/models", headers=bearer(secret[:-1])), 401, "unauthorized")
        refused(await client.get("/v1/models", headers=bearer(kept.digest.hex())), 401, "unauthorized")
        refused(await client.delete("/v1/models", headers=bearer(secret)), 403, "forbidden")


def test_every_method_that_changes_something_needs_more_than_read() -> None:
    assert {required_scope(method, "/v1/runs") for method in ("POST", "PUT", "PATCH", "DELETE")} == {
        "run",
        "admin",
    }


@pytest.mark.parametrize("secret", ["", "short"])
def test_a_token_that_can_be_guessed_is_no_setting(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="weak"):
        SecuritySettings((Token("weak", secret, frozenset({"admin"})),), frozenset())


def test_a_host_is_known_with_its_port_and_without_it_only_where_browsers_leave_it_out() -> None:
    assert host_values(["Mac.local", "::1"], 8765) == {"mac.local:8765", "[::1]:8765"}
    assert host_values(["mac.local"], 80) == {"mac.local:80", "mac.local"}


# --- bodies ----------------------------------------------------------------------------------


def test_a_path_has_limits_of_its_own_and_all_others_take_json() -> None:
    audio = BodyLimits(frozenset({"multipart/form-data", "audio/wav"}), 50_000_000)
    settings = SecuritySettings((), frozenset(), other_bodies={"/v1/audio/": audio})
    assert settings.limits_of("/v1/audio/transcriptions") == audio
    for path in ("/v1/audio", "/v1/runs", "/", "/V1/AUDIO/x"):
        assert settings.limits_of(path) == BodyLimits(frozenset({"application/json"}), 2_000_000)


async def test_the_limits_of_a_path_are_kept() -> None:
    audio = BodyLimits(frozenset({"audio/wav"}), 10)
    hosts = host_values(["127.0.0.1"], 8765)
    settings = SecuritySettings(TOKENS, hosts, other_bodies={"/v1/audio/": audio})
    transport = httpx.ASGITransport(SecurityMiddleware(say_who, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        for content, media_type, status in (
            (b"12345678901", "audio/wav", 413),
            (b"{}", "application/json", 415),
            (b"1234567890", "audio/wav", 200),
        ):
            headers = {**bearer(), "Content-Type": media_type}
            answer = await client.post("/v1/audio/transcriptions", content=content, headers=headers)
            assert answer.status_code == status


# --- answers -------------------------------------------------------------------------------------


async def test_there_are_no_pages_that_run_scripts_from_elsewhere(client: httpx.AsyncClient) -> None:
    for path in ("/docs", "/redoc"):
        refused(await client.get(path), 404, "not_found")


async def test_answers_are_kept_out_of_caches_and_not_sniffed(client: httpx.AsyncClient) -> None:
    for path in ("/v1/models", "/healthz", "/v1/runs", "/openapi.json"):
        headers = (await client.get(path)).headers
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")


# --- every route ---------------------------------------------------------------------------------


SCOPES = {
    "none": "GET /healthz",
    "read": """
        GET /openapi.json
        GET /readyz
        GET /metrics
        GET /v1/tools
        GET /v1/models
        GET /v1/models/{model}
        GET /v1/runs
        GET /v1/runs/{run}
        GET /v1/runs/{run}/events
        GET /v1/responses/{response}
        GET /v1/responses/{response}/input_items
    """,
    "run": """
        POST /v1/chat/completions
        POST /v1/responses
        POST /v1/responses/{response}/cancel
        POST /v1/embeddings
        POST /v1/runs
        POST /v1/runs/{run}/cancel
        POST /v1/runs/{run}/approve
        POST /v1/runs/{run}/reject
        POST /v1/runs/{run}/undo
        POST /v1/runs/{run}/tasks/{task}/approve
        POST /v1/runs/{run}/tasks/{task}/reject
        POST /v1/runs/{run}/tasks/{task}/undo
        POST /mcp
        GET /mcp
        DELETE /mcp
    """,
    "worker": """
        POST /v1/worker/claim
        POST /v1/worker/tasks/{task}/heartbeat
        POST /v1/worker/tasks/{task}/result
    """,
    "admin": """
        DELETE /v1/runs/{run}
        DELETE /v1/responses/{response}
    """,
}
"""Who gets in where, written down once more by hand: a new route needs a line here."""
ROUTES = [(*line.split(), scope) for scope, lines in SCOPES.items() for line in lines.strip().splitlines()]
NAMES = {ADMIN: "admin", READER: "read", RUNNER: "run", WORKER: "worker"}


def test_the_table_has_every_route_of_the_document_with_its_scope(api: Api) -> None:
    declared = {
        (method.upper(), path) for path, methods in api.app.openapi()["paths"].items() for method in methods
    }
    outside = {("GET", "/openapi.json"), ("POST", "/mcp"), ("GET", "/mcp"), ("DELETE", "/mcp")}
    assert {(method, path) for method, path, _ in ROUTES} == declared | outside


@pytest.mark.parametrize(("method", "path", "scope"), ROUTES)
async def test_every_route_lets_in_the_tokens_of_its_scope_and_no_other(
    api: Api, method: str, path: str, scope: str
) -> None:
    del api.client.headers["Authorization"]
    target = re.sub(r"\{\w+\}", "0", path) + ("?after=x" if path.endswith("/events") else "")
    options: dict[str, Any] = {"content": b"no JSON"}
    typed = {"Content-Type": "application/json"}
    unnamed = await api.client.request(method, target, headers=typed, **options)
    assert unnamed.status_code == (200 if scope == "none" else 401)
    for token, its_scope in NAMES.items():
        answer = await api.client.request(method, target, headers={**typed, **bearer(token)}, **options)
        if scope == "none" or its_scope in (scope, "admin"):
            assert answer.status_code not in (401, 403), its_scope
        else:
            refused(answer, 403, "forbidden")
            assert f"`{scope}`" in answer.json()["error"]["message"]


# --- tokens that end while they are used ---------------------------------------------------------


@pytest.mark.parametrize("streams", [False, True])
async def test_an_answer_that_begins_after_the_token_ended_is_not_given(streams: bool) -> None:
    """The request was let in; the answer is what its bearer may not see any more."""
    known = [HashedToken("brief", digest_of(b"a-token-for-a-moment"), frozenset({"read"}))]

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        known.clear()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"7")]})
        await send({"type": "http.response.body", "body": b"private", "more_body": streams})
        if streams:
            await send({"type": "http.response.body", "body": b""})

    settings = SecuritySettings((), host_values(["127.0.0.1"], 8765), more_tokens=lambda: known)
    transport = httpx.ASGITransport(SecurityMiddleware(slow, settings))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        answer = await client.get("/v1/models", headers=bearer("a-token-for-a-moment"))
    refused(answer, 401, "unauthorized")
    assert "private" not in answer.text


@pytest.mark.parametrize(
    "secret", ["ein-geheimes-wort-voilà", "two\nlines-of-a-token", "a-token-of-\x00zeros"]
)
def test_a_token_that_no_request_can_send_is_no_setting(secret: str) -> None:
    with pytest.raises(ConfigurationError, match="no request can send"):
        SecuritySettings((Token("odd", secret, frozenset({"admin"})),), frozenset())


# --- failures of the guards themselves -----------------------------------------------------------


async def test_a_failure_before_any_route_has_the_shape_of_all_failures(
    make_api: MakeApi, caplog: pytest.LogCaptureFixture
) -> None:
    api = make_api()

    def broken() -> list[Token]:
        raise ValueError("private words")

    settings = SecuritySettings((), host_values(["127.0.0.1"], 8765), more_tokens=broken)
    app = create_app(api.engine, settings, figures=Metrics())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8765") as client:
        answer = await client.get("/v1/models", headers=bearer())
    refused(answer, 500, "internal")
    assert "unexpected ValueError" in caplog.text
    assert "private words" not in caplog.text + answer.text


@pytest.mark.parametrize(
    "place", ["path", "query", "header", "model", "planner", "key", "role", "media type"]
)
async def test_no_error_repeats_more_than_a_little_of_what_was_sent(api: Api, place: str) -> None:
    huge = "x" * 15_000
    message = {"role": "user", "content": "go"}
    chat: dict[str, Any] = {"model": "tinyagent", "messages": [message]}
    match place:
        case "path":
            answer = await api.client.get(f"/v1/models/{huge}")
        case "query":
            answer = await api.client.get("/v1/models", params={huge: "1"})
        case "header":
            answer = await api.client.get("/v1/runs/run_0/events", headers={"Last-Event-ID": huge})
        case "model":
            answer = await api.client.post("/v1/chat/completions", json={**chat, "model": huge})
        case "planner":
            answer = await api.client.post("/v1/runs", json={"query": "go", "planner": huge})
        case "key":
            answer = await api.client.post("/v1/chat/completions", json={**chat, huge: 1})
        case "role":
            answer = await api.client.post(
                "/v1/chat/completions", json={**chat, "messages": [{**message, "role": huge}]}
            )
        case _:
            headers = {"Content-Type": f"application/{huge}"}
            answer = await api.client.post("/v1/runs", content=b"{}", headers=headers)
    assert answer.status_code in (400, 404, 415, 422), answer.text[:300]
    assert len(answer.text) < 3_000
