"""The reminders of the data folder ring when they are due, and keep any text and any list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
import vobject

from tinyagent.apps.base import ReminderDraft, Reminders
from tinyagent.apps.portable.reminders import PortableReminders

CALL = ReminderDraft("Call the bank", datetime(2024, 4, 6, 15, 30), "Ask for Ms. Ito", "Errands", 1)


@dataclass(frozen=True)
class Stored:
    draft: ReminderDraft
    rings: datetime


@dataclass(frozen=True)
class Store:
    """Reminders under test and a way to see what they hold, by UID."""

    reminders: Reminders
    items: Callable[[], dict[str, Stored]]


def portable(folder: Path) -> Store:
    return Store(PortableReminders(folder), lambda: _read(folder / "reminders"))


def _read(root: Path) -> dict[str, Stored]:
    """The reminders read by another library than the one that wrote them."""
    stored: dict[str, Stored] = {}
    for path in root.glob("*/*.ics"):
        todo: Any = vobject.readOne(path.read_text("utf-8")).vtodo
        shown = path.parent / "displayname"
        draft = ReminderDraft(
            name=todo.summary.value,
            due=todo.due.value,
            notes=todo.description.value if "description" in todo.contents else "",
            list_name=shown.read_text("utf-8") if shown.exists() else path.parent.name,
            priority=int(todo.priority.value) if "priority" in todo.contents else 0,
        )
        trigger: Any = todo.valarm.trigger
        assert trigger.related_param == "END"
        due = draft.due if isinstance(draft.due, datetime) else datetime.combine(draft.due, time())
        stored[todo.uid.value] = Stored(draft, due + trigger.value)
    return stored


@pytest.fixture(params=[portable], ids=["portable"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return request.param(tmp_path)


async def test_a_timed_reminder_rings_when_it_is_due(store: Store) -> None:
    uid = (await store.reminders.create(CALL)).id

    assert store.items() == {uid: Stored(CALL, datetime(2024, 4, 6, 15, 30))}


async def test_a_reminder_for_a_day_has_no_time_and_rings_that_morning(store: Store) -> None:
    draft = replace(CALL, due=date(2024, 4, 6), priority=0, notes="")

    uid = (await store.reminders.create(draft)).id

    item = store.items()[uid]
    assert item.draft == draft
    assert not isinstance(item.draft.due, datetime)
    assert item.rings - datetime(2024, 4, 6) < timedelta(hours=24)
    assert item.rings.date() == date(2024, 4, 6)


@pytest.mark.parametrize(
    "text",
    ['say "hi"; it\'s, \\ ok', "one\ntwo\nEND:VTODO", "../../x", "🍕 שלום \u202eabc\u202c", "$1 %s {0}"],
)
async def test_any_text_arrives_as_it_was_given(store: Store, text: str) -> None:
    draft = replace(CALL, name=text, notes=text, list_name=text)

    uid = (await store.reminders.create(draft)).id

    assert store.items()[uid].draft == draft
