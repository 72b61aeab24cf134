"""What the pages on further tools show is valid, and does what they say."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.scripted import NOW
from tinyagent.bootstrap.hosting import further_hosts
from tinyagent.errors import ConfigurationError, ToolError
from tinyagent.plugins.host import OwnToolHost
from tinyagent.plugins.loading import load_tools
from tinyagent.ports import CallContext
from tinyagent.settings import load_settings

DOCS = Path(__file__).parents[2] / "docs"
CONTEXT = CallContext(now=NOW)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("page", ["mcp.md", "own-tools.md"])
def test_the_settings_that_are_shown_are_valid(page: str, tmp_path: Path) -> None:
    shown = [block for block in blocks(page, "toml") if "[project" not in block]
    assert shown
    for number, block in enumerate(shown):
        home = tmp_path / str(number)
        home.mkdir()
        (home / "config.toml").write_text(block)
        load_settings(home=home)
    for block in blocks(page, "toml"):
        assert tomllib.loads(block)


async def test_the_tool_that_is_shown_works(tmp_path: Path) -> None:
    path = tmp_path / "house.py"
    [example] = blocks("own-tools.md", "python")
    path.write_text(example)
    found = load_tools([path], packages=())
    assert found.faults == []
    host = OwnToolHost(found, lambda name: True)
    assert (await host.call("room_temperature", ["kitchen", None], CONTEXT)).value == "21.5 C"
    assert (await host.call("room_temperature", ["hall", "F"], CONTEXT)).value == "64.4 F"
    with pytest.raises(ToolError, match="no room called attic"):
        await host.call("room_temperature", ["attic", None], CONTEXT)


async def test_a_token_does_not_travel_unprotected(tmp_path: Path) -> None:
    server = {"url": "http://192.0.2.1/mcp", "token": "s3cret"}
    settings = load_settings(home=tmp_path, mcp={"far": server})
    with pytest.raises(ConfigurationError, match=r"mcp\.far\.url is neither encrypted nor on this computer"):
        async with further_hosts(settings):
            pass


async def test_without_further_tools_there_are_no_further_hosts(tmp_path: Path) -> None:
    async with further_hosts(load_settings(home=tmp_path)) as further:
        assert further == []
