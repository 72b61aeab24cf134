"""`/mcp`: the protocol over streamable HTTP, as an ASGI application.

Who gets in was decided before; a session belongs to the token that opened it. The protocol's library, which
takes long to load, is loaded at the first request.
"""

from __future__ import annotations

import asyncio
import importlib
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from tinyagent.engine.runs import RunService

if TYPE_CHECKING:
    from mcp.server.lowlevel import Server

    from tinyagent.mcp_server.peer import Context
    from tinyagent.mcp_server.sessions import Receive, Scope, Send, Sessions


class McpEndpoint:
    """Serves `/mcp` from its first request on. Use as an async context manager; at its end sessions end.

    `caller_key` is where the scope holds the name of the request's token.
    """

    def __init__(self, runs: RunService, caller_key: str) -> None:
        self._runs = runs
        self._caller_key = caller_key
        self._server: Server[Any] | None = None
        self._sessions: dict[str, Sessions] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._server is None:
            await asyncio.to_thread(importlib.import_module, "tinyagent.mcp_server.sessions")
            await asyncio.to_thread(importlib.import_module, "tinyagent.mcp_server.server")
        await self._sessions_of(str(scope[self._caller_key])).handle(scope, receive, send)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all sessions; the runs that they began go on."""
        await asyncio.gather(*(sessions.close() for sessions in self._sessions.values()))

    def _sessions_of(self, caller: str) -> Sessions:
        from tinyagent.mcp_server.server import build_server
        from tinyagent.mcp_server.sessions import Sessions

        if self._server is None:
            self._server = build_server(self._runs, self._caller)
        if caller not in self._sessions:
            self._sessions[caller] = Sessions(self._server)
        return self._sessions[caller]

    def _caller(self, context: Context) -> str:
        return str(context.request.scope[self._caller_key]) if context.request else ""
