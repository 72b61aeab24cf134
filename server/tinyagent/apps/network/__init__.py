"""Apps over the network, by open protocols: CalDAV, CardDAV, IMAP and SMTP."""

from __future__ import annotations

from dataclasses import dataclass, replace
from email.utils import parseaddr
from zoneinfo import ZoneInfo

from tinyagent.apps.base import Desktop
from tinyagent.apps.formats.letters import LetterWriter
from tinyagent.apps.network.caldav import CalDavCalendar, CalDavReminders, CalDavStore
from tinyagent.apps.network.carddav import CardDavContacts
from tinyagent.apps.network.dav import DavServer
from tinyagent.apps.network.mail import NetworkMail
from tinyagent.apps.network.mailbox import MailAccount
from tinyagent.apps.network.security import Security
from tinyagent.apps.network.smtp import Sender


@dataclass(frozen=True)
class MailLogin:
    """How to reach a mail server. An SMTP server without user is not logged in to."""

    host: str
    port: int
    user: str
    password: str
    security: Security


@dataclass(frozen=True)
class DavLogin:
    """How to reach a CalDAV or CardDAV account."""

    url: str
    user: str
    password: str


def network_apps(
    fallback: Desktop,
    *,
    sender: str = "",
    zone: ZoneInfo | None = None,
    imap: MailLogin | None = None,
    smtp: MailLogin | None = None,
    caldav: DavLogin | None = None,
    carddav: DavLogin | None = None,
) -> Desktop:
    """The desktop with those apps replaced for which an account is given.

    `sender` is the user's own mail address, with or without a name; without it the mail account's user
    counts when that is an address. `zone` is the user's time zone. Raises ConfigurationError for an
    account whose password would travel unprotected, and for an address that is none.
    """
    own = sender.strip() or next((login.user for login in (smtp, imap) if login and "@" in login.user), "")
    _, address = parseaddr(own)
    desktop = fallback
    if imap or smtp:
        desktop = replace(desktop, mail=_mail(fallback, own, imap, smtp))
    if caldav:
        store = CalDavStore(DavServer("caldav", caldav.url, caldav.user, caldav.password))
        desktop = replace(
            desktop,
            calendar=CalDavCalendar(store, zone, address),
            reminders=CalDavReminders(store, zone),
        )
    if carddav:
        server = DavServer("carddav", carddav.url, carddav.user, carddav.password)
        desktop = replace(desktop, contacts=CardDavContacts(server, address))
    return desktop


def _mail(fallback: Desktop, own: str, imap: MailLogin | None, smtp: MailLogin | None) -> NetworkMail:
    account = imap and MailAccount(imap.host, imap.user, imap.password, imap.port, imap.security)
    sender = smtp and Sender(smtp.host, smtp.user, smtp.password, smtp.port, smtp.security)
    return NetworkMail(LetterWriter(own), fallback.mail, account=account, sender=sender)
