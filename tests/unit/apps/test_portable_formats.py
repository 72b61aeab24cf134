"""What the files of the data folder look like to other programs."""

from __future__ import annotations

import asyncio
import json
from datetime import date, datetime
from pathlib import Path
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
import vobject
import yaml

from tinyagent.apps.base import EventDraft, ReminderDraft
from tinyagent.apps.local.outbox import Outbox
from tinyagent.apps.portable import notes as notes_module
from tinyagent.apps.portable.calendar import PortableCalendar
from tinyagent.apps.portable.notes import PortableNotes
from tinyagent.apps.portable.reminders import PortableReminders
from tinyagent.errors import AppFailed, NoMatch, UnreadableFile

EVENT = EventDraft("Call", datetime(2024, 7, 1, 9), datetime(2024, 7, 1, 10), "", ("ada@x.example",), "", "")


async def test_an_event_in_a_zone_brings_the_rules_of_the_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # vobject keeps the first rules of a zone that any file in the process has brought.
    monkeypatch.delitem(vars(vobject.icalendar)["__tzidMap"], "Europe/Berlin", raising=False)
    uid = (await PortableCalendar(tmp_path, ZoneInfo("Europe/Berlin"), "me@x.example").create(EVENT)).id

    text = (tmp_path / "calendars" / "Calendar" / f"{uid}.ics").read_bytes().decode()
    parsed = vobject.readOne(text)

    assert "DTSTART;TZID=Europe/Berlin:20240701T090000\r\n" in text
    assert "ORGANIZER:mailto:me@x.example\r\n" in text
    assert parsed.vtimezone.tzid.value == "Europe/Berlin"
    assert parsed.vevent.dtstart.value.utcoffset().total_seconds() == 7200
    assert parsed.vevent.sequence.value == "0"
    assert max(len(line.encode()) for line in text.split("\r\n")) <= 75


async def test_an_event_without_a_zone_is_floating(tmp_path: Path) -> None:
    uid = (await PortableCalendar(tmp_path).create(EVENT)).id

    text = (tmp_path / "calendars" / "Calendar" / f"{uid}.ics").read_text()

    assert "DTSTART:20240701T090000" in text
    assert "ORGANIZER" not in text


async def test_an_invitee_cannot_bring_a_property_of_its_own(tmp_path: Path) -> None:
    hostile = EventDraft(EVENT.title, EVENT.start, EVENT.end, "", ("a\r\nX-EVIL:1@x.example",), "", "")

    uid = (await PortableCalendar(tmp_path).create(hostile)).id

    event = vobject.readOne((tmp_path / "calendars" / "Calendar" / f"{uid}.ics").read_text()).vevent
    assert "x-evil" not in event.contents
    assert unquote(event.attendee.value) == "mailto:a\r\nX-EVIL:1@x.example"


async def test_damaged_neighbours_do_not_matter(tmp_path: Path) -> None:
    for folder in ("calendars/Calendar", "reminders/Reminders"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "broken.ics").write_bytes(b"BEGIN:VCALENDAR\n\xff\x00garbage")

    uid = (await PortableCalendar(tmp_path).create(EVENT)).id
    other = (await PortableReminders(tmp_path).create(ReminderDraft("Call", date(2024, 7, 1), "", "", 0))).id

    assert (tmp_path / "calendars" / "Calendar" / f"{uid}.ics").exists()
    assert (tmp_path / "reminders" / "Reminders" / f"{other}.ics").exists()


async def test_control_characters_do_not_damage_an_event(tmp_path: Path) -> None:
    hostile = EventDraft("a\x00b\x07c\rd", EVENT.start, EVENT.end, "", (), "", "")

    uid = (await PortableCalendar(tmp_path).create(hostile)).id

    event = vobject.readOne((tmp_path / "calendars" / "Calendar" / f"{uid}.ics").read_text()).vevent
    assert event.summary.value == "abc\nd"


async def test_a_message_has_a_link_that_a_phone_understands(tmp_path: Path) -> None:
    id = (await Outbox(tmp_path).send(["+14155552671", "5550142"], "50% off? Yes & no\n#1 ✓")).id

    record = json.loads((tmp_path / "messages" / "outbox" / f"{id}.json").read_text("utf-8"))

    numbers, _, body = record["uri"].removeprefix("sms:").partition("?body=")
    assert numbers == "+14155552671,5550142"
    assert unquote(body) == "50% off? Yes & no\n#1 ✓"
    assert not set(body) & set("&?# \n")
    assert record["status"] == "queued"


async def test_a_note_is_markdown_with_its_name_in_front(tmp_path: Path) -> None:
    note = await PortableNotes(tmp_path).create('To do: "now"', "# List\n- milk", "Home")

    text = (tmp_path / "notes" / note.id).read_text("utf-8")

    _, front, body = text.split("---\n", 2)
    assert yaml.safe_load(front)["name"] == 'To do: "now"'
    assert body == "# List\n- milk\n"


async def test_notes_written_by_other_programs_are_found_and_extended(tmp_path: Path) -> None:
    folder = tmp_path / "notes" / "Vault"
    folder.mkdir(parents=True)
    (folder / "Plain.md").write_bytes(b"line one\r\nline two")
    (folder / "Rule.md").write_bytes(b"---\njust a line\n---\nafter\n")
    (folder / "Broken.md").write_bytes(b"---\nname: [unclosed\n---\nbody\n")
    notes = PortableNotes(tmp_path)

    assert (await notes.open("plain", "")).text == "line one\r\nline two"
    assert (await notes.open("rule", "")).text == "---\njust a line\n---\nafter"
    assert (await notes.open("broken", "")).text == "---\nname: [unclosed\n---\nbody"
    await notes.append("plain", "line three", "vault")
    assert (folder / "Plain.md").read_bytes() == b"line one\r\nline two\nline three\n"


async def test_a_note_that_is_no_text_is_refused_and_stays(tmp_path: Path) -> None:
    folder = tmp_path / "notes" / "Notes"
    folder.mkdir(parents=True)
    (folder / "Image.md").write_bytes(b"\xff\xd8\xff\xe0")
    notes = PortableNotes(tmp_path)

    with pytest.raises(UnreadableFile):
        await notes.open("Image", "")
    with pytest.raises(UnreadableFile):
        await notes.append("Image", "x", "")
    assert (folder / "Image.md").read_bytes() == b"\xff\xd8\xff\xe0"


async def test_notes_outside_the_folder_are_not_reached_through_links(tmp_path: Path) -> None:
    folder = tmp_path / "notes" / "Notes"
    folder.mkdir(parents=True)
    (tmp_path / "secret.md").write_text("secret")
    (folder / "Link.md").symlink_to(tmp_path / "secret.md")

    with pytest.raises(NoMatch):
        await PortableNotes(tmp_path).append("Link", "x", "")
    assert (tmp_path / "secret.md").read_text() == "secret"


async def test_an_edit_made_in_another_program_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = PortableNotes(tmp_path)
    note = await notes.create("Diary", "Monday", "")
    path = tmp_path / "notes" / note.id
    edits = iter(["Tuesday, by hand"])
    read = notes_module.read_regular

    def read_then_edited_elsewhere(file: Path) -> bytes:
        content = read(file)
        for line in edits:
            with path.open("a") as other:
                other.write(f"{line}\n")
        return content

    monkeypatch.setattr(notes_module, "read_regular", read_then_edited_elsewhere)
    await notes.append("Diary", "Wednesday", "")

    assert (await notes.open("Diary", "")).text == "Monday\nTuesday, by hand\nWednesday"


async def test_a_note_that_never_stops_changing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = PortableNotes(tmp_path)
    note = await notes.create("Diary", "Monday", "")
    path = tmp_path / "notes" / note.id
    read = notes_module.read_regular

    def read_then_edited_elsewhere(file: Path) -> bytes:
        content = read(file)
        path.write_bytes(content + b"more\n")
        return content

    monkeypatch.setattr(notes_module, "read_regular", read_then_edited_elsewhere)

    with pytest.raises(AppFailed, match="keeps changing"):
        await notes.append("Diary", "Wednesday", "")
    assert "Wednesday" not in path.read_text()


async def test_two_programs_add_to_one_note_and_nothing_is_lost(tmp_path: Path) -> None:
    first, second = PortableNotes(tmp_path), PortableNotes(tmp_path)
    await first.create("Log", "start", "")

    await asyncio.gather(
        *(
            notes.append("Log", f"{name} {n}", "")
            for n in range(6)
            for name, notes in [("a", first), ("b", second)]
        )
    )

    assert len((await first.open("Log", "")).text.split("\n")) == 13
