"""What the doctor finds of further tools: files of the user's own, and servers."""

from __future__ import annotations

from pathlib import Path

from tests.support.mcp_server import program
from tinyagent.cli.checks_tools import examine_further_tools
from tinyagent.cli.findings import Finding
from tinyagent.settings import Settings, load_settings

OWN = '''
from tinyagent.plugins import tool

@tool(effect="read")
def water_level(room: str) -> str:
    """How high the water stands.

    Args:
        room: Where.
    """
    return "dry"
'''


async def findings(settings: Settings) -> list[Finding]:
    return [finding async for finding in examine_further_tools(settings)]


async def test_without_further_tools_there_is_nothing_to_say() -> None:
    assert await findings(load_settings()) == []


async def test_own_tools_that_the_planner_does_not_know_are_told(tmp_path: Path) -> None:
    file = tmp_path / "house.py"
    file.write_text(OWN)
    found = await findings(load_settings(tool_files=[file]))
    assert [(one.check, one.verdict) for one in found] == [("tools", "advice")]
    assert "water_level: not planned by nano" in found[0].detail


async def test_a_file_that_cannot_be_loaded_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "house.py"
    file.write_text("import nothing_of_this_name\n")
    found = await findings(load_settings(tool_files=[file]))
    assert [one.verdict for one in found] == ["advice"]
    assert "house.py" in found[0].detail
    assert "line 1" in found[0].detail


async def test_servers_are_asked_for_their_tools_and_dead_ones_told() -> None:
    servers = {"good": {"command": list(program())}, "dead": {"command": ["/nowhere/at/all"]}}
    found = await findings(load_settings(mcp=servers, planner="nano"))
    assert any(one.detail.startswith("dead") for one in found)
    assert any("good_" in one.detail and "not planned by nano" in one.detail for one in found)
