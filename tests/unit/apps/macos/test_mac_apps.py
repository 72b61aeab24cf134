"""What is particular to the applications of macOS."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.support.fake_mac import FakeMac
from tinyagent.apps.base import EventDraft, MailDraft
from tinyagent.apps.macos import contacts as contacts_module
from tinyagent.apps.macos import notes as notes_module
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.apps.macos.calendar import MacCalendar
from tinyagent.apps.macos.contacts import MacContacts
from tinyagent.apps.macos.mail import MacMail
from tinyagent.apps.macos.notes import MacNotes
from tinyagent.apps.macos.permissions import PURPOSES, check_permissions
from tinyagent.errors import AccessDenied, AppFailed, NoMatch, OutcomeUnknown

EVENT = EventDraft("Sync", datetime(2026, 7, 1, 10), datetime(2026, 7, 1, 11), "", (), "", "")


def contact(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "nickname": "", "organization": "", "phones": [], "emails": []}


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """The computer's own time zone."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


async def test_times_reach_the_calendar_in_the_computers_zone(
    mac: FakeMac, scripts: Scripts, berlin: None
) -> None:
    made = await MacCalendar(scripts, ZoneInfo("Asia/Tokyo")).create(EVENT)

    (event,) = mac.data["calendars"]["Home"].values()
    assert (event["start"]["hour"], event["end"]["hour"]) == (3, 4)
    assert made.undo
    await MacCalendar(scripts).undo(made.undo)
    assert mac.data["calendars"]["Home"] == {}


async def test_a_calendar_that_is_unknown_or_read_only_is_told(mac: FakeMac, scripts: Scripts) -> None:
    with pytest.raises(NoMatch):
        await MacCalendar(scripts).create(replace(EVENT, calendar="Nowhere"))
    with pytest.raises(AccessDenied):
        await MacCalendar(scripts).create(replace(EVENT, calendar="Holidays"))


async def test_whom_an_event_is_with_stands_in_its_notes(mac: FakeMac, scripts: Scripts) -> None:
    await MacCalendar(scripts).create(replace(EVENT, invitees=("a@x.example", "b@x.example"), notes="Plan"))

    (event,) = mac.data["calendars"]["Home"].values()
    assert event["notes"] == "Plan\n\nWith: a@x.example, b@x.example"


async def test_an_address_book_is_read_once_for_several_names(mac: FakeMac, scripts: Scripts) -> None:
    mac.change(lambda data: data["contacts"].extend([contact("Sid Meier"), contact("Alex Kim")]))
    contacts = MacContacts(scripts)

    assert (
        len(await contacts.find("Sid")) == len(await contacts.find("Alex")) == len(await contacts.find("Kim"))
    )
    assert mac.operations() == ["contacts_all"]


async def test_an_address_book_that_is_too_large_is_asked_for_the_words(
    mac: FakeMac, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contacts_module, "MAX_CONTACTS", 1)
    mac.change(lambda data: data["contacts"].extend([contact("Sid Meier"), contact("Alex Kim")]))

    (found,) = await MacContacts(scripts).find("kim, alex")

    assert found.name == "Alex Kim"
    assert mac.operations() == ["contacts_all", "contacts_find", "contacts_find"]


async def test_an_address_book_that_does_not_answer_is_asked_for_the_name(
    mac: FakeMac, scripts: Scripts
) -> None:
    mac.change(lambda data: data["contacts"].append(contact("Sid Meier")))
    mac.plan("contacts_all", {"error": -1712, "always": True})
    contacts = MacContacts(scripts)

    assert [found.name for found in await contacts.find("sid")] == ["Sid Meier"]
    with pytest.raises(AppFailed):
        await contacts.all()


async def test_a_list_of_notes_that_was_cut_short_is_asked_for_the_name(
    mac: FakeMac, scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = MacNotes(scripts)
    await notes.create("First", "one", "")
    await notes.create("Second", "two", "")
    monkeypatch.setattr(notes_module, "MAX_NOTES", 1)

    assert (await notes.open("second", "")).text == "two"


async def test_a_new_note_that_cannot_be_read_back_is_there_without_undo(
    mac: FakeMac, scripts: Scripts
) -> None:
    mac.plan("notes_read", {"error": -1712})

    made = await MacNotes(scripts).create("Log", "start", "")

    assert made.undo is None
    assert len(mac.data["notes"]) == 1


async def test_a_mail_that_may_have_gone_out_is_told_as_unknown(mac: FakeMac, hasty: Scripts) -> None:
    mac.plan("mail_send", {"late": True, "delay": 3600})
    draft = MailDraft(("a@x.example",), (), "s", "b", ())

    with pytest.raises(OutcomeUnknown, match="Mail"):
        await MacMail(hasty).compose(draft, send=True)

    assert mac.operations() == ["mail_send"]


async def test_every_application_is_asked_for_its_permission(mac: FakeMac, scripts: Scripts) -> None:
    mac.change(lambda data: data.update(denied=["Notes"], not_running=["Mail"]))
    mac.plan("open", {"exit": 1, "always": True})

    permissions = {permission.app: permission for permission in await check_permissions(scripts)}

    assert list(permissions) == list(PURPOSES)
    states = {app: permission.state for app, permission in permissions.items()}
    assert states.pop("Notes") == "missing"
    assert states.pop("Mail") == "unknown" and permissions["Mail"].reason
    assert set(states.values()) == {"granted"}
    assert permissions["Notes"].switch.endswith("> Notes")
    assert "Automation" in permissions["Notes"].switch


async def test_permissions_on_another_system_are_unknown(
    scripts: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")

    assert {permission.state for permission in await check_permissions(scripts)} == {"unknown"}


async def test_a_draft_that_is_still_open_in_mail_cannot_be_taken_back(
    mac: FakeMac, scripts: Scripts
) -> None:
    draft = MailDraft(("ann@example.com",), (), "Hello", "Hi.", ())
    mac.plan("mail_draft", {"stdout": '{"id": "outgoing:7", "remark": ""}\n'})
    assert (await MacMail(scripts).compose(draft)).undo is None
    assert (await MacMail(scripts).compose(draft)).undo is not None
