"""A real MCP server, written with the official SDK, with good and with bad tools.

`program()` is the command that runs it on standard input and output; `http_server()` serves it at a URL,
with a token where one is given. What is booked is written to the file `BOOKINGS` of its environment.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    ImageContent,
    ResourceLink,
    TextContent,
    ToolAnnotations,
)
from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

START_S = 30.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def program() -> tuple[str, ...]:
    """The command of a server that speaks on standard input and output."""
    return (sys.executable, str(Path(__file__)))


@contextmanager
def http_server(port: int = 0, token: str = "") -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A server at a URL, in a process of its own."""
    port = port or free_port()
    process = subprocess.Popen([*program(), str(port), token], stderr=subprocess.DEVNULL)
    try:
        _wait_until_open(port, process)
        yield f"http://127.0.0.1:{port}/mcp", process
    finally:
        process.kill()
        process.wait()


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert process.poll() is None, "the MCP server ended"
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    raise AssertionError("the MCP server did not start")


class Secret(BaseModel):
    """What the server would like to hear."""

    secret: str


def _serve() -> None:
    server = MCPServer("weather", log_level="CRITICAL")
    reads = ToolAnnotations(read_only_hint=True)

    @server.tool(annotations=reads)
    def forecast(city: str, days: int = 1) -> str:
        """Get the weather forecast for a city for the next days."""
        return f"{city}: rain for {days} days"

    @server.tool()
    def book(room: str) -> str:
        """Book a room of the hotel."""
        with Path(os.environ["BOOKINGS"]).open("a") as file:
            file.write(f"{room}\n")
        return f"Booked {room} as number 7."

    @server.tool(annotations=reads)
    def totals() -> dict[str, int]:
        """Number of rooms by kind."""
        return {"single": 3, "double": 4}

    @server.tool(annotations=reads, structured_output=False)
    def mixed() -> list[ContentBlock]:
        """A text, a picture, a sound and a link."""
        return [
            TextContent(text="first"),
            ImageContent(data="AAAA", mime_type="image/png"),
            AudioContent(data="AAAA", mime_type="audio/wav"),
            ResourceLink(name="page", uri="https://example.org/page"),
        ]

    @server.tool(annotations=reads, structured_output=False)
    def bare() -> CallToolResult:
        """A structured value without a text."""
        return CallToolResult(content=[], structured_content={"rooms": 3})

    @server.tool(annotations=reads)
    def fail(reason: str) -> str:
        """Always fails."""
        raise ToolError(reason)

    @server.tool(annotations=reads)
    async def wait() -> str:
        """Never answers."""
        await asyncio.sleep(3600)
        return ""

    @server.tool()
    async def wait_writing() -> str:
        """Never answers, and says that it writes."""
        await asyncio.sleep(3600)
        return ""

    @server.tool(annotations=reads)
    def die() -> str:
        """The server ends in the middle."""
        os._exit(3)

    @server.tool()
    def die_writing() -> str:
        """The server ends in the middle of what writes."""
        os._exit(3)

    @server.tool(annotations=reads)
    def environment() -> str:
        """The server's variables, as JSON."""
        return json.dumps(dict(os.environ))

    @server.tool(annotations=reads)
    async def ask(context: Context) -> str:
        """Asks the client for a secret."""
        return str(await context.elicit("Your password, please", Secret))

    @server.tool()
    async def grow(context: Context) -> str:
        """Offers one tool more from now on."""

        def grown() -> str:
            """A tool that was not there before."""
            return "grown"

        server.add_tool(grown, annotations=reads)
        await context.notify_tools_changed()
        return "grew"

    if len(sys.argv) < 2:
        print("the server says something private", file=sys.stderr, flush=True)
        server.run("stdio")
        return
    _serve_http(server.streamable_http_app(), int(sys.argv[1]), sys.argv[2])


def _serve_http(app: object, port: int, token: str) -> None:
    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        given = dict(scope.get("headers", [])).get(b"authorization", b"").decode()
        if scope["type"] == "http" and token and given != f"Bearer {token}":
            await send({"type": "http.response.start", "status": 401, "headers": []})
            await send({"type": "http.response.body", "body": b"no"})
            return
        inner: ASGIApp = app  # type: ignore[assignment]
        await inner(scope, receive, send)

    uvicorn.run(guarded, host="127.0.0.1", port=port, log_level="critical")


if __name__ == "__main__":
    _serve()
