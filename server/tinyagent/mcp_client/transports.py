"""The way to a server: a program's standard input and output, or HTTP."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, TextIO, cast

import anyio
import httpx2
from mcp.client import Transport
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tinyagent.loopback import is_local_url
from tinyagent.mcp_client.servers import McpServer

logger = logging.getLogger(__name__)

INHERITED = ("LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "TZ")
"""Variables that a program gets of ours, besides PATH, HOME and the user's name, which the SDK passes on."""
MAX_ANSWER_BYTES = 8 << 20
CONNECT_S = 10.0

_LIBRARIES = ("mcp", "client", "httpx2", "httpcore2")
"""Loggers that quote what servers and users write ("client" is the SDK's, too)."""


class HttpTrouble(Exception):
    """An answer of a server that says why nothing comes of it."""


class Line:
    """A connection while it lasts. `ended` is set when the other side has closed it.

    `status` is that of the latest answer over HTTP to a message of ours, 0 before the first.
    """

    def __init__(self) -> None:
        self.ended = anyio.Event()
        self.status = 0

    @property
    def trouble(self) -> str:
        """What the latest answer over HTTP says against the server, or an empty string."""
        if self.status in (401, 403):
            return f"it does not let us in (HTTP {self.status}); look at its token"
        return f"it answers with HTTP {self.status}" if self.status >= 400 else ""

    @property
    def forgotten(self) -> bool:
        """Whether the server no longer knows who we are."""
        return self.status in (401, 403, 404)

    def transport(self, server: McpServer) -> Transport:
        """How the SDK is to reach the server. To be entered once."""
        return cast("Transport", self._opened(server))

    @asynccontextmanager
    async def _opened(self, server: McpServer) -> AsyncGenerator[tuple[Any, Any]]:
        async with AsyncExitStack() as stack:
            read, write = await stack.enter_async_context(
                self._http(server) if server.url else _program(server)
            )
            yield _Watched(read, self.ended), write

    @asynccontextmanager
    async def _http(self, server: McpServer) -> AsyncGenerator[tuple[Any, Any]]:
        token = await asyncio.to_thread(server.token)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        client = httpx2.AsyncClient(
            headers={**headers, "Accept-Encoding": "identity"},
            timeout=httpx2.Timeout(CONNECT_S, read=None),
            trust_env=not is_local_url(server.url),
            event_hooks={"response": [self._look_at]},
        )
        async with client, streamable_http_client(server.url, http_client=client) as streams:
            yield streams

    async def _look_at(self, response: httpx2.Response) -> None:
        """Note how a request was answered, and bound what is read of the answer."""
        if response.request.method == "POST":
            self.status = response.status_code
        if response.headers.get("content-encoding", "identity") != "identity":
            raise HttpTrouble("it compresses its answers, although it was asked not to")
        if not response.headers.get("content-type", "").lower().startswith("text/event-stream"):
            response.stream = _Bounded(cast("httpx2.AsyncByteStream", response.stream))


def be_quiet() -> None:
    """Keep the libraries out of the log: they quote messages, which are private."""
    for name in _LIBRARIES:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)


@asynccontextmanager
async def _program(server: McpServer) -> AsyncGenerator[tuple[Any, Any]]:
    with _nowhere() as nowhere:
        told = sys.stderr if logger.isEnabledFor(logging.DEBUG) else nowhere
        async with stdio_client(_parameters(server), errlog=told) as streams:
            yield streams


def _nowhere() -> TextIO:
    return Path(os.devnull).open("w")


def _parameters(server: McpServer) -> StdioServerParameters:
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return StdioServerParameters(
        command=str(Path(server.command[0]).expanduser()),
        args=list(server.command[1:]),
        env={**inherited, **server.env},
        encoding_error_handler="replace",
    )


class _Bounded(httpx2.AsyncByteStream):
    """A body that breaks off when it is longer than any answer should be."""

    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        read = 0
        async for chunk in self._stream:
            read += len(chunk)
            if read > MAX_ANSWER_BYTES:
                raise HttpTrouble(f"its answer is longer than {MAX_ANSWER_BYTES} bytes")
            yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


class _Watched:
    """The stream of a server's messages, which tells when it is over."""

    def __init__(self, stream: Any, ended: anyio.Event) -> None:
        self._stream = stream
        self._ended = ended

    @property
    def last_context(self) -> Any:
        """What the SDK keeps with a message, where the stream has it."""
        return getattr(self._stream, "last_context", None)

    async def receive(self) -> Any:
        return await self._stream.receive()

    async def aclose(self) -> None:
        await self._stream.aclose()

    def __aiter__(self) -> _Watched:
        return self

    async def __anext__(self) -> Any:
        return await self._stream.__anext__()

    async def __aenter__(self) -> _Watched:
        await self._stream.__aenter__()
        return self

    async def __aexit__(self, *failure: Any) -> Any:
        self._ended.set()
        return await self._stream.__aexit__(*failure)
