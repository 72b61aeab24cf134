"""Why a server cannot be used, in words for people."""

from __future__ import annotations

from collections.abc import Iterator

import httpx2
from mcp import MCPError
from mcp_types import CONNECTION_CLOSED
from pydantic import ValidationError

from tinyagent.mcp_client.servers import McpServer
from tinyagent.mcp_client.texts import one_line
from tinyagent.mcp_client.transports import HttpTrouble


def reason_of(error: BaseException, server: McpServer, seconds: float) -> str:
    """What went wrong with a connection, as the end of a sentence that begins with the server's name."""
    for cause in _causes(error):
        if isinstance(cause, TimeoutError):
            return f"did not answer within {seconds:g} seconds"
        if isinstance(cause, HttpTrouble):
            return f"cannot be used: {cause}"
        if isinstance(cause, (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL)):
            return f"cannot be reached at {server.place}"
        if isinstance(cause, MCPError):
            if cause.code == CONNECTION_CLOSED:
                return ended(server)
            return f"refused: {one_line(cause.message, 200) or 'it did not say why'}"
        if isinstance(cause, ValidationError):
            return "answered with what is not of its protocol"
        if isinstance(cause, OSError) and server.command:
            return f"cannot be started: {server.command[0]}: {cause.strerror or type(cause).__name__}"
    return f"failed ({type(error).__name__})"


def ended(server: McpServer) -> str:
    """A connection that the other side closed."""
    return "ended" if server.command else "closed the connection"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The errors that a group holds, or the error itself."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
            yield from _causes(one)  # pyright: ignore[reportUnknownArgumentType]
    else:
        yield error
