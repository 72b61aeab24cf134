"""Servers whose calls are carried out by workers, and workers, each in a process of its own.

`python -m tests.support.workers …` is `tinyagent …` whose tools wait at a gate: each call that does
more than read writes its name and key into `begun` in the folder GATE and goes on when there is a
file `open`. Mail can be sent there, as it seems.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from tests.support.server import START_S, STOP_S, Server, free_port
from tinyagent.ports import CallContext, ToolHost, ToolResult, ToolStatus

ROOT = Path(__file__).parents[2]
GATE = "TEST_GATE"


@dataclass
class Gate:
    """Where the calls of a worker wait."""

    folder: Path

    def open(self) -> None:
        (self.folder / "open").touch()

    def begun(self) -> list[str]:
        """The tools whose calls came this far, in their order."""
        return [line.split()[0] for line in self._lines()]

    def keys(self) -> list[str]:
        """The keys of these calls."""
        return [line.split()[1] for line in self._lines()]

    def _lines(self) -> list[str]:
        path = self.folder / "begun"
        return path.read_text().splitlines() if path.exists() else []


@dataclass
class Process:
    """A process with a log."""

    process: subprocess.Popen[bytes]
    log: Path

    def said(self) -> str:
        return self.log.read_text()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait(STOP_S)

    def terminate(self) -> None:
        """Ask it to end."""
        self.process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """Wait for its end; its exit status."""
        return self.process.wait(STOP_S)


def eventually(condition: Any, description: str, seconds: float = START_S) -> None:
    """Wait for a condition, at most so long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not happen within {seconds:g} s: {description}"
        time.sleep(0.02)


@contextmanager
def process(
    home: Path, name: str, *arguments: str, gated: bool = False, **environment: str
) -> Iterator[Process]:
    """Start the program on this home and end it with the block."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TINYAGENT_")}
    paths = os.pathsep.join([str(ROOT / "server"), str(ROOT)])
    program = "tests.support.workers" if gated else "tinyagent"
    number, path = tempfile.mkstemp(
        ".log", f"{name}-", home.parent
    )  # its own, without what an earlier one said
    log = Path(path)
    with os.fdopen(number, "wb") as output:
        started = subprocess.Popen(
            [sys.executable, "-m", program, *arguments],
            env={**kept, "TINYAGENT_HOME": str(home), "PYTHONPATH": paths, "NO_COLOR": "1", **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
    try:
        yield Process(started, log)
    finally:
        if started.poll() is None:
            started.terminate()
            try:
                started.wait(STOP_S)
            except subprocess.TimeoutExpired:
                started.kill()
                started.wait(STOP_S)


@contextmanager
def serve_workers(home: Path, port: int | None = None, **environment: str) -> Iterator[Server]:
    """A server that hands its calls to workers; it is not ready before the first one has come."""
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    environment = {"TINYAGENT_EXECUTOR": "worker", **environment}
    with process(home, "server", "serve", "--port", str(port), **environment) as running:
        server = Server(home, port, running.process, running.log)
        eventually(lambda: _alive(server), f"the server answers\n{running.said()}")
        yield server


def _alive(server: Server) -> bool:
    assert server.process.poll() is None, server.log.read_text()
    try:
        return httpx.get(f"{server.url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


@contextmanager
def work(
    home: Path, url: str, *options: str, gate: Gate | None = None, name: str = "mac", **environment: str
) -> Iterator[Process]:
    """A worker, connected or refused."""
    if gate is not None:
        gate.folder.mkdir(parents=True, exist_ok=True)
        environment[GATE] = str(gate.folder)
    arguments = ["worker", "--server", url, "--name", name, *options]
    with process(home, f"worker-{name}", *arguments, gated=gate is not None, **environment) as running:
        eventually(
            lambda: "Connected to" in running.said() or running.process.poll() is not None,
            "the worker is connected",
        )
        yield running


class GatedHost:
    """The tools of this computer behind a gate."""

    def __init__(self, host: ToolHost, folder: Path) -> None:
        self._host = host
        self._folder = folder
        self.details = host.details
        self.undo = host.undo

    def tools(self) -> Sequence[ToolStatus]:
        return [replace(status, drafts_only="") for status in self._host.tools()]

    async def call(self, tool: str, arguments: Sequence[Any], context: CallContext) -> ToolResult:
        effects = {status.spec.name: status.spec.effect for status in self._host.tools()}
        if effects[tool] == "read":
            return await self._host.call(tool, arguments, context)
        with (self._folder / "begun").open("a") as file:
            file.write(f"{tool} {context.key or '-'}\n")
        while not (self._folder / "open").exists():
            await asyncio.sleep(0.02)
        if context.send and effects[tool] == "send":
            return ToolResult("sent", f"{tool} was sent.")
        return await self._host.call(tool, arguments, context)


def main() -> None:
    """`tinyagent` with a gate before its tools."""
    import tinyagent.bootstrap as bootstrap
    from tinyagent.cli import main as tinyagent

    local = bootstrap.build_local_host
    folder = Path(os.environ[GATE])
    bootstrap.build_local_host = lambda *parts: GatedHost(local(*parts), folder)  # type: ignore[assignment]
    tinyagent()


if __name__ == "__main__":
    main()
