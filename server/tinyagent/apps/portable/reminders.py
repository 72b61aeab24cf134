"""Reminders as iCalendar files: `reminders/<list>/<uid>.ics`, one VTODO each."""

from __future__ import annotations

import asyncio
from datetime import datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar

from tinyagent.apps.base import Made, ReminderDraft, UndoRecord
from tinyagent.apps.portable._ical import add, add_text, file_content, identify, in_zone
from tinyagent.apps.portable._storage import collection, exclusive, write_atomically
from tinyagent.apps.portable._undo import recorded_path, remove_unchanged, written

DEFAULT_LIST = "Reminders"

ALL_DAY_ALARM = timedelta(hours=9)
"""A reminder for a whole day rings at nine in the morning."""


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
        todo = icalendar.Todo()
        uid = identify(todo)
        timed = isinstance(draft.due, datetime)
        add_text(todo, "summary", draft.name)
        add_text(todo, "description", draft.notes)
        add(todo, "due", in_zone(draft.due, self._zone) if isinstance(draft.due, datetime) else draft.due)
        if draft.priority:
            add(todo, "priority", draft.priority)
        add(todo, "status", "NEEDS-ACTION")
        todo.add_component(_alarm(draft.name, timedelta(0) if timed else ALL_DAY_ALARM))
        content = file_content(todo, datetime.combine(draft.due, time()))
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


def _alarm(text: str, after_due: timedelta) -> icalendar.Alarm:
    alarm = icalendar.Alarm()
    add(alarm, "action", "DISPLAY")
    add_text(alarm, "description", text or "Reminder")
    # A trigger hangs on the start of a to-do unless it names the end, and ours have no start.
    add(alarm, "trigger", after_due, RELATED="END")
    return alarm
