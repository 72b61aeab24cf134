"""The API over a real engine with a memory journal, in process and behind a real server."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from tests.support.scripted import FakeHost, FixedSelector, ScriptedPlanner, rules, spec, until
from tinyagent.api.app import create_app
from tinyagent.api.security import SecuritySettings, Token, host_values
from tinyagent.engine.catalog import PlannerCatalog, PlannerEntry
from tinyagent.engine.limits import Limits
from tinyagent.engine.policy import Policy
from tinyagent.engine.runs import RunService
from tinyagent.journal.memory import MemoryJournal

ADMIN = "the-token-of-the-admin"
READER = "the-token-of-a-reader"
RUNNER = "the-token-of-a-runner"
WORKER = "the-token-of-a-worker"

TOKENS = (
    Token("admin", ADMIN, frozenset({"admin"})),
    Token("reader", READER, frozenset({"read"})),
    Token("runner", RUNNER, frozenset({"run"})),
    Token("worker", WORKER, frozenset({"worker"})),
)

PLAN = '1. look("Sid")\n2. keep("$1", "hello")\n3. join()<END_OF_PLAN>'


def bearer(token: str = ADMIN) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def two_tools() -> FakeHost:
    """`look` reads, `keep` writes."""
    return FakeHost().add(spec("look", "str")).add(spec("keep", "str", "str", effect="write"))


@dataclass
class Api:
    """An application with what it was made of, and a client in the same process."""

    engine: RunService
    host: FakeHost
    planner: ScriptedPlanner
    journal: MemoryJournal
    app: FastAPI
    client: httpx.AsyncClient

    async def finished(self, run: str) -> None:
        """Wait until the run has ended."""
        async for _ in self.engine.events(run):
            pass


@dataclass
class Served:
    """An application behind a real server."""

    api: Api
    url: str
    port: int

    def api_client(self) -> httpx.AsyncClient:
        """A client over a real connection."""
        return httpx.AsyncClient(base_url=self.url, headers=bearer(), timeout=20)


MakeApi = Callable[..., Api]
Serve = Callable[..., Awaitable[Served]]


def build(
    planner: ScriptedPlanner | None = None,
    host: FakeHost | None = None,
    port: int = 8765,
    max_json_bytes: int = 2_000_000,
    journal: MemoryJournal | None = None,
    limits: dict[str, Any] | None = None,
    origins: frozenset[str] = frozenset(),
    selector: FixedSelector | None = None,
    policy: Policy | None = None,
    **options: Any,
) -> Api:
    planner = planner or ScriptedPlanner(PLAN)
    host = host or two_tools()
    journal = journal or MemoryJournal()
    entries = [
        PlannerEntry("scripted", "plays a script", lambda: planner, lambda: ""),
        PlannerEntry("absent", "has no file", lambda: planner, lambda: "its file is missing"),
    ]
    engine = RunService(
        journal,
        PlannerCatalog(entries, "scripted"),
        selector or FixedSelector(),
        host,
        rules(policy),
        replace(Limits(run_deadline_s=30, call_deadline_s=20), **(limits or {})),
    )
    hosts = host_values(["127.0.0.1", "localhost", "[::1]"], port)
    app = create_app(engine, SecuritySettings(TOKENS, hosts, origins, max_json_bytes), **options)
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=f"http://127.0.0.1:{port}", headers=bearer()
    )
    return Api(engine, host, planner, journal, app, client)


@pytest.fixture
async def make_api() -> AsyncIterator[MakeApi]:
    made: list[Api] = []

    def make(*arguments: Any, **options: Any) -> Api:
        made.append(build(*arguments, **options))
        return made[-1]

    yield make
    for api in made:
        await api.client.aclose()
        await api.engine.close()


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    return make_api()


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api.client


@pytest.fixture
async def serve(make_api: MakeApi) -> AsyncIterator[Serve]:
    """Starts servers on free ports in this loop and stops them at the end."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*arguments: Any, **options: Any) -> Served:
            listener = socket.create_server(("127.0.0.1", 0))
            port = int(listener.getsockname()[1])
            api = make_api(*arguments, port=port, **options)
            config = uvicorn.Config(api.app, log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve(sockets=[listener]))

            async def stop() -> None:
                server.should_exit = True
                await task

            stack.push_async_callback(stop)
            await until(lambda: server.started, "the server listens")
            return Served(api, f"http://127.0.0.1:{port}", port)

        yield start
