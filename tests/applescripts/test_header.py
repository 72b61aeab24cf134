"""Headers are read strictly, and payloads and answers are held against them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tinyagent.apps.macos._header import Field, check_answer, check_payload, parse_header, read_header

SOURCE = """-- operation: things_make
-- tool: create_note, open_note
-- app: Things
-- permission: Automation:Things
-- arguments: name: text, count: integer, loud: boolean, tags: list, due: moment, parent: text?
-- returns: id: text, found: records
-- seconds: 20

on run theArguments
"""
MOMENT = {"year": 2026, "month": 11, "day": 22, "hour": 9, "minute": 0, "second": 0}
PAYLOAD: dict[str, Any] = {"name": "x", "count": 1, "loud": False, "tags": ["a"], "due": MOMENT}


def test_a_header_gives_typed_arguments_and_returns(tmp_path: Path) -> None:
    path = tmp_path / "things_make.applescript"
    path.write_text(SOURCE, encoding="utf-8")
    header = read_header(path)
    assert header.tools == ("create_note", "open_note")
    assert header.arguments[-1] == Field("parent", "text", optional=True)
    assert header.returns == (Field("id", "text"), Field("found", "records"))
    assert header.seconds == 20


def test_none_stands_for_no_arguments() -> None:
    header = parse_header(
        SOURCE.replace("name: text, count: integer, loud: boolean, ", "").replace(
            "tags: list, due: moment, parent: text?", "none"
        ),
        "x",
    )
    assert header.arguments == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("-- seconds: 20\n", "", "the header lacks seconds"),
        ("seconds: 20", "seconds: soon", "whole number"),
        ("seconds: 20", "seconds: 0", "whole number"),
        ("-- app: Things", "-- application: Things", "not a header line"),
        ("-- app: Things", "-- app: Things\n-- app: Others", "not a header line"),
        ("name: text", "name: words", "NAME: TYPE"),
        ("count: integer", "name: integer", "stands twice"),
    ],
)
def test_a_faulty_header_is_refused(old: str, new: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_header(SOURCE.replace(old, new, 1), "things_make")


def test_a_payload_that_fits_is_taken() -> None:
    header = parse_header(SOURCE, "x")
    check_payload(header, PAYLOAD)
    check_payload(header, {**PAYLOAD, "parent": None})
    check_payload(header, {**PAYLOAD, "parent": "p"})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": 3}, "'name' is not of type text"),
        ({"name": None}, "'name' is not of type text"),
        ({"count": True}, "'count' is not of type integer"),
        ({"count": 1.0}, "'count' is not of type integer"),
        ({"loud": 1}, "'loud' is not of type boolean"),
        ({"tags": "a"}, "'tags' is not of type list"),
        ({"tags": [1]}, "'tags' is not of type list"),
        ({"due": {**MOMENT, "hour": "9"}}, "'due' is not of type moment"),
        ({"due": {"year": 2026}}, "'due' is not of type moment"),
        ({"more": 1}, "'more' is unknown"),
    ],
)
def test_a_payload_that_does_not_fit_names_the_argument(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_payload(parse_header(SOURCE, "x"), {**PAYLOAD, **change})


def test_an_argument_that_is_missing_is_named() -> None:
    with pytest.raises(ValueError, match="'count' is missing"):
        check_payload(parse_header(SOURCE, "x"), {"name": "x"})


def test_an_answer_is_held_against_the_returns() -> None:
    header = parse_header(SOURCE, "x")
    check_answer(header, {"id": "1", "found": [{"id": "2"}]})
    with pytest.raises(ValueError, match="answer's 'found' is not of type records"):
        check_answer(header, {"id": "1", "found": ["2"]})
    with pytest.raises(ValueError, match="answer's 'found' is missing"):
        check_answer(header, {"id": "1"})
