"""Start at login: what is written for launchd and asked of it, by a `launchctl` of the test's own."""

from __future__ import annotations

import os
import plistlib
import stat
import sys
from pathlib import Path

import pytest

from tinyagent.errors import AppFailed, ConfigurationError
from tinyagent.workers import launchd
from tinyagent.workers.launchd import Agent, install, status, uninstall

ARGUMENTS = ("/usr/bin/python3", "-m", "tinyagent", "worker", "--name", "Sid's “Mac” & <more>")

LAUNCHCTL = """#!{python}
import pathlib, sys, time
folder = pathlib.Path({folder!r})
with (folder / "calls").open("a") as calls:
    calls.write("\\t".join(sys.argv[1:]) + "\\n")
answer = folder / sys.argv[1]
if (folder / "hangs").exists():
    time.sleep(60)
if not answer.exists():
    sys.exit(0)
code, _, text = answer.read_text().partition("\\n")
print(text)
first, _, rest = code.partition(" ")
if rest:
    answer.write_text(rest + "\\n" + text)
sys.exit(int(first))
"""


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder and a launchctl that answers as the files beside it say: exit codes, then text."""
    programs = tmp_path / "bin"
    programs.mkdir()
    program = programs / "launchctl"
    program.write_text(LAUNCHCTL.format(python=sys.executable, folder=str(tmp_path)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(launchd, "PAUSES_S", (0.0, 0.0, 0.0))
    return tmp_path


def calls(mac: Path) -> list[list[str]]:
    return [line.split("\t") for line in (mac / "calls").read_text().splitlines()]


DOMAIN = f"gui/{os.getuid()}"


def test_an_agent_is_written_and_started_in_place_of_an_older_one(mac: Path) -> None:
    agent = Agent("worker", ARGUMENTS)
    install(agent)
    path = mac / "home" / "Library" / "LaunchAgents" / "org.tinyagent.worker.plist"
    written = plistlib.loads(path.read_bytes())
    assert written == agent.definition()
    assert written["ProgramArguments"] == list(ARGUMENTS)
    assert Path(written["ProgramArguments"][0]).is_absolute()
    assert written["KeepAlive"] == {"SuccessfulExit": False} and written["ThrottleInterval"] > 0
    assert written["Umask"] == 0o077
    log = mac / "home" / "Library" / "Logs" / "tinyagent" / "worker.log"
    assert written["StandardOutPath"] == written["StandardErrorPath"] == str(log)
    assert log.parent.is_dir()
    assert "EnvironmentVariables" not in written
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert calls(mac) == [["bootout", f"{DOMAIN}/org.tinyagent.worker"], ["bootstrap", DOMAIN, str(path)]]


def test_an_older_agent_that_leaves_slowly_is_waited_for(mac: Path) -> None:
    (mac / "bootstrap").write_text("5 5 0\n")
    install(Agent("server", ARGUMENTS))
    assert [call[0] for call in calls(mac)] == ["bootout", "bootstrap", "bootstrap", "bootstrap"]


def test_a_launchd_that_refuses_is_told_with_the_command_to_try(mac: Path) -> None:
    (mac / "bootstrap").write_text("5\n")
    with pytest.raises(AppFailed, match="launchctl bootstrap"):
        install(Agent("server", ARGUMENTS))


def test_an_agent_is_stopped_and_removed(mac: Path) -> None:
    agent = Agent("server", ARGUMENTS)
    install(agent)
    assert uninstall(agent)
    assert not agent.plist.exists()
    (mac / "bootout").write_text("113\n")
    assert not uninstall(agent)


PRINTED = """gui/501/org.tinyagent.worker = {
\tstate = running
\tprogram = /usr/bin/python3
\tpid = 4711
\tlast exit code = 1
\tpid-local endpoints = {
\t}
}"""


def test_the_status_is_what_launchd_prints(mac: Path) -> None:
    agent = Agent("worker", ARGUMENTS)
    (mac / "print").write_text("113\nCould not find service")
    assert status(agent) == launchd.AgentStatus(False, False, None, None)
    install(agent)
    (mac / "print").write_text("0\n" + PRINTED)
    assert status(agent) == launchd.AgentStatus(True, True, 4711, 1)
    (mac / "print").write_text("0\n\tstate = waiting\n\tlast exit code = (never exited)\n")
    assert status(agent) == launchd.AgentStatus(True, True, None, None)


def test_a_launchctl_that_hangs_is_given_up(mac: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (mac / "hangs").touch()
    monkeypatch.setattr(launchd, "DEADLINE_S", 0.5)
    with pytest.raises(AppFailed, match="did not finish"):
        status(Agent("worker"))


def test_elsewhere_it_is_said_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ConfigurationError, match="systemd") as caught:
        install(Agent("worker", ARGUMENTS))
    assert "-m tinyagent worker" in str(caught.value.hint)
