"""`tinyagent audit`: the record as people read and check it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.support.scripted import FixedClock
from tinyagent.cli.app import app
from tinyagent.journal.audit import FileAuditLog
from tinyagent.ports import AuditAction, AuditEntry

ACTIONS: tuple[AuditAction, ...] = ("requested", "approved", "started", "succeeded")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["audit", *arguments])


@pytest.fixture
def log(home: Path) -> Path:
    """Four entries of one run and one of another."""
    home.mkdir()
    path = home / "audit.jsonl"

    async def write() -> None:
        log = FileAuditLog(path, FixedClock())
        for action in ACTIONS:
            await log.append(AuditEntry("run_1", 2, "send_sms", "send", action, "ab" * 32, "owner"))
        await log.append(AuditEntry("run_2", 1, "create\x1b[2J", "write", "failed", code="app_failed"))
        await log.close()

    asyncio.run(write())
    return path


def test_a_whole_record_is_told_with_its_count_and_head(log: Path) -> None:
    head = json.loads(log.read_text().splitlines()[-1])["hash"]
    result = run("verify")
    assert (result.exit_code, result.stdout) == (0, f"whole: 5 entries\nhead: {head}\n")
    assert run("verify", "--head", head.upper()).exit_code == 0
    assert json.loads(run("verify", "--json").stdout) == {
        "ok": True,
        "entries": 5,
        "head": head,
        "line": None,
        "fault": "",
    }


def test_a_changed_line_is_named_and_fails(log: Path) -> None:
    log.write_text(log.read_text().replace('"action":"approved"', '"action":"rejected"'))
    result = run("verify")
    assert result.exit_code == 1
    assert "NOT whole" in result.stdout
    assert "line 2: it was changed" in result.stdout
    assert json.loads(run("verify", "--json").stdout)["line"] == 2


def test_a_record_without_the_noted_hash_fails(log: Path) -> None:
    result = run("verify", "--head", "0" * 64)
    assert (result.exit_code, "noted" in result.stdout) == (1, True)


def test_before_anything_was_done_the_record_is_whole_and_empty(home: Path) -> None:
    assert run("verify").stdout.startswith("whole: 0 entries\n")
    assert (run("list").stdout, run("list", "--json").stdout) == ("", "[]\n")


def test_entries_are_listed_oldest_first_without_control_codes(log: Path) -> None:
    lines = run("list").stdout.splitlines()
    assert [line.split("\t")[3] for line in lines] == [*ACTIONS, "failed"]
    assert lines[0].split("\t")[1:] == ["run_1", "2", "requested", "send_sms", "owner", ""]
    assert "\x1b" not in "".join(lines)


def test_the_list_is_of_one_run_or_the_last_entries(log: Path) -> None:
    assert len(run("list", "--run", "run_1").stdout.splitlines()) == 4
    assert run("list", "--run", "run_9").stdout == ""
    last = json.loads(run("list", "--limit", "1", "--json").stdout)
    assert [(entry["run"], entry["code"]) for entry in last] == [("run_2", "app_failed")]


def test_a_list_without_entries_says_so(home: Path, log: Path) -> None:
    of_no_run = run("list", "--run", "run_zzz")
    assert (of_no_run.stdout, of_no_run.stderr) == ("", "The record has no entries of such a run.\n")
    log.unlink()
    assert run("list").stderr == "The record has no entries yet.\n"


def test_a_damaged_line_does_not_hide_the_others(log: Path) -> None:
    lines = log.read_text().splitlines()
    log.write_text("\n".join([lines[0], "{", *lines[2:]]) + "\n")
    result = run("list")
    assert len(result.stdout.splitlines()) == 4
    assert "line 2: it is not JSON" in result.stderr
