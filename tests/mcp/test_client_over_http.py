"""Addresses that answer badly: what they say is bounded, and the token goes nowhere else."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from tests.support.local_http import serving
from tests.support.scripted import NOW
from tinyagent.errors import AppFailed
from tinyagent.mcp_client import McpServer, McpToolHost, Patience
from tinyagent.mcp_client.transports import MAX_ANSWER_BYTES
from tinyagent.ports import CallContext

PATIENCE = Patience(connect_s=10, retry_s=30, longest_retry_s=30)

Answering = Callable[[BaseHTTPRequestHandler, dict[str, Any]], None]


@contextmanager
def answering(answer: Answering) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server whose answers to messages are the test's; its URL and the headers that it was sent."""
    seen: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append({name.lower(): value for name, value in self.headers.items()})
            answer(self, json.loads(body))

        def do_GET(self) -> None:
            say(self, b"", 405)

        def do_DELETE(self) -> None:
            say(self, b"", 405)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with serving(Handler) as url:
        yield f"{url}/mcp", seen


def say(to: BaseHTTPRequestHandler, body: bytes, status: int = 200, **headers: str) -> None:
    to.send_response(status)
    for name, value in {"content_type": "application/json", **headers}.items():
        to.send_header(name.replace("_", "-"), value)
    to.send_header("Content-Length", str(len(body)))
    to.end_headers()
    to.wfile.write(body)


def reply(to: BaseHTTPRequestHandler, message: dict[str, Any]) -> None:
    """As a decent server of the year 2025 with one tool would."""
    results = {
        "initialize": {
            "protocolVersion": "2025-06-18",
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "x", "version": "1"},
        },
        "tools/list": {
            "tools": [
                {"name": "go", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}}
            ]
        },
    }
    if "id" not in message:
        say(to, b"", 202)
        return
    known = results.get(message["method"])
    outcome = {"result": known} if known else {"error": {"code": -32601, "message": "no"}}
    say(to, json.dumps({"jsonrpc": "2.0", "id": message["id"], **outcome}).encode())


async def reason(url: str) -> str:
    host = McpToolHost([McpServer("far", url=url, token=lambda: "s3cret")], (), PATIENCE)
    try:
        await host.settle(20)
        [status] = host.tools()
        assert not status.enabled
        return status.reason
    finally:
        await host.close()


PAGE = b"<!doctype html><title>Sign in</title>"
ANSWERS: list[tuple[Answering, str]] = [
    (lambda to, _: say(to, b"no", 403), "it does not let us in (HTTP 403)"),
    (lambda to, _: say(to, b"no", 500), "it answers with HTTP 500"),
    (lambda to, _: say(to, PAGE, content_type="text/html"), "refused: Unexpected content type"),
    (lambda to, _: say(to, b'{"jsonrpc": "2.0", "id"'), "refused: Failed to parse"),
    (lambda to, _: say(to, gzip.compress(b"{}"), content_encoding="gzip"), "it compresses its answers"),
    (lambda to, _: say(to, b" " * (MAX_ANSWER_BYTES + 1)), "its answer is longer than"),
]


@pytest.mark.parametrize(("answer", "told"), ANSWERS, ids=[told for _, told in ANSWERS])
async def test_an_answer_that_is_of_no_use_says_why(answer: Answering, told: str) -> None:
    with answering(answer) as (url, _):
        assert told in await reason(url)


async def test_the_token_does_not_follow_a_redirect_to_another_place() -> None:
    with answering(reply) as (elsewhere, seen):

        def redirect(to: BaseHTTPRequestHandler, _: dict[str, Any]) -> None:
            say(to, b"", 307, location=elsewhere)

        with answering(redirect) as (url, first):
            assert "Redirect" in await reason(url)
        assert first[0]["authorization"] == "Bearer s3cret"
        assert seen == []


async def test_a_call_that_is_answered_at_too_great_length_has_failed() -> None:
    def lengthy(to: BaseHTTPRequestHandler, message: dict[str, Any]) -> None:
        if message["method"] == "tools/call":
            say(to, b" " * (MAX_ANSWER_BYTES + 1))
        else:
            reply(to, message)

    with answering(lengthy) as (url, _):
        host = McpToolHost([McpServer("far", url=url, timeout_s=5)], (), Patience(retry_s=0.05))
        try:
            await host.settle(20)
            with pytest.raises(AppFailed, match="far_go: The MCP server far"):
                await host.call("far_go", [], CallContext(now=NOW))
        finally:
            await host.close()


async def test_an_event_without_end_is_broken_off() -> None:
    def endless(to: BaseHTTPRequestHandler, message: dict[str, Any]) -> None:
        if message["method"] != "tools/call":
            reply(to, message)
            return
        to.send_response(200)
        to.send_header("content-type", "text/event-stream")
        to.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(4 * MAX_ANSWER_BYTES // 65_536):
                to.wfile.write(b"data: " + b" " * 65_529 + b"\n")
            to.wfile.write(b'data: {"jsonrpc": "2.0", "id": %d, "result": ' % message["id"])
            to.wfile.write(b'{"content": [{"type": "text", "text": "done"}]}}\n\n')

    with answering(endless) as (url, _):
        host = McpToolHost([McpServer("far", url=url, timeout_s=20)], (), Patience(retry_s=0.05))
        try:
            await host.settle(20)
            with pytest.raises(AppFailed, match="far_go: The MCP server far"):
                await host.call("far_go", [], CallContext(now=NOW))
        finally:
            await host.close()


async def test_a_long_stream_of_events_is_read_to_its_end() -> None:
    def chatty(to: BaseHTTPRequestHandler, message: dict[str, Any]) -> None:
        if message["method"] != "tools/call":
            reply(to, message)
            return
        to.send_response(200)
        to.send_header("content-type", "text/event-stream")
        to.end_headers()
        for end in (b"\n", b"\r\n"):
            for _ in range(MAX_ANSWER_BYTES // 65_536):
                to.wfile.write(b": " + b"x" * 65_531 + end + end)
        to.wfile.write(b'data: {"jsonrpc": "2.0", "id": %d, "result": ' % message["id"])
        to.wfile.write(b'{"content": [{"type": "text", "text": "done"}]}}\n\n')

    with answering(chatty) as (url, _):
        host = McpToolHost([McpServer("far", url=url, timeout_s=20)], (), Patience(retry_s=0.05))
        try:
            await host.settle(20)
            assert (await host.call("far_go", [], CallContext(now=NOW))).value == "done"
        finally:
            await host.close()
