"""Commands from their arguments to their exit codes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from click.testing import Result
from typer.testing import CliRunner

import tinyagent
from tests.support.server import free_port
from tinyagent.cli.app import app
from tinyagent.cli.failures import Commands
from tinyagent.cli.options import GlobalOptions
from tinyagent.errors import AddressInUse, Ambiguous


def run(*arguments: str, input: str | None = None) -> Result:
    return CliRunner().invoke(app, list(arguments), input=input)


# --- failures --------------------------------------------------------------------------------


def test_asking_without_a_server_says_how_to_start_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYAGENT_PORT", str(free_port()))
    result = run("ask", "text ann")
    assert result.exit_code == 1
    assert "No server answers" in result.stderr
    assert "`tinyagent serve`" in result.stderr
    assert "--local" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask", "  "),
        ("ask",),
        ("plan", "--now", "yesterday", "text ann"),
        ("eval", "--cases", "x"),
        ("eval", "--cases", "x", "--predictions", "y", "--retrieval", "none"),
        ("serve", "--port", "70000"),
        ("no-such-command",),
    ],
)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_all_faults_of_the_settings_are_said_at_once(home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text('port = "x"\nplaner = "nano"\n')
    result = run("token")
    assert result.exit_code == 1
    assert "port:" in result.stderr
    assert "planer:" in result.stderr
    assert str(home / "config.toml") in result.stderr


def failing_app(error: BaseException) -> typer.Typer:
    application = typer.Typer(cls=Commands, pretty_exceptions_enable=False)

    @application.callback()
    def root(ctx: typer.Context) -> None:
        ctx.obj = GlobalOptions(None, None)

    @application.command()
    def fail() -> None:
        raise error

    return application


@pytest.mark.parametrize(
    ("error", "code", "shown"),
    [
        (
            AddressInUse("Port 8765 is taken.", hint="Use --port."),
            1,
            "error: Port 8765 is taken.\nUse --port.\n",
        ),
        (Ambiguous("Two match.", candidates=["a", "b\x1b[2J"]), 1, "error: Two match.\n  • a\n  • b[2J\n"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_expected_failures_are_a_sentence_and_what_to_do(error: BaseException, code: int, shown: str) -> None:
    result = CliRunner().invoke(failing_app(error), ["fail"])
    assert (result.exit_code, result.stderr) == (code, shown)


def test_an_unexpected_failure_is_noted_without_private_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GlobalOptions, "log_file", tmp_path / "logs" / "cli.log")
    result = CliRunner().invoke(failing_app(ValueError("the secret")), ["fail"])
    assert result.exit_code == 1
    assert "This should not have happened (ValueError)." in result.stderr
    assert str(tmp_path / "logs" / "cli.log") in result.stderr
    assert "Traceback" not in result.stderr
    log = (tmp_path / "logs" / "cli.log").read_text()
    assert "ValueError" in log
    assert "test_commands.py" in log
    assert "the secret" not in log + result.stderr


def test_a_full_disk_behind_the_output_is_told_as_such() -> None:
    result = CliRunner().invoke(failing_app(OSError(errno.ENOSPC, "No space left on device")), ["fail"])
    told = "error: The output cannot be written: the disk is full.\nFree some space.\n"
    assert (result.exit_code, result.stderr) == (1, told)


def test_debugging_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYAGENT_DEBUG", "1")
    result = CliRunner().invoke(failing_app(ValueError("the secret")), ["fail"])
    assert isinstance(result.exception, ValueError)


def test_a_default_planner_that_does_not_exist_is_told_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TINYAGENT_PLANNER", "nono")
    for arguments in (("serve", "--port", str(free_port())), ("ask", "--local", "text ann")):
        result = run(*arguments)
        assert (result.exit_code, "There is no planner 'nono'." in result.stderr) == (1, True)
        assert "Known planners: nano, compact" in result.stderr


# --- small commands --------------------------------------------------------------------------


def test_the_token_is_made_once_and_kept_private(home: Path) -> None:
    first, second = run("token"), run("token")
    assert first.exit_code == 0
    assert first.stdout == second.stdout
    path = Path(run("token", "--path").stdout.strip())
    assert path.read_text() == first.stdout
    assert path.stat().st_mode & 0o077 == 0


def test_the_demo_says_what_it_made_and_what_to_try(home: Path) -> None:
    result = run("demo")
    assert result.exit_code == 0
    assert f"Made in {home}: " in result.stdout
    assert result.stdout.count('tinyagent ask "') == 3
    assert list((home / "data" / "contacts").iterdir())
    assert "are as they were" in run("demo").stdout


def test_help_names_every_command() -> None:
    shown = run("--help").stdout
    assert all(
        name in shown
        for name in ("serve", "ask", "plan", "token", "models", "eval", "eval-toolrag", "doctor")
    )


def program(*arguments: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the program itself, in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(Path(tinyagent.__file__).parents[1])} | variables
    return subprocess.run(
        [sys.executable, "-m", "tinyagent", *arguments], capture_output=True, timeout=60, env=environment
    )


def test_a_terminal_without_unicode_is_no_reason_to_fail() -> None:
    result = program("models", "list", PYTHONIOENCODING="ascii")
    assert (result.returncode, result.stderr, b"nano" in result.stdout) == (0, b"", True)


def test_a_model_that_only_writes_texts_is_not_listed_as_a_planner(home: Path) -> None:
    home.mkdir(exist_ok=True)
    writer = '[writer.model]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\nmodel = "m"\n'
    (home / "config.toml").write_text(writer, encoding="utf-8")
    result = run("--home", str(home), "models", "list", "--json")
    assert [planner["name"] for planner in json.loads(result.stdout)] == ["nano", "compact"]


def test_verdicts_stay_apart_on_a_terminal_without_unicode(home: Path) -> None:
    result = program("doctor", PYTHONIOENCODING="ascii", TINYAGENT_PORT="many", TINYAGENT_HOME=str(home))
    assert [line[:2] for line in result.stdout.splitlines()[:2]] == [b"+ ", b"x "]


def test_a_request_that_is_no_text_is_a_usage_error() -> None:
    result = CliRunner().invoke(app, ["ask", "text Jane \udcff"])
    assert (result.exit_code, "not valid UTF-8" in result.stderr) == (2, True)


def test_an_empty_home_is_the_default_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(home.parent)
    result = CliRunner().invoke(app, ["--home", "", "models", "list"])
    assert (result.exit_code, list(home.parent.iterdir())) == (0, [])
