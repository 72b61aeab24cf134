"""Dates, phone numbers and addresses are read strictly; what cannot be read is an error."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyagent.errors import DateUnreadable, ToolError
from tinyagent.tools._addresses import email_addresses
from tinyagent.tools._dates import read_date, spoken_day, spoken_span
from tinyagent.tools._phones import dialable


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-04-06 19:00:00", datetime(2024, 4, 6, 19)),
        ("2024-04-06 19:05", datetime(2024, 4, 6, 19, 5)),
        ("2024-04-06T19:00:30", datetime(2024, 4, 6, 19, 0, 30)),
        (" 2024-02-29 ", date(2024, 2, 29)),
    ],
)
def test_an_iso_date_is_read(text: str, meant: date) -> None:
    read = read_date(text, "start_date")

    assert read == meant
    assert type(read) is type(meant)


@pytest.mark.parametrize(
    "text",
    [
        "", "tomorrow", "now", "next Friday at 5", "2024-02-30", "2024-13-01", "2024-04-06 24:00:00",
        "2024-04-06 7pm", "06/04/2024", "20240406", "2024-W14-6", "2024-04-06T19:00:00Z",
        "2024-04-06 19:00:00+02:00", "٢٠٢٤-٠٤-٠٦", "No contacts found",
    ],
)  # fmt: skip
def test_any_other_text_is_an_error_that_quotes_it(text: str) -> None:
    with pytest.raises(DateUnreadable) as error:
        read_date(text, "start_date")

    assert text in error.value.message
    assert error.value.param == "start_date"


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2999, 1, 1)))
def test_every_moment_survives_being_written_and_read(moment: datetime) -> None:
    whole = moment.replace(microsecond=0)

    assert read_date(f"{whole:%Y-%m-%d %H:%M:%S}", "start_date") == whole


def test_dates_are_spoken_in_english() -> None:
    assert spoken_day(date(2024, 4, 6)) == "Saturday 6 April 2024"
    assert spoken_span(datetime(2024, 4, 6, 19), datetime(2024, 4, 6, 20)) == (
        "on Saturday 6 April 2024, 19:00–20:00"
    )
    assert spoken_span(datetime(2024, 4, 6, 19), datetime(2024, 4, 8, 9)) == (
        "from Saturday 6 April 2024, 19:00 to Monday 8 April 2024, 09:00"
    )


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("+1 415 555 2671", "DE", "+14155552671"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("070-123 45 67", "SE", "+46701234567"),
        ("0049 30 901820", "DE", "+4930901820"),
        ("tel:+44-20-7946-0000", "US", "+442079460000"),
        ("555-0142", "US", "5550142"),
        ("5550142", "US", "5550142"),
        ("73822", "US", "73822"),
        ("٤١٥ ٥٥٥ ٢٦٧١", "US", "+14155552671"),
    ],
)
def test_a_number_is_made_international_by_the_region_or_kept_local(
    text: str, region: str, number: str
) -> None:
    assert dialable(text, region) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Sid",
        "+",
        "12",
        "+12",
        "No contacts found",
        "sid@x.example",
        "call 415 555 2671 now",
        "415;rm -rf",
        "1" * 20,
    ],
)
def test_what_cannot_be_dialled_is_no_number(text: str) -> None:
    assert dialable(text, "US") is None


def test_addresses_are_kept_once_and_empty_ones_dropped() -> None:
    given_addresses = ["a@x.example", "", " a@x.example ", "o'b+news@x.example", "jörg@münchen.example"]

    assert email_addresses(given_addresses, "cc") == (
        "a@x.example",
        "o'b+news@x.example",
        "jörg@münchen.example",
    )


@pytest.mark.parametrize(
    "text", ["Sid", "a@b@c", "@x.example", "a@", "a b@x.example", "a@x\r\nBcc: b@x", "<a@x.y>"]
)
def test_what_is_no_address_is_an_error_that_quotes_it(text: str) -> None:
    with pytest.raises(ToolError) as error:
        email_addresses(["a@x.example", text], "cc")

    assert f"“{text}”" in error.value.message
