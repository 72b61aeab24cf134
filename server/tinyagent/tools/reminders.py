"""The tool that makes reminders."""

from __future__ import annotations

from datetime import date, datetime

from tinyagent.apps.base import ReminderDraft
from tinyagent.errors import ToolError
from tinyagent.ports import ToolResult
from tinyagent.tools._dates import read_date, spoken_due
from tinyagent.tools.context import ToolContext

LOWEST_PRIORITY = 9


async def create_reminder(
    context: ToolContext,
    name: str,
    due_date: str,
    notes: str,
    list_name: str,
    priority: int,
    all_day: bool,
) -> ToolResult:
    """Remind the user of something at a time or on a day.

    Args:
        name: The thing to do.
        due_date: When, YYYY-MM-DD HH:MM:SS, or YYYY-MM-DD for a whole day.
        notes: Remarks kept with the reminder, or empty.
        list_name: Which list to use; empty for the default one.
        priority: 1 high, 5 medium, 9 low, 0 when none is given.
        all_day: True only when no time of day is given.

    Returns:
        A status with the reminder's identifier.
    """
    if not name.strip():
        raise ToolError("A reminder needs something to remind of.", hint="Say what to do.", param="name")
    if not 0 <= priority <= LOWEST_PRIORITY:
        raise ToolError(
            f"The priority {priority} does not exist.",
            hint="Use 1 for high, 5 for medium, 9 for low or 0 for none.",
            param="priority",
        )
    due = _due(due_date, all_day, context.now)
    past = ", which has passed" if _has_passed(due, context.now) else ""
    made = await context.desktop.reminders.create(ReminderDraft(name, due, notes, list_name, priority))
    return ToolResult(
        f"Created the reminder {made.id}.",
        f"Created the reminder “{name}” {spoken_due(due)}{past}.",
        undo=made.undo,
    )


def _has_passed(due: date | datetime, now: datetime) -> bool:
    return due < now if isinstance(due, datetime) else due < now.date()


def _due(text: str, all_day: bool, now: datetime) -> date | datetime:
    """The moment or day. No date at all means today; one that cannot be read is an error."""
    if not text.strip():
        return now.date()
    due = read_date(text, "due_date")
    return due.date() if all_day and isinstance(due, datetime) else due
