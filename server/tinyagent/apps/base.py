"""What a desktop can do, as protocols: a tool never knows which system serves it.

Methods raise `ToolError`s: NoMatch, Ambiguous (with the candidates), AccessDenied (PermissionMissing
where the system has a switch for it), UnreadableFile, NotConfigured, AppFailed, OutcomeUnknown. They
are asynchronous; an implementation moves blocking work to a thread. All datetimes are the user's
wall-clock time, without zone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol

UndoRecord = Mapping[str, str]
"""What an app needs to take one of its writes back. Opaque to everyone else; kept in the journal."""


class Undoable(Protocol):
    async def undo(self, record: UndoRecord) -> str:
        """Take a write back; what was taken back, in a sentence for people.

        Raises NoMatch when it is gone already, and ChangedSince when somebody changed it after the
        write: nothing that a person wrote is ever destroyed.
        """
        ...


@dataclass(frozen=True)
class Made:
    """Something that was written: its identifier, and how to take it back where that can be done."""

    id: str
    undo: UndoRecord | None = None


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
    invite: bool = False
    """Whether the invitees are to be told, where the system can do that."""


class Calendar(Undoable, Protocol):
    def invites(self) -> bool:
        """Whether the invitees of an event are told when it is created with `invite`."""
        ...

    async def create(self, event: EventDraft) -> Made:
        """Store the event; `id` is its UID."""
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


class Reminders(Undoable, Protocol):
    async def create(self, reminder: ReminderDraft) -> Made:
        """Store the reminder with an alarm; `id` is its UID."""
        ...


@dataclass(frozen=True)
class Note:
    """A note as it stands after what was done to it; `undo` is set by what changed it."""

    id: str
    name: str
    folder: str
    text: str
    undo: UndoRecord | None = None


class Notes(Undoable, Protocol):
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
    """A message that was stored or sent: its Message-ID and its final headers.

    `remark` is a sentence about what could not be done as asked (a draft in place of a sent mail), or empty.
    """

    id: str
    status: Literal["draft", "sent"]
    subject: str
    recipients: tuple[str, ...]
    undo: UndoRecord | None = None
    remark: str = ""


@dataclass(frozen=True)
class SelectedMail:
    """The message that a reply or forward acts on; `answer_to` are the addresses that a reply goes to."""

    id: str
    sender: str
    subject: str
    answer_to: tuple[str, ...]


class Mail(Undoable, Protocol):
    """Writes drafts; with `send` the mail goes out. Only a draft can be undone."""

    def drafts_only(self) -> str:
        """Why mail cannot be sent from here, or an empty string when it can."""
        ...

    async def selected(self) -> SelectedMail:
        """The selected message, the latest received one when none is selected. Raises NoMatch."""
        ...

    async def compose(self, draft: MailDraft, *, send: bool = False) -> StoredMail: ...

    async def reply(
        self, original: str, cc: Sequence[str], body: str, attachments: Sequence[Path], *, send: bool = False
    ) -> StoredMail:
        """Answer the message with this id (`SelectedMail.id`). Raises NoMatch when it is gone."""
        ...

    async def forward(
        self,
        original: str,
        recipients: Sequence[str],
        cc: Sequence[str],
        body: str,
        attachments: Sequence[Path],
        *,
        send: bool = False,
    ) -> StoredMail:
        """Pass the message with this id on, its text quoted and its attachments kept."""
        ...


class Messages(Undoable, Protocol):
    def drafts_only(self) -> str:
        """Why text messages cannot be sent from here, or an empty string when they can."""
        ...

    async def send(self, recipients: Sequence[str], text: str, *, send: bool = False) -> Made:
        """Put a text message into the outbox, or send it. Recipients are E.164 numbers.

        "Sent" means that the system accepted it, not that it arrived. Raises NotConfigured when `send`
        is asked for where nothing can be sent.
        """
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

    async def show(self, url: str) -> None:
        """Show such a URL on the desktop, where there is a program for it and showing is on."""
        ...


@dataclass(frozen=True)
class Meeting:
    topic: str
    start: datetime
    minutes: int
    invitees: tuple[str, ...]


class Meetings(Undoable, Protocol):
    def unavailable(self) -> str:
        """Why meetings cannot be made, or an empty string when they can."""
        ...

    async def create(self, meeting: Meeting) -> Made:
        """Make the meeting; `id` is the URL to join it."""
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
