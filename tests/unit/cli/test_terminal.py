"""What reaches a terminal, and the options that every command takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tinyagent.cli.moments import parse_now
from tinyagent.cli.options import GlobalOptions, hoist_options, server_url, stored_token
from tinyagent.cli.terminal import duration, printable
from tinyagent.errors import ConfigurationError, InvalidRequest
from tinyagent.home import read_token


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2Jgone", "[2Jgone"),
        ("\x1b]0;title\x07x", "]0;titlex"),
        ("a\x9b31mb", "a31mb"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("carriage\rreturn", "carriagereturn"),
        ("lines\nand\ttabs stay", "lines\nand\ttabs stay"),
        ("Zoë 田辺 👍", "Zoë 田辺 👍"),
    ],
)
def test_control_codes_never_reach_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("milliseconds", "shown"),
    [(0.4, "0 ms"), (999.4, "999 ms"), (999.9, "1.0 s"), (59_940, "59.9 s"), (61_000, "1 min 1 s")],
)
def test_durations_are_short(milliseconds: float, shown: str) -> None:
    assert duration(milliseconds) == shown


@pytest.mark.parametrize(
    ("given", "ordered"),
    [
        (["serve", "--home", "/x"], ["--home", "/x", "serve"]),
        (["ask", "--url=http://h", "hello"], ["--url=http://h", "ask", "hello"]),
        (["ask", "--", "--home", "sweet"], ["ask", "--", "--home", "sweet"]),
        (["--home", "/x", "ask", "hi"], ["--home", "/x", "ask", "hi"]),
        (["ask", "hi", "--home"], ["--home", "ask", "hi"]),
    ],
)
def test_global_options_may_stand_after_the_command(given: list[str], ordered: list[str]) -> None:
    assert hoist_options(given) == ordered


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:9"),
        ("0.0.0.0", "http://127.0.0.1:9"),
        ("::1", "http://[::1]:9"),
        ("::", "http://[::1]:9"),
    ],
)
def test_the_server_is_reached_by_an_address_of_this_machine(tmp_path: Path, host: str, url: str) -> None:
    assert server_url(GlobalOptions(tmp_path, None).settings(host=host, port=9)) == url


def test_the_token_is_the_configured_one_or_the_stored_one_or_none(tmp_path: Path) -> None:
    options = GlobalOptions(tmp_path, None)
    assert stored_token(options.settings()) is None
    (tmp_path / "token").write_text("secret\n")
    assert stored_token(options.settings()) == "secret"
    assert stored_token(options.settings(token="other")) == "other"


def test_a_damaged_token_file_is_named(tmp_path: Path) -> None:
    settings = GlobalOptions(tmp_path, None).settings()
    settings.token_file.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidRequest, match="damaged"):
        stored_token(settings)
    with pytest.raises(ConfigurationError, match="token"):
        read_token(settings)


def test_a_moment_is_read_without_its_zone() -> None:
    moment = parse_now("2025-03-08T11:20+02:00")
    assert moment is not None
    assert (moment.hour, moment.tzinfo) == (11, None)
