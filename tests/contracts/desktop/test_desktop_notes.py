"""Every notebook keeps what it is given, finds the note that is meant and never guesses."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import StoredNote, World
from tinyagent.apps.base import Note
from tinyagent.errors import AccessDenied, Ambiguous, AppFailed, ChangedSince, NoMatch

pytestmark = pytest.mark.app("notes")

TEXTS = [
    "milk",
    "- milk\n- bread\n\n1. figs",
    "<b>bold</b> & \"quoted\" 'text' &amp;",
    "  two spaces  inside\n\tand a tab",
    "line\nline\n",
    "שלום \u202eright to left\u202c 🍕",
]


async def written(world: World, action: str) -> Note:
    """A note that was just created, or added to."""
    if action == "create":
        return await world.desktop.notes.create("Log", "text", "Work")
    world.add_note("Log", "start", "Work")
    return await world.desktop.notes.append("Log", "text", "")


@pytest.mark.parametrize("text", TEXTS)
async def test_a_note_holds_what_it_was_given(world: World, text: str) -> None:
    made = await world.desktop.notes.create("Groceries", text, "Work")

    assert world.notes() == [StoredNote("Groceries", "Work", text)]
    found = await world.desktop.notes.open("groceries", "")
    assert (found.id, found.name, found.folder, found.text) == (made.id, "Groceries", "Work", text)


@pytest.mark.parametrize("text", TEXTS)
async def test_text_is_added_below_what_was_there(world: World, text: str) -> None:
    world.add_note("Diary", "Monday\n\nrain", "Work")

    note = await world.desktop.notes.append("my diary note", text, "")

    assert world.notes()[0].text == f"Monday\n\nrain\n{text}" == note.text


async def test_a_taken_name_does_not_overwrite_the_other_note(world: World) -> None:
    world.add_note("Groceries", "milk", "Work")

    second = await world.desktop.notes.create("groceries", "bread", "Work")

    assert second.name != "Groceries"
    assert {note.text for note in world.notes()} == {"milk", "bread"}
    assert (await world.desktop.notes.open(second.name, "")).text == "bread"


async def test_a_folder_narrows_the_search(world: World) -> None:
    world.add_note("Ideas", "at home", "Private")
    world.add_note("Ideas", "at work", "Work")

    assert (await world.desktop.notes.open("Ideas", "Work")).text == "at work"
    with pytest.raises(Ambiguous):
        await world.desktop.notes.open("Ideas", "")


@pytest.mark.parametrize(
    "asked", ["GROCERIES", "grocéries", "my Groceries note", "the groceries", "Groceris"]
)
async def test_a_name_is_found_in_spite_of_small_differences(world: World, asked: str) -> None:
    world.add_note("Groceries", "milk", "Work")
    world.add_note("Holiday plans", "sea", "Work")

    assert (await world.desktop.notes.open(asked, "")).text == "milk"


@pytest.mark.parametrize(
    ("meant", "other", "asked"),
    [
        ("Project plan", "Project plan 2024", "project plan"),
        ("Grandma's soup recipe", "Bread recipe", "soup"),
    ],
    ids=["exact", "part"],
)
async def test_an_exact_name_or_a_part_that_one_note_has_is_enough(
    world: World, meant: str, other: str, asked: str
) -> None:
    world.add_note(other, "not this", "Work")
    world.add_note(meant, "this", "Work")

    assert (await world.desktop.notes.open(asked, "")).text == "this"


async def test_names_that_are_equally_misspelt_are_a_question(world: World) -> None:
    world.add_note("Meeting 1st June", "a", "Work")
    world.add_note("Meeting 2st June", "b", "Work")

    with pytest.raises(Ambiguous):
        await world.desktop.notes.open("Meeting 3st June", "")


@pytest.mark.parametrize("action", ["open", "append"])
async def test_two_matching_notes_are_a_question_with_candidates(world: World, action: str) -> None:
    world.add_note("Soup recipe", "a", "Work")
    world.add_note("Bread recipe", "b", "Work")
    notes = world.desktop.notes

    with pytest.raises(Ambiguous) as question:
        await (notes.open("recipe", "") if action == "open" else notes.append("recipe", "x", ""))

    assert {name.split(" (")[0] for name in question.value.candidates} == {"Soup recipe", "Bread recipe"}
    assert {note.text for note in world.notes()} == {"a", "b"}


async def test_an_unknown_note_is_an_error_with_similar_names(world: World) -> None:
    world.add_note("Holiday plans", "sea", "Work")

    with pytest.raises(NoMatch) as error:
        await world.desktop.notes.open("Holiday budget", "")

    assert "Holiday plans" in error.value.candidates
    with pytest.raises(NoMatch):
        await world.desktop.notes.open("Holiday plans", "No such folder")
    with pytest.raises(NoMatch):
        await world.desktop.notes.append("Taxes", "x", "")


async def test_additions_made_at_once_are_all_kept(world: World) -> None:
    world.add_note("Log", "start", "Work")

    await asyncio.gather(*(world.desktop.notes.append("Log", f"line {number}", "") for number in range(4)))

    assert sorted(world.notes()[0].text.split("\n")) == ["line 0", "line 1", "line 2", "line 3", "start"]


async def test_notes_of_one_name_made_at_once_are_all_kept(world: World) -> None:
    texts = [f"text {number}" for number in range(3)]

    made = await asyncio.gather(*(world.desktop.notes.create("Log", text, "Work") for text in texts))

    assert len({note.name for note in made}) == 3
    assert sorted(note.text for note in world.notes()) == texts


async def test_what_was_added_after_an_addition_is_never_taken_out_with_it(world: World) -> None:
    world.add_note("Log", "start", "Work")
    added = await world.desktop.notes.append("Log", "more", "")
    await world.desktop.notes.append("Log", "most", "")
    assert added.undo

    with pytest.raises(ChangedSince):
        await world.desktop.notes.undo(added.undo)

    assert world.notes() == [StoredNote("Log", "Work", "start\nmore\nmost")]


async def test_undo_deletes_a_new_note(world: World) -> None:
    world.add_note("Log", "start", "Work")
    made = await world.desktop.notes.create("Groceries", "milk", "Work")
    assert made.undo

    await world.desktop.notes.undo(made.undo)

    assert [note.name for note in world.notes()] == ["Log"]


async def test_undo_takes_an_addition_back(world: World) -> None:
    world.add_note("Log", "start", "Work")
    added = await world.desktop.notes.append("Log", "more", "")
    assert added.undo

    await world.desktop.notes.undo(added.undo)

    assert world.notes() == [StoredNote("Log", "Work", "start")]


async def test_undo_of_an_addition_never_deletes_a_note_that_was_empty(mac: MacWorld) -> None:
    mac.put_note("New Note", "Notes", "")
    added = await mac.desktop.notes.append("New Note", "more", "")
    assert added.undo

    await mac.desktop.notes.undo(added.undo)

    assert [note["html"] for note in mac.mac.data["notes"].values()] == [""]


@pytest.mark.parametrize("action", ["create", "append"])
async def test_a_note_that_was_edited_is_left_alone(world: World, action: str) -> None:
    notes = world.desktop.notes
    if action == "append":
        world.add_note("Log", "start", "Work")
    made = await (
        notes.create("Log", "text", "Work") if action == "create" else notes.append("Log", "text", "")
    )
    world.edit_note("Log", "mine")
    before = world.notes()
    assert made.undo

    with pytest.raises(ChangedSince):
        await notes.undo(made.undo)

    assert world.notes() == before


@pytest.mark.parametrize("action", ["create", "append"])
async def test_a_note_that_is_gone_cannot_be_taken_back(world: World, action: str) -> None:
    notes = world.desktop.notes
    if action == "append":
        world.add_note("Log", "start", "Work")
    made = await (
        notes.create("Log", "text", "Work") if action == "create" else notes.append("Log", "text", "")
    )
    world.empty()
    assert made.undo

    with pytest.raises(NoMatch):
        await notes.undo(made.undo)


@pytest.mark.parametrize("action", ["open", "append"])
async def test_a_locked_note_is_not_read_as_an_empty_one(mac: MacWorld, action: str) -> None:
    mac.put_note("Secrets", "Notes", "<div>Secrets</div><div>pin 1234</div>", locked=True)
    notes = mac.desktop.notes

    with pytest.raises(AccessDenied, match="locked"):
        await (notes.open("secrets", "") if action == "open" else notes.append("secrets", "x", ""))


@pytest.mark.parametrize(
    ("body", "attachments"),
    [
        ('<div>Trip</div><div><img src="data:image/png;base64,AA=="></div>', 0),
        ("<div>Trip</div><div>map</div>", 1),
        ("<div>Trip</div><ul><li>passport</li></ul>", 0),
        ("<div>Trip</div><object><table><tr><td>a</td></tr></table></object>", 0),
    ],
)
async def test_nothing_is_added_where_it_would_destroy_something(
    mac: MacWorld, body: str, attachments: int
) -> None:
    mac.put_note("Trip", "Notes", body, attachments=attachments)

    with pytest.raises(AccessDenied, match="would be lost"):
        await mac.desktop.notes.append("Trip", "tent", "")

    (note,) = mac.mac.data["notes"].values()
    assert note["html"] == body


async def test_a_list_of_dashes_can_be_added_to(mac: MacWorld) -> None:
    mac.put_note("Trip", "Notes", '<div>Trip</div><ul class="Apple-dash-list"><li>tent</li></ul>')

    await mac.desktop.notes.append("Trip", "map", "")

    (note,) = mac.mac.data["notes"].values()
    assert note["html"].endswith("</ul><div>map</div>")


async def test_a_note_that_changes_while_it_is_written_keeps_both_texts(mac: MacWorld) -> None:
    mac.put_note("Log", "Notes", "<div>Log</div><div>start</div>")
    mac.mac.plan("notes_write", {"error": 1002})

    await mac.desktop.notes.append("Log", "more", "")

    assert mac.notes()[0].text == "start\nmore"
    assert mac.mac.operations().count("notes_write") == 2


@pytest.mark.parametrize("action", ["open", "append"])
async def test_a_list_of_notes_that_got_out_of_step_leads_to_no_other_note(
    mac: MacWorld, action: str
) -> None:
    mac.add_note("Diary", "private", "Work")
    mac.add_note("Groceries", "milk", "Work")
    listed = [
        {"id": id, "name": name, "folder": "Work", "locked": False}
        for id, name in (("note-0", "Groceries"), ("note-1", "Diary"))
    ]
    mac.mac.plan("notes_find", {"stdout": json.dumps({"notes": listed}) + "\n"})
    notes, before = mac.desktop.notes, mac.notes()

    with pytest.raises(AppFailed, match="changed while"):
        await (notes.open("groceries", "") if action == "open" else notes.append("groceries", "figs", ""))

    assert mac.notes() == before
