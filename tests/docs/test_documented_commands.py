"""Every command of tinyagent in every document exists with its options, and every link hits a heading."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from tests.docs.test_deployment_pages import parsed
from tinyagent.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("docs/*.md"))]
ROOT_COMMAND: Any = typer.main.get_command(app)
NAMES: list[str] = sorted(ROOT_COMMAND.commands)

_BLOCK = r"(?ms)^```sh\n(.*?)^```"
_COMMAND = re.compile(
    rf"(?:(?<![\w/])|(?<=\.venv/bin/))(tinyagent (?:--?\w|(?:{'|'.join(NAMES)})\b)[^|>)\n]*)"
)


def commands() -> list[str]:
    """What stands in blocks for the shell, which is complete."""
    blocks: list[str] = [block for page in PAGES for block in re.findall(_BLOCK, page.read_text())]
    return _found([line for block in blocks for line in block.splitlines()])


def mentions() -> list[str]:
    """What stands between backticks in the running text, where an argument may be left out."""
    texts = [re.sub(r"(?ms)^```.*?^```", "", page.read_text()) for page in PAGES]
    return _found([line for text in texts for line in re.findall(r"`([^`]+)`", text)])


def _found(lines: list[str]) -> list[str]:
    calls = (match[1].partition(" #")[0].strip() for line in lines for match in _COMMAND.finditer(line))
    return sorted(set(calls))


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYAGENT_HOME", str(tmp_path))


def parse(command: str) -> None:
    _, *arguments = shlex.split(command.replace("URL", "http://127.0.0.1:8765"))
    parsed(ROOT_COMMAND, "tinyagent", arguments)


@pytest.mark.parametrize("command", commands())
def test_every_command_exists_with_its_options(command: str) -> None:
    parse(command)


@pytest.mark.parametrize("command", mentions())
def test_every_command_that_is_mentioned_exists_with_its_options(command: str) -> None:
    try:
        parse(command)
    except Exception as error:
        assert type(error).__name__ == "MissingParameter", error


def test_the_commands_of_the_pages_are_found() -> None:
    assert {"tinyagent audit verify", "tinyagent undo last", "tinyagent secret set imap.password"} <= {
        *commands(),
        *mentions(),
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_to_headings_hit_one(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*)#([^)]+)\)", page.read_text()):
        linked = page.parent / target if target else page
        assert anchor in anchors(linked), f"{target}#{anchor}"
