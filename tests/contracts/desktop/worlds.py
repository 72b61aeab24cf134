"""What every desktop under test offers besides its applications: how to fill it, and what lies in it.

A world reads and writes what its applications store in another way than they do, so that a fault on one
side does not hide behind the same fault on the other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Literal, Protocol

import pytest

from tinyagent.apps.base import Desktop

OWNER = "me@home.example"


Capability = Literal["selected mail", "new calendar", "new list", "new folder"]
"""What not every desktop can do: act on a mail that is selected, or make a calendar, list or folder that a
request names."""


@dataclass(frozen=True)
class StoredEvent:
    title: str
    start: datetime
    end: datetime
    location: str
    notes: str
    calendar: str


@dataclass(frozen=True)
class StoredReminder:
    name: str
    due: date | datetime
    notes: str
    list_name: str
    priority: int


@dataclass(frozen=True)
class StoredNote:
    name: str
    folder: str
    text: str


@dataclass(frozen=True)
class Letter:
    """A mail that was drafted or sent; `attachments` are file names."""

    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    body: str
    attachments: tuple[str, ...]


@dataclass(frozen=True)
class Text:
    recipients: tuple[str, ...]
    text: str


class World(Protocol):
    """One desktop, and a person who uses it too."""

    desktop: Desktop
    folder: Path
    """Where files are looked for."""
    lacks: Mapping[Capability, str]
    """What this desktop cannot do, and why."""

    def add_contact(
        self,
        name: str,
        phones: Sequence[tuple[str, str]] = (),
        emails: Sequence[str] = (),
        nickname: str = "",
    ) -> None:
        """`phones` pairs a kind (`mobile`, `home`, `fax`) with a number."""
        ...

    def add_note(self, name: str, text: str, folder: str) -> None: ...

    def add_mail(self, sender: str, subject: str, text: str) -> None:
        """A mail that came in last."""
        ...

    def select_mail(self, subject: str) -> None: ...

    def edit_event(self, title: str) -> None:
        """Change the notes of an event."""
        ...

    def edit_reminder(self, name: str) -> None:
        """Change the notes of a reminder."""
        ...

    def edit_note(self, name: str, addition: str) -> None: ...

    def empty(self) -> None:
        """Throw away all events, reminders, notes, drafts and text messages."""
        ...

    def events(self) -> list[StoredEvent]: ...

    def reminders(self) -> list[StoredReminder]: ...

    def notes(self) -> list[StoredNote]: ...

    def drafts(self) -> list[Letter]: ...

    def sent(self) -> list[Letter]: ...

    def outbox(self) -> list[Text]: ...

    def texts(self) -> list[Text]:
        """Text messages that were sent."""
        ...


def require(world: World, capability: Capability) -> None:
    """End the test where the desktop has no such thing."""
    if capability in world.lacks:
        pytest.skip(world.lacks[capability])
