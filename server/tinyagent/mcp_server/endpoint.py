"""`/mcp`: the protocol over streamable HTTP, as an ASGI application.

Who gets in was decided before; a session belongs to the token that opened it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from types import TracebackType
from typing import Any, Self

from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from tinyagent.engine.runs import RunService
from tinyagent.mcp_server.peer import Context
from tinyagent.mcp_server.server import build_server

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_SESSIONS = 100
IDLE_S = 1_800.0
"""How long a session is kept whose client does nothing."""


class McpEndpoint:
    """Serves `/mcp` from its first request on. Use as an async context manager; at its end sessions end.

    `caller_key` is where the scope holds the name of the request's token.
    """

    def __init__(self, runs: RunService, caller_key: str) -> None:
        def caller(context: Context) -> str:
            return str(context.request.scope[caller_key]) if context.request else ""

        self._caller_key = caller_key
        self._sessions = StreamableHTTPSessionManager(
            build_server(runs, caller), session_idle_timeout=IDLE_S, max_sessions=MAX_SESSIONS
        )
        self._serving: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()
        self._ending = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._serving is None:
            # A task of its own: the sessions' tasks end in the one that they began in.
            self._serving = asyncio.create_task(self._serve(), name="mcp sessions")
        await self._ready.wait()
        owner = AuthenticatedUser(AccessToken(token="", client_id=str(scope[self._caller_key]), scopes=[]))
        await self._sessions.handle_request({**scope, "user": owner}, receive, send)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all sessions; the runs that they began go on."""
        self._ending.set()
        if self._serving is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._serving

    async def _serve(self) -> None:
        async with self._sessions.run():
            self._ready.set()
            await self._ending.wait()
