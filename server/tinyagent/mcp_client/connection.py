"""The connection to one server, kept up in the background."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import anyio
from mcp import MCPError
from mcp.client import Client, IncomingMessage
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    Implementation,
    InputRequiredResult,
    PaginatedRequestParams,
    Tool,
    ToolListChangedNotification,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import TypeAdapter, ValidationError

from tinyagent import __version__
from tinyagent.errors import log_unexpected
from tinyagent.mcp_client.offers import Offer
from tinyagent.mcp_client.reasons import ended, reason_of
from tinyagent.mcp_client.servers import McpServer, Patience
from tinyagent.mcp_client.transports import Line, be_quiet

logger = logging.getLogger(__name__)

MAX_PAGES = 32
_NOT_DONE = frozenset({INVALID_PARAMS, INVALID_REQUEST, METHOD_NOT_FOUND})
"""Errors by which a server says that a call is none."""
_ANSWER: Final[TypeAdapter[CallToolResult | InputRequiredResult]] = TypeAdapter(
    CallToolResult | InputRequiredResult
)


class NotConnected(Exception):
    """The call was not begun: nobody is there to take it."""


class Declined(Exception):
    """The server did not accept the call: nothing was done."""


class Lost(Exception):
    """The connection ended, or the server failed, after the call had been handed over."""


class Connection:
    """Connects when told to, lists the server's tools, and connects again when it was lost.

    Belongs to one event loop. `offers` are what is `read`, in a thread, of the latest listing; `problem`
    says why they cannot be called now, as the end of a sentence that begins with the server's name, and
    is empty when they can.
    """

    def __init__(
        self,
        server: McpServer,
        patience: Patience,
        read: Callable[[McpServer, Sequence[Tool]], tuple[Offer, ...]],
    ) -> None:
        self.server = server
        self.offers: tuple[Offer, ...] = ()
        self._read = read
        self.problem = "is not connected yet"
        self.settled = asyncio.Event()
        """Set when the first attempt to connect has succeeded or failed."""
        self._patience = patience
        self._client: Client | None = None
        self._changed = asyncio.Event()
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._scope = anyio.CancelScope()
        self._line = Line()

    def start(self) -> None:
        """Begin to connect, unless that was begun before. Nothing is waited for."""
        if self._task is None and not self._stop.is_set():
            be_quiet()
            self._task = asyncio.create_task(self._keep_up(), name=f"MCP server {self.server.name}")

    async def close(self) -> None:
        """End the connection, and the program behind it."""
        self._stop.set()
        if self._task is None:
            return
        if self._client is not None:
            self._line.ended.set()
            await asyncio.wait({self._task}, timeout=self._patience.farewell_s)
        self._scope.cancel()
        await asyncio.wait({self._task}, timeout=self._patience.stop_s)
        self._task.cancel()  # of use only when it did not end by itself

    async def call(self, tool: str, arguments: dict[str, Any], seconds: float) -> CallToolResult:
        """Call a tool by the server's name for it. Raises NotConnected, Declined, Lost or TimeoutError."""
        client, line = self._client, self._line
        if client is None:
            raise NotConnected(self.problem)
        # Not by the SDK's `call_tool`, which checks results by regular expressions that the server wrote.
        request = CallToolRequest(params=CallToolRequestParams(name=tool, arguments=arguments))
        try:
            async with asyncio.timeout(seconds):
                answer = await client.session.send_request(request, _ANSWER, seconds + 1)
        except (MCPError, ValidationError, RuntimeError) as error:
            if line.forgotten:
                line.ended.set()  # so that it is connected anew
            declined = isinstance(error, MCPError) and error.code in _NOT_DONE
            raise (Declined if declined else Lost)(reason_of(error, self.server, seconds)) from error
        if isinstance(answer, InputRequiredResult):
            raise Lost("asks for more, which is not given here")
        return answer

    # --- in the background --------------------------------------------------------------------

    async def _keep_up(self) -> None:
        failures = 0
        with self._scope:
            while not self._stop.is_set():
                started = time.monotonic()
                await self._connect_once()
                steady = time.monotonic() - started >= self._patience.steady_s
                failures = 1 if steady else failures + 1
                if self._stop.is_set():
                    return
                logger.warning("%s %s.", self.server.title, self.problem)
                await asyncio.sleep(self._patience.pause(failures))

    async def _connect_once(self) -> None:
        """Connect and stay connected as long as it lasts; `problem` says why it is over."""
        line = self._line = Line()
        try:
            await self._converse(line)
        except Exception as error:  # whatever the SDK and its transports let through
            reason = reason_of(error, self.server, self._patience.connect_s)
            self.problem = f"cannot be used: {line.trouble}" if line.trouble else reason
            if reason.startswith("failed"):
                log_unexpected(logger, self.server.title, error)
        finally:
            self._client = None
            self.settled.set()

    async def _converse(self, line: Line) -> None:
        client = Client(
            line.transport(self.server),
            cache=None,
            client_info=Implementation(name="tinyagent", version=__version__),
            message_handler=self._hear,
            read_timeout_seconds=self._patience.connect_s,
        )
        with anyio.fail_after(self._patience.connect_s) as deadline:
            async with client:
                await self._list(client)
                deadline.deadline = float("inf")
                self._client, self.problem = client, ""
                self.settled.set()
                async with anyio.create_task_group() as group:
                    group.start_soon(self._follow, client)
                    group.start_soon(self._refresh, client)
                    await line.ended.wait()
                    self._client, self.problem = None, ended(self.server)
                    group.cancel_scope.cancel()

    async def _hear(self, message: IncomingMessage) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._changed.set()

    async def _follow(self, client: Client) -> None:
        """Hear of changed tools from servers that tell only those who listen."""
        tools = client.server_capabilities.tools
        if client.protocol_version not in MODERN_PROTOCOL_VERSIONS or not (tools and tools.list_changed):
            return
        failures = 0
        while True:
            try:
                async with client.listen(tools_list_changed=True) as changes:
                    failures = 0
                    async for _ in changes:
                        self._changed.set()
            except (MCPError, RuntimeError, TimeoutError):
                failures += 1
            await asyncio.sleep(self._patience.pause(max(failures, 1)))

    async def _refresh(self, client: Client) -> None:
        """List the tools again when they have changed."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            try:
                with anyio.fail_after(self.server.timeout_s):
                    await self._list(client)
            except (MCPError, ValidationError, TimeoutError) as error:
                why = reason_of(error, self.server, self.server.timeout_s)
                logger.warning("The changed tools of %s are not known: it %s.", self.server.name, why)
            await asyncio.sleep(self._patience.retry_s)  # a server that never stops changing them

    async def _list(self, client: Client) -> None:
        tools: list[Tool] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
            tools += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
        self.offers = await asyncio.to_thread(self._read, self.server, tools)
