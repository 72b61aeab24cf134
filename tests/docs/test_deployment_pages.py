"""The commands of the pages on containers and on Macs exist as written; what can be run here is run."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.deploy.dockerfile import stages
from tinyagent.cli.app import app
from tinyagent.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("docker.md", "macos.md")}
_CALL = re.compile(r"\$\(.*?server (tinyagent [^)]*)\)|(?:^|server )(tinyagent [^>]*)")


def lines(page: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", PAGES[page], re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def commands() -> list[str]:
    """Every call of tinyagent in the pages' blocks and in their running text."""
    found: list[str] = []
    for page, text in PAGES.items():
        found += [(match[1] or match[2]).strip() for line in lines(page) if (match := _CALL.search(line))]
        found += re.findall(r"`(tinyagent [^`]+)`", text)
    return sorted(set(found))


def parsed(command: Any, name: str, arguments: list[str], parent: Any = None) -> None:
    """Take arguments as the command line does, without doing anything. Raises UsageError."""
    with command.make_context(name, arguments, parent=parent) as context:
        rest = [*getattr(context, "_protected_args", []), *context.args]
        if rest and hasattr(command, "resolve_command"):
            name, below, rest = command.resolve_command(context, rest)
            parsed(below, name, rest, context)


@pytest.mark.parametrize("command", commands())
def test_every_command_exists_with_its_options(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYAGENT_HOME", str(tmp_path))
    _, *arguments = shlex.split(command, comments=True)
    parsed(typer.main.get_command(app), "tinyagent", arguments)


def test_a_wrong_option_would_be_noticed() -> None:
    with pytest.raises(Exception, match="No such option"):
        parsed(typer.main.get_command(app), "tinyagent", ["token", "--workers-only"])


def test_the_token_is_made_readable_by_its_owner_alone_and_long_enough(tmp_path: Path) -> None:
    (line,) = [line for line in lines("docker.md") if line.endswith("> .env)")]
    subprocess.run(["sh", "-c", line], cwd=tmp_path, check=True, timeout=30)
    env = tmp_path / ".env"
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert re.fullmatch(r"TINYAGENT_TOKEN=[0-9a-f]{64}\n", env.read_text())
    (export,) = [line for line in lines("docker.md") if line.startswith("export TINYAGENT_TOKEN")]
    shown = subprocess.run(
        ["sh", "-c", f'{export}\nprintf %s "$TINYAGENT_TOKEN"'],
        cwd=tmp_path, check=True, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert f"TINYAGENT_TOKEN={shown.stdout}\n" == env.read_text()


def test_the_settings_are_put_into_the_volume_readable_by_the_server_alone(tmp_path: Path) -> None:
    """A stand-in for Docker runs in this process's place what `exec` would run in the container."""
    (line,) = [line for line in lines("docker.md") if line.endswith("< config.toml")]
    docker, home = tmp_path / "docker", tmp_path / "data"
    docker.write_text('#!/bin/sh\n[ "$1 $2 $3 $4" = "compose exec -T server" ] && shift 4 && exec "$@"\n')
    docker.chmod(0o755)
    home.mkdir()
    (tmp_path / "config.toml").write_text("planner_examples = 2\n")
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "TINYAGENT_HOME": str(home)}
    subprocess.run(["sh", "-c", line], cwd=tmp_path, env=environment, check=True, timeout=30)
    assert (home / "config.toml").read_text() == "planner_examples = 2\n"
    assert stat.S_IMODE((home / "config.toml").stat().st_mode) == 0o600


def test_the_page_on_containers_tells_what_the_files_say() -> None:
    page, compose = PAGES["docker.md"], (ROOT / "docker-compose.yml").read_text()
    named = {name.lower() for name in re.findall(r"^\| `TINYAGENT_(\w+)`", page, re.MULTILINE)}
    assert named <= set(Settings.model_fields)
    assert {name.lower() for name in re.findall(r"\$\{TINYAGENT_(\w+)", compose)} <= named
    uid = stages(ROOT / "Dockerfile")[-1].last("USER").rest.partition(":")[0]
    assert f"| user | {uid}," in page
    (grace,) = re.findall(r"stop_grace_period: (\d+)s", compose)
    assert f"up to {grace} seconds" in page


def test_the_table_of_permissions_names_every_application_that_is_told_things() -> None:
    from tinyagent.apps.macos.permissions import PURPOSES

    table = dict(re.findall(r"^\| (\w+) \| ([^|]+) \|", PAGES["macos.md"], re.MULTILINE))
    assert {app: table[app] for app in PURPOSES} == PURPOSES
