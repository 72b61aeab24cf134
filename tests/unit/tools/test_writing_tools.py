"""Events, reminders, notes and messages: what is stored and what people are told."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import vobject

from tinyagent.errors import DateUnreadable, NoMatch, ToolError
from tinyagent.ports import ToolResult

Caller = Callable[..., Awaitable[ToolResult]]

HOSTILE = "a\"b'c\\ $(reboot) `x` ../..\n\u202eשלום 🍕 %s {0} $1"


def _stored(data: Path, kind: str) -> list[Any]:
    component = "vevent" if kind == "calendars" else "vtodo"
    files = (data / kind).glob("*/*.ics")
    return [getattr(vobject.readOne(path.read_text("utf-8")), component) for path in files]


# --- calendar --------------------------------------------------------------------------------


async def test_an_event_is_stored_and_told(call: Caller, data: Path) -> None:
    result = await call(
        "create_calendar_event",
        "Team dinner", "2024-04-06 19:00:00", "2024-04-06 20:00:00", "Luigi's",
        ["a@x.example", "b@x.example"], "", "",
    )  # fmt: skip

    (event,) = _stored(data, "calendars")
    assert event.uid.value in result.value
    assert result.message == (
        "Created the event “Team dinner” on Saturday 6 April 2024, 19:00–20:00, with 2 invitees; "
        "no invitation was sent."
    )
    assert [line.value for line in event.contents["attendee"]] == ["mailto:a@x.example", "mailto:b@x.example"]


@pytest.mark.parametrize(
    ("start", "end", "stored"),
    [
        ("2024-04-06 19:00:00", "", (datetime(2024, 4, 6, 19), datetime(2024, 4, 6, 20))),
        ("2024-04-06 23:30:00", "", (datetime(2024, 4, 6, 23, 30), datetime(2024, 4, 7, 0, 30))),
        ("2024-04-06", "", (datetime(2024, 4, 6, 9), datetime(2024, 4, 6, 10))),
        ("2024-04-06", "2024-04-07", (datetime(2024, 4, 6, 9), datetime(2024, 4, 8))),
        ("2024-04-06 12:00:00", "2024-04-08 12:00:00", (datetime(2024, 4, 6, 12), datetime(2024, 4, 8, 12))),
    ],
)
async def test_a_missing_time_or_end_is_filled_by_the_rules(
    call: Caller, data: Path, start: str, end: str, stored: tuple[datetime, datetime]
) -> None:
    await call("create_calendar_event", "Trip", start, end, "", [], "", "")

    (event,) = _stored(data, "calendars")
    assert (event.dtstart.value, event.dtend.value) == stored


@pytest.mark.parametrize("end", ["2024-04-06 18:00:00", "2024-04-06 19:00:00", "2024-04-05"])
async def test_an_end_that_is_not_after_the_start_is_an_error(call: Caller, data: Path, end: str) -> None:
    with pytest.raises(ToolError, match="not later"):
        await call("create_calendar_event", "Trip", "2024-04-06 19:00:00", end, "", [], "", "")

    assert _stored(data, "calendars") == []


@pytest.mark.parametrize(("start", "end"), [("", ""), ("soon", ""), ("2024-04-06 19:00:00", "later")])
async def test_an_unreadable_date_never_becomes_now(call: Caller, data: Path, start: str, end: str) -> None:
    with pytest.raises(DateUnreadable):
        await call("create_calendar_event", "Trip", start, end, "", [], "", "")

    assert _stored(data, "calendars") == []


async def test_an_invitee_that_is_no_address_is_an_error(call: Caller, data: Path) -> None:
    with pytest.raises(ToolError, match="“Sid” is not an email address"):
        await call("create_calendar_event", "Trip", "2024-04-06", "", "", ["Sid"], "", "")

    assert _stored(data, "calendars") == []


async def test_hostile_text_in_an_event_stays_text(call: Caller, data: Path) -> None:
    await call("create_calendar_event", HOSTILE, "2024-04-06", "", HOSTILE, [], HOSTILE, HOSTILE)

    (event,) = _stored(data, "calendars")
    assert {event.summary.value, event.location.value, event.description.value} == {HOSTILE}


# --- reminders -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "all_day", "stored", "told"),
    [
        ("2024-04-06 15:30:00", False, datetime(2024, 4, 6, 15, 30), "on Saturday 6 April 2024 at 15:30."),
        ("2024-04-06", True, date(2024, 4, 6), "on Saturday 6 April 2024."),
        ("2024-04-06", False, date(2024, 4, 6), "on Saturday 6 April 2024."),
        ("2024-04-06 15:30:00", True, date(2024, 4, 6), "on Saturday 6 April 2024."),
        ("", True, date(2024, 4, 1), "on Monday 1 April 2024."),
    ],
)
async def test_a_reminder_is_due_when_it_was_said(
    call: Caller, data: Path, due: str, all_day: bool, stored: date, told: str
) -> None:
    result = await call("create_reminder", "Call the bank", due, "", "", 0, all_day)

    (todo,) = _stored(data, "reminders")
    assert todo.due.value == stored
    assert type(todo.due.value) is type(stored)
    assert result.message == f"Created the reminder “Call the bank” {told}"
    assert todo.uid.value in result.value


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("Call", "whenever", "", "", 0, False), DateUnreadable),
        (("Call", "2024-04-06", "", "", 10, True), ToolError),
        (("Call", "2024-04-06", "", "", -1, True), ToolError),
        ((" ", "2024-04-06", "", "", 0, True), ToolError),
    ],
)
async def test_a_wrong_reminder_is_an_error_and_not_stored(
    call: Caller, data: Path, arguments: tuple[Any, ...], error: type[ToolError]
) -> None:
    with pytest.raises(error):
        await call("create_reminder", *arguments)

    assert _stored(data, "reminders") == []


# --- notes -----------------------------------------------------------------------------------


async def test_a_note_is_made_extended_and_read_as_untrusted_text(call: Caller) -> None:
    made = await call("create_note", "Ideas", "one", "Work")
    added = await call("append_note_content", "ideas", HOSTILE, "")
    opened = await call("open_note", "my ideas note", "")

    assert made.message == "Created the note “Ideas” in Work."
    assert added.message == "Added to the note “Ideas” in Work."
    assert opened.value == f"one\n{HOSTILE}"
    assert opened.untrusted
    assert HOSTILE not in opened.message


async def test_a_taken_name_is_told(call: Caller) -> None:
    await call("create_note", "Ideas", "one", "")

    result = await call("create_note", "Ideas", "two", "")

    assert result.message == "Created the note “Ideas 2” in Notes. The name “Ideas” was taken."
    assert (await call("open_note", "Ideas", "")).value == "one"


async def test_adding_to_an_unknown_note_makes_none(call: Caller, data: Path) -> None:
    with pytest.raises(NoMatch):
        await call("append_note_content", "Ideas", "x", "")

    assert list(data.glob("notes/**/*.md")) == []


# --- messages --------------------------------------------------------------------------------


async def test_a_message_is_queued_for_each_number_once(call: Caller, data: Path) -> None:
    result = await call("send_sms", ["415-555-2671", "+14155552671", "", "555-0142"], HOSTILE)

    (path,) = (data / "messages" / "outbox").iterdir()
    record = json.loads(path.read_text("utf-8"))
    assert (record["recipients"], record["text"]) == (["+14155552671", "5550142"], HOSTILE)
    assert record["id"] in result.value
    quoted = " ".join(HOSTILE.split())
    assert result.message == (
        "Text message to Sid Meier (+14155552671), Copy Cat (5550142) put into the outbox (not sent): "
        f"“{quoted}”"
    )


async def test_a_message_to_an_unknown_number_names_the_number(call: Caller) -> None:
    result = await call("send_sms", ["+1 617 555 0199"], "on my way " * 50)
    assert result.message.startswith(
        "Text message to +16175550199 put into the outbox (not sent): “on my way on"
    )
    assert len(result.message) < 300


@pytest.mark.parametrize(
    ("recipients", "message"),
    [
        ([], "hi"),
        ([""], "hi"),
        (["Sid"], "hi"),
        (["+14155552671", "sid@x.example"], "hi"),
        (["+14155552671"], " "),
    ],
)
async def test_a_message_that_cannot_go_is_an_error_and_not_queued(
    call: Caller, data: Path, recipients: list[str], message: str
) -> None:
    with pytest.raises(ToolError):
        await call("send_sms", recipients, message)

    assert not (data / "messages").exists()


@pytest.mark.parametrize("due", ["2024-03-31", "2024-04-01 07:59:00"])
async def test_a_reminder_for_a_time_that_has_passed_says_so(call: Caller, due: str) -> None:
    result = await call("create_reminder", "Swim", due, "", "", 0, len(due) == 10)
    assert result.message.endswith(", which has passed.")


async def test_an_event_that_has_passed_says_so(call: Caller) -> None:
    passed = await call("create_calendar_event", "Tea", "2024-03-31 10:00:00", "", "", [], "", "")
    coming = await call("create_calendar_event", "Tea", "2024-04-01 08:00:00", "", "", [], "", "")
    assert ("has passed" in passed.message, "has passed" in coming.message) == (True, False)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
async def test_the_first_and_the_last_day_there_is_can_be_stored(call: Caller, data: Path, day: str) -> None:
    await call("create_reminder", "Swim", day, "", "", 0, True)
    await call("create_calendar_event", "Tea", f"{day} 08:00:00", "", "", [], "", "")
    assert len([*_stored(data, "reminders"), *_stored(data, "calendars")]) == 2


async def test_a_draft_names_what_is_attached(call: Caller, data: Path) -> None:
    (data / "Lease.txt").write_text("x")
    result = await call("compose_new_email", ["a@x.example"], [], "Lease", "Here.", [str(data / "Lease.txt")])
    assert (
        result.message == "Email to a@x.example with Lease.txt attached saved as a draft (not sent): “Lease”."
    )
