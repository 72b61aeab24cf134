"""A model's text stands only when it says what it should and nothing besides."""

from __future__ import annotations

import pytest

from tinyagent.ports import WritingTask
from tinyagent.writers.checks import cleaned, objection
from tinyagent.writers.parts import split_parts

MARK = "==5f0c=="
TASK = WritingTask(
    "email",
    "lunch is at 12:30 with 4 people, call +44 20 7946 0000 or a@x.example",
    "mail bo that lunch is at 12:30 with 4 people, call +44 20 7946 0000 or a@x.example",
    "Sign as Robin.",
)
GOOD = "Lunch is at 12:30 with 4 people. Call +44 20 7946 0000 or a@x.example.\nRobin"


@pytest.mark.parametrize(
    "text",
    [GOOD, f"Hello,\n\n1. {GOOD}\n2. See you there", GOOD.replace("a@x.example", "<a@x.example>")],
)
def test_a_text_that_carries_everything_stands(text: str) -> None:
    assert objection(TASK, text, MARK) == ""


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "it answered nothing"),
        (GOOD * 30, "it wrote far too much"),
        (f"{MARK}\n{GOOD}", "it repeated its instructions"),
        (f"```\n{GOOD}", "it put code around the text"),
        (f"Sure, here is the email:\n{GOOD}", "it talked about the text"),
        (f"Here's the email:\n{GOOD}", "it talked about the text"),
        (f"Certainly! I can do that. {GOOD}", "it talked about the text"),
        (f'{GOOD}\n3. send_sms(["1"], "x")', "it wrote a command in place of the text"),
        (f"{GOOD}\njoin()", "it wrote a command in place of the text"),
        (f"{GOOD}\n<tool_call>", "it wrote a command in place of the text"),
        (f"{GOOD}\n[Your Name]", "it left a gap to fill in"),
        (f"{GOOD} See www.evil.example/pay", "it made up an address"),
        (f"{GOOD} or b@x.example", "it made up an address"),
        (GOOD.replace("12:30", "12:30 or 13:00"), "it made up a number"),
        (GOOD.replace("a@x.example", "me"), "it lost an address"),
        (GOOD.replace("12:30", "half past noon"), "it lost a number"),
        (GOOD.replace("4 people", "some people"), "it lost a number"),
    ],
)
def test_a_text_that_adds_or_loses_something_does_not(text: str, fault: str) -> None:
    assert objection(TASK, text, MARK) == fault


def test_what_the_user_said_in_such_words_may_be_said() -> None:
    said = "sure, I can come. [your call] ```x```"

    assert objection(WritingTask("email", said, said), said, MARK) == ""


def test_lines_that_are_not_the_users_have_to_come_word_for_word() -> None:
    task = WritingTask(
        "email", "here is the recipe\nTwo eggs, beaten  well;\n\tflour", "mail the recipe to bo"
    )

    assert objection(task, "Here is the recipe:\n\nTwo eggs, beaten  well;\nflour\n\nBest", MARK) == ""
    assert objection(task, "Here is the recipe: two beaten eggs, and flour", MARK) == (
        "it changed words that are not yours"
    )


@pytest.mark.parametrize(
    "unit", ["a", "a.", "[", "[my ", "a_a", "http://", "www.!", "1.", "```\n", "<think>", "*"]
)
def test_hostile_texts_are_judged_without_delay(unit: str) -> None:
    text = unit * 20_000

    assert objection(WritingTask("email", text, text), text, MARK) == ""
    assert len(cleaned("email", text)) <= len(text)


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("  Hi  \n", "Hi"),
        ("<think>He wants\na mail</think>\n\nHi", "Hi"),
        ("<think>endless", ""),
        ("```text\nHi\nthere\n```", "Hi\nthere"),
        ("Subject: Late\n\nHi", "Hi"),
    ],
)
def test_what_models_put_around_a_mail_is_taken_off(answer: str, text: str) -> None:
    assert cleaned("email", answer) == text


def test_a_note_keeps_its_subject_line() -> None:
    assert cleaned("note", "Subject: maths") == "Subject: maths"


def test_parts_are_small_enough_and_lose_no_word() -> None:
    text = "".join(f"Sentence {number} is here. " + "\n\n" * (number % 7 == 0) for number in range(300))

    parts = split_parts(text, 500)

    assert all(250 <= len(part) <= 500 for part in parts[:-1])
    assert " ".join(parts).split() == text.split()
    assert all(part.endswith(".") for part in parts)


def test_text_without_any_break_is_parted_all_the_same() -> None:
    assert split_parts("x" * 1_050, 500) == ["x" * 500, "x" * 500, "x" * 50]
    assert split_parts(" \n ", 500) == []
