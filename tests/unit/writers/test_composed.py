"""Without a model, texts are the user's words laid out; what came from elsewhere is passed on as it is."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyagent.ports import WritingTask
from tinyagent.writers.composed import ComposedWriter, compose_email, compose_note
from tinyagent.writers.extractive import ExtractiveSummarizer


@pytest.fixture
def writer() -> ComposedWriter:
    return ComposedWriter(ExtractiveSummarizer())


@pytest.mark.parametrize(
    ("query", "material", "body"),
    [
        ("email Sid that I'm running late", "I'm running late", "I'm running late."),
        (
            "tell sid by mail the plumber comes at noon",
            "the plumber comes at noon",
            "The plumber comes at noon.",
        ),
        ("mail Ana: élan wins again", "élan wins again", "Élan wins again."),
        ("mail Ana: see you at 5", "see you at 5", "See you at 5"),
        ("mail Ana: can you come to dinner", "can you come to dinner", "Can you come to dinner"),
        ("mail Ana: what's up there", "what's up there", "What's up there"),
        ("mail Ana: iPhone is on the desk", "iPhone is on the desk", "iPhone is on the desk."),
        ("mail Ana: thanks!", "thanks!", "Thanks!"),
        ("mail Ana: we need:\n- milk\n- figs", "we need:\n- milk\n- figs", "We need:\n- milk\n- figs"),
        ("mail Ana 明日行きます", "明日行きます", "明日行きます"),
        ("mail Ana ok", "  ok \n", "Ok."),
    ],
)
def test_a_mail_says_what_the_user_said_with_capital_and_full_stop(
    query: str, material: str, body: str
) -> None:
    assert compose_email(material, query) == body


@pytest.mark.parametrize(
    "material",
    [
        "https://zoom.example/j/1?pwd=a.b",
        "the link is https://zoom.example/j/1",
        "sid@x.example",
        "write to sid@x.example",
        "/home/robin/a b.txt",
        "$(touch pwned)",
        "code: x_y",
        "-rf --help",
    ],
)
def test_links_addresses_and_paths_stay_byte_for_byte(material: str) -> None:
    body = compose_email(material, f"mail Ana {material}")

    assert body in (material, material[0].upper() + material[1:])


def test_text_from_elsewhere_is_not_touched() -> None:
    note = "eggs, two dozen\n  and  bread"

    assert compose_email(note, "mail my note Shopping to Ana") == note


def test_words_of_the_request_that_open_somebody_elses_text_change_nothing() -> None:
    assert compose_email("shopping for the week", "mail my note shopping to Ana") == "shopping for the week"


def test_a_greeting_needs_a_known_name_and_a_text_without_one() -> None:
    assert compose_email("Lunch?", "", "Sid") == "Hello Sid,\n\nLunch?"
    assert compose_email("Dear Sid, lunch?", "", "Sid") == "Dear Sid, lunch?"
    assert compose_email("Lunch?", "", "") == "Lunch?"
    assert compose_email("  ", "", "Sid") == ""


@given(st.text(max_size=200), st.text(max_size=50))
def test_a_mail_never_loses_or_changes_a_word(material: str, query: str) -> None:
    body = compose_email(material, f"{query} {material}")

    assert body.casefold() in (material.strip().casefold(), f"{material.strip().casefold()}.")


@pytest.mark.parametrize(
    ("request_", "material", "note"),
    [
        ("make a shopping list: milk, bread, figs", "milk, bread, figs", "- milk\n- bread\n- figs"),
        ("note: milk, bread and figs", "milk, bread and figs", None),
        ("make a list: bread, eggs, fish and chips", "bread, eggs, fish and chips", None),
        ("note the address 12 Main Street, Springfield, Ohio", "12 Main Street, Springfield, Ohio", None),
        ("add Springfield, Ohio, USA to my notes", "Springfield, Ohio, USA", None),
        ("list: milk, bread", "milk, bread", None),
        ("put the list into a note", "cat, dog, cow", None),
        (
            "list: call Ana, ask her about the boat on Sunday, go",
            "call Ana, ask her about the boat on Sunday, go",
            None,
        ),
        ("note", "  indented\n\ttext \n", None),
    ],
)
def test_only_what_is_plainly_a_list_is_laid_out_as_one(
    request_: str, material: str, note: str | None
) -> None:
    assert compose_note(material, request_) == (material if note is None else note)


@given(st.text(max_size=200))
def test_a_note_keeps_every_word(material: str) -> None:
    note = compose_note(material, f"list {material}")

    assert note == material or re.findall(r"\w+", note) == re.findall(r"\w+", material)


async def test_nothing_composed_names_a_model(writer: ComposedWriter) -> None:
    texts = [
        await writer.write(WritingTask(role, "Rain is due. Take a coat.", "will it rain"))
        for role in ("email", "note", "summary", "answer")
    ]

    assert [text.text for text in texts] == [*["Rain is due. Take a coat."] * 3, ""]
    assert {(text.by, text.remark) for text in texts} == {("", "")}
