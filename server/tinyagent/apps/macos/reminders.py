"""Reminders, by EventKit where it may be used, by scripts otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from tinyagent.apps.base import Made, ReminderDraft, UndoRecord
from tinyagent.apps.macos._eventkit import REMINDERS, event_store
from tinyagent.apps.macos._moments import from_parts, local, parts
from tinyagent.apps.macos._records import fingerprint, require_same
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.errors import AccessDenied

_FRAMEWORK = "eventkit"


class MacReminders:
    """Implements `apps.base.Reminders`. `zone` is the user's; without one it is the computer's."""

    def __init__(self, scripts: Scripts, zone: ZoneInfo | None = None) -> None:
        self._scripts = scripts
        self._zone = zone

    async def create(self, reminder: ReminderDraft) -> Made:
        timed = isinstance(reminder.due, datetime)
        due = local(reminder.due, self._zone) if isinstance(reminder.due, datetime) else reminder.due
        store = event_store(REMINDERS)
        if store is not None:
            uid, identifier, mark = await asyncio.to_thread(store.add_reminder, replace(reminder, due=due))
            return Made(uid, {"by": _FRAMEWORK, "id": identifier, "fingerprint": mark})
        moment = due if isinstance(due, datetime) else datetime.combine(due, time())
        answer = await self._scripts.write(
            "reminders_create",
            {
                "name": reminder.name,
                "notes": reminder.notes,
                "list": reminder.list_name,
                "due": parts(moment),
                "all_day": not timed,
                "priority": reminder.priority,
            },
        )
        mark = fingerprint(reminder.name, reminder.notes)
        undo = {"by": "script", "id": answer["id"], "fingerprint": mark, "due": _due_text(moment, timed)}
        return Made(answer["id"], undo)

    async def undo(self, record: UndoRecord) -> str:
        """Delete the reminder. Raises NoMatch when it is gone, ChangedSince when it was edited or done."""
        identifier, recorded = record.get("id", ""), record.get("fingerprint", "")
        if record.get("by") == _FRAMEWORK:
            store = event_store(REMINDERS)
            if store is None:
                raise AccessDenied(
                    "The reminder was made with full access to the reminders, which is missing now.",
                    hint="Delete it in Reminders.",
                )
            name = await asyncio.to_thread(store.remove_reminder, identifier, recorded)
        else:
            name = await self._remove(identifier, recorded, record.get("due", ""))
        return f"Deleted the reminder “{name}”."

    async def _remove(self, identifier: str, recorded: str, recorded_due: str) -> str:
        reminder: dict[str, Any] = await self._scripts.read("reminders_find", {"id": identifier})
        done = ("done",) if reminder["completed"] else ()
        require_same(fingerprint(reminder["name"], reminder["notes"], *done), recorded, "The reminder")
        timed = len(recorded_due) > len("YYYY-MM-DD")
        due = [_due_text(from_parts(moment), timed) for moment in reminder["due"]]
        require_same("".join(due), recorded_due, "The reminder")
        await self._scripts.write("reminders_delete", {"id": identifier})
        return reminder["name"]


def _due_text(moment: datetime, timed: bool) -> str:
    """When a reminder is due as its record keeps it: the day alone where no time was given."""
    return moment.isoformat(timespec="minutes") if timed else moment.date().isoformat()
