"""The calendars of the data folder keep attendees, any text and any name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import vobject

from tinyagent.apps.base import Calendar, EventDraft
from tinyagent.apps.portable.calendar import PortableCalendar

DINNER = EventDraft(
    title="Team dinner",
    start=datetime(2024, 4, 6, 19),
    end=datetime(2024, 4, 6, 20),
    location="Luigi's",
    invitees=("sid@home.example", "ada+news@work.example"),
    notes="Bring the slides",
    calendar="Work",
)

HARD_TEXTS = [
    "quote \" and ' and \\ backslash",
    "two\nlines\n\nand; commas, too",
    "END:VEVENT\nEND:VCALENDAR\nBEGIN:VCALENDAR",
    "../../etc/passwd",
    '" & do shell script "touch /tmp/x" & "',
    "שלום \u202eright to left\u202c 🍕👩‍👩‍👧",
    "$1 ${2} %s {0} {title}",
    "a" * 500,
]


@dataclass(frozen=True)
class Store:
    """A calendar under test and a way to see what it holds, as drafts by UID."""

    calendar: Calendar
    events: Callable[[], dict[str, EventDraft]]


def portable(folder: Path) -> Store:
    return Store(PortableCalendar(folder), lambda: _read(folder / "calendars"))


def _read(root: Path) -> dict[str, EventDraft]:
    """The events read by another library than the one that wrote them."""
    stored: dict[str, EventDraft] = {}
    for path in root.glob("*/*.ics"):
        event: Any = vobject.readOne(path.read_text("utf-8")).vevent
        stored[event.uid.value] = EventDraft(
            title=event.summary.value,
            start=event.dtstart.value,
            end=event.dtend.value,
            location=_text(event, "location"),
            invitees=tuple(line.value.removeprefix("mailto:") for line in event.contents.get("attendee", [])),
            notes=_text(event, "description"),
            calendar=_folder_name(path.parent),
        )
    return stored


def _text(event: Any, name: str) -> str:
    return event.contents[name][0].value if name in event.contents else ""


def _folder_name(folder: Path) -> str:
    shown = folder / "displayname"
    return shown.read_text("utf-8") if shown.exists() else folder.name


@pytest.fixture(params=[portable], ids=["portable"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return request.param(tmp_path)


async def test_an_event_is_stored_with_every_detail(store: Store) -> None:
    uid = (await store.calendar.create(DINNER)).id

    assert store.events() == {uid: DINNER}


@pytest.mark.parametrize("text", HARD_TEXTS)
async def test_any_text_arrives_as_it_was_given(store: Store, text: str) -> None:
    uid = (
        await store.calendar.create(replace(DINNER, title=text, location=text, notes=text, calendar=text))
    ).id

    assert store.events() == {uid: replace(DINNER, title=text, location=text, notes=text, calendar=text)}


async def test_absent_details_stay_absent(store: Store) -> None:
    bare = replace(DINNER, location="", invitees=(), notes="")

    uid = (await store.calendar.create(bare)).id

    assert store.events() == {uid: bare}


async def test_an_existing_calendar_is_found_whatever_the_case(store: Store) -> None:
    for name in ("Work", "work", " WORK "):
        await store.calendar.create(replace(DINNER, calendar=name))

    assert {event.calendar for event in store.events().values()} == {"Work"}
