"""Whether the configured accounts let us in, and where their passwords are kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import TYPE_CHECKING

from tinyagent.cli.findings import ANSWER_S, Finding, from_error, in_time
from tinyagent.errors import NotConfigured, TinyAgentError

if TYPE_CHECKING:
    from tinyagent.apps.network.dav import DavServer
    from tinyagent.settings import DavSettings, ImapSettings, Settings, SmtpSettings


async def examine_accounts(settings: Settings) -> AsyncIterator[Finding]:
    """The keychain, and every account that is configured; nothing is read, sent or changed there."""
    yield await check_keychain()
    if settings.imap is not None:
        yield await _let_in("imap", settings.imap.host, _imap(settings.imap))
    if settings.smtp is not None:
        yield await _let_in("smtp", settings.smtp.host, _smtp(settings.smtp))
        if not _own_address(settings):
            hint = 'Set `sender = "robin@example.com"` in config.toml, with your own address.'
            yield Finding("sender", "advice", "nobody is named, so that no mail can be sent", hint)
    if settings.caldav is not None:
        yield await _let_in("caldav", settings.caldav.url, _caldav(settings.caldav))
    if settings.carddav is not None:
        yield await _let_in("carddav", settings.carddav.url, _carddav(settings.carddav))


def _own_address(settings: Settings) -> str:
    """What mail is sent from: the configured address, else an account's name that is one."""
    accounts = [account.user for account in (settings.smtp, settings.imap) if account is not None]
    return settings.sender or next((user for user in accounts if "@" in user), "")


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
    hint = "Give passwords in variables then, such as TINYAGENT_IMAP__PASSWORD."
    return Finding("keychain", "ok", "none here", hint)


async def _let_in(name: str, place: str, attempt: Awaitable[None]) -> Finding:
    try:
        await attempt
    except TinyAgentError as error:
        return from_error(name, "advice", error)
    return Finding(name, "ok", f"{place} answers and lets this account in")


async def _imap(account: ImapSettings) -> None:
    from tinyagent.apps.network.mailbox import MailAccount

    password = await _password("imap", account)
    server = MailAccount(
        account.host, account.user, password, account.port, account.security, seconds=ANSWER_S
    )
    await server.check()


async def _smtp(account: SmtpSettings) -> None:
    from tinyagent.apps.network.smtp import Sender

    password = await _password("smtp", account)
    server = Sender(account.host, account.user, password, account.port, account.security, seconds=ANSWER_S)
    await server.check()


async def _caldav(account: DavSettings) -> None:
    from tinyagent.apps.network.caldav import CalDavStore

    await CalDavStore(await _dav_server("caldav", account)).check()


async def _carddav(account: DavSettings) -> None:
    from tinyagent.apps.network.carddav import CardDavContacts

    await CardDavContacts(await _dav_server("carddav", account)).check()


async def _dav_server(name: str, account: DavSettings) -> DavServer:
    from tinyagent.apps.network.dav import DavServer

    return DavServer(name, account.url, account.user, await _password(name, account), seconds=ANSWER_S)


async def _password(name: str, account: ImapSettings | SmtpSettings | DavSettings) -> str:
    """The account's password; empty where nobody logs in. Raises NotConfigured when it is missing."""
    from tinyagent.secrets import secret, variable_of

    if not account.user:
        return ""
    setting = f"{name}.password"
    password = await in_time(lambda: secret(setting, account.password), 2 * ANSWER_S)
    if not password:
        raise NotConfigured(
            f"There is no password for {name}.",
            hint=f"`tinyagent secret set {setting}` keeps one in the keychain; without a keychain set "
            f"{variable_of(setting)}.",
        )
    return password
