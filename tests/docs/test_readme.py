"""The README's commands and snippets are run as they stand, against a server on another port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from tests.docs.example_run import shown
from tests.support.server import Server, serve, tinyagent
from tests.support.world import World
from tinyagent.cli.question_view import question_view
from tinyagent.domain.events import ApprovalRequestedData
from tinyagent.settings import load_settings
from tinyagent.tools.registry import BUILT_IN

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("home")
    assert tinyagent(home, "demo").returncode == 0
    with serve(home) as server:
        yield server


def run(server: Server, command: list[str], tmp_path: Path) -> str:
    """Run a snippet where `.venv/bin/tinyagent` is this environment's command."""
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    script = tmp_path / ".venv" / "bin" / "tinyagent"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tinyagent "$@"\n')
    script.chmod(0o755)
    environment = {
        **os.environ,
        "TINYAGENT_HOME": str(server.home),
        "TINYAGENT_URL": server.url,
        "PYTHONPATH": str(ROOT / "server"),
    }
    result = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def snippet(language: str, holding: str) -> str:
    return next(block for block in blocks(language) if holding in block)


def test_the_request_in_the_terminal_is_done(server: Server, tmp_path: Path) -> None:
    run(server, ["sh", "-c", snippet("sh", "tinyagent ask")], tmp_path)
    world = World(server.home)
    assert any("plants" in todo.summary.value for todo in world.reminders())
    assert any("running late" in str(message) for message in world.messages())


def test_the_curl_example_makes_its_note(server: Server, tmp_path: Path) -> None:
    command = snippet("sh", "curl").replace("http://127.0.0.1:8765", server.url)
    assert '"finish_reason":"stop"' in run(server, ["sh", "-c", command], tmp_path).replace(" ", "")
    assert "figs" in World(server.home).note("Groceries")


def test_the_openai_example_prints_the_answer(server: Server, tmp_path: Path) -> None:
    code = snippet("python", "stream=True").replace("http://127.0.0.1:8765", server.url)
    output = run(server, [sys.executable, "-c", code], tmp_path)
    assert re.search(r"\+\d{8,}", output), output


def test_the_functions_example_fills_the_numbers_in(server: Server, tmp_path: Path) -> None:
    code = snippet("python", "tool_calls").replace("http://127.0.0.1:8765", server.url)
    lines = run(server, [sys.executable, "-c", code], tmp_path).splitlines()
    assert lines[:2] == ["get_phone_number {'name': 'Sid'}", "get_phone_number {'name': 'Lutfi'}"]
    assert re.match(r"send_sms {'recipients': \['\+15550142', '\+15550142'\], 'message': ", lines[2])
    assert len(lines) == 3


def test_doctor_finds_nothing_essential_missing_after_the_demo(server: Server, tmp_path: Path) -> None:
    _, doctor = snippet("sh", "tinyagent doctor").splitlines()
    output = run(server, ["sh", "-c", doctor], tmp_path)
    assert "✓ audit log" in output


def test_what_was_done_is_taken_back_and_recorded(server: Server, tmp_path: Path) -> None:
    world = World(server.home)
    before = (len(world.reminders()), len(world.messages()))
    script = snippet("sh", "tinyagent ask") + snippet("sh", "tinyagent undo")
    output = run(server, ["sh", "-c", f"set -e\n{script}"], tmp_path)
    assert (len(world.reminders()), len(world.messages())) == before
    assert "create_reminder" in output
    assert "\nwhole: " in output


def test_the_question_is_what_the_terminal_shows() -> None:
    events = shown((ROOT / "docs" / "events.md").read_text())
    asked = next(event["data"] for event in events if event["type"] == "approval.requested")
    names = {tool.spec.name: [one.name for one in tool.spec.parameters] for tool in BUILT_IN}
    console = Console(width=100, file=StringIO())
    console.print(question_view([ApprovalRequestedData(**asked)], names, console))
    assert isinstance(console.file, StringIO)
    assert console.file.getvalue().startswith(snippet("text", "compose_new_email"))


def test_the_planner_settings_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(snippet("toml", "[planners"))
    result = tinyagent(tmp_path, "models", "list", "--json")
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in ("nano", "compact", "mine", "server"))


@pytest.mark.parametrize("block", blocks("toml"))
def test_the_settings_are_accepted(block: str, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(block)
    load_settings(home=tmp_path)


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"\bmake ([a-z]+)", README))
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


@pytest.mark.parametrize(
    "page", sorted(path.relative_to(ROOT) for path in [ROOT / "README.md", *ROOT.glob("docs/*.md")])
)
def test_links_between_documents_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / page).parent / target).exists(), target
