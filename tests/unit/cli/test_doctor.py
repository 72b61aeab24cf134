"""What the doctor finds."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyagent.bootstrap import SystemClock
from tinyagent.cli.app import app
from tinyagent.cli.checks import check_approvals, check_audit, check_search_folders
from tinyagent.journal.audit import FileAuditLog
from tinyagent.ports import AuditEntry
from tinyagent.settings import load_settings


def findings() -> tuple[int, dict[str, dict[str, str]]]:
    result = CliRunner().invoke(app, ["doctor", "--json"])
    return result.exit_code, {finding["check"]: finding for finding in json.loads(result.stdout)}


def test_the_doctor_tells_wrong_settings_from_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYAGENT_PORT", "many")
    code, found = findings()
    assert code == 1
    assert (found["python"]["verdict"], found["settings"]["verdict"]) == ("ok", "fault")
    assert "port" in found["settings"]["detail"]


def test_the_doctor_finds_another_program_on_the_port(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("TINYAGENT_PORT", str(other.getsockname()[1]))
        monkeypatch.setattr("tinyagent.client.ANSWER_TIMEOUT_S", 0.2)
        code, found = findings()
    assert code == 1
    assert (found["server"]["verdict"], "another program" in found["server"]["detail"]) == ("fault", True)


def test_the_doctor_finds_a_home_that_is_a_file(home: Path) -> None:
    home.write_text("")
    code, found = findings()
    assert code == 1
    assert found["data folder"]["verdict"] == "fault"
    assert str(home) in found["data folder"]["detail"]


def test_the_doctor_finds_a_damaged_journal(home: Path) -> None:
    home.mkdir()
    (home / "journal.sqlite3").write_bytes(b"this is no database" * 100)
    code, found = findings()
    assert code == 1
    assert (found["journal"]["verdict"], "damaged" in found["journal"]["detail"]) == ("fault", True)


def test_the_doctor_finds_a_planner_file_that_is_no_gguf(home: Path, tmp_path: Path) -> None:
    cut, other = tmp_path / "cut.gguf", tmp_path / "other.gguf"
    cut.write_bytes(b"GGUF")
    other.write_bytes(b"hello")
    home.mkdir()
    (home / "config.toml").write_text(
        f'planners.cut = {{kind = "llama", path = "{cut}"}}\n'
        f'planners.other = {{kind = "llama", path = "{other}"}}\n'
    )
    _, found = findings()
    for planner, path in (("planner cut", cut), ("planner other", other)):
        assert (found[planner]["verdict"], str(path) in found[planner]["detail"]) == ("advice", True)


def test_the_doctor_finds_a_default_planner_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYAGENT_PLANNER", "nono")
    code, found = findings()
    assert (code, found["default planner"]["verdict"]) == (1, "fault")
    assert "Known planners: nano, compact" in found["default planner"]["hint"]


def test_the_doctor_finds_folders_that_are_not_there(home: Path, tmp_path: Path) -> None:
    finding = check_search_folders(load_settings(folders=[tmp_path, tmp_path / "papers"]))
    assert (finding.verdict, finding.detail) == ("advice", f"there is no folder {tmp_path / 'papers'}")
    assert check_search_folders(load_settings(folders=[tmp_path])).verdict == "ok"


@pytest.mark.parametrize(
    ("rules", "verdict", "told"),
    [
        ("", "ok", "mail and messages are only drafted, never sent"),
        ('send = "ask"', "ok", "asked about first: compose_new_email"),
        ('send = "auto"', "advice", "SENT WITHOUT ASKING: compose_new_email"),
        ('tools = {send_sms = "auto"}', "advice", "SENT WITHOUT ASKING: send_sms"),
        ('tools = {send_mms = "auto"}', "fault", "send_mms, which is no tool"),
    ],
)
def test_the_doctor_says_plainly_what_is_sent_without_asking(
    home: Path, rules: str, verdict: str, told: str
) -> None:
    home.mkdir()
    (home / "config.toml").write_text(f"[approvals]\n{rules}\n")
    finding = check_approvals(load_settings())
    assert (finding.verdict, told in finding.detail) == (verdict, True), finding


async def test_the_doctor_finds_a_changed_audit_log(home: Path) -> None:
    home.mkdir()
    settings = load_settings()
    log = FileAuditLog(settings.audit_file, SystemClock())
    for task in (1, 2):
        await log.append(AuditEntry("run", task, "create_note", "write", "succeeded"))
    await log.close()
    assert (await check_audit(settings)).detail == "2 entries, whole"
    settings.audit_file.write_bytes(
        settings.audit_file.read_bytes().replace(b"create_note", b"create_nose", 1)
    )
    finding = await check_audit(settings)
    assert (finding.verdict, "line 1" in finding.detail) == ("fault", True)


def test_the_doctor_looks_at_no_mac_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYAGENT_APPS", "portable")
    _, found = findings()
    assert not [check for check in found if check.startswith(("permission", "spotlight", "osascript"))]
    assert found["keychain"]["verdict"] == "ok"
