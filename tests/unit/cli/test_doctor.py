"""What the doctor finds."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tinyagent.cli.app import app


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
