"""Rows of data files: what is sound passes, what is wrong is named with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tinyagent.errors import InvalidRequest
from tinyagent.training.data_check import check_file
from tinyagent.training.plan_checks import plan_findings

NATURAL = sorted((Path(__file__).parents[3] / "training" / "data" / "natural").glob("*.jsonl"))
END = "join()<END_OF_PLAN>"


def findings(query: str, *calls: str) -> tuple[list[str], list[str]]:
    lines = [f"{number}. {call}" for number, call in enumerate([*calls, END], 1)]
    found = plan_findings(query, "\n".join(lines))
    return list(found.faults), list(found.warnings)


EVENT = 'create_calendar_event("Tea", "2026-03-06 15:00:00", "{end}", "", [], "", "")'
REMINDER = 'create_reminder("Tea", "{due}", "", "", {priority}, {all_day})'
ANN = 'get_email_address("Ann")'
LATER = 'create_calendar_event("Tea", "2026-03-06 16:00:00", "2026-03-06 17:00:00", "", ["$1"], "$2", "")'
ZOOM = 'get_zoom_meeting_link("Tea", "2026-03-06 15:00:00", 60, ["$1"])'


@pytest.mark.parametrize(
    ("query", "calls"),
    [
        ("what is love", []),
        ("text Ann's mum hi", ['get_phone_number("Ann")', 'send_sms(["$1"], "Hi")']),
        ("tea friday 3", [EVENT.format(end="2026-03-06 16:00:00")]),
        ("tea tomorrow", [REMINDER.format(due="2026-03-06", priority=0, all_day=True)]),
        ("tea at 3!", [REMINDER.format(due="2026-03-06 15:00:00", priority=1, all_day=False)]),
        ("sum up /srv/a.pdf", ['summarize_pdf("/srv/a.pdf")']),
        ("mail a.b@c.example: costs $25", ['compose_new_email(["a.b@c.example"], [], "", "Costs $$25", [])']),
        (
            "zoom with Ann friday 3, tea",
            [ANN, ZOOM, EVENT.format(end="2026-03-06 16:00:00").replace("[]", '["$1"]', 1)],
        ),
    ],
)
def test_a_sound_plan_has_no_findings(query: str, calls: list[str]) -> None:
    assert findings(query, *calls) == ([], [])


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        (["fly()"], "there is no tool fly"),
        (["open_note("], "in the middle of a line"),
        (["open_note(x)"], "cannot be read"),
        (['open_note("Tea")'], "takes 2 arguments"),
        (['send_sms("+4930123", "Hi")'], "recipients must be list[str]"),
        (['send_sms(["$1"], "Hi")'], "does not come before"),
        ([ANN, 'send_sms(["$1"], "Hi")'], "cannot hold the result of get_email_address"),
        (['send_sms(["Ann"], "Hi")'], "neither looked up nor a literal"),
        (['get_phone_number("Ann")', 'send_sms(["to $1"], "Hi")'], "mixes a result with other text"),
        (['send_sms([], "Hi")'], "recipients is missing"),
        ([ANN, ANN], "looked up twice"),
        ([EVENT.format(end="2026-03-06 15:00:00")], "does not end after its start"),
        ([EVENT.format(end="at four")], "not of the form"),
        ([REMINDER.format(due="2026-03-06", priority=0, all_day=False)], "exactly when"),
        ([REMINDER.format(due="2026-03-06 09:00:00", priority=0, all_day=True)], "exactly when"),
        ([REMINDER.format(due="2026-03-06", priority=3, all_day=True)], "priority is none of"),
        (['maps_show_directions("", "Tea", "b")'], "transport is none of"),
        (['summarize_pdf("tea.pdf")'], "not found first"),
        (['reply_to_email([], "", ["tea.pdf"])'], "neither a found file nor"),
        (['get_zoom_meeting_link("Tea", "2026-03-06 15:00:00", 0, [])'], "between a minute and a day"),
        (["join()"], "does not end with join"),
        (['open_note("a", "")'] * 15, "more than 14 calls"),
    ],
)  # fmt: skip
def test_each_broken_rule_is_a_fault(calls: list[str], reason: str) -> None:
    faults, _ = findings("Ann tea a", *calls)
    assert any(reason in fault for fault in faults), faults


@pytest.mark.parametrize("plan", ["", '1. open_note("a", "")', f"2. {END}", f"1. {END}\n2. open_note()"])
def test_a_plan_without_its_end_or_numbers_is_a_fault(plan: str) -> None:
    assert plan_findings("open a", plan).faults


@pytest.mark.parametrize(
    ("calls", "reason"),
    [
        (['get_phone_number("Bob")'], '"Bob" does not stand'),
        (['open_and_get_file_path("b.pdf")'], '"b.pdf" does not stand'),
        (['send_sms(["+49 30 123456"], "Hi")'], "does not stand"),
        (
            [ANN, ZOOM, EVENT.format(end="2026-03-06 16:00:00").replace('[], ""', '[], "$2"')],
            "other invitees than its Zoom",
        ),
        ([ANN, ZOOM, LATER], "begins at another time"),
    ],
)  # fmt: skip
def test_what_is_only_unusual_is_a_warning(calls: list[str], reason: str) -> None:
    faults, warnings = findings("Ann tea", *calls)
    assert faults == []
    assert any(reason in warning for warning in warnings), warnings


def row(**changes: object) -> str:
    whole = {
        "id": "a",
        "now": "2026-03-04 10:00",
        "query": "open a",
        "plan": f'1. open_note("a", "")\n2. {END}',
    }
    return json.dumps({**whole, **changes})


def test_faulty_lines_are_named_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    lines = [
        row(),
        "",
        "{",
        "[]",
        row(),
        row(id="b", now="soon"),
        row(id="c", query=" "),
        row(id="d", dates=[["at 3", "2026-03-04 15:00:00"]]),
        row(id="e", dates=[["at 3"]]),
        row(id="f", plan="1. fly()"),
        row(id="g", plan=f"1. {END}", query="sing"),
    ]
    path.write_text("\n".join(lines), "utf-8")
    report = check_file(path)
    assert (report.sound, report.unserved) == (2, 1)
    reasons = {finding.line: finding.reason for finding in report.faults}
    assert list(reasons) == [3, 4, 5, 6, 7, 8, 9, 10]
    assert "not JSON" in reasons[3]
    assert "stands in line 1 already" in reasons[5]
    assert "not a date and time" in reasons[6]
    assert "'at 3' does not stand in the request" in reasons[8]


def test_written_blocks_are_checked_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "blocks.txt"
    path.write_text(
        'note: tea\n= create_note("Tea")\n\ntext Ann\n= get_phone_number("Bob")\n\nsing\n', "utf-8"
    )
    report = check_file(path)
    assert (report.sound, report.unserved) == (2, 1)
    (fault,) = report.faults
    assert fault.line == 4
    assert '"Bob" is not in the request' in fault.reason


@pytest.mark.parametrize("name", ["none.jsonl", "none.txt", "."])
def test_a_file_that_cannot_be_read_is_an_error_with_advice(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read") as failure:
        check_file(tmp_path / name)
    assert failure.value.hint


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.txt"])
def test_a_line_of_other_bytes_is_a_fault_and_the_others_are_checked(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\xff\xfe\x00\n\n\xff\n")
    report = check_file(path)
    assert [(fault.line, fault.reason) for fault in report.faults] == [(1, "not UTF-8"), (3, "not UTF-8")]


@pytest.mark.parametrize("path", NATURAL[::4], ids=lambda path: path.stem)
def test_the_projects_natural_requests_have_no_faults(path: Path) -> None:
    report = check_file(path)
    assert report.faults == []
    assert report.sound > 100
    assert len(report.warnings) < 0.01 * report.sound
