"""The tool that makes video meetings."""

from __future__ import annotations

from datetime import date, datetime, time

from tinyagent.apps.base import Meeting
from tinyagent.domain.tools import Recipients
from tinyagent.errors import ToolError
from tinyagent.ports import ToolResult
from tinyagent.tools._addresses import email_addresses
from tinyagent.tools._dates import read_date, spoken_due
from tinyagent.tools._phrases import counted
from tinyagent.tools.context import ToolContext

DEFAULT_START = time(9)
DEFAULT_MINUTES = 60
MAX_MINUTES = 24 * 60


async def get_zoom_meeting_link(
    context: ToolContext, topic: str, start_time: str, duration: int, meeting_invitees: Recipients
) -> ToolResult:
    """Make a Zoom meeting.

    Args:
        topic: What the meeting is about.
        start_time: When it starts, YYYY-MM-DD HH:MM:SS.
        duration: How long it lasts, in minutes; 60 unless the user says otherwise.
        meeting_invitees: Email addresses of the people to invite.

    Returns:
        The link to join the meeting.
    """
    meeting = Meeting(
        topic=topic.strip() or "Meeting",
        start=_start(start_time),
        minutes=_minutes(duration),
        invitees=email_addresses(meeting_invitees, "meeting_invitees"),
    )
    made = await context.desktop.meetings.create(meeting)
    invited = f", with {counted(len(meeting.invitees), 'invitee')}" if meeting.invitees else ""
    return ToolResult(
        made.id,
        f"Made the Zoom meeting “{meeting.topic}” {spoken_due(meeting.start)}{invited}.",
        link=made.id,
        undo=made.undo,
    )


def _start(text: str) -> datetime:
    start: date | datetime = read_date(text, "start_time")
    return start if isinstance(start, datetime) else datetime.combine(start, DEFAULT_START)


def _minutes(duration: int) -> int:
    if not 0 <= duration <= MAX_MINUTES:
        raise ToolError(
            f"A meeting cannot last {duration} minutes.",
            hint=f"Give a length between 1 and {MAX_MINUTES} minutes.",
            param="duration",
        )
    return duration or DEFAULT_MINUTES
