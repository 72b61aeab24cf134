"""Where settings come from and what happens when they are wrong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tinyagent.bootstrap import SystemClock
from tinyagent.daemon import security
from tinyagent.errors import ConfigurationError, Conflict
from tinyagent.home import home_lock, read_token
from tinyagent.settings import load_settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TINYAGENT_PORT", "TINYAGENT_HOME", "TINYAGENT_TOKEN"):
        monkeypatch.delenv(name, raising=False)


def test_flags_beat_the_environment_which_beats_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.toml").write_text('port = 1\nphone_region = "DE"\nplanner = "file"\n')
    monkeypatch.setenv("TINYAGENT_PORT", "2")
    monkeypatch.setenv("TINYAGENT_PLANNER", "environment")
    monkeypatch.setenv("TINYAGENT_HOME", str(tmp_path))
    settings = load_settings(port=3)
    assert (settings.port, settings.planner, settings.phone_region) == (3, "environment", "DE")
    assert settings.home == tmp_path


def test_every_fault_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('port = "x"\ncolour = 1\n[planners.a]\nkind = "llama"\n')
    with pytest.raises(ConfigurationError) as caught:
        load_settings(home=tmp_path)
    assert all(place in caught.value.message for place in ("port", "colour", "planners.a"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("aprovals = 1", "aprovals: there is no such setting; is approvals meant?"),
        ("xyz = 1", "xyz: there is no such setting"),
        ("[approvals]\nsedn = 1", "approvals.sedn: there is no such setting; is send meant?"),
        ('[approvals]\nsend = "maybe"', "approvals.send: must be 'draft', 'ask' or 'auto'"),
        ("[approvals]\nwait_s = 0", "approvals.wait_s: must be greater than 0"),
        ('[approvals.tools]\nsend_sms = "no"', "approvals.tools.send_sms: must be 'draft', 'ask' or 'auto'"),
        ('port = "x"', "port: must be a valid integer"),
        ('tool_files = "a.py"', 'tool_files: must be a list, such as ["one", "two"]'),
        ("[mcp.a]", "mcp.a: needs a command or a url"),
        (
            '[mcp.a]\ncommand = ["b"]\nurl = "http://127.0.0.1:1/mcp"',
            "mcp.a: has both a command and a url; a server is reached in one way",
        ),
        ('[mcp.a]\ncommand = "npx b"', 'mcp.a.command: must be a list, such as ["one", "two"]'),
        ('phone_region = "usa"', "phone_region: must be two capital letters, such as US"),
        (
            'timezone = "Mars/Base"',
            "timezone: there is no time zone 'Mars/Base'; write it like Europe/Berlin",
        ),
        ('imap = "x"', "imap: must be a section [imap]"),
        ("[imap]\nport = 993", "imap.host: is missing\n  imap.user: is missing"),
        ('[planners.a]\nkind = "gguf"', "planners.a: kind must be 'llama' or 'openai'"),
        ('[planners.a]\npath = "x"', "planners.a: kind must be 'llama' or 'openai'"),
        (
            '[planners.a]\nkind = "llama"\npath = "x"\nthread = 1',
            "planners.a.thread: there is no such setting; is threads meant?",
        ),
        ("[writer]\nroles = []", "writer.model: is missing"),
        (
            '[writer.model]\nkind = "openai"\nmodel = "m"\nbase_url = "http://127.0.0.1:99999/v1"',
            "writer.model.base_url: must be an address such as http://127.0.0.1:8000/v1",
        ),
    ],
)
def test_a_fault_is_told_in_plain_words_and_with_its_place(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "config.toml").write_text(content)
    with pytest.raises(ConfigurationError) as caught:
        load_settings(home=tmp_path)
    assert caught.value.message == f"The settings are not valid:\n  {told}"


@pytest.mark.parametrize("address", ["", "nonsense", "ftp://x/v1", "http://", "http://[::1/v1", "//x/v1"])
def test_a_model_is_looked_for_at_web_addresses_only(tmp_path: Path, address: str) -> None:
    planner = {"kind": "openai", "model": "m", "base_url": address}
    with pytest.raises(ConfigurationError, match=r"planners\.far\.base_url: must be an address"):
        load_settings(home=tmp_path, planners={"far": planner})


@pytest.mark.parametrize("host", ["", "https://imap.example.com/", "imap.example.com:993", "two words"])
def test_the_name_of_a_mail_server_is_a_name_alone(tmp_path: Path, host: str) -> None:
    with pytest.raises(ConfigurationError, match=r"imap\.host: must be the name of a server alone"):
        load_settings(home=tmp_path, imap={"host": host, "user": "robin"})


@pytest.mark.parametrize("host", ["imap.example.com", "localhost", "127.0.0.1", "::1", "bücher.example"])
def test_servers_are_named_or_numbered(tmp_path: Path, host: str) -> None:
    settings = load_settings(home=tmp_path, imap={"host": host, "user": "robin"})
    assert settings.imap is not None
    assert settings.imap.host == host


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "config.toml").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"config\.toml"):
        load_settings(home=tmp_path)


def test_the_token_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    token = read_token(settings)
    assert read_token(settings) == token
    assert len(token) >= 32
    assert settings.token_file.stat().st_mode & 0o777 == 0o600
    assert token not in repr(load_settings(home=tmp_path, token=token))


def test_a_line_end_after_the_configured_token_is_no_part_of_it(tmp_path: Path) -> None:
    assert read_token(load_settings(home=tmp_path, token=" a-long-random-text\n")) == "a-long-random-text"


@pytest.mark.parametrize(
    ("allowed", "sent"),
    [
        ("Agent.example.com", "agent.example.com"),
        ("agent.example.com", "agent.example.com:8765"),
        ("agent.example.com:444", "agent.example.com:444"),
        ("fd00::1", "[fd00::1]:8765"),
        ("fd00::1", "[fd00::1]"),
        ("[fd00::1]:444", "[fd00::1]:444"),
    ],
)
def test_clients_may_use_an_allowed_name_with_or_without_the_port(
    tmp_path: Path, allowed: str, sent: str
) -> None:
    settings = load_settings(home=tmp_path, allowed_hosts=[allowed])
    hosts = security(settings, 8765, "a-long-random-text").hosts
    assert sent in hosts
    assert not {"agent.example.com:1", "localhost", "127.0.0.1"} & hosts


def test_one_home_serves_one_process_at_a_time(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    with home_lock(settings), pytest.raises(Conflict, match="Another tinyagent"), home_lock(settings):
        pass
    with home_lock(settings):
        pass


def test_an_environment_variable_that_is_no_list_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYAGENT_FOLDERS", "documents")
    with pytest.raises(ConfigurationError, match="TINYAGENT_FOLDERS is not valid"):
        load_settings(home=tmp_path)


def test_a_token_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "token").mkdir()
    with pytest.raises(ConfigurationError, match="token"):
        read_token(load_settings(home=tmp_path))


def test_the_clock_goes_by_the_configured_time_zone() -> None:
    offsets = {SystemClock(zone).now().utcoffset() for zone in ("Asia/Kathmandu", "Pacific/Kiritimati")}
    assert offsets == {timedelta(hours=5, minutes=45), timedelta(hours=14)}


def test_a_home_that_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "lock").mkdir()
    with pytest.raises(ConfigurationError, match="lock"), home_lock(load_settings(home=tmp_path)):
        pass
