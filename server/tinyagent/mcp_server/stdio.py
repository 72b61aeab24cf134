"""A server over this process's standard input and output."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

from tinyagent.mcp_server.groups import first_of

Speak = Callable[[Server[Any]], Awaitable[None]]


@asynccontextmanager
async def standard_streams() -> AsyncGenerator[Speak]:
    """What serves one client until its input ends.

    Within the context, what else is printed goes to standard error, and what else reads finds nothing:
    enter it before anything of others is loaded.
    """
    try:
        async with stdio_server() as (incoming, outgoing):

            async def speak(server: Server[Any]) -> None:
                await server.run(incoming, outgoing, server.create_initialization_options())

            yield speak
    except ExceptionGroup as group:
        raise first_of(group) from None
