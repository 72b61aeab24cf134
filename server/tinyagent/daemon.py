"""The server process: one home, one port, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

import uvicorn

from tinyagent.api.app import create_app
from tinyagent.api.bearers import HashedToken, Permission, Token, require_strong
from tinyagent.api.security import CALLER_KEY, SecuritySettings, host_values
from tinyagent.api.slow_clients import IDLE_S, ImpatientProtocol
from tinyagent.bootstrap import build_embedder, build_workers, open_service, open_telemetry
from tinyagent.engine.runs import RunService
from tinyagent.errors import AddressInUse, ConfigurationError
from tinyagent.home import read_token, read_worker_token, token_in
from tinyagent.loopback import is_loopback
from tinyagent.mcp_server.endpoint import McpEndpoint
from tinyagent.settings import Settings
from tinyagent.tokens import NamedToken, Watched, tokens_file, tokens_in
from tinyagent.workers.queue import WorkerQueue

log = logging.getLogger("tinyagent.daemon")

_Value = TypeVar("_Value")

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "::1")
GRACEFUL_STOP_S = 5
TOOLS_S = 3.0
"""How long servers with further tools are waited for at the start; they may come later."""
DRAIN_S = 10.0
"""How long a stopping server waits for what its workers carry out."""
ALL_SCOPES: frozenset[Permission] = frozenset({"run", "read", "worker", "admin"})
WORKER_SCOPE: frozenset[Permission] = frozenset({"worker"})


async def serve(settings: Settings, started: Callable[[str, RunService], None]) -> None:
    """Serve until a signal stops the process; `started` is called with the URL and what is served.

    Raises AddressInUse, ConfigurationError, Conflict (another process uses the home folder) or
    JournalError, all before anything is served.
    """
    token = read_token(settings)  # made before anybody can connect and look for it
    workers = build_workers(settings)
    if workers is not None:
        read_worker_token(settings)
    with listening_socket(settings) as listener:
        port = listener.getsockname()[1]
        async with (
            open_telemetry(settings) as told,
            open_service(settings, workers, told.observers, TOOLS_S) as service,
            McpEndpoint(service, CALLER_KEY) as mcp,
        ):
            app = create_app(
                service,
                security(settings, port, token),
                workers=workers,
                embedder=build_embedder(),
                figures=told.metrics,
                mcp=mcp,
            )
            server = _Server(server_config(app), service, workers)
            started(f"http://{_shown_host(settings.host)}:{port}", service)
            await server.serve([listener])


def server_config(app: Callable[..., Any]) -> uvicorn.Config:
    """How HTTP is spoken: HTTP/1.1 alone, with bounded patience, and nothing of it in a log."""
    return uvicorn.Config(
        app,
        http=ImpatientProtocol,
        ws="none",
        proxy_headers=False,  # anybody may write them: whoever connects is whoever it is
        timeout_keep_alive=IDLE_S,
        log_config=None,  # its lines go where all others do, in their form
        log_level="error",  # what clients send wrong is theirs to know
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_STOP_S,
    )


class _Server(uvicorn.Server):
    """Stops the runs as soon as it is told to end, so that no open stream holds it.

    It listens until its workers have handed in what they carry out, so that it is recorded; told
    a second time, it waits no longer.
    """

    def __init__(self, config: uvicorn.Config, service: RunService, workers: WorkerQueue | None) -> None:
        super().__init__(config)
        self._service = service
        self._workers = workers
        self._loop = asyncio.get_running_loop()
        self._draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._end, sig, frame)

    def _end(self, sig: int, frame: FrameType | None) -> None:
        self._service.stop_runs()
        if self._workers is None or self._draining is not None:
            super().handle_exit(sig, frame)
        else:
            self._draining = asyncio.create_task(self._end_drained(self._workers, sig, frame))

    async def _end_drained(self, workers: WorkerQueue, sig: int, frame: FrameType | None) -> None:
        workers.stop()
        await workers.drained(DRAIN_S)
        super().handle_exit(sig, frame)


def listening_socket(settings: Settings) -> socket.socket:
    """A socket that listens on the configured address, made before anything slow is loaded."""
    if not is_loopback(settings.host) and settings.token is None:
        raise ConfigurationError(
            f"Serving on {settings.host} lets other computers in, and needs a token that was set on purpose.",
            hint="Set TINYAGENT_TOKEN to a long random text, or serve on 127.0.0.1.",
        )
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise _bind_error(error, settings) from error
    return listener


def _bind_error(error: OSError, settings: Settings) -> Exception:
    place = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return AddressInUse(
            f"Another program listens on {place}.",
            hint="It may be tinyagent itself. Stop it, or choose another port with --port.",
        )
    return ConfigurationError(
        f"{place} cannot be served on: {error.strerror}.", hint="Check --host and --port."
    )


def security(settings: Settings, port: int, token: str) -> SecuritySettings:
    """Who gets in: loopback names and what the settings add, with the owner's token or those in the home.

    Raises ConfigurationError when the owner's token, as it is at the start, is one that anybody could guess.
    """
    named = [name for name in settings.allowed_hosts if not _has_port(name)]
    full = frozenset(name.lower() for name in settings.allowed_hosts if _has_port(name))
    own = [] if settings.host in ("0.0.0.0", "::") else [settings.host]  # noqa: S104
    owner = Token("owner", token, ALL_SCOPES)
    require_strong(owner)
    return SecuritySettings(
        tokens=(owner,) if settings.token is not None else (),
        # Through a proxy at its scheme's usual port, clients name no port.
        hosts=host_values([*LOOPBACK_NAMES, *own, *named], port) | host_values(named, 80) | full,
        origins=frozenset(settings.allowed_origins),
        more_tokens=_TokensOfHome(settings),
        requests_per_minute=settings.requests_per_minute,
    )


class _TokensOfHome:
    """The tokens that lie in the home folder, as things stand when it is called."""

    def __init__(self, settings: Settings) -> None:
        files = [("worker", settings.worker_token_file, WORKER_SCOPE)]
        if settings.token is None:
            files.append(("owner", settings.token_file, ALL_SCOPES))
        self._files = [(name, Watched(path, partial(token_in, path)), scopes) for name, path, scopes in files]
        named = tokens_file(settings)
        self._named = Watched(named, partial(_undamaged_tokens, named))
        self._told = ""

    def __call__(self) -> list[Token | HashedToken]:
        return [
            *(Token(name, self._now(secret, ""), scopes) for name, secret, scopes in self._files),
            *(
                HashedToken(token.name, bytes.fromhex(token.digest), frozenset(token.scopes))
                for token in self._now(self._named, ())
                if not token.expired()
            ),
        ]

    def _now(self, watched: Watched[_Value], otherwise: _Value) -> _Value:
        """What the file says. One that cannot be read lets nobody in until it can be, and is told once."""
        try:
            return watched.value()
        except OSError as error:
            told = f"no token of {watched.path} is accepted: {error.strerror}"
            if told != self._told:
                log.error("%s", told)
            self._told = told
            return otherwise


def _undamaged_tokens(path: Path) -> tuple[NamedToken, ...]:
    """None of them gets in while their file is damaged."""
    try:
        return tokens_in(path)
    except ConfigurationError as error:
        log.error("no named token is accepted: %s", error)
        return ()


def _has_port(name: str) -> bool:
    with contextlib.suppress(ValueError):
        ip_address(name.strip("[]"))
        return False
    return ":" in name


def _shown_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
