"""EventKit and Contacts serve where they may, without asking; scripts serve otherwise."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.support.fake_mac import FakeMac
from tests.support.fake_mac.frameworks import DENIED, NOT_ASKED, Contacts, EventKit, foundation, person
from tinyagent.apps.base import EventDraft, ReminderDraft
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.apps.macos.calendar import MacCalendar
from tinyagent.apps.macos.contacts import MacContacts
from tinyagent.apps.macos.reminders import MacReminders
from tinyagent.errors import AccessDenied, AppFailed, ChangedSince, NoMatch

EVENT = EventDraft(
    "Sync", datetime(2026, 12, 1, 10), datetime(2026, 12, 1, 11), "Room 3", ("a@x.example",), "Plan", ""
)
REMINDER = ReminderDraft("Call", datetime(2026, 12, 1, 9, 30), "bank", "", 1)


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> EventKit:
    kit = EventKit()
    monkeypatch.setitem(sys.modules, "EventKit", kit)
    monkeypatch.setitem(sys.modules, "Foundation", foundation())
    return kit


async def test_an_event_is_stored_by_eventkit(mac: FakeMac, scripts: Scripts, kit: EventKit) -> None:
    made = await MacCalendar(scripts, ZoneInfo("Asia/Tokyo")).create(EVENT)

    (event,) = kit.items.values()
    assert made.id == "uid-1"
    assert (event.title(), event.location(), event.calendar().title()) == ("Sync", "Room 3", "Home")
    start = datetime(2026, 12, 1, 10, tzinfo=ZoneInfo("Asia/Tokyo")).timestamp()
    assert event.startDate().timeIntervalSince1970() == start
    assert event.notes() == "Plan\n\nWith: a@x.example"
    assert mac.calls() == []


async def test_an_event_of_eventkit_is_taken_back_unless_it_was_edited(
    mac: FakeMac, scripts: Scripts, kit: EventKit
) -> None:
    calendar = MacCalendar(scripts)
    first, second = [await calendar.create(EVENT) for _ in range(2)]
    assert first.undo and second.undo
    kit.items["item-2"].setNotes_("mine")

    assert "Sync" in await calendar.undo(first.undo)
    with pytest.raises(NoMatch):
        await calendar.undo(first.undo)
    with pytest.raises(ChangedSince):
        await calendar.undo(second.undo)
    assert list(kit.items) == ["item-2"]


@pytest.mark.parametrize("status", [DENIED, NOT_ASKED])
async def test_without_access_scripts_serve_and_nothing_is_asked(
    mac: FakeMac, scripts: Scripts, kit: EventKit, status: int
) -> None:
    kit.status = status

    await MacCalendar(scripts).create(EVENT)
    await MacReminders(scripts).create(REMINDER)

    assert kit.items == {}
    assert mac.operations() == ["calendar_create", "reminders_create"]


async def test_a_record_of_eventkit_needs_eventkit(mac: FakeMac, scripts: Scripts, kit: EventKit) -> None:
    made = await MacReminders(scripts).create(REMINDER)
    kit.status = DENIED
    assert made.undo

    with pytest.raises(AccessDenied):
        await MacReminders(scripts).undo(made.undo)

    assert mac.calls() == []


async def test_an_unknown_or_read_only_calendar_is_an_error(
    mac: FakeMac, scripts: Scripts, kit: EventKit
) -> None:
    with pytest.raises(NoMatch, match="Hom"):
        await MacCalendar(scripts).create(replace(EVENT, calendar="Hom"))
    with pytest.raises(AccessDenied):
        await MacCalendar(scripts).create(replace(EVENT, calendar="holidays"))

    assert kit.items == {}


async def test_what_eventkit_does_not_do_is_a_failure(mac: FakeMac, scripts: Scripts, kit: EventKit) -> None:
    kit.fails = True

    with pytest.raises(AppFailed, match="error 1"):
        await MacCalendar(scripts).create(EVENT)


@pytest.mark.parametrize(
    ("due", "clock", "rings"),
    [
        (datetime(2026, 12, 1, 9, 30), (9, 30), datetime(2026, 12, 1, 9, 30)),
        (date(2026, 12, 1), None, datetime(2026, 12, 1, 9)),
    ],
)
async def test_a_reminder_of_eventkit_rings(
    mac: FakeMac,
    scripts: Scripts,
    kit: EventKit,
    due: date | datetime,
    clock: tuple[int, int] | None,
    rings: datetime,
) -> None:
    made = await MacReminders(scripts).create(replace(REMINDER, due=due))

    (reminder,) = kit.items.values()
    components = reminder.dueDateComponents()
    assert (components.year(), components.month(), components.day()) == (2026, 12, 1)
    assert (components.hour() < 24) == (clock is not None)
    (alarm,) = reminder.alarms()
    assert alarm.absoluteDate().timeIntervalSince1970() == rings.timestamp()
    assert reminder.priority() == 1
    assert made.undo
    await MacReminders(scripts).undo(made.undo)
    assert kit.items == {}


async def test_a_reminder_that_was_done_is_left_alone(mac: FakeMac, scripts: Scripts, kit: EventKit) -> None:
    made = await MacReminders(scripts).create(REMINDER)
    kit.items["item-1"].values["isCompleted"] = True
    assert made.undo

    with pytest.raises(ChangedSince):
        await MacReminders(scripts).undo(made.undo)


async def test_contacts_are_read_by_the_framework(
    mac: FakeMac, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [
        person(
            "Nia",
            "Me",
            emails=[("_$!<Home>!$_", "me@home.example")],
            relations=[("_$!<Sister>!$_", "Ida Berg")],
        ),
        person(
            "Ida",
            "Berg",
            namePrefix="Dr.",
            phones=[("_$!<HomeFAX>!$_", "1"), ("_$!<Work>!$_", "2"), ("_$!<Mobile>!$_", "3")],
        ),
        person("", "", contactType=1, organizationName="Plumbing Ltd", emails=[("", "p@x.example")]),
        person("", ""),
    ]
    monkeypatch.setitem(sys.modules, "Contacts", Contacts(people))
    contacts = MacContacts(scripts, "me@home.example")

    (sister,) = await contacts.find("sister")
    (same,) = await contacts.find("Berg, Ida")
    (company,) = await contacts.find("plumbing ltd")

    assert (sister.name, sister.phones) == ("Dr. Ida Berg", ("3",))
    assert (same, company.emails) == (sister, ("p@x.example",))
    assert mac.calls() == []


async def test_an_address_book_that_fails_is_told(
    mac: FakeMac, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    book = Contacts([])
    book.fails = True
    monkeypatch.setitem(sys.modules, "Contacts", book)

    with pytest.raises(AppFailed):
        await MacContacts(scripts).all()


async def test_contacts_without_access_are_read_by_scripts(
    mac: FakeMac, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "Contacts", Contacts([person("Sid", "Meier")], DENIED))

    assert await MacContacts(scripts).all() == []
    assert mac.operations() == ["contacts_all"]
