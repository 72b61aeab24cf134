"""The commands around workers: tokens, names, lists of tools, start at login."""

from __future__ import annotations

import os
import plistlib
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyagent.cli.app import app
from tinyagent.cli.worker import allowed_tools, worker_name, worker_token
from tinyagent.errors import ConfigurationError, InvalidRequest
from tinyagent.settings import Settings, load_settings
from tinyagent.workers.wire import new_worker


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("TINYAGENT_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("TINYAGENT_HOME", str(home))
    monkeypatch.setenv("HOME", str(tmp_path))
    return home


@pytest.fixture
def settings(home: Path) -> Settings:
    return load_settings()


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_the_workers_token_is_made_private_kept_and_not_the_owners(home: Path) -> None:
    code, made = run("token", "--worker")
    assert code == 0 and len(made.strip()) >= 32
    assert stat.S_IMODE((home / "worker-token").stat().st_mode) == 0o600
    assert run("token", "--worker") == (0, made)
    assert run("token")[1] != made
    assert run("token", "--worker", "--path")[1].strip() == str(home / "worker-token")


def test_a_revoked_token_is_gone_and_the_next_one_is_another(home: Path) -> None:
    _, made = run("token", "--worker")
    assert run("token", "--worker", "--revoke") == (0, "The workers' token is revoked.\n")
    assert not (home / "worker-token").exists()
    assert run("token", "--worker", "--revoke") == (0, "There was none.\n")
    assert run("token", "--worker")[1] != made


def test_the_owners_token_is_not_revoked_by_mistake(home: Path) -> None:
    _, made = run("token")
    code, told = run("token", "--revoke")
    assert code == 1 and "Only the token of workers" in told
    assert run("token")[1] == made


def test_the_token_comes_from_the_named_file_the_environment_or_the_home_folder(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InvalidRequest, match="tinyagent token --worker"):
        worker_token(settings, None)
    settings.home.mkdir()
    settings.worker_token_file.write_text("of-the-home\n")
    assert worker_token(settings, None) == "of-the-home"
    monkeypatch.setenv("TINYAGENT_WORKER_TOKEN", "of-the-environment")
    assert worker_token(settings, None) == "of-the-environment"
    named = tmp_path / "named"
    named.write_text("of-the-file\n")
    assert worker_token(settings, named) == "of-the-file"
    named.write_text("")
    with pytest.raises(InvalidRequest, match="no token"):
        worker_token(settings, named)
    for wrong in ("tökén-of-some-kind", "two words"):
        named.write_text(wrong)
        with pytest.raises(InvalidRequest, match="one word"):
            worker_token(settings, named)


def test_the_tools_are_the_named_ones_the_configured_ones_or_all(home: Path) -> None:
    configured = load_settings(worker={"tools": ["open_note"]})
    assert allowed_tools(configured, ["send_sms"]) == ["send_sms"]
    assert allowed_tools(configured, []) == ["open_note"]
    assert len(allowed_tools(load_settings(), [])) == 16
    with pytest.raises(ConfigurationError, match="send_smss"):
        allowed_tools(configured, ["send_smss"])


def test_a_worker_is_called_as_told_or_like_its_computer(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert worker_name(settings, "Sid's Mac") == "Sid's Mac"
    for host in ("büro-mac.local", "a/b\nc", "x" * 300, ""):
        monkeypatch.setattr("socket.gethostname", lambda host=host: host)
        assert new_worker(worker_name(settings, None)).worker
    for name in ("a\nb", "x" * 65, "a/b"):
        with pytest.raises(ConfigurationError):
            worker_name(settings, name)


def test_without_a_token_or_with_a_wrong_address_the_worker_does_not_start(home: Path) -> None:
    code, told = run("worker", "--server", "http://127.0.0.1:1")
    assert code == 1 and "worker-token" in told.replace("\n", "")
    run("token", "--worker")
    for url in ("no address", "ftp://127.0.0.1", "http://user:secret@127.0.0.1"):
        code, told = run("worker", "--server", url)
        assert code == 1 and "no address of a server" in told.replace("\n", " ")


@pytest.fixture
def launchctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "launchctl"
    program.write_text("#!/bin/sh\necho 'pid = 7'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "Library" / "LaunchAgents"


def test_where_nothing_can_be_installed_no_token_is_asked_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(home))
    result = CliRunner().invoke(app, ["worker", "install"])
    assert (result.exit_code, "only macOS" in result.stderr, "token " in result.stderr) == (1, True, False)
    assert " worker --server http://127.0.0.1:" in result.stderr


def test_an_installed_worker_starts_as_the_command_was_given(home: Path, launchctl: Path) -> None:
    assert run("worker", "install", "--server", "http://box:8765")[0] == 1  # there is no token yet
    token = run("token", "--worker")[1].strip()
    options = ["--server", "http://box:8765/", "--name", "mac", "--tool", "open_note", "--tool", "send_sms"]
    code, told = run("worker", "install", *options)
    assert code == 0 and "org.tinyagent.worker runs now" in told
    raw = (launchctl / "org.tinyagent.worker.plist").read_bytes()
    arguments = plistlib.loads(raw)["ProgramArguments"]
    assert arguments[1:5] == ["-m", "tinyagent", "--home", str(home)]
    assert arguments[5:] == [
        "worker",
        "--server",
        "http://box:8765",
        "--token-file",
        str(home / "worker-token"),
        *options[2:],
    ]
    assert token.encode() not in raw
    assert "runs (process 7)" in run("worker", "status")[1]
    assert run("worker", "uninstall")[0] == 0
    assert not (launchctl / "org.tinyagent.worker.plist").exists()


def test_the_server_is_installed_by_service(home: Path, launchctl: Path) -> None:
    assert run("service", "install")[0] == 0
    written = plistlib.loads((launchctl / "org.tinyagent.server.plist").read_bytes())
    assert written["ProgramArguments"][5:] == ["serve"]
    assert run("service", "status", "server")[0] == 0
    assert "is removed" in run("service", "uninstall")[1]
    run("token", "--worker")
    assert run("service", "install", "worker")[0] == 0
    assert (launchctl / "org.tinyagent.worker.plist").exists()
