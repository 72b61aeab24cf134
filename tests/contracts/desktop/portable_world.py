"""The portable desktop and its data folder."""

from __future__ import annotations

import json
import mailbox
import os
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import vobject

from tests.contracts.desktop.worlds import OWNER, Letter, StoredEvent, StoredNote, StoredReminder, Text
from tinyagent.apps.portable import portable_desktop
from tinyagent.apps.zoom import DemoMeetings

_KINDS = {"mobile": "CELL", "home": "HOME", "fax": "FAX"}


class PortableWorld:
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
        lines = ["BEGIN:VCARD", "VERSION:3.0", f"FN:{name}"]
        lines += [f"NICKNAME:{nickname}"] if nickname else []
        lines += [f"TEL;TYPE={_KINDS[kind]}:{number}" for kind, number in phones]
        lines += [f"EMAIL:{address}" for address in emails]
        folder = self._data / "contacts"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{len(list(folder.iterdir()))}.vcf"
        path.write_text("\r\n".join([*lines, "END:VCARD", ""]), "utf-8", newline="")

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
                path.write_bytes(content.replace(b"SUMMARY:", b"COMMENT:mine\r\nSUMMARY:"))

    def edit_note(self, name: str, addition: str) -> None:
        path = next(path for path in (self._data / "notes").rglob("*.md") if path.stem == name)
        path.write_text(path.read_text() + addition + "\n")

    def empty(self) -> None:
        for path in self._data.rglob("*"):
            if path.is_file() and "contacts" not in path.parts and "Inbox" not in path.parts:
                path.unlink()

    def events(self) -> list[StoredEvent]:
        found: list[StoredEvent] = []
        for path in sorted((self._data / "calendars").rglob("*.ics")):
            event = vobject.readOne(path.read_text()).vevent
            texts = [event.getChildValue(name, "") for name in ("summary", "location", "description")]
            title, location, notes = texts
            times = (event.dtstart.value, event.dtend.value)
            found.append(StoredEvent(title, *times, location, notes, path.parent.name))
        return found

    def reminders(self) -> list[StoredReminder]:
        found: list[StoredReminder] = []
        for path in sorted((self._data / "reminders").rglob("*.ics")):
            todo = vobject.readOne(path.read_text()).vtodo
            name, notes = (todo.getChildValue(field, "") for field in ("summary", "description"))
            priority = int(todo.getChildValue("priority", "0"))
            found.append(StoredReminder(name, todo.due.value, notes, path.parent.name, priority))
        return found

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
        mails = [
            BytesParser(policy=policy.default).parsebytes(mail.as_bytes()) for mail in self._maildir(name)
        ]
        return [_letter(mail) for mail in mails]


def _letter(mail: EmailMessage) -> Letter:
    body = mail.get_body(("plain",))
    return Letter(
        tuple(address.addr_spec for address in mail["To"].addresses),
        tuple(address.addr_spec for address in mail["Cc"].addresses) if mail["Cc"] else (),
        str(mail["Subject"]),
        str(body.get_content()) if body else "",
        tuple(str(part.get_filename()) for part in mail.iter_attachments()),
    )


def _yaml_name(head: str) -> str:
    import yaml

    return str(yaml.safe_load(head)["name"])
