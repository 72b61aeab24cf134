"""The date resolver against a table of phrases, and what must hold for every phrase."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tinyagent.domain.dates import (
    MAX_CHARACTERS,
    Moment,
    format_moment,
    resolve,
    resolve_end,
    resolve_minutes,
    split_range,
)
from tinyagent.errors import DateUnreadable

NOW = datetime(2026, 3, 11, 10, 0)  # a Wednesday
TABLE = Path(__file__).with_name("date_phrases.jsonl")


@dataclass(frozen=True)
class Row:
    """A line of the table: a phrase, what it is read against, and what it means (None: unreadable)."""

    kind: str
    phrase: str
    value: str | None = None
    now: str | None = None
    anchor: str | None = None
    start: str | None = None
    end: str | None = None
    minutes: int | None = None

    @property
    def clock(self) -> datetime:
        return datetime.fromisoformat(self.now) if self.now else NOW

    @property
    def named_before(self) -> datetime | None:
        return datetime.fromisoformat(self.anchor) if self.anchor else None


ROWS = [Row(**json.loads(line)) for line in TABLE.read_text(encoding="utf-8").splitlines()]
ENDS = [row for row in ROWS if row.kind == "end of a range"]
RANGES = [row for row in ROWS if row.kind == "whole range"]
DURATIONS = [row for row in ROWS if row.kind == "duration"]
MOMENTS = [row for row in ROWS if row not in (*ENDS, *RANGES, *DURATIONS)]


def named(row: Row) -> str:
    return f"{row.kind}: {row.phrase}"


@pytest.mark.parametrize("row", MOMENTS, ids=named)
def test_a_phrase_means_its_moment(row: Row) -> None:
    if row.value is None:
        with pytest.raises(DateUnreadable):
            resolve(row.phrase, row.clock, row.named_before)
    else:
        assert format_moment(resolve(row.phrase, row.clock, row.named_before)) == row.value


@pytest.mark.parametrize("row", ENDS, ids=named)
def test_an_end_comes_after_its_start(row: Row) -> None:
    assert row.start
    start = datetime.fromisoformat(row.start)
    if row.end is None:
        with pytest.raises(DateUnreadable):
            resolve_end(row.phrase, start, NOW)
    else:
        assert str(resolve_end(row.phrase, start, NOW)) == row.end


@pytest.mark.parametrize("row", RANGES, ids=named)
def test_a_range_has_its_start_and_its_end(row: Row) -> None:
    start, end = split_range(row.phrase, NOW)
    assert (format_moment(start), str(end) if end else None) == (row.value, row.end)


@pytest.mark.parametrize("row", DURATIONS, ids=named)
def test_a_duration_is_counted_in_minutes(row: Row) -> None:
    if row.minutes is None:
        with pytest.raises(DateUnreadable):
            resolve_minutes(row.phrase)
    else:
        assert resolve_minutes(row.phrase) == row.minutes


def test_the_table_is_large_enough_to_stand_for_the_language() -> None:
    assert len(ROWS) >= 400
    assert len({row.kind for row in ROWS}) >= 20


# --- what a moment says about itself ---------------------------------------------------------


def test_a_moment_tells_whether_its_day_and_its_time_were_given() -> None:
    def given_parts(phrase: str) -> tuple[bool, bool]:
        moment = resolve(phrase, NOW, datetime(2026, 3, 20, 14, 0))
        return moment.has_date, moment.has_time

    assert given_parts("Friday") == (True, False)
    assert given_parts("Friday at 5") == (True, True)
    assert given_parts("at 5") == (False, True)
    assert given_parts("noon") == (False, True)
    assert given_parts("tonight") == (True, True)
    assert given_parts("in two hours") == (True, True)
    assert given_parts("the day before") == (True, False)


def test_a_day_without_a_time_stands_at_midnight() -> None:
    assert resolve("Friday", NOW).value == datetime(2026, 3, 13)


def test_seconds_of_the_clock_do_not_show() -> None:
    assert resolve("in ten minutes", NOW.replace(second=31)).value == NOW + timedelta(minutes=10)


def test_a_numeric_date_of_two_meanings_asks_with_both() -> None:
    with pytest.raises(DateUnreadable) as caught:
        resolve("5/6 at noon", NOW)
    assert caught.value.candidates == ("05 June 2026", "06 May 2026")


def test_an_error_says_what_was_wrong_and_what_to_write() -> None:
    with pytest.raises(DateUnreadable) as caught:
        resolve("banana", NOW)
    assert "banana" in caught.value.message
    assert "Tuesday" in (caught.value.hint or "")


def test_a_phrase_longer_than_any_date_is_refused() -> None:
    for read in (lambda p: resolve(p, NOW), resolve_minutes, lambda p: resolve_end(p, NOW, NOW)):
        with pytest.raises(DateUnreadable):
            read("tomorrow " * MAX_CHARACTERS)


def test_days_beyond_the_calendar_are_errors() -> None:
    last = datetime(9999, 12, 31, 12, 0)
    for phrase in ("tomorrow", "next month", "in two weeks", "in 13 hours", "Easter Monday", "1 June"):
        with pytest.raises(DateUnreadable):
            resolve(phrase, last)


# --- what holds for every phrase -------------------------------------------------------------

WORDS = sorted({word for row in ROWS for word in row.phrase.split()})
PHRASES = st.one_of(
    st.text(max_size=MAX_CHARACTERS + 1),
    st.text(alphabet="0123456789:./-–~#, apmhto", max_size=30),
    st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join),
)
CLOCKS = st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31, 23, 59))


@settings(max_examples=300, deadline=None)
@given(phrase=PHRASES, now=CLOCKS, anchor=st.none() | CLOCKS)
@example("½½½ 99999/1", NOW, None)
@example("~~#1 #99 of june", NOW, None)
@example("﷽" * 100, NOW, None)
def test_any_text_is_a_date_or_an_unreadable_one(phrase: str, now: datetime, anchor: datetime | None) -> None:
    def read(*readers: object) -> None:
        for reader in readers:
            try:
                reader()  # type: ignore[operator]
            except DateUnreadable:
                continue

    read(
        lambda: resolve(phrase, now, anchor),
        lambda: resolve_end(phrase, anchor or now, now),
        lambda: resolve_minutes(phrase),
        lambda: split_range(phrase, now, anchor),
    )


@settings(max_examples=200, deadline=None)
@given(value=CLOCKS, has_time=st.booleans(), now=CLOCKS)
def test_a_formatted_moment_resolves_to_itself(value: datetime, has_time: bool, now: datetime) -> None:
    value = (
        value.replace(second=0, microsecond=0) if has_time else datetime.combine(value, datetime.min.time())
    )
    written = format_moment(Moment(value, has_time=has_time, has_date=True))
    assert resolve(written, now) == Moment(value, has_time=has_time, has_date=True)


@settings(max_examples=200, deadline=None)
@given(hour=st.integers(0, 23), minute=st.integers(0, 59), start=CLOCKS)
def test_an_end_is_within_a_day_after_its_start(hour: int, minute: int, start: datetime) -> None:
    start = start.replace(year=2026) if (start.month, start.day) != (2, 29) else NOW
    end = resolve_end(f"until {hour}:{minute:02}", start, NOW)
    assert start < end <= start + timedelta(days=1)


@settings(max_examples=200, deadline=None)
@given(hours=st.integers(0, 99), minutes=st.integers(1, 59))
def test_a_written_duration_is_read_back(hours: int, minutes: int) -> None:
    wanted = hours * 60 + minutes
    assert resolve_minutes(f"{hours} hours {minutes} minutes" if hours else f"{minutes} min") == wanted
