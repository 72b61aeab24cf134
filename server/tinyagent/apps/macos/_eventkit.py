"""Events and reminders through EventKit, where its Python bridge is installed and access was given.

Nothing here asks the user for access: without it, or without the bridge, there is no store.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from tinyagent.apps.base import EventDraft, ReminderDraft
from tinyagent.apps.formats.entries import ALL_DAY_ALARM
from tinyagent.apps.macos._records import fingerprint, require_same
from tinyagent.apps.matching.text import closest, key
from tinyagent.errors import AccessDenied, AppFailed, NoMatch

EVENTS, REMINDERS = 0, 1
"""EventKit's numbers for the two kinds of things."""

_FULL_ACCESS = 3
_THIS_EVENT = 0
_UNSET = 2**63 - 1
"""NSDateComponentUndefined: what is not set counts as not given."""


def event_store(kind: int) -> EventStore | None:
    """The store of events or of reminders; None when it may not be used."""
    try:
        kit, foundation = importlib.import_module("EventKit"), importlib.import_module("Foundation")
    except ImportError:
        return None
    if kit.EKEventStore.authorizationStatusForEntityType_(kind) != _FULL_ACCESS:
        return None
    return EventStore(kit, foundation, kind)


class EventStore:
    """Blocking access to the calendars or the lists of reminders. Times are naive, in the computer's zone."""

    def __init__(self, kit: Any, foundation: Any, kind: int) -> None:
        self._kit, self._foundation, self._kind = kit, foundation, kind
        self._store: Any = kit.EKEventStore.alloc().init()

    def add_event(self, draft: EventDraft, notes: str) -> tuple[str, str, str]:
        """Store an event; its UID, its identifier in this store and its fingerprint."""
        event: Any = self._kit.EKEvent.eventWithEventStore_(self._store)
        event.setTitle_(draft.title)
        event.setStartDate_(self._date(draft.start))
        event.setEndDate_(self._date(draft.end))
        event.setLocation_(draft.location or None)
        event.setNotes_(notes or None)
        event.setCalendar_(self._calendar(draft.calendar))
        _require(self._store.saveEvent_span_error_(event, _THIS_EVENT, None), "Calendar", "stored the event")
        return str(event.calendarItemExternalIdentifier()), str(event.calendarItemIdentifier()), _event(event)

    def remove_event(self, identifier: str, recorded: str) -> str:
        """Delete an event that nobody changed; its title. Raises NoMatch or ChangedSince."""
        event = self._item(identifier, "The event")
        require_same(_event(event), recorded, "The event")
        title = str(event.title())
        removed = self._store.removeEvent_span_error_(event, _THIS_EVENT, None)
        _require(removed, "Calendar", "deleted the event")
        return title

    def add_reminder(self, draft: ReminderDraft) -> tuple[str, str, str]:
        """Store a reminder that rings; its UID, its identifier in this store and its fingerprint."""
        reminder: Any = self._kit.EKReminder.reminderWithEventStore_(self._store)
        timed = isinstance(draft.due, datetime)
        rings = draft.due if isinstance(draft.due, datetime) else _morning(draft.due)
        reminder.setTitle_(draft.name)
        reminder.setNotes_(draft.notes or None)
        reminder.setDueDateComponents_(self._components(rings, timed=timed))
        reminder.setPriority_(draft.priority)
        reminder.setCalendar_(self._calendar(draft.list_name))
        reminder.addAlarm_(self._kit.EKAlarm.alarmWithAbsoluteDate_(self._date(rings)))
        saved = self._store.saveReminder_commit_error_(reminder, True, None)
        _require(saved, "Reminders", "stored the reminder")
        uid = str(reminder.calendarItemExternalIdentifier())
        return uid, str(reminder.calendarItemIdentifier()), _reminder(reminder)

    def remove_reminder(self, identifier: str, recorded: str) -> str:
        """Delete a reminder that nobody changed; its name. Raises NoMatch or ChangedSince."""
        reminder = self._item(identifier, "The reminder")
        require_same(_reminder(reminder), recorded, "The reminder")
        name = str(reminder.title())
        removed = self._store.removeReminder_commit_error_(reminder, True, None)
        _require(removed, "Reminders", "deleted the reminder")
        return name

    def _item(self, identifier: str, what: str) -> Any:
        item = self._store.calendarItemWithIdentifier_(identifier)
        if item is None:
            raise NoMatch(f"{what} is gone already.", hint="Nothing is left to take back.")
        return item

    def _calendar(self, name: str) -> Any:
        calendars = list(self._store.calendarsForEntityType_(self._kind))
        if not name.strip():
            return self._default(calendars)
        named = [calendar for calendar in calendars if key(str(calendar.title())) == key(name)]
        if not named:
            names = [str(calendar.title()) for calendar in calendars]
            what = "calendar" if self._kind == EVENTS else "list"
            raise NoMatch(
                f"There is no {what} called “{name}”.",
                hint=f"There are: {', '.join(names)}.",
                candidates=closest(name, names),
            )
        return _writable(named, name)

    def _default(self, calendars: Sequence[Any]) -> Any:
        if self._kind == EVENTS:
            default = self._store.defaultCalendarForNewEvents()
        else:
            default = self._store.defaultCalendarForNewReminders()
        return default if default is not None else _writable(calendars, "")

    def _date(self, moment: datetime) -> Any:
        return self._foundation.NSDate.dateWithTimeIntervalSince1970_(moment.timestamp())

    def _components(self, moment: datetime, *, timed: bool) -> Any:
        components: Any = self._foundation.NSDateComponents.alloc().init()
        components.setYear_(moment.year)
        components.setMonth_(moment.month)
        components.setDay_(moment.day)
        if timed:
            components.setHour_(moment.hour)
            components.setMinute_(moment.minute)
        return components


def _writable(calendars: Sequence[Any], name: str) -> Any:
    for calendar in calendars:
        if calendar.allowsContentModifications():
            return calendar
    called = f" called “{name}”" if name else ""
    raise AccessDenied(f"There is no calendar or list{called} that can be changed.", hint="Name another.")


def _morning(day: date) -> datetime:
    return datetime.combine(day, time()) + ALL_DAY_ALARM


def _event(event: Any) -> str:
    times = (str(moment.timeIntervalSince1970()) for moment in (event.startDate(), event.endDate()))
    return fingerprint(str(event.title()), *times, str(event.location() or ""), str(event.notes() or ""))


def _reminder(reminder: Any) -> str:
    due: Any = reminder.dueDateComponents()
    numbers = [due.year(), due.month(), due.day(), due.hour(), due.minute()] if due is not None else []
    given = ["" if abs(int(number)) >= _UNSET else str(number) for number in numbers]
    done, priority = str(bool(reminder.isCompleted())), str(reminder.priority())
    return fingerprint(str(reminder.title()), str(reminder.notes() or ""), done, priority, *given)


def _require(answer: tuple[bool, Any], app: str, what: str) -> None:
    """Raise AppFailed unless EventKit did it; it answers with success and an error."""
    done, error = answer
    if done:
        return
    number = f" (error {error.code()})" if error is not None else ""
    raise AppFailed(f"{app} has not {what}{number}.", hint=f"Open {app} to see whether it works.")
