"""Events and reminders land in a CalDAV account and can be taken back."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
import vobject

from tests.support.radicale_server import PASSWORD, USER, RadicaleServer
from tinyagent.apps.base import EventDraft, ReminderDraft
from tinyagent.apps.network.caldav import CalDavCalendar, CalDavReminders, CalDavStore
from tinyagent.apps.network.dav import DavServer
from tinyagent.errors import (
    AccessDenied,
    ConfigurationError,
    NoMatch,
    NotConfigured,
)

BERLIN = ZoneInfo("Europe/Berlin")
ORGANIZER = "robin@example.com"


def store(url: str, password: str = PASSWORD, seconds: float = 20) -> CalDavStore:
    return CalDavStore(DavServer("caldav", url, USER, password, seconds=seconds))


def calendar(url: str, organizer: str = ORGANIZER, **options: float) -> CalDavCalendar:
    return CalDavCalendar(store(url, **options), BERLIN, organizer)


def event(title: str = "Rösti, 2; \\n done", invitees: tuple[str, ...] = (), name: str = "") -> EventDraft:
    start, end = datetime(2026, 12, 1, 9), datetime(2026, 12, 1, 10, 30)
    return EventDraft(title, start, end, "Room 2", invitees, "first\nsecond", name)


def reminder(due: date | datetime, list_name: str = "") -> ReminderDraft:
    return ReminderDraft("Buy milk", due, "", list_name, 1)


async def test_an_event_lands_in_the_first_calendar_that_takes_events(radicale: RadicaleServer) -> None:
    radicale.make_collection("tasks", "Tasks", "VTODO")
    radicale.make_collection("work", "Work", "VEVENT")
    made = await calendar(radicale.url).create(event())
    (content,) = radicale.stored("work")
    written = vobject.readOne(content)
    assert written.vevent.uid.value == made.id
    assert written.vevent.summary.value == "Rösti, 2; \\n done"
    assert written.vevent.description.value == "first\nsecond"
    assert written.vevent.dtstart.value.isoformat() == "2026-12-01T09:00:00+01:00"
    assert written.vevent.dtend.value.isoformat() == "2026-12-01T10:30:00+01:00"
    assert "METHOD" not in content


async def test_an_event_with_an_attendee_names_who_invites_and_can_be_taken_back(
    radicale: RadicaleServer,
) -> None:
    radicale.make_collection("work", "Work", "VEVENT")
    app = calendar(radicale.url)
    made = await app.create(event(invitees=("ann@example.org",)))
    (content,) = radicale.stored("work")
    written = vobject.readOne(content).vevent
    assert written.organizer.value == f"mailto:{ORGANIZER}"
    assert written.attendee.value == "mailto:ann@example.org"
    assert written.attendee.params["PARTSTAT"] == ["NEEDS-ACTION"]
    assert made.undo is not None
    assert await app.undo(made.undo) == "Deleted the event."
    assert radicale.stored("work") == []
    with pytest.raises(NoMatch):
        await app.undo(made.undo)


async def test_nobody_is_invited_from_an_unknown_address(radicale: RadicaleServer) -> None:
    radicale.make_collection("work", "Work", "VEVENT")
    with pytest.raises(NotConfigured):
        await calendar(radicale.url, organizer="").create(event(invitees=("ann@example.org",)))
    assert radicale.stored("work") == []


async def test_a_record_of_another_place_deletes_nothing(radicale: RadicaleServer) -> None:
    with pytest.raises(AccessDenied):
        await calendar(radicale.url).undo({"url": "https://elsewhere.example/a.ics", "etag": '"1"'})
    with pytest.raises(AccessDenied):
        await calendar(radicale.url).undo({"path": "Calendar/a.ics", "sha256": "0"})


async def test_a_calendar_is_found_by_its_name_in_any_case(radicale: RadicaleServer) -> None:
    radicale.make_collection("a", "Private", "VEVENT")
    radicale.make_collection("b", "Büro", "VEVENT")
    await calendar(radicale.url).create(event(name="büro"))
    assert len(radicale.stored("b")) == 1
    assert radicale.stored("a") == []


async def test_an_unknown_calendar_is_a_question_with_those_that_exist(radicale: RadicaleServer) -> None:
    radicale.make_collection("a", "Private", "VEVENT")
    radicale.make_collection("t", "Tasks", "VTODO")
    with pytest.raises(NoMatch) as raised:
        await calendar(radicale.url).create(event(name="Work"))
    assert raised.value.candidates == ("Private",)


async def test_an_account_without_calendar_says_so(radicale: RadicaleServer) -> None:
    radicale.make_collection("t", "Tasks", "VTODO")
    with pytest.raises(NotConfigured, match="no calendar that can be written to"):
        await calendar(radicale.url).create(event())


async def test_the_address_of_one_calendar_means_that_calendar(radicale: RadicaleServer) -> None:
    radicale.make_collection("a", "Private", "VEVENT")
    radicale.make_collection("b", "Work", "VEVENT")
    await calendar(f"{radicale.url}/{USER}/b/").create(event())
    assert len(radicale.stored("b")) == 1


@pytest.mark.parametrize(
    ("due", "stored", "alarm"),
    [
        (date(2026, 12, 1), "DUE;VALUE=DATE:20261201", "TRIGGER;RELATED=END:PT9H"),
        (datetime(2026, 12, 1, 9), "DUE;TZID=Europe/Berlin:20261201T090000", "TRIGGER;RELATED=END:PT0S"),
    ],
)
async def test_a_reminder_lands_in_a_list_with_an_alarm_and_can_be_taken_back(
    radicale: RadicaleServer, due: date, stored: str, alarm: str
) -> None:
    radicale.make_collection("work", "Work", "VEVENT")
    radicale.make_collection("tasks", "Tasks", "VTODO")
    app = CalDavReminders(store(radicale.url), BERLIN)
    made = await app.create(reminder(due, "tasks"))
    (content,) = radicale.stored("tasks")
    assert stored in content
    assert alarm in content.replace("TRIGGER;RELATED=END;VALUE=DURATION", "TRIGGER;RELATED=END")
    assert made.undo is not None
    assert await app.undo(made.undo) == "Deleted the reminder."
    assert radicale.stored("tasks") == []


async def test_a_wrong_password_says_what_to_check_and_not_the_password(radicale: RadicaleServer) -> None:
    with pytest.raises(NotConfigured) as raised:
        await CalDavCalendar(store(radicale.url, "wrong secret")).create(event())
    assert "caldav.password" in str(raised.value)
    assert "wrong secret" not in str(raised.value)


@pytest.mark.parametrize(
    "url", ["http://dav.example.com/", "ftp://x/", "dav.example.com", "https://u:p@x/", "http://["]
)
def test_an_address_that_is_none_or_not_encrypted_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        DavServer("caldav", url, USER, PASSWORD)


@pytest.mark.parametrize(
    ("own", "other"),
    [
        ("https://example.co.uk/", "https://evil.co.uk/"),
        ("https://alice.dyndns.example/", "https://mallory.dyndns.example/"),
    ],
)
def test_the_password_does_not_go_to_others_who_share_a_domain(own: str, other: str) -> None:
    server = DavServer("caldav", own, USER, PASSWORD)
    assert server.trusts(f"{own}dav/") and server.trusts(own.replace("https://", "https://dav."))
    assert not server.trusts(other)


def test_the_password_stays_on_the_server_and_its_neighbours() -> None:
    cloud = DavServer("caldav", "https://caldav.icloud.com/", USER, PASSWORD)
    assert cloud.trusts("https://p42-caldav.icloud.com:443/1/")
    search = DavServer("caldav", "https://www.google.com/calendar/dav/", USER, PASSWORD)
    assert search.trusts("https://calendar.google.com/") and not search.trusts("https://agoogle.com/")
    for other in (
        "http://caldav.icloud.com/",
        "https://icloud.com.evil.example/",
        "https://evilicloud.com/",
        "https://[",
    ):
        assert not cloud.trusts(other), other
    own = DavServer("caldav", "https://example.org/", USER, PASSWORD)
    assert own.trusts("https://dav.example.org/")
    assert not own.trusts("https://other.org/")
