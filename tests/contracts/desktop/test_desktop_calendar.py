"""Every calendar stores what it is given and takes back what nobody has touched."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import datetime

import pytest

from tests.contracts.desktop.worlds import StoredEvent, World
from tinyagent.apps.base import EventDraft
from tinyagent.errors import ChangedSince, NoMatch

pytestmark = pytest.mark.app("calendar")

DRAFT = EventDraft(
    title="Project sync",
    start=datetime(2026, 12, 31, 23, 30),
    end=datetime(2027, 1, 1, 0, 45),
    location="Room 3",
    invitees=(),
    notes="Bring the plan",
    calendar="",
)


async def test_an_event_is_stored_as_it_was_given(world: World) -> None:
    made = await world.desktop.calendar.create(DRAFT)

    (event,) = world.events()
    assert replace(event, calendar="") == StoredEvent(
        "Project sync", DRAFT.start, DRAFT.end, "Room 3", "Bring the plan", ""
    )
    assert made.id and made.undo


@pytest.mark.parametrize("day", [datetime(2028, 2, 29, 0, 0), datetime(2026, 3, 31, 12, 5)])
async def test_the_ends_of_months_are_kept(world: World, day: datetime) -> None:
    await world.desktop.calendar.create(replace(DRAFT, start=day, end=day.replace(hour=23)))

    (event,) = world.events()
    assert (event.start, event.end) == (day, day.replace(hour=23))


async def test_a_calendar_is_taken_by_its_name(world: World) -> None:
    await world.desktop.calendar.create(replace(DRAFT, calendar="Work"))

    assert world.events()[0].calendar == "Work"


async def test_two_events_of_the_same_words_are_two(world: World) -> None:
    first, second = [await world.desktop.calendar.create(DRAFT) for _ in range(2)]

    assert first.id != second.id
    assert re.fullmatch(r"\S+", first.id)
    assert len(world.events()) == 2


async def test_events_made_at_once_are_all_kept(world: World) -> None:
    titles = [f"Event {number}" for number in range(4)]

    made = await asyncio.gather(
        *(world.desktop.calendar.create(replace(DRAFT, title=title, calendar="Work")) for title in titles)
    )

    assert len({event.id for event in made}) == 4
    assert sorted((event.title, event.calendar) for event in world.events()) == [
        (title, "Work") for title in titles
    ]


async def test_undo_deletes_the_event_and_no_other(world: World) -> None:
    kept = await world.desktop.calendar.create(replace(DRAFT, title="Another"))
    made = await world.desktop.calendar.create(DRAFT)
    assert kept.id != made.id and made.undo

    said = await world.desktop.calendar.undo(made.undo)

    assert [event.title for event in world.events()] == ["Another"]
    assert "event" in said and said.endswith(".")


async def test_an_event_that_was_edited_is_left_alone(world: World) -> None:
    made = await world.desktop.calendar.create(DRAFT)
    world.edit_event(DRAFT.title)
    assert made.undo

    with pytest.raises(ChangedSince):
        await world.desktop.calendar.undo(made.undo)

    assert len(world.events()) == 1


async def test_an_event_that_is_gone_cannot_be_taken_back(world: World) -> None:
    made = await world.desktop.calendar.create(DRAFT)
    world.empty()
    assert made.undo

    with pytest.raises(NoMatch):
        await world.desktop.calendar.undo(made.undo)
