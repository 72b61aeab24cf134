"""The tool that makes calendar events."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from tinyagent.apps.base import EventDraft
from tinyagent.domain.tools import Recipients
from tinyagent.errors import ToolError
from tinyagent.ports import ToolResult
from tinyagent.tools._addresses import email_addresses
from tinyagent.tools._dates import read_date, spoken_day, spoken_span
from tinyagent.tools._phrases import counted
from tinyagent.tools.context import ToolContext

DEFAULT_START = time(9)
DEFAULT_LENGTH = timedelta(minutes=60)


async def create_calendar_event(
    context: ToolContext,
    title: str,
    start_date: str,
    end_date: str,
    location: str,
    invitees: Recipients,
    notes: str,
    calendar: str,
) -> ToolResult:
    """Put an event into the calendar.

    Args:
        title: What the event is called.
        start_date: When it starts, YYYY-MM-DD HH:MM:SS.
        end_date: When it ends, YYYY-MM-DD HH:MM:SS; empty for one hour.
        location: Where it takes place, or empty.
        invitees: Email addresses of the people to invite.
        notes: Remarks kept with the event, or empty.
        calendar: Which calendar to use; empty for the default one.

    Returns:
        A status with the event's identifier.
    """
    start = _start(start_date)
    end = _end(end_date, start)
    people = email_addresses(invitees, "invitees")
    named = title.strip() or "Event"
    invite = context.call.send and context.desktop.calendar.invites()
    made = await context.desktop.calendar.create(
        EventDraft(named, start, end, location, people, notes, calendar, invite)
    )
    past = ", which has passed" if end < context.now else ""
    return ToolResult(
        f"Created the calendar event {made.id}.",
        f"Created the event “{named}” {spoken_span(start, end)}{past}{_with(people, invite)}.",
        undo=made.undo,
    )


def _with(people: Sequence[str], invited: bool) -> str:
    if not people:
        return ""
    sent = "invitations were sent" if invited else "no invitation was sent"
    return f", with {counted(len(people), 'invitee')}; {sent}"


def _start(text: str) -> datetime:
    start = read_date(text, "start_date")
    return start if isinstance(start, datetime) else datetime.combine(start, DEFAULT_START)


def _end(text: str, start: datetime) -> datetime:
    """The end; a day alone is the end of that day. Raises ToolError when it is not after the start."""
    if not text.strip():
        return start + DEFAULT_LENGTH
    given = read_date(text, "end_date")
    end = given if isinstance(given, datetime) else _end_of(given)
    if end <= start:
        raise ToolError(
            f"The event would start on {spoken_day(start)} at {start:%H:%M} and end on "
            f"{spoken_day(end)} at {end:%H:%M}, which is not later.",
            hint="Give an end after the start.",
            param="end_date",
        )
    return end


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time()) + timedelta(days=1)
