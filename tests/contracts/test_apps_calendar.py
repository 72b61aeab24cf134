"""Every calendar stores an event as it was given."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import vobject

from tinyagent.apps.base import Calendar, EventDraft
from tinyagent.apps.portable.calendar import PortableCalendar
from tinyagent.errors import NoMatch

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


async def test_events_made_at_once_are_all_kept(store: Store) -> None:
    drafts = [replace(DINNER, title=f"Event {number}", calendar="New") for number in range(8)]

    made = await asyncio.gather(*(store.calendar.create(draft) for draft in drafts))

    assert {store.events()[event.id].title for event in made} == {draft.title for draft in drafts}
    assert {event.calendar for event in store.events().values()} == {"New"}


async def test_uids_are_never_the_same(store: Store) -> None:
    uids = [(await store.calendar.create(DINNER)).id for _ in range(3)]

    assert len(set(uids)) == 3
    assert all(re.fullmatch(r"\S+", uid) for uid in uids)


async def test_an_event_is_taken_back_once_and_the_others_stay(store: Store) -> None:
    kept, made = await store.calendar.create(DINNER), await store.calendar.create(DINNER)
    assert made.undo is not None

    assert (await store.calendar.undo(made.undo)).endswith(".")

    assert store.events() == {kept.id: DINNER}
    with pytest.raises(NoMatch):
        await store.calendar.undo(made.undo)
