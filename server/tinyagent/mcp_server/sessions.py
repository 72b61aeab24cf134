"""The sessions of clients over streamable HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_SESSIONS = 100
"""Of one token, so that none takes those of another."""
IDLE_S = 1_800.0
"""How long a session is kept whose client does nothing."""


class Sessions:
    """The sessions that one token has opened, in a task of their own: theirs end in the one they began in."""

    def __init__(self, server: Server[Any]) -> None:
        self._manager = StreamableHTTPSessionManager(
            server, session_idle_timeout=IDLE_S, max_sessions=MAX_SESSIONS
        )
        self._ready = asyncio.Event()
        self._ending = asyncio.Event()
        self._serving = asyncio.create_task(self._serve(), name="mcp sessions")

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request, as an ASGI application."""
        await self._ready.wait()
        await self._manager.handle_request(scope, receive, send)

    async def close(self) -> None:
        """End them all; the runs that they began go on."""
        self._ending.set()
        await asyncio.wait({self._serving})

    async def _serve(self) -> None:
        async with self._manager.run():
            self._ready.set()
            await self._ending.wait()
