"""Dates of which a model copied too little or too much."""

from __future__ import annotations

from datetime import datetime

import pytest

from tinyagent.domain.plan import format_call
from tinyagent.planners.inner import DraftCall, PlanCompiler
from tinyagent.planners.moments import DateReader

NOW = datetime(2026, 3, 4, 10, 0)  # a Wednesday


def _lines(query: str, *drafts: DraftCall) -> list[str]:
    compiler = PlanCompiler(query, NOW)
    return [format_call(compiler.compile(draft)) for draft in drafts]


@pytest.mark.parametrize(
    ("query", "copied", "due"),
    [
        ("remind me tomorrow 6 am to run", "tomorrow 6", "2026-03-05 06:00:00"),
        ("remind me friday quarter to five to run", "friday quarter", "2026-03-06 16:45:00"),
        ("remind me at quarter to twelve to run", "twelve", "2026-03-04 11:45:00"),
        ("remind me on Friday, at 4, to run", "at 4", "2026-03-06 16:00:00"),
        ("remind me the evening of Friday at 8 to run", "Friday at 8", "2026-03-06 08:00:00"),
    ],
)
def test_what_belongs_to_a_copied_date_is_taken_along(query: str, copied: str, due: str) -> None:
    (line,) = _lines(query, DraftCall("create_reminder", {"name": "run", "due_date": copied}))
    assert due in line


def test_the_day_before_leans_on_the_event_although_only_its_time_was_copied() -> None:
    lines = _lines(
        "Lunch friday noon. Reminder the day before, at 4, to order",
        DraftCall("create_calendar_event", {"title": "Lunch", "start_date": "friday noon"}),
        DraftCall("create_reminder", {"name": "order", "due_date": "at 4"}),
    )
    assert '"2026-03-05 16:00:00"' in lines[1]


def test_a_phrase_that_stands_twice_in_the_request_is_left_alone() -> None:
    draft = DraftCall("create_reminder", {"name": "run", "due_date": "at 4"})
    assert '"2026-03-04 16:00:00"' in _lines("friday at 4 we meet, remind me at 4", draft)[0]


def test_what_lies_before_the_start_is_no_end() -> None:
    draft = DraftCall(
        "create_calendar_event",
        {"title": "Auction", "start_date": "friday at 11:30", "end_date": "two hours before it"},
    )
    query = "auction friday at 11:30, and a reminder two hours before it"
    assert '"2026-03-06 11:30:00", "2026-03-06 12:30:00"' in _lines(query, draft)[0]


def test_the_words_of_the_start_are_no_end() -> None:
    draft = DraftCall(
        "create_calendar_event", {"title": "Do", "start_date": "tonight, 8:20", "end_date": "8:20"}
    )
    assert '"2026-03-04 20:20:00", "2026-03-04 21:20:00"' in _lines("a do tonight, 8:20", draft)[0]


def test_an_unreadable_end_stays_as_written() -> None:
    draft = DraftCall(
        "create_calendar_event", {"title": "Do", "start_date": "friday at 3", "end_date": "when pigs fly"}
    )
    assert '"2026-03-06 15:00:00", "when pigs fly"' in _lines("do friday at 3, when pigs fly", draft)[0]


@pytest.mark.parametrize(
    ("query", "priority"),
    [
        ("remind me to pay, high priority", 1),
        ("remind me to pay, lowest priority", 9),
        ("remind me to pay, priority medium", 5),
        ("remind me to pay the high bill", 0),
        ("remind me to pay, high priority, and remind me to run", 0),
    ],
)
def test_the_priority_of_the_only_reminder_is_read_from_the_request(query: str, priority: int) -> None:
    assert f', "", "", {priority}, True)' in _lines(query, DraftCall("create_reminder", {"name": "pay"}))[0]


@pytest.mark.parametrize(
    ("query", "calendar"),
    [
        ("block friday in the Motor Pool calendar", "Motor Pool"),
        ("an entry in the calendar called Rotas", "Rotas"),
        ("put it in my calendar", ""),
        ("one on the Work calendar, one on the Home calendar", ""),
    ],
)
def test_a_calendar_that_the_request_names_is_used(query: str, calendar: str) -> None:
    draft = DraftCall("create_calendar_event", {"title": "Do", "start_date": "friday"})
    assert _lines(query, draft)[0].endswith(f'"{calendar}")')


@pytest.mark.parametrize(
    ("query", "transport"),
    [
        ("how do I walk to Bath", "w"),
        ("trains to Bath", "r"),
        ("no car, by bus to Bath", "d"),
        ("to Bath", "d"),
    ],
)
def test_the_only_transport_that_the_request_speaks_of_is_used(query: str, transport: str) -> None:
    draft = DraftCall("maps_show_directions", {"end_location": "Bath"})
    assert _lines(query, draft) == [f'1. maps_show_directions("", "Bath", "{transport}")']


def test_a_short_length_after_a_day_is_no_time_of_that_day() -> None:
    query = "dinner on the 3rd of next month, 1h15, at home"
    reader = DateReader(query, datetime(2026, 11, 22, 9))
    assert reader.span("the 3rd of next month", "1h15") == ("2026-12-03 09:00:00", "2026-12-03 10:15:00")


def test_an_end_that_also_stands_in_the_start_is_an_end_when_it_is_said_again() -> None:
    reader = DateReader("fair on 4 April from 10 to 4", datetime(2026, 11, 22, 9))
    assert reader.span("4 April from 10", "4") == ("2027-04-04 10:00:00", "2027-04-04 16:00:00")
    again = DateReader("be there at 4", datetime(2026, 11, 22, 9))
    assert again.span("at 4", "4") == ("2026-11-22 16:00:00", "2026-11-22 17:00:00")
