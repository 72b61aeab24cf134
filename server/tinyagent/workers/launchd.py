"""Start at login on macOS: launch agents that keep the server or the worker running."""

from __future__ import annotations

import os
import plistlib
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyagent.errors import AppFailed, ConfigurationError

LABEL = "org.tinyagent"
DEADLINE_S = 15.0
THROTTLE_S = 30
"""How long launchd waits before it starts a failed program again."""
PAUSES_S = (0.0, 0.2, 0.5, 1.0, 2.0)
"""Before each attempt to load an agent: an older one takes a moment to leave."""
OWNER_ONLY = 0o077


@dataclass(frozen=True)
class Agent:
    """A program that runs as long as the user is logged in. `name` is `worker` or `server`."""

    name: str
    arguments: tuple[str, ...] = ()

    @property
    def label(self) -> str:
        return f"{LABEL}.{self.name}"

    @property
    def plist(self) -> Path:
        return Path.home() / "Library" / "LaunchAgents" / f"{self.label}.plist"

    @property
    def log(self) -> Path:
        return Path.home() / "Library" / "Logs" / "tinyagent" / f"{self.name}.log"

    def definition(self) -> dict[str, Any]:
        """What launchd is told. It holds no secret: the token is read from its file."""
        return {
            "Label": self.label,
            "ProgramArguments": list(self.arguments),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": THROTTLE_S,
            "Umask": OWNER_ONLY,
            "LimitLoadToSessionType": "Aqua",  # other sessions have no applications to talk to
            "ProcessType": "Interactive",
            "StandardOutPath": str(self.log),
            "StandardErrorPath": str(self.log),
        }


def install(agent: Agent) -> None:
    """Write the agent's definition and start it, in place of an older one.

    Raises ConfigurationError where there is no launchd, AppFailed when launchd refuses.
    """
    program = launchctl(agent)
    try:
        agent.log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        agent.plist.parent.mkdir(parents=True, exist_ok=True)
        unfinished = agent.plist.with_suffix(".new")
        unfinished.write_bytes(plistlib.dumps(agent.definition()))
        unfinished.chmod(0o600)
        unfinished.replace(agent.plist)
    except OSError as error:
        raise ConfigurationError(
            f"{agent.plist} cannot be written: {error.strerror}.", hint="Check the folder's permissions."
        ) from error
    _run(program, "bootout", _target(agent))
    for pause in PAUSES_S:
        time.sleep(pause)
        if _run(program, "bootstrap", _domain(), str(agent.plist)).returncode == 0:
            return
    raise AppFailed(
        f"launchd did not take {agent.plist}.",
        hint=f"Try `launchctl bootstrap {_domain()} {shlex.quote(str(agent.plist))}`; it says why.",
    )


def uninstall(agent: Agent) -> bool:
    """Stop the agent and remove its definition; False when there was none."""
    program = launchctl(agent)
    stopped = _run(program, "bootout", _target(agent)).returncode == 0
    try:
        agent.plist.unlink()
    except FileNotFoundError:
        return stopped
    except OSError as error:
        raise ConfigurationError(
            f"{agent.plist} cannot be removed: {error.strerror}.", hint="Check its permissions."
        ) from error
    return True


@dataclass(frozen=True)
class AgentStatus:
    """What launchd says of an agent. `last_exit` is its last exit code, None when it has not ended yet."""

    installed: bool
    loaded: bool
    pid: int | None
    last_exit: int | None


def status(agent: Agent) -> AgentStatus:
    """Whether the agent is installed, loaded and running. Raises ConfigurationError or AppFailed."""
    printed = _run(launchctl(agent), "print", _target(agent))
    installed = agent.plist.is_file()
    if printed.returncode != 0:
        return AgentStatus(installed, False, None, None)
    return AgentStatus(
        installed, True, _number("pid", printed.stdout), _number("last exit code", printed.stdout)
    )


def _number(name: str, text: str) -> int | None:
    found = re.search(rf"^\s*{name} = (-?\d+)", text, re.MULTILINE)
    return int(found[1]) if found else None


def _domain() -> str:
    return f"gui/{os.getuid()}"


def _target(agent: Agent) -> str:
    return f"{_domain()}/{agent.label}"


def launchctl(agent: Agent) -> str:
    """The program that starts agents. Raises ConfigurationError where there is none."""
    program = shutil.which("launchctl")
    if program is None:
        command = f" Have it run `{shlex.join(agent.arguments)}`." if agent.arguments else ""
        raise ConfigurationError(
            "This system has no launchctl: only macOS starts programs this way.",
            hint=f"Elsewhere use the system's own service manager, such as a systemd user unit.{command}",
        )
    return program


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command: Sequence[str] = (program, *arguments)
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=DEADLINE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise AppFailed(
            f"launchctl {arguments[0]} did not finish within {DEADLINE_S:g} seconds.",
            hint="Log out and in again, then repeat the command.",
        ) from error
    except OSError as error:
        raise AppFailed(f"launchctl cannot be started: {error.strerror}.") from error
