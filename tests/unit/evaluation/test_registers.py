"""What kind of text a request is."""

from __future__ import annotations

import pytest

from tinyagent.evaluation.registers import length_of, register_of


@pytest.mark.parametrize(
    ("query", "register"),
    [
        ("hey can you text mara that i'm late", "spoken"),
        ("wake me at 9:30 and open notes.txt", "spoken"),
        ("text mara, i'm late", "prose"),
        ("text Mara that i'm late", "prose"),
        ("is it far?", "prose"),
        ("1) open plan.pdf 2) text Mara", "list"),
        ("1. open plan.pdf\n2. text Mara", "list"),
        ("do this\n- text mara\n- call bo", "list"),
        ("version 1. is fine", "prose"),
        ("  text mara  \n", "spoken"),
    ],
)
def test_a_register_is_told_by_case_marks_and_lines(query: str, register: str) -> None:
    assert register_of(query) == register


def test_lengths_are_told_by_words() -> None:
    assert [length_of("word " * count) for count in (1, 12, 13, 30, 31)] == [
        "short", "short", "medium", "medium", "long",
    ]  # fmt: skip
