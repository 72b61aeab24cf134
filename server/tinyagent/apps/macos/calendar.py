"""Events in Calendar, by EventKit where it may be used, by scripts otherwise."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from zoneinfo import ZoneInfo

from tinyagent.apps.base import EventDraft, Made, UndoRecord
from tinyagent.apps.macos._eventkit import EVENTS, EventStore, event_store
from tinyagent.apps.macos._moments import from_parts, local, parts
from tinyagent.apps.macos._records import fingerprint, require_same
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.errors import AccessDenied

_FRAMEWORK = "eventkit"


class MacCalendar:
    """Implements `apps.base.Calendar`. `zone` is the user's; without one it is the computer's.

    Neither way can invite people: whom the event is with stands at the end of its notes.
    """

    def __init__(self, scripts: Scripts, zone: ZoneInfo | None = None) -> None:
        self._scripts = scripts
        self._zone = zone

    def invites(self) -> bool:
        return False

    async def create(self, event: EventDraft) -> Made:
        draft = replace(event, start=local(event.start, self._zone), end=local(event.end, self._zone))
        notes = _with_invitees(draft)
        store = event_store(EVENTS)
        if store is not None:
            uid, identifier, mark = await asyncio.to_thread(store.add_event, draft, notes)
            return Made(uid, {"by": _FRAMEWORK, "id": identifier, "fingerprint": mark})
        answer = await self._scripts.write(
            "calendar_create",
            {
                "title": draft.title,
                "start": parts(draft.start),
                "end": parts(draft.end),
                "location": draft.location,
                "notes": notes,
                "calendar": draft.calendar,
            },
        )
        times = (draft.start.isoformat(), draft.end.isoformat())
        mark = fingerprint(draft.title, *times, draft.location, notes)
        undo = {"by": "script", "id": answer["id"], "calendar": answer["calendar"], "fingerprint": mark}
        return Made(answer["id"], undo)

    async def undo(self, record: UndoRecord) -> str:
        """Delete the event. Raises NoMatch when it is gone, ChangedSince when it was edited."""
        recorded = record.get("fingerprint", "")
        if record.get("by") == _FRAMEWORK:
            store = _require_store(event_store(EVENTS))
            title = await asyncio.to_thread(store.remove_event, record.get("id", ""), recorded)
            return f"Deleted the event “{title}”."
        where = {"id": record.get("id", ""), "calendar": record.get("calendar", "")}
        event = await self._scripts.read("calendar_find", where)
        times = (from_parts(event["start"]).isoformat(), from_parts(event["end"]).isoformat())
        now = fingerprint(event["title"], *times, event["location"], event["notes"])
        require_same(now, recorded, "The event")
        await self._scripts.write("calendar_delete", where)
        return f"Deleted the event “{event['title']}”."


def _with_invitees(draft: EventDraft) -> str:
    people = f"With: {', '.join(draft.invitees)}" if draft.invitees else ""
    return "\n\n".join(part for part in (draft.notes, people) if part)


def _require_store(store: EventStore | None) -> EventStore:
    if store is None:
        raise AccessDenied(
            "The event was made with full access to the calendars, which is missing now.",
            hint="Delete the event in Calendar.",
        )
    return store
