"""Every list of reminders keeps times, days and priorities."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import StoredReminder, World
from tinyagent.apps.base import ReminderDraft
from tinyagent.errors import ChangedSince, NoMatch

pytestmark = pytest.mark.app("reminders")

DRAFT = ReminderDraft("Call the bank", datetime(2026, 12, 1, 9, 30), "about the card", "", 1)


@pytest.mark.parametrize("due", [datetime(2026, 12, 1, 9, 30), date(2026, 12, 1), date(2028, 2, 29)])
async def test_a_moment_stays_a_moment_and_a_day_a_day(world: World, due: date | datetime) -> None:
    await world.desktop.reminders.create(replace(DRAFT, due=due))

    (reminder,) = world.reminders()
    assert replace(reminder, list_name="") == StoredReminder("Call the bank", due, "about the card", "", 1)
    assert isinstance(reminder.due, datetime) == isinstance(due, datetime)


async def test_a_list_is_taken_by_its_name(world: World) -> None:
    await world.desktop.reminders.create(replace(DRAFT, list_name="Shopping"))

    assert world.reminders()[0].list_name == "Shopping"


@pytest.mark.parametrize("priority", [0, 5, 9])
async def test_the_priority_is_kept(world: World, priority: int) -> None:
    await world.desktop.reminders.create(replace(DRAFT, priority=priority))

    assert world.reminders()[0].priority == priority


async def test_undo_deletes_the_reminder_and_no_other(world: World) -> None:
    kept = await world.desktop.reminders.create(replace(DRAFT, name="Another"))
    made = await world.desktop.reminders.create(DRAFT)
    assert kept.id != made.id and made.undo

    said = await world.desktop.reminders.undo(made.undo)

    assert [reminder.name for reminder in world.reminders()] == ["Another"]
    assert said.endswith(".")


async def test_a_reminder_that_was_edited_is_left_alone(world: World) -> None:
    made = await world.desktop.reminders.create(DRAFT)
    world.edit_reminder(DRAFT.name)
    assert made.undo

    with pytest.raises(ChangedSince):
        await world.desktop.reminders.undo(made.undo)

    assert len(world.reminders()) == 1


async def test_a_reminder_that_is_gone_cannot_be_taken_back(world: World) -> None:
    made = await world.desktop.reminders.create(DRAFT)
    world.empty()
    assert made.undo

    with pytest.raises(NoMatch):
        await world.desktop.reminders.undo(made.undo)


async def test_a_reminder_that_was_put_off_is_left_alone(mac: MacWorld) -> None:
    made = await mac.desktop.reminders.create(DRAFT)
    assert made.undo

    def put_off(data: dict[str, Any]) -> None:
        (reminder,) = data["lists"]["Reminders"].values()
        reminder["due"]["day"] = 3

    mac.mac.change(put_off)

    with pytest.raises(ChangedSince):
        await mac.desktop.reminders.undo(made.undo)


async def test_undo_deletes_a_reminder_for_a_whole_day(world: World) -> None:
    made = await world.desktop.reminders.create(replace(DRAFT, due=date(2026, 12, 1)))
    assert made.undo

    await world.desktop.reminders.undo(made.undo)

    assert world.reminders() == []
