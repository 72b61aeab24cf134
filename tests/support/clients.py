"""Real clients, each a process of its own in an environment of its own.

`tests/clients/install` makes the environments. Where one is absent its tests are skipped, or fail when
`TINYAGENT_CLIENTS` is `required`.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import pytest

from tests.support.server import Server

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv-clients"
SCRIPTS = ROOT / "tests" / "clients" / "scripts"
INSTALL = "tests/clients/install"
STEP_S = 90.0
STOP_S = 10.0

PROGRAMS = {
    "openai-oldest": ("openai-oldest", "openai_client.py"),
    "openai-2": ("litellm", "openai_client.py"),
    "openai-newest": ("openai-newest", "openai_client.py"),
    "openai-node": ("node", "openai_node.mjs"),
    "langchain": ("openai-newest", "langchain_client.py"),
    "litellm": ("litellm", "litellm_client.py"),
}
"""By a client's name: its environment and the script that drives it."""


class ClientFailure(Exception):
    """What a client raised, as it told it."""

    def __init__(self, told: dict[str, Any]) -> None:
        super().__init__(told["message"])
        self.kinds: list[str] = told["kinds"]
        self.status: int | None = told["status"]
        self.code: str | None = told["code"]
        self.param: str | None = told["param"]
        self.headers: dict[str, str] = {name.lower(): value for name, value in told["headers"].items()}


def environment(name: str) -> Path:
    """Where the environment is. Skips the test where it is not installed."""
    found = ENVIRONMENTS / name
    if not (found / ".installed").exists():
        reason = f"the environment {name!r} of real clients is not installed; run {INSTALL}"
        if os.environ.get("TINYAGENT_CLIENTS") == "required":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def clean_environ(**more: str) -> dict[str, str]:
    """The environment of a client: no settings, keys or proxies of whoever runs the tests."""
    theirs = ("OPENAI_", "LANG", "LLM_", "LITELLM_", "NODE_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(theirs)}
    kept = {name: value for name, value in kept.items() if not name.lower().endswith("_proxy")}
    return {**kept, "NO_PROXY": "*", "PYTHONUTF8": "1", **more}


@dataclass
class Client:
    """A running client that carries out steps."""

    name: str
    process: subprocess.Popen[str]
    log: Path
    _answers: queue.Queue[str] = field(default_factory=queue.Queue)

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()

    def _read(self, stdout: IO[str]) -> None:
        for line in stdout:
            self._answers.put(line)
        self._answers.put("")

    def __call__(self, step: str, **arguments: Any) -> Any:
        """Carry out a step. Raises ClientFailure with what the client raised."""
        told = self._do(step, arguments)
        if "failure" in told:
            raise ClientFailure(told["failure"])
        return told["result"]

    def _do(self, step: str, arguments: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps({"step": step, "arguments": arguments}) + "\n")
            self.process.stdin.flush()
            line = self._answers.get(timeout=STEP_S)
        except (OSError, queue.Empty):
            line = ""
        if not line:
            raise AssertionError(f"{self.name} said nothing to {step}:\n{self.log.read_text()}")
        return json.loads(line)


def _command(name: str) -> list[str]:
    kind, script = PROGRAMS[name]
    program = environment(kind) / ("program" if kind == "node" else "bin/python")
    return [str(program), str(SCRIPTS / script)]


@contextmanager
def client(name: str, server: Server, url: str = "") -> Iterator[Client]:
    """Start a client of this server, or of what stands before it at `url`, and end it."""
    command = _command(name)
    log = server.home / f"client-{name}.log"
    environ = clean_environ(
        CLIENT_BASE_URL=f"{url or server.url}/v1",
        CLIENT_TOKEN=server.token,
        CLIENT_MODULES=f"{ENVIRONMENTS / 'node'}{os.sep}",
        HOME=str(server.home),
    )
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        yield Client(name, process, log)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_S)


class Clients:
    """The clients of one server, each started when it is first needed."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._running: dict[str, Client] = {}
        self._stack = ExitStack()

    def __getitem__(self, name: str) -> Client:
        if name not in self._running:
            self._running[name] = self._stack.enter_context(client(name, self.server))
        return self._running[name]

    def close(self) -> None:
        """End them all."""
        self._stack.close()


def asks(text: str, model: str = "tinyagent") -> dict[str, Any]:
    """The body of a request with one message."""
    return {"model": model, "messages": [{"role": "user", "content": text}]}
