"""What events and reminders share of iCalendar (RFC 5545)."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import uuid4
from zoneinfo import ZoneInfo

import icalendar

PRODUCT = "-//TinyAgent//Assistant//EN"

_MAILTO_CHARACTERS = "@!$&'*+-./=_~"
_ZONE_MARGIN = timedelta(days=366)


def identify(component: icalendar.Component) -> str:
    """Give the component a new UID and the stamps that RFC 5545 asks for; the UID."""
    uid = str(uuid4())
    stamp = datetime.now(UTC).replace(microsecond=0)
    add(component, "uid", uid)
    add(component, "dtstamp", stamp)
    add(component, "created", stamp)
    add(component, "last-modified", stamp)
    add(component, "sequence", 0)
    return uid


def add(component: icalendar.Component, name: str, value: object, **parameters: str) -> None:
    """Add a property in the form that its type has."""
    component.add(name, value, parameters=parameters)  # pyright: ignore[reportUnknownMemberType]


def add_text(component: icalendar.Component, name: str, text: str) -> None:
    """Add a text property unless it is empty; line ends become uniform, control characters have no form."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(c for c in lines if c in "\n\t" or unicodedata.category(c) != "Cc")
    if kept:
        add(component, name, kept)


def mailto(address: str) -> icalendar.vCalAddress:
    """An email address as a calendar address; characters that have a meaning in a URI are encoded."""
    return icalendar.vCalAddress(f"mailto:{quote(address, safe=_MAILTO_CHARACTERS)}")


def in_zone(moment: datetime, zone: ZoneInfo | None) -> datetime:
    """The wall-clock time as the time of `zone`; floating (the reader's own time) without one."""
    return moment.replace(tzinfo=zone, microsecond=0)


def file_content(component: icalendar.Component, around: datetime) -> bytes:
    """An iCalendar file with one component and the rules of its zone for the years near `around`."""
    calendar = icalendar.Calendar()
    add(calendar, "version", "2.0")
    add(calendar, "prodid", PRODUCT)
    calendar.add_component(component)
    first = max(around, datetime.min + _ZONE_MARGIN) - _ZONE_MARGIN
    last = min(around, datetime.max - _ZONE_MARGIN) + _ZONE_MARGIN
    calendar.add_missing_timezones(first_date=first.date(), last_date=last.date())
    return calendar.to_ical()
