"""Events and reminders as iCalendar files with one component each, wherever they are then stored."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar

from tinyagent.apps.base import EventDraft, ReminderDraft
from tinyagent.apps.formats.ical import add, add_text, file_content, identify, in_zone, mailto

ALL_DAY_ALARM = timedelta(hours=9)
"""A reminder for a whole day rings at nine in the morning."""


def event_file(
    draft: EventDraft, zone: ZoneInfo | None, organizer: str, *, quiet: bool = False
) -> tuple[str, bytes]:
    """The UID and the file of a new event; `organizer` is the address that invites, if there is one.

    With `quiet`, a server that stores the file sends no invitations (RFC 6638, section 7.1).
    """
    event = icalendar.Event()
    uid = identify(event)
    add_text(event, "summary", draft.title)
    add(event, "dtstart", in_zone(draft.start, zone))
    add(event, "dtend", in_zone(draft.end, zone))
    add_text(event, "location", draft.location)
    add_text(event, "description", draft.notes)
    if draft.invitees and organizer:
        add(event, "organizer", mailto(organizer))
    for address in draft.invitees:
        attendee = mailto(address)
        attendee.params.update({"ROLE": "REQ-PARTICIPANT", "PARTSTAT": "NEEDS-ACTION", "RSVP": "TRUE"})
        if quiet:
            attendee.params["SCHEDULE-AGENT"] = "CLIENT"
        add(event, "attendee", attendee)
    return uid, file_content(event, draft.start)


def reminder_file(draft: ReminderDraft, zone: ZoneInfo | None) -> tuple[str, bytes]:
    """The UID and the file of a new reminder, with an alarm at its time."""
    todo = icalendar.Todo()
    uid = identify(todo)
    timed = isinstance(draft.due, datetime)
    add_text(todo, "summary", draft.name)
    add_text(todo, "description", draft.notes)
    add(todo, "due", in_zone(draft.due, zone) if isinstance(draft.due, datetime) else draft.due)
    if draft.priority:
        add(todo, "priority", draft.priority)
    add(todo, "status", "NEEDS-ACTION")
    todo.add_component(_alarm(draft.name, timedelta(0) if timed else ALL_DAY_ALARM))
    return uid, file_content(todo, datetime.combine(draft.due, time()))


def _alarm(text: str, after_due: timedelta) -> icalendar.Alarm:
    alarm = icalendar.Alarm()
    add(alarm, "action", "DISPLAY")
    add_text(alarm, "description", text or "Reminder")
    # A trigger hangs on the start of a to-do unless it names the end, and ours have no start.
    add(alarm, "trigger", after_due, RELATED="END")
    return alarm
