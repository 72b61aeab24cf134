"""Whether the configured accounts let us in, and where their passwords are kept."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING

import httpx

from tinyagent.cli.findings import ANSWER_S, Finding, from_error, in_time
from tinyagent.errors import AppFailed, NotConfigured, TinyAgentError

if TYPE_CHECKING:
    from tinyagent.apps.network._wire import Line
    from tinyagent.settings import DavSettings, ImapSettings, Settings, SmtpSettings

REFUSED = (401, 403)


async def examine_accounts(settings: Settings) -> AsyncIterator[Finding]:
    """The keychain, and every account that is configured; nothing is read, sent or changed there."""
    yield await check_keychain()
    if settings.imap is not None:
        yield await _let_in("imap", settings.imap.host, _imap(settings.imap))
    if settings.smtp is not None:
        yield await _let_in("smtp", settings.smtp.host, _smtp(settings.smtp))
    for name, account in (("caldav", settings.caldav), ("carddav", settings.carddav)):
        if account is not None:
            yield await _let_in(name, account.url, _dav(name, account))


async def check_keychain() -> Finding:
    """A keychain that passwords can be kept in; without one they stand in the settings."""

    def backend() -> str:
        import keyring

        found = keyring.get_keyring()
        return found.name if found.priority > 0 else ""

    try:
        name = await in_time(backend)
    except Exception:  # backends raise whatever their systems do
        name = ""
    if name:
        return Finding("keychain", "ok", name, "`tinyagent secret set` puts passwords there.")
    hint = "Passwords stand in config.toml or in TINYAGENT_* variables then."
    return Finding("keychain", "ok", "none here", hint)


async def _let_in(name: str, place: str, attempt: Awaitable[None]) -> Finding:
    try:
        await attempt
    except TinyAgentError as error:
        return from_error(name, "advice", error)
    return Finding(name, "ok", f"{place} answers and lets this account in")


async def _imap(account: ImapSettings) -> None:
    from tinyagent.apps.network._imap import session
    from tinyagent.apps.network._security import require_protection
    from tinyagent.apps.network._wire import Line, on_line

    require_protection("imap", account.host, account.security != "none")
    password = await _password("imap", account)

    def log_in(line: Line) -> None:
        with session(line, account.user, password, account.security):
            pass

    await on_line(Line("mail server", account.host, account.port, ANSWER_S), log_in)


async def _smtp(account: SmtpSettings) -> None:
    from tinyagent.apps.network._security import require_protection
    from tinyagent.apps.network._wire import Line, on_line

    require_protection("smtp", account.host, account.security != "none")
    password = await _password("smtp", account) if account.user else ""

    def log_in(line: Line) -> None:
        client = _SmtpClient(line, tls=account.security == "tls")
        try:
            client.connect(account.host, account.port)
            if account.security == "starttls":
                client.starttls(context=ssl.create_default_context())
            client.ehlo_or_helo_if_needed()
            if account.user:
                client.login(account.user, password)
        except smtplib.SMTPNotSupportedError:
            raise NotConfigured(
                f"The mail server {account.host} does not offer what is set under [smtp].",
                hint="Check smtp.security and smtp.user.",
            ) from None
        except smtplib.SMTPAuthenticationError:
            raise _refused("smtp", account.host) from None
        finally:
            client.close()

    await on_line(Line("mail server", account.host, account.port, ANSWER_S), log_in)


class _SmtpClient(smtplib.SMTP):
    """The standard client on a connection that can be cut from outside."""

    def __init__(self, line: Line, *, tls: bool) -> None:
        self._line, self._tls = line, tls
        super().__init__(local_hostname="[127.0.0.1]", timeout=ANSWER_S)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self._line.connect_tls() if self._tls else self._line.connect()


async def _dav(name: str, account: DavSettings) -> None:
    """Ask for the address itself. A redirect or another way of saying no is an answer too."""
    from tinyagent.apps.network._security import is_loopback, require_protection

    address = _address(name, account.url)
    require_protection(name, address.host, address.scheme == "https")
    login = (account.user, await _password(name, account)) if account.user else None
    try:
        async with (
            asyncio.timeout(ANSWER_S),
            httpx.AsyncClient(timeout=ANSWER_S, trust_env=not is_loopback(address.host)) as client,
        ):
            answer = await client.request("PROPFIND", address, auth=login, headers={"Depth": "0"})
    except TimeoutError:
        raise AppFailed(
            f"{address.host} did not answer within {ANSWER_S:g} seconds.", hint="Try again later."
        ) from None
    except httpx.HTTPError:
        raise AppFailed(
            f"{address.host} cannot be reached.", hint=f"Check {name}.url, the network and the certificate."
        ) from None
    if answer.status_code in REFUSED:
        raise _refused(name, address.host)
    if answer.status_code == 404 or answer.status_code >= 500:
        raise AppFailed(
            f"{address.host} answered with status {answer.status_code}.", hint=f"Check {name}.url."
        )


def _address(name: str, url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL:
        address = httpx.URL()
    if address.scheme not in ("http", "https") or not address.host:
        raise NotConfigured(f"{name}.url is no address.", hint="Write it as https://dav.example.com/.")
    return address


async def _password(name: str, account: ImapSettings | SmtpSettings | DavSettings) -> str:
    from tinyagent.secrets import secret

    password = await in_time(lambda: secret(f"{name}.password", account.password), 2 * ANSWER_S)
    if not password:
        raise NotConfigured(
            f"There is no password for {name}.", hint=f"`tinyagent secret set {name}.password` keeps one."
        )
    return password


def _refused(name: str, host: str) -> NotConfigured:
    return NotConfigured(
        f"{host} refused the user or the password.",
        hint=f"Check {name}.user and {name}.password; many services want a password made for apps.",
    )
