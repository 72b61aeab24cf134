"""The README's commands and snippets are run as they stand, against a server on another port."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import Server, serve, tinyagent
from tests.support.world import World

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
    code = snippet("python", "OpenAI").replace("http://127.0.0.1:8765", server.url)
    output = run(server, [sys.executable, "-c", code], tmp_path)
    assert re.search(r"\+\d{8,}", output), output


def test_the_planner_settings_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(snippet("toml", "[planners"))
    result = tinyagent(tmp_path, "models", "list", "--json")
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in ("nano", "compact", "mine", "server"))


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
