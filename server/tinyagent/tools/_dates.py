"""Dates as planners write them, `YYYY-MM-DD HH:MM:SS` or `YYYY-MM-DD`, and as people read them."""

from __future__ import annotations

import re
from datetime import date, datetime

from tinyagent.errors import DateUnreadable

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?", re.ASCII)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def read_date(text: str, param: str) -> date | datetime:
    """The moment, or the day alone when no time of day is given.

    Raises DateUnreadable, which quotes the text and names the parameter.
    """
    written = text.strip()
    try:
        if not _ISO.fullmatch(written):
            raise ValueError
        return date.fromisoformat(written) if len(written) == 10 else datetime.fromisoformat(written)
    except ValueError:
        raise DateUnreadable(
            f"“{text}” is not a date that can be read.",
            hint="Give the day, and the time if it matters, for example 2024-04-06 19:00.",
            param=param,
        ) from None


def spoken_day(day: date) -> str:
    """For example “Saturday 6 April 2024”, whatever the system's language."""
    return f"{_WEEKDAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]} {day.year}"


def spoken_span(start: datetime, end: datetime) -> str:
    """For example “on Saturday 6 April 2024, 19:00–20:00”."""
    if start.date() == end.date():
        return f"on {spoken_day(start)}, {start:%H:%M}–{end:%H:%M}"
    return f"from {spoken_day(start)}, {start:%H:%M} to {spoken_day(end)}, {end:%H:%M}"


def spoken_due(due: date | datetime) -> str:
    """For example “on Saturday 6 April 2024 at 19:00”."""
    time = f" at {due:%H:%M}" if isinstance(due, datetime) else ""
    return f"on {spoken_day(due)}{time}"
