"""What the assistant wrote can be taken back; what a person wrote or changed is never touched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pytest

from tinyagent.apps.base import EventDraft, MailDraft, ReminderDraft, Undoable
from tinyagent.apps.local.outbox import Outbox
from tinyagent.apps.portable.calendar import PortableCalendar
from tinyagent.apps.portable.mail import PortableMail
from tinyagent.apps.portable.notes import PortableNotes
from tinyagent.apps.portable.reminders import PortableReminders
from tinyagent.errors import AccessDenied, AppFailed, ChangedSince, NoMatch, ToolError


@dataclass(frozen=True)
class Written:
    """Something that was written: the app, its record, and what a person would call it."""

    app: Undoable
    record: Mapping[str, str]
    told: str


async def event(data: Path) -> Written:
    calendar = PortableCalendar(data)
    start = datetime(2024, 4, 6, 19)
    draft = EventDraft("Dinner", start, start.replace(hour=20), "", ("a@x.example",), "", "Work: ../x")
    return Written(calendar, (await calendar.create(draft)).undo or {}, "Deleted the event.")


async def reminder(data: Path) -> Written:
    reminders = PortableReminders(data)
    made = await reminders.create(ReminderDraft("Call", date(2024, 4, 6), "", "", 0))
    return Written(reminders, made.undo or {}, "Deleted the reminder.")


async def note(data: Path) -> Written:
    notes = PortableNotes(data)
    return Written(notes, (await notes.create("a/b", "milk", "")).undo or {}, "Deleted the note “a/b”.")


async def draft(data: Path) -> Written:
    mail = PortableMail(data, "me@x.example")
    stored = await mail.compose(MailDraft(("a@x.example",), (), "Lunch?", "At noon.", ()))
    return Written(mail, stored.undo or {}, "Deleted the draft “Lunch?”.")


async def message(data: Path) -> Written:
    messages = Outbox(data)
    made = await messages.send(["+14155552671"], "hi")
    return Written(messages, made.undo or {}, "Took the text message out of the outbox.")


Write = Callable[[Path], Awaitable[Written]]
every_kind = pytest.mark.parametrize("write", [event, reminder, note, draft, message])


def files(data: Path) -> dict[Path, bytes]:
    return {
        path: path.read_bytes()
        for path in data.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


@every_kind
async def test_what_was_written_is_taken_back_and_nothing_else(tmp_path: Path, write: Write) -> None:
    await write(tmp_path)
    before = files(tmp_path)
    written = await write(tmp_path)
    assert len(files(tmp_path)) == len(before) + 1

    assert (await written.app.undo(written.record)).startswith(
        written.told.removesuffix(".").removesuffix("”")
    )

    assert files(tmp_path) == before


@every_kind
async def test_a_record_holds_text_alone_and_works_after_a_restart(tmp_path: Path, write: Write) -> None:
    written = await write(tmp_path)

    assert written.record
    assert all(isinstance(part, str) for pair in written.record.items() for part in pair)
    await (type(written.app)(tmp_path)).undo(dict(written.record))  # type: ignore[call-arg]


@every_kind
async def test_taking_it_back_twice_says_that_it_is_gone(tmp_path: Path, write: Write) -> None:
    written = await write(tmp_path)
    await written.app.undo(written.record)

    with pytest.raises(NoMatch, match="gone"):
        await written.app.undo(written.record)


@every_kind
async def test_what_a_person_changed_is_left_alone(tmp_path: Path, write: Write) -> None:
    before = set(files(tmp_path))
    written = await write(tmp_path)
    (changed,) = (path for path in set(files(tmp_path)) - before if path.name != "displayname")
    changed.write_bytes(changed.read_bytes() + b"my own words\n")
    kept = files(tmp_path)

    with pytest.raises(ChangedSince):
        await written.app.undo(written.record)

    assert files(tmp_path) == kept


OUTSIDE = [
    "../secret{0}", "x/../../secret{0}", "{1}/secret{0}", "/etc/passwd", "..", ".", "", "/", ".hidden{0}",
    "link/secret{0}", "secret", "a\0b{0}", "//{1}/secret{0}", "\ud800{0}",
]  # fmt: skip


@pytest.mark.parametrize("place", OUTSIDE)
@pytest.mark.parametrize(
    ("app", "root", "suffix"),
    [
        (PortableCalendar, "calendars", ".ics"),
        (PortableReminders, "reminders", ".ics"),
        (PortableNotes, "notes", ".md"),
        (Outbox, "messages/outbox", ".json"),
    ],
)
async def test_a_forged_record_reaches_nothing_outside(
    tmp_path: Path, app: type[PortableNotes], root: str, suffix: str, place: str
) -> None:
    (tmp_path / root).mkdir(parents=True)
    (tmp_path / root / "link").symlink_to(tmp_path)
    for folder in (tmp_path, tmp_path / root, (tmp_path / root).parent):
        for name in (f"secret{suffix}", f".hidden{suffix}", "secret"):
            (folder / name).write_text("secret")
    before = files(tmp_path)
    forged = {"path": place.format(suffix, tmp_path), "sha256": hashlib.sha256(b"secret").hexdigest()}

    with pytest.raises(ToolError):
        await app(tmp_path).undo(forged)
    with pytest.raises(ToolError):
        await app(tmp_path).undo({**forged, "addition": "6", "sha256_before": hashlib.sha256().hexdigest()})

    assert files(tmp_path) == before
    assert (tmp_path / root / f".hidden{suffix}").exists()


@pytest.mark.parametrize(
    "key", ["", "../Inbox/cur/1", "..", ".", "/etc/passwd", "1:2,S", "\0", "\ud800", "tmp"]
)
async def test_a_forged_record_deletes_no_mail_but_drafts(tmp_path: Path, key: str) -> None:
    await draft(tmp_path)
    inbox = tmp_path / "mail" / "Inbox" / "cur"
    inbox.mkdir(parents=True)
    (inbox / "1:2,S").write_bytes(b"Subject: kept\n\n")
    before = files(tmp_path)

    with pytest.raises(NoMatch):
        await PortableMail(tmp_path).undo(
            {"draft": key, "sha256": hashlib.sha256(b"Subject: kept\n\n").hexdigest()}
        )

    assert files(tmp_path) == before


async def test_an_empty_record_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AccessDenied):
        await PortableNotes(tmp_path).undo({})
    with pytest.raises(NoMatch):
        await PortableMail(tmp_path).undo({})


# --- additions to notes ----------------------------------------------------------------------


@pytest.mark.parametrize("before", [b"", b"one", b"one\r\ntwo\r\n", b"---\nname: x\n---\ntext\n"])
async def test_an_addition_is_taken_out_to_the_byte(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "notes" / "Vault" / "Log.md"
    path.parent.mkdir(parents=True)
    path.write_bytes(before)
    notes = PortableNotes(tmp_path)
    undo = (await notes.append("x" if b"name" in before else "Log", "été 🍕", "")).undo

    assert (await notes.undo(undo or {})).startswith("Took the addition out of the note “")

    assert path.read_bytes() == before


async def test_additions_are_taken_out_from_the_last_one_on(tmp_path: Path) -> None:
    notes = PortableNotes(tmp_path)
    made = await notes.create("Log", "start", "")
    first = await notes.append("Log", "one", "")
    second = await notes.append("Log", "two", "")

    for earlier in (first, made):
        with pytest.raises(ChangedSince):
            await notes.undo(earlier.undo or {})
    assert (await notes.open("Log", "")).text == "start\none\ntwo"
    for undo in (second.undo, first.undo, made.undo):
        await notes.undo(undo or {})

    with pytest.raises(NoMatch):
        await notes.open("Log", "")


async def test_an_addition_to_a_note_that_is_gone_is_gone(tmp_path: Path) -> None:
    notes = PortableNotes(tmp_path)
    made = await notes.create("Log", "start", "")
    added = await notes.append("Log", "one", "")
    (tmp_path / "notes" / made.id).unlink()

    with pytest.raises(NoMatch):
        await notes.undo(added.undo or {})


@pytest.mark.parametrize("addition", ["", "-1", "0", "3", "x", "999999", "1" * 5000, "²"])
async def test_a_damaged_record_of_an_addition_cuts_nothing_off(tmp_path: Path, addition: str) -> None:
    notes = PortableNotes(tmp_path)
    await notes.create("Log", "start", "")
    added = await notes.append("Log", "one", "")
    before = files(tmp_path)

    with pytest.raises(AppFailed, match="damaged"):
        await notes.undo({**(added.undo or {}), "addition": addition})

    assert files(tmp_path) == before


# --- drafts ----------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Maildir names have colons")
async def test_a_draft_that_was_only_looked_at_is_taken_back(tmp_path: Path) -> None:
    written = await draft(tmp_path)
    (file,) = (tmp_path / "mail" / "Drafts" / "cur").iterdir()
    file.rename(file.with_name(file.name.replace(":2,DS", ":2,DFS")))

    await written.app.undo(written.record)

    assert not list((tmp_path / "mail" / "Drafts" / "cur").iterdir())


@pytest.mark.parametrize("place", ["Sent/cur/{}", "Drafts/cur/{}T"])
async def test_a_draft_that_was_sent_or_thrown_away_is_gone(tmp_path: Path, place: str) -> None:
    written = await draft(tmp_path)
    (file,) = (tmp_path / "mail" / "Drafts" / "cur").iterdir()
    moved = tmp_path / "mail" / place.format(file.name)
    moved.parent.mkdir(parents=True, exist_ok=True)
    file.rename(moved)

    with pytest.raises(NoMatch):
        await written.app.undo(written.record)

    assert moved.exists()


async def test_drafts_that_lie_elsewhere_are_not_deleted(tmp_path: Path) -> None:
    written = await draft(tmp_path)
    drafts, elsewhere = tmp_path / "mail" / "Drafts", tmp_path / "elsewhere"
    drafts.rename(elsewhere)
    drafts.symlink_to(elsewhere)

    with pytest.raises(AccessDenied):
        await written.app.undo(written.record)

    assert len(list((elsewhere / "cur").iterdir())) == 1
