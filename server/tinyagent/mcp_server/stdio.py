"""A server over this process's standard input and output."""

from __future__ import annotations

from typing import Any

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server


async def speak(server: Server[Any]) -> None:
    """Serve one client until its input ends. What else is printed meanwhile goes to standard error."""
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())
