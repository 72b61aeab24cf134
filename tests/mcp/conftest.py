"""The protocol's endpoint on a real server in this loop, over an engine with small tools."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import httpx2
import pytest
import uvicorn
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel import Server
from mcp.shared._context_streams import create_context_streams
from mcp_types import ElicitRequestFormParams, ElicitResult

from tests.support.scripted import FakeHost, FixedSelector, ScriptedPlanner, rules, spec, until
from tinyagent.api.app import create_app
from tinyagent.api.security import CALLER_KEY, SecuritySettings, Token, host_values
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.engine.limits import Limits
from tinyagent.engine.policy import Policy
from tinyagent.engine.runs import RunService
from tinyagent.journal.memory import MemoryJournal
from tinyagent.mcp_server.endpoint import McpEndpoint

OWNER = "the-token-of-the-owner"
RUNNER = "the-token-of-a-runner"
READER = "the-token-of-a-reader"

TOKENS = (
    Token("owner", OWNER, frozenset({"admin"})),
    Token("runner", RUNNER, frozenset({"run"})),
    Token("reader", READER, frozenset({"read"})),
)
PLAN = '1. look("Sid")\n2. keep("$1", "hello")\n3. join()<END_OF_PLAN>'
MODERN = "2026-07-28"
ERAS = ["legacy", MODERN]
"""How a client begins: by a handshake, or with requests that say all there is to know."""

ASK = Policy(send="ask", write="auto")


def small_tools() -> FakeHost:
    """`look` reads, `keep` writes, `tell` sends."""
    host = FakeHost().add(spec("look", "str")).add(spec("keep", "str", "str", effect="write"))
    return host.add(spec("tell", "list[str]", "str", effect="send"))


@dataclass
class Served:
    """A running server and what it was made of."""

    engine: RunService
    host: FakeHost
    planner: ScriptedPlanner
    endpoint: McpEndpoint
    url: str
    port: int

    def raw(self, token: str | None = RUNNER) -> httpx.AsyncClient:
        """A plain HTTP client, to send what no proper client would."""
        headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=20)

    async def runs(self) -> list[Any]:
        """All runs, newest first."""
        return list(await self.engine.runs(100))


Serve = Callable[..., Awaitable[Served]]
User = Callable[[ElicitRequestFormParams], Awaitable[ElicitResult]]


@asynccontextmanager
async def connected(
    served: Served, era: str = MODERN, user: User | None = None, token: str = RUNNER, **options: Any
) -> AsyncGenerator[Client]:
    """The official client over HTTP; `user` answers its forms."""

    async def asked(context: Any, params: Any) -> ElicitResult:
        assert user is not None
        return await user(params)

    async with httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=20) as http:
        transport = streamable_http_client(f"{served.url}/mcp", http_client=http)
        client = Client(
            transport, mode=era, elicitation_callback=asked if user else None, cache=None, **options
        )
        async with client:
            yield client


@asynccontextmanager
async def wired(server: Server[Any], era: str = MODERN, user: User | None = None) -> AsyncGenerator[Client]:
    """The official client on a pipe to a server in this process, as over standard input and output."""

    async def asked(context: Any, params: Any) -> ElicitResult:
        assert user is not None
        return await user(params)

    @asynccontextmanager
    async def pipe() -> AsyncGenerator[Any]:
        outgoing, received = create_context_streams[Any](0)
        sent, incoming = create_context_streams[Any](0)
        options = server.create_initialization_options()
        serving = asyncio.create_task(server.run(received, sent, options))
        try:
            yield incoming, outgoing
        finally:
            await outgoing.aclose()
            await serving

    callback = asked if user else None
    async with Client(pipe(), mode=era, elicitation_callback=callback, cache=None) as client:
        yield client


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts servers on free ports and stops them at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(
            host: FakeHost | None = None,
            planner: ScriptedPlanner | None = None,
            policy: Policy | None = None,
            origins: frozenset[str] = frozenset(),
            max_json_bytes: int = 2_000_000,
        ) -> Served:
            host, planner = host or small_tools(), planner or ScriptedPlanner(PLAN)
            entries = [PlannerEntry("scripted", "plays a script", lambda: planner, lambda: "")]
            engine = RunService(
                MemoryJournal(),
                PlannerCatalog(entries, "scripted"),
                FixedSelector(),
                host,
                rules(policy),
                Limits(run_deadline_s=30, call_deadline_s=20),
            )
            stack.push_async_callback(engine.close)
            listener = socket.create_server(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
            endpoint = await stack.enter_async_context(McpEndpoint(engine, CALLER_KEY))
            hosts = host_values(["127.0.0.1", "localhost"], port)
            security = SecuritySettings(TOKENS, hosts, origins, max_json_bytes)
            app = create_app(engine, security, mcp=endpoint)
            config = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))

            async def stop() -> None:
                await endpoint.close()
                server.should_exit = True
                await task

            stack.push_async_callback(stop)
            await until(lambda: server.started, "the server listens")
            return Served(engine, host, planner, endpoint, f"http://127.0.0.1:{port}", port)

        yield start
