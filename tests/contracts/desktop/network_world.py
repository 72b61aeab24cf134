"""The desktop of somebody with accounts: calendars, contacts and mail on real servers, the rest portable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.contracts.desktop.portable_world import (
    PortableWorld,
    card,
    edited,
    letter,
    stored_events,
    stored_reminders,
)
from tests.contracts.desktop.worlds import OWNER, Capability, Letter, StoredEvent, StoredReminder
from tests.support import imap_server, radicale_server, smtp_server
from tests.support.imap_server import ImapServer
from tests.support.radicale_server import RadicaleServer
from tests.support.smtp_server import SmtpServer
from tinyagent.apps.network import DavLogin, MailLogin, network_apps

COLLECTIONS = (
    ("Home", "Home", "VEVENT"),
    ("Work", "Work", "VEVENT"),
    ("Reminders", "Reminders", "VTODO"),
    ("Shopping", "Shopping", "VTODO"),
    ("People", "People", "VCARD"),
)


class NetworkWorld(PortableWorld):
    lacks: Mapping[Capability, str] = {
        "selected mail": "IMAP knows no mail that is selected in another program",
        "new calendar": "calendars are made in the account",
        "new list": "lists are made in the account",
    }

    def __init__(self, home: Path, radicale: RadicaleServer, imap: ImapServer, smtp: SmtpServer) -> None:
        super().__init__(home)
        self._radicale, self._imap, self._smtp = radicale, imap, smtp
        radicale.furnish(*COLLECTIONS)
        dav = DavLogin(radicale.url, radicale_server.USER, radicale_server.PASSWORD)
        self.desktop = network_apps(
            self.desktop,
            sender=OWNER,
            imap=MailLogin("127.0.0.1", imap.port, imap_server.USER, imap_server.PASSWORD, "none"),
            smtp=MailLogin("127.0.0.1", smtp.port, smtp_server.USER, smtp_server.PASSWORD, "none"),
            caldav=dav,
            carddav=dav,
        )

    def add_contact(
        self,
        name: str,
        phones: Sequence[tuple[str, str]] = (),
        emails: Sequence[str] = (),
        nickname: str = "",
    ) -> None:
        number = len(self._radicale.stored("People"))
        text = card(name, phones, emails, nickname).replace("FN:", f"UID:{number}\r\nFN:", 1)
        self._radicale.put(f"People/{number}.vcf", text, "text/vcard")

    def add_mail(self, sender: str, subject: str, text: str) -> None:
        head = f"Message-ID: <{subject}@x.example>\r\nFrom: {sender}\r\nSubject: {subject}\r\n"
        self._imap.deliver(f"{head}\r\n{text}\r\n".encode())

    def edit_event(self, title: str) -> None:
        self._edit_entry(title)

    def edit_reminder(self, name: str) -> None:
        self._edit_entry(name)

    def _edit_entry(self, summary: str) -> None:
        for path in self._entries():
            content = path.read_bytes()
            if f"SUMMARY:{summary}".encode() in content:
                self._radicale.put(f"{path.parent.name}/{path.name}", edited(content).decode())

    def empty(self) -> None:
        super().empty()
        for path in self._entries():
            self._radicale.delete(f"{path.parent.name}/{path.name}")
        with self._imap.session() as other:
            if other.select("Drafts")[0] == "OK":
                other.store("1:*", "+FLAGS", r"(\Deleted)")
                other.expunge()

    def events(self) -> list[StoredEvent]:
        return stored_events(self._radicale.folder)

    def reminders(self) -> list[StoredReminder]:
        return stored_reminders(self._radicale.folder)

    def drafts(self) -> list[Letter]:
        return self._kept("Drafts")

    def sent(self) -> list[Letter]:
        """What the receivers got; a copy of each lies in the account."""
        got: list[Letter] = []
        for envelope in self._smtp.received:
            read = letter(envelope.content or b"")
            assert tuple(envelope.rcpt_tos) == read.to + read.cc
            got.append(Letter(read.to, read.cc, read.subject, read.body.removesuffix("\n"), read.attachments))
        assert len(self._kept("Sent")) == len(got)
        return got

    def _entries(self) -> list[Path]:
        return [
            path for path in self._radicale.folder.glob("*/*.ics") if not path.parent.name.startswith(".")
        ]

    def _kept(self, folder: str) -> list[Letter]:
        with self._imap.session() as other:
            if other.select(folder, readonly=True)[0] != "OK":
                return []
        return [letter(raw) for _, raw in self._imap.messages(folder)]
