"""What the doctor finds of further tools: files of the user's own, and servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.mcp_server import program
from tinyagent.bootstrap import build_policy
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


async def test_an_exception_for_a_tool_that_does_not_exist_is_told(tmp_path: Path) -> None:
    file = tmp_path / "house.py"
    file.write_text(OWN)
    rules = {"tools": {"water_level": "ask", "water_levle": "ask", "send_sms": "ask"}}
    found = await findings(load_settings(tool_files=[file], approvals=rules))
    assert next(one.detail for one in found) == "approvals.tools names water_levle, which is no tool"


async def test_the_settings_may_name_a_tool_of_an_installed_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "package_of_the_doctors_test.py").write_text(OWN)
    about = tmp_path / "package_of_the_doctors_test-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: package-of-the-doctors-test\nVersion: 1\n")
    (about / "entry_points.txt").write_text("[tinyagent.tools]\nhouse = package_of_the_doctors_test\n")
    monkeypatch.syspath_prepend(tmp_path)
    settings = load_settings(approvals={"tools": {"water_level": "ask"}})
    assert build_policy(settings).tools == {"water_level": "ask"}
    assert ["water_level" in one.detail for one in await findings(settings)] == [True]
