"""Carries out calls by the servers that are configured."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import (
    AppFailed,
    ArgumentError,
    DeadlineExceeded,
    NotConfigured,
    OutcomeUnknown,
    ToolError,
    UnknownTool,
)
from tinyagent.mcp_client.connection import Connection, Declined, Lost, NotConnected
from tinyagent.mcp_client.offers import Names, Offer, offers_of, placeholder
from tinyagent.mcp_client.results import result_of
from tinyagent.mcp_client.servers import McpServer, Patience
from tinyagent.ports import CallContext, ToolResult, ToolStatus


class McpToolHost:
    """The tools of all configured servers, which are connected in the background at the first use.

    No tool is called by a name that is `taken`.
    """

    def __init__(
        self, servers: Sequence[McpServer], taken: Collection[str] = (), patience: Patience | None = None
    ) -> None:
        self._names = Names(taken, [server.name for server in servers])
        read = partial(offers_of, names=self._names)
        self._connections = [Connection(server, patience or Patience(), read) for server in servers]

    async def settle(self, seconds: float) -> None:
        """Wait until each server is connected or has failed once, at most so long."""
        for connection in self._connections:
            connection.start()
        waiting = [asyncio.create_task(connection.settled.wait()) for connection in self._connections]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=seconds)
            for task in late:
                task.cancel()

    async def close(self) -> None:
        """End all connections and the programs behind them."""
        await asyncio.gather(*(connection.close() for connection in self._connections))

    def tools(self) -> Sequence[ToolStatus]:
        """All tools, the disabled ones with the reason. A server whose tools are not known has one entry."""
        return [status for connection in self._connections for status in self._statuses(connection)]

    async def details(self, tool: str, arguments: Sequence[Any], context: CallContext) -> dict[str, str]:
        """Which server the call goes to."""
        connection, _ = self._find(tool)
        return {"server": connection.server.name}

    async def call(self, tool: str, arguments: Sequence[Any], context: CallContext) -> ToolResult:
        """Have the server carry out the call. Its results are text that others wrote."""
        connection, offer = self._find(tool)
        server, spec = connection.server, offer.spec
        if context.planned is not None and not _same(context.planned, spec):
            raise AppFailed(f"{tool} was not begun: {server.title} has changed it since it was planned.")
        spec.check(arguments)
        values = _sendable(spec, arguments)
        seconds = min(server.timeout_s, context.seconds)
        try:
            result = await connection.call(offer.remote, values, seconds)
        except NotConnected as error:
            raise AppFailed(f"{tool} was not begun: {server.title} {error}.") from None
        except Declined as error:
            raise AppFailed(f"{tool} was not done: {server.title} {error}.") from None
        except TimeoutError:
            late = f"{tool}: {server.title} did not answer within {seconds:g} seconds"
            raise _broken(spec, late, DeadlineExceeded) from None
        except Lost as error:
            raise _broken(spec, f"{tool}: {server.title} {error}", AppFailed) from None
        return result_of(server, spec, result)

    async def undo(self, tool: str, record: Mapping[str, str], context: CallContext) -> str:
        """Never possible: the protocol has no such thing."""
        raise ToolError(f"What {tool} did cannot be taken back.")

    def _find(self, tool: str) -> tuple[Connection, Offer]:
        for connection in self._connections:
            connection.start()
            for offer in connection.offers:
                if offer.spec.name == tool:
                    if offer.refused:
                        raise NotConfigured(offer.refused)
                    return connection, offer
        raise UnknownTool(f"There is no tool called {tool}.")

    def _statuses(self, connection: Connection) -> list[ToolStatus]:
        connection.start()
        server, offers = connection.server, connection.offers
        off = f"{server.title} {connection.problem}." if connection.problem else ""
        if not offers and off:
            return [ToolStatus(placeholder(server, self._names), False, off)]
        return [
            ToolStatus(one.spec, not (one.refused or off), one.refused or off, asks=_asks(server, one.spec))
            for one in offers
        ]


def _same(planned: ToolSpec, now: ToolSpec) -> bool:
    """Whether arguments that were fitted to one spec mean the same to the other."""
    keys = [[(one.name, one.key) for one in spec.parameters] for spec in (planned, now)]
    return keys[0] == keys[1] and planned.effect == now.effect


def _asks(server: McpServer, spec: ToolSpec) -> str:
    """Why a call is asked for first, or an empty string."""
    if server.asking == "auto" or (server.asking == "reads" and spec.effect == "read"):
        return ""
    return f"The settings ask before the MCP server {server.name} is used."


def _sendable(spec: ToolSpec, arguments: Sequence[Any]) -> dict[str, Any]:
    """The arguments by the server's names. Raises ArgumentError for what no message can hold."""
    values = spec.values(arguments)
    try:
        json.dumps(values, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, TypeError, RecursionError):
        raise ArgumentError(f"{spec.name}: an argument holds what cannot be sent.") from None
    return values


def _broken(
    spec: ToolSpec, sentence: str, reading: type[AppFailed] | type[DeadlineExceeded]
) -> ToolError | DeadlineExceeded:
    """The error for a call that was handed over and of which nothing more is known."""
    if spec.effect == "read":
        return reading(f"{sentence}.")
    return OutcomeUnknown(
        f"{sentence}; it may have been done or not.", hint="Look there before you ask for it again."
    )
