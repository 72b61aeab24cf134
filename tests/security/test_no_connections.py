"""With what comes along, nothing leaves this computer: no address is used, and no name is looked up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.server import free_port, serve, tinyagent

OBSERVER = """
    import json, os, sys

    PLACES = {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind"}
    NAMES = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr", "socket.getnameinfo"}
    log = os.open(os.environ["OBSERVED"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def observe(event, arguments):
        if event in PLACES and not isinstance(arguments[1], (str, bytes)):
            what = arguments[1]
        elif event in NAMES:
            what = arguments[0]
        elif event in ("urllib.Request", "http.client.connect", "smtplib.connect", "imaplib.open"):
            what = [str(argument) for argument in arguments]
        else:
            return
        os.write(log, (json.dumps([event, what], default=str) + "\\n").encode())

    sys.addaudithook(observe)
"""
"""Runs at the start of every Python process, and notes every address and name that it uses."""

REQUESTS = (
    "Create a note called Plans saying hello",
    "What is the phone number of Priya?",
    "Remind me tomorrow at 9 to call home",
    "Schedule lunch on Friday at noon",
    "Show me the way to the station",
    "Draft an email to a@b.example about the picnic",
    "Forward this mail to a@b.example",
    "Summarize the newest PDF",
    "Get me a zoom link for tomorrow at 10",
    "Open my note Plans",
    "Text +15550100 that I am late",
    "what is the weather like?",
)
LOOPBACK = ("127.", "::1", "localhost")


@dataclass
class Observed:
    """What the processes of this environment did with the network."""

    environment: dict[str, str]
    log: Path

    def uses(self) -> list[tuple[str, object]]:
        return [tuple(json.loads(line)) for line in self.log.read_text().splitlines()]

    def foreign(self) -> list[tuple[str, object]]:
        return [use for use in self.uses() if not _is_loopback(use[1])]


def _is_loopback(what: object) -> bool:
    host = what[0] if isinstance(what, list) else what
    return host is None or str(host).startswith(LOOPBACK)


@pytest.fixture
def observed(tmp_path: Path) -> Iterator[Observed]:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(textwrap.dedent(OBSERVER))
    log = tmp_path / "observed"
    log.touch()
    paths = [str(hooks), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    yield Observed({"PYTHONPATH": os.pathsep.join(absolute(paths)), "OBSERVED": str(log)}, log)


def absolute(paths: list[str]) -> list[str]:
    return [str(Path(path).absolute()) for path in paths]


def test_the_observer_sees_what_is_connected_to(observed: Observed) -> None:
    """Or it could not be trusted when it sees nothing."""
    program = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect(('192.0.2.1', 9))"
    subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, **observed.environment}, timeout=60, check=False
    )
    assert observed.foreign() == [("socket.connect", ["192.0.2.1", 9])]


def test_a_server_and_the_commands_connect_to_nothing_but_this_computer(
    observed: Observed, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    assert tinyagent(home, "demo", **observed.environment).returncode == 0
    with serve(home, **observed.environment) as server, server.client(timeout=120) as client:
        for request in REQUESTS:
            body = {"model": "tinyagent", "messages": [{"role": "user", "content": request}]}
            assert client.post("/v1/chat/completions", json=body).status_code in (200, 422, 502)
        for path in ("/v1/models", "/v1/tools", "/v1/runs", "/openapi.json", "/readyz"):
            assert client.get(path).status_code == 200
        for command in (("ask", REQUESTS[0]), ("models", "list"), ("doctor",), ("runs", "list")):
            done = tinyagent(home, *command, TINYAGENT_URL=server.url, **observed.environment)
            assert "Traceback" not in done.stderr
    tinyagent(home, "ask", "--local", REQUESTS[1], **observed.environment)
    assert ("socket.connect", ["127.0.0.1", server.port]) in observed.uses()  # of `ask`
    assert observed.foreign() == []


# --- by the system itself --------------------------------------------------------------------

ALONE = """
    import subprocess, sys
    from pathlib import Path
    from tests.support.server import serve, tinyagent

    home, port = Path(sys.argv[1]), int(sys.argv[2])
    assert tinyagent(home, "demo").returncode == 0
    with serve(home, port) as server, server.client(timeout=120) as client:
        for request in ("Create a note called Plans saying hello", "What is the phone number of Priya?"):
            body = {"model": "tinyagent", "messages": [{"role": "user", "content": request}]}
            answer = client.post("/v1/chat/completions", json=body)
            assert answer.status_code == 200, answer.text
        asked = tinyagent(home, "ask", "Open my note Plans", TINYAGENT_URL=server.url)
        assert "hello" in asked.stdout, asked
        print("worked alone")
"""


def _without_network() -> list[str]:
    """The command that runs another one where there is loopback and no other network."""
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        pytest.skip("needs unshare and ip")
    alone = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    tried = subprocess.run([*alone, "true"], capture_output=True, text=True, timeout=30, check=False)
    if tried.returncode != 0:
        pytest.skip(f"the system does not permit network namespaces: {tried.stderr.strip()}")
    return alone


def test_everything_works_where_there_is_no_network_at_all(tmp_path: Path) -> None:
    program = [sys.executable, "-c", textwrap.dedent(ALONE), str(tmp_path / "home"), str(free_port())]
    paths = absolute(["server", ".", *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    done = subprocess.run(
        [*_without_network(), *program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stdout.endswith("worked alone\n"), done.stdout + done.stderr
