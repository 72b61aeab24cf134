"""Every notebook keeps what it is given, finds the note that is meant and never guesses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tinyagent.apps.base import Notes
from tinyagent.apps.portable.notes import PortableNotes
from tinyagent.errors import Ambiguous, ChangedSince, NoMatch

HARD_TEXTS = [
    "quote \" and ' and \\ backslash",
    "two\nlines\r\nand windows",
    "---\nname: other\n---\nnot front matter",
    "../../../etc/passwd",
    "/absolute",
    ".hidden",
    "שלום \u202eright to left\u202c 🍕",
    "name: [yaml, {x: 1}] # & *",
    "$1 ${2} %s {0}",
    "é" * 300,
    "trailing newline\n",
]


@pytest.fixture(params=[PortableNotes], ids=["portable"])
def notes(request: pytest.FixtureRequest, tmp_path: Path) -> Notes:
    return request.param(tmp_path)


@pytest.mark.parametrize("text", HARD_TEXTS)
async def test_any_name_and_text_arrive_as_they_were_given(notes: Notes, text: str) -> None:
    made = await notes.create(text, text, "")

    found = await notes.open(text, "")

    assert (found.name, found.text) == (text, text)
    assert found == replace(made, undo=None)


@pytest.mark.parametrize("text", HARD_TEXTS)
async def test_any_text_is_added_on_a_new_line(notes: Notes, text: str) -> None:
    await notes.create("Diary", "Monday", "")

    await notes.append("Diary", text, "")

    assert (await notes.open("Diary", "")).text == f"Monday\n{text}"


async def test_a_folder_is_kept_and_narrows_the_search(notes: Notes) -> None:
    await notes.create("Ideas", "home ones", "Private/Home")
    await notes.create("Ideas", "work ones", "Work")

    found = await notes.open("ideas", "work")

    assert (found.folder, found.text) == ("Work", "work ones")
    assert (await notes.open("Ideas", "Private/Home")).folder == "Private/Home"


@pytest.mark.parametrize(
    "asked", ["GROCERIES", "groceries", "grocéries", "my Groceries note", "the groceries", "Groceris"]
)
async def test_a_name_is_found_in_spite_of_small_differences(notes: Notes, asked: str) -> None:
    await notes.create("Groceries", "milk", "")
    await notes.create("Holiday plans", "sea", "")

    assert (await notes.open(asked, "")).text == "milk"


async def test_an_exact_name_wins_over_a_longer_one(notes: Notes) -> None:
    await notes.create("Project plan 2024", "old", "")
    await notes.create("Project plan", "new", "")

    assert (await notes.open("project plan", "")).text == "new"


async def test_part_of_a_name_is_enough_when_one_note_has_it(notes: Notes) -> None:
    await notes.create("Grandma's soup recipe", "carrots", "")
    await notes.create("Bread recipe", "flour", "")

    assert (await notes.open("soup", "")).text == "carrots"


@pytest.mark.parametrize("action", ["open", "append"])
async def test_two_matching_notes_are_a_question_with_candidates(notes: Notes, action: str) -> None:
    await notes.create("Soup recipe", "a", "")
    await notes.create("Bread recipe", "b", "")

    with pytest.raises(Ambiguous) as question:
        await (notes.open("recipe", "") if action == "open" else notes.append("recipe", "x", ""))

    assert sorted(candidate.split(" (")[0] for candidate in question.value.candidates) == [
        "Bread recipe",
        "Soup recipe",
    ]
    assert (await notes.open("Soup recipe", "")).text == "a"


async def test_names_that_are_equally_misspelt_are_a_question(notes: Notes) -> None:
    await notes.create("Meeting 1st June", "a", "")
    await notes.create("Meeting 2st June", "b", "")

    with pytest.raises(Ambiguous):
        await notes.open("Meeting 3st June", "")


async def test_an_unknown_name_is_an_error_with_similar_names(notes: Notes) -> None:
    await notes.create("Holiday plans", "sea", "")

    with pytest.raises(NoMatch) as error:
        await notes.open("Holiday budget", "")

    assert "Holiday plans" in error.value.candidates
    with pytest.raises(NoMatch):
        await notes.append("Taxes", "x", "")
    with pytest.raises(NoMatch):
        await notes.open("Holiday plans", "No such folder")


async def test_a_taken_name_does_not_overwrite_the_other_note(notes: Notes) -> None:
    await notes.create("Groceries", "milk", "")

    second = await notes.create("groceries", "bread", "")

    assert second.name != "Groceries"
    assert (await notes.open("Groceries", "")).text == "milk"
    assert (await notes.open(second.name, "")).text == "bread"


async def test_names_that_need_the_same_file_name_stay_two_notes(notes: Notes) -> None:
    await notes.create("a/b", "slash", "")
    await notes.create("a:b", "colon", "")

    assert (await notes.open("a/b", "")).text == "slash"
    assert (await notes.open("a:b", "")).text == "colon"


async def test_additions_made_at_once_are_all_kept(notes: Notes) -> None:
    await notes.create("Log", "start", "")

    await asyncio.gather(*(notes.append("Log", f"line {number}", "") for number in range(12)))

    lines = (await notes.open("Log", "")).text.split("\n")
    assert lines[0] == "start"
    assert sorted(lines[1:]) == sorted(f"line {number}" for number in range(12))


async def test_notes_of_one_name_made_at_once_are_all_kept(notes: Notes) -> None:
    made = await asyncio.gather(*(notes.create("Log", f"text {number}", "") for number in range(6)))

    assert len({note.name for note in made}) == 6
    for note in made:
        assert (await notes.open(note.name, "")).text == note.text


async def test_a_note_and_an_addition_are_taken_back(notes: Notes) -> None:
    await notes.create("Groceries", "milk", "")
    added = await notes.append("Groceries", "bread", "")
    made = await notes.create("Log", "start", "")
    assert added.undo is not None
    assert made.undo is not None

    assert (await notes.undo(added.undo)).endswith(".")
    assert (await notes.undo(made.undo)).endswith(".")

    assert (await notes.open("Groceries", "")).text == "milk"
    with pytest.raises(NoMatch):
        await notes.open("Log", "")
    with pytest.raises(NoMatch):
        await notes.undo(made.undo)


async def test_what_was_added_after_an_addition_is_never_taken_out_with_it(notes: Notes) -> None:
    await notes.create("Groceries", "milk", "")
    added = await notes.append("Groceries", "bread", "")
    await notes.append("Groceries", "salt", "")
    assert added.undo is not None

    with pytest.raises(ChangedSince):
        await notes.undo(added.undo)

    assert (await notes.open("Groceries", "")).text == "milk\nbread\nsalt"
