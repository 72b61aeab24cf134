"""The portable desktop and its data folder."""

from __future__ import annotations

import json
import mailbox
import os
from collections.abc import Mapping, Sequence
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import vobject
import yaml

from tests.contracts.desktop.worlds import (
    OWNER,
    Capability,
    Letter,
    StoredEvent,
    StoredNote,
    StoredReminder,
    Text,
)
from tinyagent.apps.portable import portable_desktop
from tinyagent.apps.zoom import DemoMeetings

_KINDS = {"mobile": "CELL", "home": "HOME", "fax": "FAX"}


class PortableWorld:
    lacks: Mapping[Capability, str] = {}

    def __init__(self, home: Path) -> None:
        self.folder = home / "Documents"
        self.folder.mkdir(parents=True)
        self._data = home / "data"
        self.desktop = portable_desktop(
            self._data, meetings=DemoMeetings(), folders=[self.folder], sender=OWNER
        )

    def add_contact(
        self,
        name: str,
        phones: Sequence[tuple[str, str]] = (),
        emails: Sequence[str] = (),
        nickname: str = "",
    ) -> None:
        folder = self._data / "contacts"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{len(list(folder.iterdir()))}.vcf"
        path.write_text(card(name, phones, emails, nickname), "utf-8", newline="")

    def add_note(self, name: str, text: str, folder: str) -> None:
        place = self._data / "notes" / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.md").write_text(f"{text}\n", "utf-8")

    def add_mail(self, sender: str, subject: str, text: str) -> None:
        mail = EmailMessage()
        mail["Message-ID"], mail["From"], mail["Subject"] = f"<{subject}@x.example>", sender, subject
        mail.set_content(text)
        inbox = self._maildir("Inbox")
        key = inbox.add(mailbox.MaildirMessage(mail))
        age = len(inbox)
        path = next((self._data / "mail" / "Inbox").rglob(f"{key}*"))
        os.utime(path, (10**9 + age, 10**9 + age))

    def select_mail(self, subject: str) -> None:
        (self._data / "mail" / "selected").write_text(f"<{subject}@x.example>")

    def edit_event(self, title: str) -> None:
        self._edit("calendars", title)

    def edit_reminder(self, name: str) -> None:
        self._edit("reminders", name)

    def _edit(self, place: str, summary: str) -> None:
        for path in (self._data / place).rglob("*.ics"):
            content = path.read_bytes()
            if f"SUMMARY:{summary}".encode() in content:
                path.write_bytes(edited(content))

    def edit_note(self, name: str, addition: str) -> None:
        path = next(path for path in (self._data / "notes").rglob("*.md") if path.stem == name)
        path.write_text(path.read_text() + addition + "\n")

    def empty(self) -> None:
        for path in self._data.rglob("*"):
            if path.is_file() and "contacts" not in path.parts and "Inbox" not in path.parts:
                path.unlink()

    def events(self) -> list[StoredEvent]:
        return stored_events(self._data / "calendars")

    def reminders(self) -> list[StoredReminder]:
        return stored_reminders(self._data / "reminders")

    def notes(self) -> list[StoredNote]:
        found: list[StoredNote] = []
        for path in sorted((self._data / "notes").rglob("*.md")):
            whole = path.read_bytes().decode()
            head, _, text = whole.removeprefix("---\n").partition("---\n")
            name = path.stem if not whole.startswith("---\n") else _yaml_name(head)
            found.append(StoredNote(name, path.parent.name, (text or head).removesuffix("\n")))
        return found

    def drafts(self) -> list[Letter]:
        return self._letters("Drafts")

    def sent(self) -> list[Letter]:
        return self._letters("Sent")

    def outbox(self) -> list[Text]:
        records = [json.loads(path.read_text()) for path in (self._data / "messages").rglob("*.json")]
        return [Text(tuple(record["recipients"]), record["text"]) for record in records]

    def texts(self) -> list[Text]:
        return []

    def _maildir(self, name: str) -> mailbox.Maildir:
        (self._data / "mail").mkdir(parents=True, exist_ok=True)
        return mailbox.Maildir(self._data / "mail" / name, factory=None, create=True)

    def _letters(self, name: str) -> list[Letter]:
        return [letter(mail.as_bytes()) for mail in self._maildir(name)]


def card(
    name: str, phones: Sequence[tuple[str, str]] = (), emails: Sequence[str] = (), nickname: str = ""
) -> str:
    """An address card, written by hand."""
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{name}"]
    lines += [f"NICKNAME:{nickname}"] if nickname else []
    lines += [f"TEL;TYPE={_KINDS[kind]}:{number}" for kind, number in phones]
    lines += [f"EMAIL:{address}" for address in emails]
    return "\r\n".join([*lines, "END:VCARD", ""])


def stored_events(root: Path) -> list[StoredEvent]:
    """The events in a folder of calendars."""
    found: list[StoredEvent] = []
    for path, file in _calendar_files(root):
        for event in file.contents.get("vevent", []):
            title, location, notes = _texts(event, "summary", "location", "description")
            times = (event.dtstart.value, event.dtend.value)
            found.append(StoredEvent(title, *times, location, notes, path.parent.name))
    return found


def stored_reminders(root: Path) -> list[StoredReminder]:
    """The reminders in a folder of lists."""
    found: list[StoredReminder] = []
    for path, file in _calendar_files(root):
        for todo in file.contents.get("vtodo", []):
            name, notes, priority = _texts(todo, "summary", "description", "priority")
            due = todo.due.value
            found.append(StoredReminder(name, due, notes, path.parent.name, int(priority or 0)))
    return found


def letter(raw: bytes) -> Letter:
    """A mail as a receiver reads it."""
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    body = mail.get_body(("plain",))
    return Letter(
        tuple(address.addr_spec for address in mail["To"].addresses),
        tuple(address.addr_spec for address in mail["Cc"].addresses) if mail["Cc"] else (),
        str(mail["Subject"]),
        str(body.get_content()).replace("\r\n", "\n") if body else "",
        tuple(str(part.get_filename()) for part in mail.iter_attachments()),
    )


def edited(entry: bytes) -> bytes:
    """An event or reminder to which somebody added a remark."""
    return entry.replace(b"SUMMARY:", b"COMMENT:mine\r\nSUMMARY:")


def _calendar_files(root: Path) -> list[tuple[Path, Any]]:
    """The files of each visible folder, read by another library than the one that wrote them."""
    paths = sorted(path for path in root.glob("*/*.ics") if not path.parent.name.startswith("."))
    return [(path, vobject.readOne(path.read_bytes().decode())) for path in paths]


def _texts(component: Any, *names: str) -> list[str]:
    return [component.getChildValue(name, "") for name in names]


def _yaml_name(head: str) -> str:
    return str(yaml.safe_load(head)["name"])
