"""What is not a proper client: pages, strangers, thieves of sessions, and bodies that make no sense."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.mcp.conftest import MODERN, OWNER, READER, RUNNER, Serve, Served

PAGE = "https://pages.example"


def begin(version: str = "2025-11-25") -> dict[str, Any]:
    params = {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "raw", "version": "1"},
    }
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


def listing(number: int = 2) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": "tools/list"}


def modern(method: str = "tools/list", **params: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """A request that says all there is to know, and its headers."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": meta}}
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    return body, headers


async def session(raw: httpx.AsyncClient) -> dict[str, str]:
    """Open a session; the header that names it."""
    answer = await raw.post("/mcp", json=begin())
    assert answer.status_code == 200, answer.text
    named = {"Mcp-Session-Id": answer.headers["mcp-session-id"]}
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await raw.post("/mcp", json=ready, headers=named)).status_code == 202
    return named


def message_of(answer: httpx.Response) -> dict[str, Any]:
    """The JSON-RPC message in an answer, or in its one event."""
    if answer.headers["content-type"].startswith("application/json"):
        return answer.json()
    [data] = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    return json.loads(data)


async def test_proper_requests_of_both_eras_are_answered(serve: Serve) -> None:
    served = await serve()
    async with served.raw() as raw:
        answer = await raw.post("/mcp", json=listing(), headers=await session(raw))
        body, headers = modern()
        other = await raw.post("/mcp", json=body, headers=headers)
    for one in (answer, other):
        tools = message_of(one)["result"]["tools"]
        assert [tool["name"] for tool in tools] == ["run", "look", "keep", "tell"]
        assert one.headers["cache-control"] == "no-store"


# --- who gets in -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Bearer {READER}"}, 403),
        ({"Origin": PAGE}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
    ],
)
async def test_strangers_are_refused_whatever_they_send(
    serve: Serve, headers: dict[str, str], status: int
) -> None:
    served = await serve()
    async with served.raw() as raw:
        for method in ("POST", "GET", "DELETE"):
            body = begin() if method == "POST" else None
            answer = await raw.request(method, "/mcp", headers=headers, json=body)
            assert answer.status_code == status
            if status == 401:
                assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_known_page_may_come_in(serve: Serve) -> None:
    served = await serve(origins=frozenset({PAGE}))
    async with served.raw() as raw:
        assert (await raw.post("/mcp", json=begin(), headers={"Origin": PAGE})).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/.well-known/oauth-protected-resource",
        "/.well-known/oauth-protected-resource/mcp",
        "/.well-known/oauth-authorization-server",
        "/register",
    ],
)
async def test_there_is_no_oauth_to_be_discovered(serve: Serve, path: str) -> None:
    served = await serve()
    async with served.raw(None) as stranger, served.raw(OWNER) as owner:
        refused = await stranger.get(path)
        assert refused.status_code == 401 and "Bearer" in refused.headers["www-authenticate"]
        assert (await owner.get(path)).status_code == 404


# --- sessions --------------------------------------------------------------------------------


async def test_a_session_of_another_token_does_not_exist(serve: Serve) -> None:
    served = await serve()
    async with served.raw(OWNER) as owner, served.raw(RUNNER) as thief:
        stolen, made_up = await session(owner), {"Mcp-Session-Id": "0" * 32}
        for method in ("POST", "GET", "DELETE"):
            body = listing() if method == "POST" else None
            answer = await thief.request(method, "/mcp", headers=stolen, json=body)
            unknown = await thief.request(method, "/mcp", headers=made_up, json=body)
            assert (answer.status_code, answer.text) == (unknown.status_code, unknown.text)
            assert answer.status_code == 404
        assert (await owner.post("/mcp", json=listing(), headers=stolen)).status_code == 200


async def test_an_ended_session_is_gone(serve: Serve) -> None:
    served = await serve()
    async with served.raw() as raw:
        named = await session(raw)
        assert (await raw.delete("/mcp", headers=named)).status_code == 200
        assert (await raw.post("/mcp", json=listing(), headers=named)).status_code == 404


async def test_a_request_without_a_session_is_refused(serve: Serve) -> None:
    served = await serve()
    async with served.raw() as raw:
        assert (await raw.post("/mcp", json=listing())).status_code == 400


async def test_a_cancellation_in_one_session_does_not_reach_another(serve: Serve) -> None:
    served = await serve()
    async with served.raw() as raw:
        first, second = await session(raw), await session(raw)
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}
        await raw.post("/mcp", json=cancelled, headers=second)
        call = {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "look", "arguments": {"a": "x"}},
        }
        answer = await raw.post("/mcp", json=call, headers=first)
    assert message_of(answer)["result"]["isError"] is False


# --- bodies ----------------------------------------------------------------------------------

NONSENSE: list[tuple[str, Any]] = [
    ("no JSON", b"{"),
    ("a batch", [begin(), listing()]),
    ("an empty batch", []),
    ("a number", 7),
    ("no method", {"jsonrpc": "2.0", "id": 1}),
    ("an old version", {"jsonrpc": "1.0", "id": 1, "method": "initialize"}),
    ("deep", b"[" * 5_000),
    ("a wrong id", {"jsonrpc": "2.0", "id": {}, "method": "tools/list"}),
]


@pytest.mark.parametrize("body", [body for _, body in NONSENSE], ids=[name for name, _ in NONSENSE])
async def test_nonsense_is_refused_and_the_server_goes_on(serve: Serve, body: Any) -> None:
    served = await serve()
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with served.raw() as raw:
        for version in ("2025-11-25", MODERN, "1999-01-01"):
            answer = await raw.post("/mcp", content=content, headers={"MCP-Protocol-Version": version})
            assert 400 <= answer.status_code < 500, answer.text
        assert (await raw.post("/mcp", json=begin())).status_code == 200
    assert await served.runs() == []


async def test_a_body_that_is_too_long_is_refused(serve: Serve) -> None:
    served = await serve(max_json_bytes=10_000)
    body, headers = modern("tools/call", name="look", arguments={"a": "x" * 20_000})
    async with served.raw() as raw:
        assert (await raw.post("/mcp", json=body, headers=headers)).status_code == 413


async def test_a_body_that_is_no_json_is_refused(serve: Serve) -> None:
    served = await serve()
    async with served.raw() as raw:
        answer = await raw.post("/mcp", content=b"a=1", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415


async def test_a_client_that_reads_no_event_streams_is_told(serve: Serve) -> None:
    served = await serve()
    async with served.raw() as raw:
        answer = await raw.post("/mcp", json=begin(), headers={"Accept": "text/html"})
    assert answer.status_code == 406


@pytest.mark.parametrize(
    "arguments", [None, {"a": {"b": []}}, {"a": "\ud800"}, {"a": "\x00"}, {"a": "x" * 100_000}]
)
async def test_odd_arguments_do_no_harm(serve: Serve, arguments: Any) -> None:
    served = await serve()
    body, headers = modern("tools/call", name="look", arguments=arguments)
    if arguments is None:
        del body["params"]["arguments"]
    async with served.raw() as raw:
        answer = await raw.post("/mcp", content=json.dumps(body).encode(), headers=headers)
        assert answer.status_code in (200, 400), answer.text
        assert message_of(answer)
        await still_well(served, raw)


async def still_well(served: Served, raw: httpx.AsyncClient) -> None:
    body, headers = modern("tools/call", name="look", arguments={"a": "x"})
    answer = await raw.post("/mcp", json=body, headers=headers)
    assert message_of(answer)["result"]["isError"] is False
