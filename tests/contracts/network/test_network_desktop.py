"""The tools work on the accounts that are set, and on the data folder for all else."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
import vobject

from tests.support import imap_server, radicale_server, smtp_server
from tests.support.imap_server import ImapServer
from tests.support.radicale_server import RadicaleServer
from tests.support.smtp_server import SmtpServer
from tinyagent.apps.base import Desktop
from tinyagent.apps.network import DavLogin, MailLogin, network_apps
from tinyagent.apps.portable import portable_desktop
from tinyagent.apps.zoom import DemoMeetings
from tinyagent.errors import ConfigurationError
from tinyagent.ports import CallContext
from tinyagent.tools.host import LocalToolHost
from tinyagent.writers.composed import ComposedWriter
from tinyagent.writers.extractive import ExtractiveSummarizer

NOW = datetime(2026, 11, 22, 8, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Desktop:
    return portable_desktop(tmp_path, meetings=DemoMeetings(), folders=[tmp_path])


@pytest.fixture
def host(folder: Desktop, radicale: RadicaleServer, imap: ImapServer, smtp: SmtpServer) -> LocalToolHost:
    """All tools on a desktop with every account set."""
    radicale.make_collection("work", "Work", "VEVENT")
    radicale.make_collection("tasks", "Tasks", "VTODO")
    radicale.make_collection("people", "People", "VCARD")
    dav = DavLogin(radicale.url, radicale_server.USER, radicale_server.PASSWORD)
    desktop = network_apps(
        folder,
        sender="Robin <robin@example.com>",
        imap=MailLogin("127.0.0.1", imap.port, imap_server.USER, imap_server.PASSWORD, "none"),
        smtp=MailLogin("127.0.0.1", smtp.port, smtp_server.USER, smtp_server.PASSWORD, "none"),
        caldav=dav,
        carddav=dav,
    )
    return LocalToolHost(desktop, ComposedWriter(ExtractiveSummarizer()))


async def test_an_event_with_an_attendee_is_an_invitation_that_can_be_taken_back(
    host: LocalToolHost, radicale: RadicaleServer
) -> None:
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ann Smith\r\nEMAIL:ann@example.org\r\nEND:VCARD\r\n"
    radicale.put("people/a.vcf", card, "text/vcard")
    address = await host.call("get_email_address", ["Ann"], CallContext(NOW))
    arguments = ["Lunch", "2026-12-01 12:00:00", "", "Café", [address.value], "", "work"]
    result = await host.call("create_calendar_event", arguments, CallContext(NOW))
    (content,) = radicale.stored("work")
    event = vobject.readOne(content).vevent
    assert event.attendee.value == "mailto:ann@example.org"
    assert event.organizer.value == "mailto:robin@example.com"
    assert result.undo is not None
    await host.undo("create_calendar_event", result.undo, CallContext(NOW))
    assert radicale.stored("work") == []


async def test_a_mail_is_drafted_in_the_account_or_sent_as_asked(
    host: LocalToolHost, imap: ImapServer, smtp: SmtpServer
) -> None:
    arguments = [["ann@example.org"], [], "Grüße", "Bis morgen!", []]
    drafted = await host.call("compose_new_email", arguments, CallContext(NOW))
    assert len(imap.messages("Drafts")) == 1
    assert smtp.received == []
    assert drafted.undo is not None
    await host.undo("compose_new_email", drafted.undo, CallContext(NOW))
    assert imap.messages("Drafts") == []
    await host.call("compose_new_email", arguments, CallContext(NOW, send=True))
    assert smtp.received[0].rcpt_tos == ["ann@example.org"]
    assert len(imap.messages("Sent")) == 1


def test_what_is_not_set_stays_as_it_is(folder: Desktop) -> None:
    assert network_apps(folder) == folder
    partly = network_apps(
        folder, smtp=MailLogin("mail.example.com", 587, "robin@example.com", "p", "starttls")
    )
    assert partly.mail is not folder.mail
    assert (partly.calendar, partly.contacts, partly.notes) == (
        folder.calendar,
        folder.contacts,
        folder.notes,
    )


def test_an_account_without_encryption_is_refused_at_the_start(folder: Desktop) -> None:
    with pytest.raises(ConfigurationError, match=r"\[smtp\]"):
        network_apps(folder, smtp=MailLogin("mail.example.com", 25, "u", "p", "none"))
    with pytest.raises(ConfigurationError, match=r"\[carddav\]"):
        network_apps(folder, carddav=DavLogin("http://dav.example.com/", "u", "p"))
