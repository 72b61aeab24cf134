"""Error numbers are read from the end of a complaint, and each has a meaning and a next step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tinyagent.apps.macos._errors import OWN, SYSTEM, error_for, error_number, responsible_program
from tinyagent.apps.macos._header import applescripts_folder
from tinyagent.errors import OutcomeUnknown


@pytest.mark.parametrize(
    ("complaint", "number"),
    [
        ("x.applescript:10:20: execution error: Not authorized (-1743)\n", -1743),
        ("x.applescript:1: execution error: „Notizen“ meldet (42) einen Fehler. (1003)", 1003),
        ("execution error: an ending (1)\nand more", None),
        ("", None),
        ("osascript: no such file", None),
        ("(99999999999999999999)", None),
    ],
)
def test_the_number_at_the_end_counts(complaint: str, number: int | None) -> None:
    assert error_number(complaint.encode()) == number


@pytest.mark.parametrize("number", [*SYSTEM, *OWN, -1, None])
@pytest.mark.parametrize("writes", [True, False])
def test_every_error_says_what_happened(number: int | None, writes: bool) -> None:
    error = error_for(number, "Notes", writes=writes)

    assert error.message.endswith(".") and "{" not in str(error)
    assert error.hint or number is None


def test_only_a_write_can_have_an_unknown_outcome() -> None:
    kinds = {type(error_for(number, "Notes", writes=False)) for number in (*SYSTEM, *OWN, None)}

    assert OutcomeUnknown not in kinds


def test_the_readme_of_the_scripts_has_the_same_numbers() -> None:
    readme = (applescripts_folder() / "README.md").read_text("utf-8")

    assert {int(number) for number in re.findall(r"^\| `?(10\d\d)`? ", readme, re.MULTILINE)} == set(OWN)


def test_no_script_raises_a_number_that_has_no_meaning() -> None:
    sources = [path.read_text("utf-8") for path in Path(applescripts_folder()).glob("*.applescript")]
    raised = {int(found) for source in sources for found in re.findall(r"number (10\d\d)\b", source)}

    assert raised <= set(OWN)


@pytest.mark.parametrize(
    ("environ", "program"),
    [
        ({"TERM_PROGRAM": "Apple_Terminal"}, "Terminal"),
        ({"TERM_PROGRAM": "unheard-of"}, "the program that runs tinyagent"),
        ({}, "the program that runs tinyagent"),
    ],
)
def test_the_switch_is_that_of_the_terminal(environ: dict[str, str], program: str) -> None:
    assert responsible_program(environ) == program
