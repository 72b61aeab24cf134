"""Events as iCalendar files: `calendars/<calendar>/<uid>.ics`, one event each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

from tinyagent.apps.base import EventDraft, Made, UndoRecord
from tinyagent.apps.formats.entries import event_file
from tinyagent.apps.local.storage import collection, exclusive, write_atomically
from tinyagent.apps.local.undo import recorded_path, remove_unchanged, written

DEFAULT_CALENDAR = "Calendar"


class PortableCalendar:
    """Calendars in the data folder, readable by any program that takes a folder of `.ics` files.

    `zone` is the user's; without one the times are floating. `organizer` is the user's email
    address, which an event with invitees names when it is known. No invitation is sent.
    """

    def __init__(self, data: Path, zone: ZoneInfo | None = None, organizer: str = "") -> None:
        self._root = data / "calendars"
        self._zone = zone
        self._organizer = organizer

    def invites(self) -> bool:
        return False

    async def create(self, event: EventDraft) -> Made:
        """Store the event; `id` is its UID."""
        return await asyncio.to_thread(self._create, event)

    async def undo(self, record: UndoRecord) -> str:
        """Delete the event. Raises NoMatch when it is gone, ChangedSince when it was edited."""
        return await asyncio.to_thread(self._undo, record)

    def _create(self, draft: EventDraft) -> Made:
        uid, content = event_file(draft, self._zone, self._organizer)
        with exclusive(self._root):
            folder = collection(self._root, draft.calendar, DEFAULT_CALENDAR)
            path = folder / f"{uid}.ics"
            write_atomically(path, content)
        return Made(uid, written(path, self._root, content))

    def _undo(self, record: UndoRecord) -> str:
        path = recorded_path(record, self._root, ".ics")
        with exclusive(self._root):
            remove_unchanged(path, record, "The event")
        return "Deleted the event."
