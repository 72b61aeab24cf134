"""What a desktop can do, as protocols: a tool never knows which system serves it.

Methods raise `ToolError`s: NoMatch, Ambiguous (with the candidates), AccessDenied,
UnreadableFile, NotConfigured, AppFailed. They are asynchronous; an implementation moves
blocking work to a thread. All datetimes are the user's wall-clock time, without zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol


@dataclass(frozen=True)
class Contact:
    """A person or group of the address book, numbers and addresses as stored.

    `phones` holds only those that tie for a text message (mobile and preferred, then mobile, then
    preferred, then any), so that one left is the one to use; `emails` has the preferred first.
    """

    id: str
    name: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]


class Contacts(Protocol):
    async def find(self, name: str) -> Sequence[Contact]:
        """Contacts that the name may mean, best first; empty when none does.

        Only contacts that tie for the best match are returned.
        """
        ...

    async def all(self) -> Sequence[Contact]:
        """Every contact, in no certain order."""
        ...


@dataclass(frozen=True)
class EventDraft:
    title: str
    start: datetime
    end: datetime
    location: str
    invitees: tuple[str, ...]
    """Email addresses."""
    notes: str
    calendar: str


class Calendar(Protocol):
    async def create(self, event: EventDraft) -> str:
        """Store the event; its UID."""
        ...


@dataclass(frozen=True)
class ReminderDraft:
    name: str
    due: date | datetime
    """A date alone means all day."""
    notes: str
    list_name: str
    priority: int
    """RFC 5545: 0 none, 1 high, 5 medium, 9 low."""


class Reminders(Protocol):
    async def create(self, reminder: ReminderDraft) -> str:
        """Store the reminder with an alarm; its UID."""
        ...


@dataclass(frozen=True)
class Note:
    id: str
    name: str
    folder: str
    text: str


class Notes(Protocol):
    async def create(self, name: str, content: str, folder: str) -> Note: ...

    async def open(self, name: str, folder: str) -> Note: ...

    async def append(self, name: str, content: str, folder: str) -> Note: ...


@dataclass(frozen=True)
class MailDraft:
    recipients: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    body: str
    attachments: tuple[Path, ...]


@dataclass(frozen=True)
class StoredMail:
    """A message that was stored: its Message-ID, where it lies, and its final headers."""

    id: str
    status: Literal["draft", "sent"]
    subject: str
    recipients: tuple[str, ...]


class Mail(Protocol):
    async def compose(self, draft: MailDraft) -> StoredMail: ...

    async def reply(self, cc: Sequence[str], body: str, attachments: Sequence[Path]) -> StoredMail:
        """Answer the selected message (the latest received one when none is selected)."""
        ...

    async def forward(
        self, recipients: Sequence[str], cc: Sequence[str], body: str, attachments: Sequence[Path]
    ) -> StoredMail:
        """Pass the selected message on, its text quoted and its attachments kept."""
        ...


class Messages(Protocol):
    async def send(self, recipients: Sequence[str], text: str) -> str:
        """Put a text message into the outbox; its id. Recipients are E.164 numbers."""
        ...


class Files(Protocol):
    async def find(self, name: str) -> Path:
        """The file that the name means. Raises NoMatch, Ambiguous or AccessDenied."""
        ...

    async def check(self, path: str) -> Path:
        """An absolute path that may be read, resolved. Raises AccessDenied or NoMatch."""
        ...

    async def show(self, path: Path) -> None:
        """Show the file on the desktop, where there is one."""
        ...


class Documents(Protocol):
    async def text(self, path: Path) -> str:
        """The text of a PDF. Raises UnreadableFile (damaged, encrypted, scanned)."""
        ...


class Maps(Protocol):
    def location(self, place: str) -> str:
        """A URL that shows the place."""
        ...

    def directions(self, start: str, end: str, transport: str) -> str:
        """A URL with the way; an empty start is where the user is."""
        ...


@dataclass(frozen=True)
class Meeting:
    topic: str
    start: datetime
    minutes: int
    invitees: tuple[str, ...]


class Meetings(Protocol):
    def unavailable(self) -> str:
        """Why meetings cannot be made, or an empty string when they can."""
        ...

    async def create(self, meeting: Meeting) -> str:
        """Make the meeting; the URL to join it."""
        ...


@dataclass(frozen=True)
class Desktop:
    """All applications of one system."""

    contacts: Contacts
    calendar: Calendar
    reminders: Reminders
    notes: Notes
    mail: Mail
    messages: Messages
    files: Files
    documents: Documents
    maps: Maps
    meetings: Meetings
