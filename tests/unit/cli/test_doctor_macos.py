"""What the doctor finds on a Mac."""

from __future__ import annotations

import asyncio
import errno
import os
import plistlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.fake_mac import FakeMac
from tinyagent.cli import checks_macos
from tinyagent.cli.app import app
from tinyagent.cli.findings import Finding
from tinyagent.settings import Settings, load_settings
from tinyagent.workers.launchd import Agent


def program(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


@pytest.fixture
def mac(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeMac:
    mac = FakeMac(tmp_path / "mac")
    program(mac.bin, "mdutil", 'echo "$2:"; echo "	Indexing enabled. "')
    monkeypatch.setenv("PATH", mac.path())
    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    monkeypatch.setenv("TINYAGENT_APPS", "macos")
    return mac


def settings(*folders: Path) -> Settings:
    return load_settings(folders=list(folders))


def examined(*folders: Path) -> dict[str, Finding]:
    async def examine() -> dict[str, Finding]:
        return {found.check: found async for found in checks_macos.examine_mac(settings(*folders))}

    return asyncio.run(examine())


def test_every_application_is_asked_and_granted_ones_are_fine(mac: FakeMac, tmp_path: Path) -> None:
    found = examined(tmp_path)
    apps = ("Contacts", "Calendar", "Reminders", "Notes", "Mail", "Messages", "Finder")
    assert {found[f"permission for {app}"].verdict for app in apps} == {"ok"}
    assert mac.operations() == ["permission_check"] * len(apps)
    assert not mac.faults()


def test_the_command_shows_permissions_and_fails_for_none_that_is_missing(mac: FakeMac) -> None:
    mac.change(lambda data: data["denied"].append("Notes"))
    result = CliRunner().invoke(app, ["doctor"])
    assert result.exit_code == 0, result.output
    assert "permission for Notes: missing; Notes makes, reads and extends notes" in result.output
    assert "System Settings > Privacy & Security > Automation" in result.output


def test_a_permission_that_is_missing_is_named_with_its_switch_and_purpose(
    mac: FakeMac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM_PROGRAM", "Apple_Terminal")
    mac.change(lambda data: data["denied"].append("Mail"))
    found = examined(tmp_path)["permission for Mail"]
    assert found.verdict == "advice"
    assert "sends mail" in found.detail
    assert "System Settings > Privacy & Security > Automation > Terminal > Mail" in found.hint


def test_an_application_that_does_not_answer_is_told_apart_from_a_missing_permission(
    mac: FakeMac, tmp_path: Path
) -> None:
    mac.plan("permission_check", *[{"error": -1712, "always": True}])
    found = examined(tmp_path)["permission for Notes"]
    assert (found.verdict, "did not answer" in found.detail) == ("advice", True)
    assert "Open Notes" in found.hint


def test_without_osascript_nothing_can_be_done(
    mac: FakeMac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mac.bin / "osascript").unlink()
    monkeypatch.setenv("PATH", str(mac.bin))
    found = examined(tmp_path)
    assert found["osascript"].verdict == "fault"
    assert not any(check.startswith("permission") for check in found)


def test_a_folder_that_macos_guards_needs_full_disk_access(
    mac: FakeMac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded, own, gone = tmp_path / "Mail", tmp_path / "Papers", tmp_path / "gone"
    guarded.mkdir()
    own.mkdir()
    listed = os.scandir

    def scandir(folder: Path) -> Iterator[os.DirEntry[str]]:
        if folder == guarded:
            raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
        return listed(folder)

    monkeypatch.setattr(checks_macos.os, "scandir", scandir)
    found = examined(guarded, own, gone)
    assert "Full Disk Access" in found[f"folder {guarded}"].hint
    assert found[f"folder {own}"].verdict == "ok"
    assert (found[f"folder {gone}"].verdict, "Make it" in found[f"folder {gone}"].hint) == ("advice", True)


def test_a_folder_that_does_not_answer_holds_nothing_up(
    mac: FakeMac, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = tmp_path / "share"
    os.mkfifo(stuck)
    # Whoever opens a pipe without a writer waits, as whoever lists an absent server's folder does.
    monkeypatch.setattr(checks_macos.os, "scandir", lambda folder: os.fdopen(os.open(folder, os.O_RDONLY)))
    monkeypatch.setattr("tinyagent.cli.findings.in_time.__defaults__", (0.2,))
    found = asyncio.run(checks_macos.check_readable(stuck))
    assert (found.verdict, "did not answer" in found.detail) == ("advice", True)


def test_a_volume_without_an_index_is_named_once(mac: FakeMac, tmp_path: Path) -> None:
    program(mac.bin, "mdutil", 'echo "$2:"; echo "	Indexing disabled."')
    folders = [Path("/Volumes/Archive/a"), Path("/Volumes/Archive/b"), tmp_path]
    found = examined(*folders)
    assert {check for check in found if check.startswith("spotlight")} == {
        "spotlight on /Volumes/Archive",
        "spotlight on /",
    }
    assert "sudo mdutil -i on /Volumes/Archive" in found["spotlight on /Volumes/Archive"].hint


def test_the_index_of_an_indexed_volume_is_fine(mac: FakeMac, tmp_path: Path) -> None:
    assert examined(tmp_path)["spotlight on /"].verdict == "ok"


def test_an_installed_service_that_does_not_run_is_told_with_its_log(mac: FakeMac, tmp_path: Path) -> None:
    worker = Agent("worker", (sys.executable,))
    worker.plist.parent.mkdir(parents=True)
    worker.plist.write_bytes(plistlib.dumps(worker.definition()))
    program(mac.bin, "launchctl", 'echo "	state = not running"; echo "	last exit code = 78"')
    found = examined(tmp_path)
    assert found["server at login"].detail == "not started"
    stopped = found["worker at login"]
    assert (stopped.verdict, "78" in stopped.detail, str(worker.log) in stopped.hint) == (
        "advice",
        True,
        True,
    )
    program(mac.bin, "launchctl", 'echo "	pid = 4711"')
    assert examined(tmp_path)["worker at login"].detail == "started; process 4711"


@pytest.mark.parametrize(
    ("apps", "system", "expected"),
    [
        ("auto", "darwin", True),
        ("auto", "linux", False),
        ("portable", "darwin", False),
        ("macos", "linux", True),
    ],
)
def test_a_mac_is_looked_at_where_calls_go_to_its_applications(
    apps: str, system: str, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    assert checks_macos.on_a_mac(load_settings(apps=apps)) is expected
