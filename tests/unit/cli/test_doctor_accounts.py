"""What the doctor finds of mail and calendar accounts, on real servers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from keyring.backends.null import Keyring

from tests.support import imap_server, radicale_server, smtp_server
from tests.support.server import free_port
from tinyagent.cli import checks_accounts
from tinyagent.cli.findings import Finding
from tinyagent.settings import load_settings


def examined(**accounts: Any) -> dict[str, Finding]:
    async def examine() -> dict[str, Finding]:
        settings = load_settings(**accounts)
        return {found.check: found async for found in checks_accounts.examine_accounts(settings)}

    return asyncio.run(examine())


def mail(port: int, user: str, password: str) -> dict[str, Any]:
    return {"host": "127.0.0.1", "port": port, "user": user, "password": password, "security": "none"}


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks_accounts, "ANSWER_S", 0.3)


def test_without_accounts_only_the_keychain_is_looked_at() -> None:
    assert set(examined()) == {"keychain"}


def test_mail_accounts_that_let_us_in_are_fine_and_nothing_is_sent() -> None:
    with imap_server.imap_server() as imap, smtp_server.smtp_server() as smtp:
        found = examined(
            imap=mail(imap.port, imap_server.USER, imap_server.PASSWORD),
            smtp=mail(smtp.port, smtp_server.USER, smtp_server.PASSWORD),
        )
        assert not smtp.received
    assert (found["imap"].verdict, found["smtp"].verdict) == ("ok", "ok")


def test_wrong_passwords_are_told_without_being_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smtp_server, "_check", lambda *_: AuthResult(success=False, handled=False))
    with imap_server.imap_server() as imap, smtp_server.smtp_server() as smtp:
        found = examined(
            imap=mail(imap.port, imap_server.USER, "swordfish"),
            smtp=mail(smtp.port, smtp_server.USER, "swordfish"),
        )
    for name in ("imap", "smtp"):
        assert found[name].verdict == "advice"
        assert "refused the user or the password" in found[name].detail
        assert f"{name}.password" in found[name].hint
        assert "swordfish" not in str(found[name])


@pytest.mark.usefixtures("impatient")
def test_servers_that_say_nothing_hold_nothing_up(silent: int) -> None:
    address = {"url": f"http://127.0.0.1:{silent}/", "user": "robin", "password": "secret"}
    found = examined(imap=mail(silent, "u", "p"), smtp=mail(silent, "u", "p"), caldav=address)
    for name in ("imap", "smtp", "caldav"):
        assert (found[name].verdict, "did not answer within" in found[name].detail) == ("advice", True)


def test_servers_that_are_not_there_are_told() -> None:
    port = free_port()
    address = {"url": f"http://127.0.0.1:{port}/", "user": "robin", "password": "secret"}
    found = examined(imap=mail(port, "u", "p"), smtp=mail(port, "u", "p"), carddav=address)
    for name in ("imap", "smtp", "carddav"):
        assert (found[name].verdict, "cannot be reached" in found[name].detail) == ("advice", True)


def test_calendar_accounts_are_tried_with_their_password(tmp_path: Path) -> None:
    with radicale_server.radicale_server(tmp_path) as server:
        right = {"url": server.url, "user": radicale_server.USER, "password": radicale_server.PASSWORD}
        found = examined(caldav=right, carddav={**right, "password": "swordfish"})
    assert found["caldav"].verdict == "ok"
    assert "refused the user or the password" in found["carddav"].detail


def test_a_password_would_not_be_sent_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket, "create_connection", forbidden)
    account = mail(143, "u", "p") | {"host": "mail.example.com"}
    dav = {"url": "http://dav.example.com/", "user": "u", "password": "p"}
    found = examined(imap=account, smtp=account, caldav=dav)
    for name in ("imap", "smtp", "caldav"):
        assert (found[name].verdict, "without encryption" in found[name].detail) == ("advice", True)


def test_a_missing_password_is_told_with_the_command_that_keeps_one() -> None:
    found = examined(imap=mail(143, "u", ""))
    assert "`tinyagent secret set imap.password`" in found["imap"].hint
    assert "TINYAGENT_IMAP__PASSWORD" in found["imap"].hint


def test_mail_that_would_have_no_sender_is_told() -> None:
    with smtp_server.smtp_server() as smtp:
        nameless = mail(smtp.port, "robin", smtp_server.PASSWORD)
        assert examined(smtp=nameless)["sender"].verdict == "advice"
        assert "sender" not in examined(smtp=nameless, sender="robin@example.com")
        assert "sender" not in examined(smtp=mail(smtp.port, smtp_server.USER, smtp_server.PASSWORD))


def test_a_keychain_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class Drawer(Keyring):
        name = "a drawer"
        priority = 1

    monkeypatch.setattr("keyring.get_keyring", Drawer)
    assert examined()["keychain"].detail == "a drawer"
