"""What lies in a data folder, read by parsers that the product does not use for writing."""

from __future__ import annotations

import json
import mailbox
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import Any

import vobject


class World:
    """The data of one home folder."""

    def __init__(self, home: Path) -> None:
        self.data = home / "data"
        self.documents = home / "documents"

    def messages(self) -> list[dict[str, Any]]:
        """Text messages in the outbox."""
        return [json.loads(path.read_text()) for path in sorted((self.data / "messages").rglob("*.json"))]

    def drafts(self) -> list[Message]:
        folder = self.data / "mail" / "Drafts"
        return list(mailbox.Maildir(folder, create=False)) if folder.exists() else []

    def received(self, message_id: str) -> Message:
        inbox = mailbox.Maildir(self.data / "mail" / "Inbox", create=False)
        return next(mail for mail in inbox if mail["Message-ID"] == message_id)

    def events(self) -> list[Any]:
        """VEVENTs of all calendars."""
        return [vobject.readOne(path.read_text()).vevent for path in (self.data / "calendars").rglob("*.ics")]

    def reminders(self) -> list[Any]:
        """VTODOs of all lists."""
        return [vobject.readOne(path.read_text()).vtodo for path in (self.data / "reminders").rglob("*.ics")]

    def note(self, name: str) -> str:
        """A note's text without its front matter."""
        path = next(path for path in (self.data / "notes").rglob("*.md") if path.stem == name)
        return path.read_text().split("---\n", 2)[2]

    def snapshot(self) -> dict[Path, bytes]:
        """All files."""
        return {path: path.read_bytes() for path in self.data.rglob("*") if path.is_file()}


def header(mail: Message, name: str) -> str:
    """A header with its encoded words decoded."""
    return str(make_header(decode_header(str(mail[name] or ""))))


def text_of(mail: Message) -> str:
    """The plain text of a mail."""
    for part in mail.walk():
        if part.get_content_type() == "text/plain" and not part.get_filename():
            return part.get_payload(decode=True).decode()  # type: ignore[union-attr]
    return ""


def attachments(mail: Message) -> list[str]:
    """File names of a mail's attachments."""
    return [name for part in mail.walk() if (name := part.get_filename())]
