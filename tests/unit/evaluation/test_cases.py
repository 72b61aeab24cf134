"""Case files: good lines are used, faulty ones are named."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tinyagent.errors import InvalidRequest
from tinyagent.evaluation.cases import read_cases
from tinyagent.evaluation.toolrag import LabelledRequest, read_requests

GOOD = {
    "id": "a",
    "now": "2025-03-08 11:20",
    "query": "Open my tea note",
    "plan": '1. open_note("tea", "")\n2. join()',
}


def write(path: Path, *lines: object) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def test_a_case_holds_its_plan_and_the_users_time(tmp_path: Path) -> None:
    cases, faults = read_cases(write(tmp_path / "cases.jsonl", {**GOOD, "tags": ["notes"]}, ""))
    assert faults == []
    assert [(case.id, case.now, case.query) for case in cases] == [
        ("a", datetime(2025, 3, 8, 11, 20), "Open my tea note")
    ]
    assert cases[0].tools == {"open_note"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not a JSON object"),
        ({**GOOD, "id": 3}, '"id" is missing'),
        ({**GOOD, "id": "a"}, "used twice"),
        ({**GOOD, "id": "b", "now": "yesterday"}, '"now" is missing or is not a date'),
        ({**GOOD, "id": "b", "query": " "}, '"query" is missing'),
        ({**GOOD, "id": "b", "plan": "open the note"}, '"plan" is not readable'),
        ({**GOOD, "id": "b", "plan": '2. send_sms(["$1"], "x")\n3. join()'}, "refers to $1"),
        (
            {**GOOD, "id": "b", "plan": '1. open_note("a", "")\n1. open_note("b", "")\n2. join()'},
            "number twice",
        ),
    ],
)
def test_a_faulty_line_is_named_and_the_rest_is_used(tmp_path: Path, line: object, reason: str) -> None:
    cases, faults = read_cases(write(tmp_path / "cases.jsonl", GOOD, line, {**GOOD, "id": "z"}))
    assert [case.id for case in cases] == ["a", "z"]
    assert [fault.number for fault in faults] == [2]
    assert reason in faults[0].reason


def test_bytes_that_are_not_utf8_are_a_faulty_line(tmp_path: Path) -> None:
    path = write(tmp_path / "cases.jsonl", GOOD)
    path.write_bytes(path.read_bytes() + b'{"id": "\xff"}\n')
    assert [(fault.number, fault.reason) for fault in read_cases(path)[1]] == [(2, "not UTF-8")]


def test_a_missing_file_and_a_file_without_cases_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_cases(tmp_path / "none.jsonl")
    with pytest.raises(InvalidRequest, match="Line 1: not JSON"):
        read_cases(write(tmp_path / "cases.jsonl", "nothing"))


def test_requests_without_a_certain_label_are_passed_over(tmp_path: Path) -> None:
    path = write(
        tmp_path / "requests.jsonl",
        {"text": "text ann", "accept": ["send_sms"]},
        {"text": "unread mail?", "accept": None},
        {"text": "order food", "accept": []},
        {"text": "no label"},
        {"text": "odd label", "accept": "send_sms"},
        {"accept": []},
    )
    requests, faults = read_requests(path)
    assert requests == [
        LabelledRequest("text ann", frozenset({"send_sms"})),
        LabelledRequest("order food", frozenset()),
    ]
    assert [fault.number for fault in faults] == [4, 5, 6]
