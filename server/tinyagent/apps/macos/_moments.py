"""The user's wall-clock times as the Mac's own, and back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

_PARTS = ("year", "month", "day", "hour", "minute", "second")


def local(moment: datetime, zone: ZoneInfo | None) -> datetime:
    """A naive time of the user's zone as a naive time of the computer's zone."""
    return moment if zone is None else moment.replace(tzinfo=zone).astimezone().replace(tzinfo=None)


def parts(moment: datetime) -> dict[str, int]:
    """The numbers that a script makes a date of, in any language and region."""
    return {name: getattr(moment, name) for name in _PARTS}


def from_parts(value: dict[str, Any]) -> datetime:
    """The moment that a script answered. Raises ValueError."""
    year, month, day, hour, minute, second = (int(value[name]) for name in _PARTS)
    return datetime(year, month, day, hour, minute, second)
