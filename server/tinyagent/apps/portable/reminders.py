"""Reminders as iCalendar files: `reminders/<list>/<uid>.ics`, one VTODO each."""

from __future__ import annotations

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

from tinyagent.apps.base import Made, ReminderDraft, UndoRecord
from tinyagent.apps.formats.entries import reminder_file
from tinyagent.apps.local.storage import collection, exclusive, write_atomically
from tinyagent.apps.local.undo import recorded_path, remove_unchanged, written

DEFAULT_LIST = "Reminders"


class PortableReminders:
    """Reminder lists in the data folder; `zone` is the user's, without one the times are floating."""

    def __init__(self, data: Path, zone: ZoneInfo | None = None) -> None:
        self._root = data / "reminders"
        self._zone = zone

    async def create(self, reminder: ReminderDraft) -> Made:
        """Store the reminder with an alarm; `id` is its UID."""
        return await asyncio.to_thread(self._create, reminder)

    async def undo(self, record: UndoRecord) -> str:
        """Delete the reminder. Raises NoMatch when it is gone, ChangedSince when it was edited or done."""
        return await asyncio.to_thread(self._undo, record)

    def _create(self, draft: ReminderDraft) -> Made:
        uid, content = reminder_file(draft, self._zone)
        with exclusive(self._root):
            folder = collection(self._root, draft.list_name, DEFAULT_LIST)
            path = folder / f"{uid}.ics"
            write_atomically(path, content)
        return Made(uid, written(path, self._root, content))

    def _undo(self, record: UndoRecord) -> str:
        path = recorded_path(record, self._root, ".ics")
        with exclusive(self._root):
            remove_unchanged(path, record, "The reminder")
        return "Deleted the reminder."
