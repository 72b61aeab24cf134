"""The notes of the data folder keep any name, any text and folders within folders."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tinyagent.apps.base import Notes
from tinyagent.apps.portable.notes import PortableNotes

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


async def test_names_that_need_the_same_file_name_stay_two_notes(notes: Notes) -> None:
    await notes.create("a/b", "slash", "")
    await notes.create("a:b", "colon", "")

    assert (await notes.open("a/b", "")).text == "slash"
    assert (await notes.open("a:b", "")).text == "colon"
