"""Days by their date: "the 24th", "6 May", "the first Monday of June", "2026-03-05", "Boxing Day"."""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from tinyagent.domain.dates.holidays import FIXED, MOVABLE, movable
from tinyagent.domain.dates.pieces import Context, Day, Mark, Piece, rule
from tinyagent.domain.dates.words import MONTHS, WEEKDAYS
from tinyagent.errors import DateUnreadable

_SEARCHED_MONTHS = 15
_SEARCHED_YEARS = 9  # 29 February may be eight years away
_YEARS_AHEAD = 30


def nothing_like_it(words: str) -> DateUnreadable:
    return DateUnreadable(f'There is no such day as "{words}".', hint="Check the day of the month.")


# --- days of a month -------------------------------------------------------------------------


def _date(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    day, month = int(match["day"]), MONTHS.index(match["month"]) + 1
    year = _year(match["year"], context)
    if match["year"] and year is None:
        return None
    return (_of_month(match.group(), day, month, year, context),)


def _year(text: str | None, context: Context) -> int | None:
    """A year near enough to be one: anything else in four digits is a time of day, or nothing."""
    if text and text.endswith("year"):
        return context.today.year + (text == "next year")
    year = int(text) if text else 0
    return year if abs(year - context.today.year) <= _YEARS_AHEAD else None


def _of_month(words: str, day: int, month: int, year: int | None, context: Context) -> Day:
    years = (year,) if year else range(context.today.year, context.today.year + _SEARCHED_YEARS)
    days = [found for y in years if (found := _exact(y, month, day)) and (year or found >= context.today)]
    if not days:
        raise nothing_like_it(words)
    return Day(days[0], frozenset(days[:2]))


def _exact(year: int, month: int, day: int) -> date | None:
    return date(year, month, day) if 1 <= day <= calendar.monthrange(year, month)[1] else None


def _dates(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    """Days of one month on both ends of a range: "12 to 14 May"."""
    month = MONTHS.index(match["month"]) + 1
    first = _of_month(match.group(), int(match["first"]), month, None, context)
    last = _of_month(match.group(), int(match["day"]), month, first.value.year, context)
    return first, Mark.UNTIL, last


def _weekday_and_figure(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    """ "Sunday 25", "Sunday 14 at 5": a figure that is no hour is the day of the month."""
    weekday = Day.on_weekday(WEEKDAYS.index(match["weekday"]), context.today)
    return weekday, *_day_of_some_month(match, context)


def _day_of_some_month(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    day, months = int(match["day"]), _months(match["month"], context)
    days = [found for year, month in months if (found := _exact(year, month, day))]
    upcoming = [found for found in days if match["month"] or found >= context.today]
    if not upcoming:
        raise nothing_like_it(match.group())
    return (Day(upcoming[0], frozenset(upcoming)),)


def _months(words: str | None, context: Context) -> Iterable[tuple[int, int]]:
    """The months that the words may mean: the one named, or this one and those after it."""
    words = words or ""
    base = context.known_anchor().date() if words.startswith("that") else context.today
    first = 1 if words.startswith("next") else 0
    for later in range(first, first + 1 if words else _SEARCHED_MONTHS):
        year, month = divmod(base.year * 12 + base.month - 1 + later, 12)
        yield year, month + 1


_PLACES = {"last": -1, "penultimate": -2, "#2 last": -2, "#2 to last": -2}


def _place_in_month(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    """ "The second Tuesday of June", "the last day of this month"."""
    name = match["month"]
    if name in MONTHS:
        this = context.today.year
        years = (_year(match["year"], context) or this,) if match["year"] else (this, this + 1)
        months: Iterable[tuple[int, int]] = [(year, MONTHS.index(name) + 1) for year in years]
    else:
        months = _months(None if name in (None, "the month") else name, context)
    for year, month in months:
        found = _nth(match["place"] or "last", match["what"] or "day", year, month)
        if found and (found >= context.today or match["year"]):
            return (Day.only(found),)
    raise nothing_like_it(match.group())


def _nth(place: str, what: str, year: int, month: int) -> date | None:
    length = calendar.monthrange(year, month)[1]
    days = [date(year, month, day) for day in range(1, length + 1)]
    if what in WEEKDAYS:
        days = [day for day in days if day.weekday() == WEEKDAYS.index(what)]
    elif what != "day":
        days = [day for day in days if day.weekday() < WEEKDAYS.index("saturday")]
    index = _PLACES[place] if place in _PLACES else int(place[1:]) - 1
    return days[index] if -len(days) <= index < len(days) else None


# --- dates in figures ------------------------------------------------------------------------


def _iso(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    found = _checked(match.group(), int(match["year"]), int(match["month"]), int(match["day"]))
    return (Day.only(found),)


def _checked(words: str, year: int, month: int, day: int) -> date:
    found = _exact(year, month, day) if 1 <= month <= 12 and year else None
    if not found:
        raise nothing_like_it(words)
    return found


def _figures(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    """Day and month in either order; both orders possible and different is for the user to settle."""
    first, second = int(match["first"]), int(match["second"])
    year = int(match["year"]) if match["year"] else None
    year = year + 2000 if year is not None and year < 100 else year
    orders = {(first, second), (second, first)}
    days = [
        _of_month(match.group(), day, month, year, context)
        for day, month in sorted(orders, key=lambda order: order != (first, second))
        if 1 <= month <= 12 and 1 <= day <= 31
    ]
    if not days:
        raise nothing_like_it(match.group())
    values = tuple(day.value for day in days)
    possible = frozenset[date]().union(*(day.possible for day in days))
    return (Day(values[0], possible, choices=values if len(values) > 1 else ()),)


def _dotted(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    year = int(match["year"]) if match["year"] else None
    month = int(match["month"])
    if not 1 <= month <= 12:
        raise nothing_like_it(match.group())
    return (_of_month(match.group(), int(match["day"]), month, year, context),)


def _holiday(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    return (replace(_feast(match, context), descriptive=bool(match["noun"])),)


def _feast(match: re.Match[str], context: Context) -> Day:
    name, year = match["name"], _year(match["year"], context)
    if name in FIXED:
        month, day = FIXED[name]
        return _of_month(match.group(), day, month, year, context)
    this = context.today.year
    days = [movable(name, y) for y in ((year,) if year else (this, this + 1))]
    upcoming = [day for day in days if year or day >= context.today]
    return Day.only(upcoming[0])


_W = rf"(?P<weekday>{'|'.join(WEEKDAYS)})"
_M = rf"(?P<month>{'|'.join(MONTHS)})"
_YEAR = r"(?P<year>[0-9]{4}|next year|this year)"
_NTH = r"(?:#|~?)(?P<day>[0-9]{1,2})"
_NOT_A_TIME = r"(?! (?:am|pm|oclock|minutes|hours|m|h|day|week|month))(?![^ ])"
_NOUNS = "party|dinner|brunch|breakfast|cake|tree|cards?|market|presents?|concert|drinks|shopping|do"
_WHAT = rf"(?:(?:working|business) )?day|weekday|{'|'.join(WEEKDAYS)}"
_HOLIDAYS = "|".join(sorted((*FIXED, *MOVABLE), key=len, reverse=True))

RULES = (
    rule(rf"(?:the )?{_NTH} (?:of )?{_M}(?:(?: ,)? {_YEAR})?{_NOT_A_TIME}", _date),
    rule(rf"(?:the )?{_NTH} (?:of )?{_M}(?P<year>)", _date),
    rule(
        rf"(?:the )?(?:#|~?)(?P<first>[0-9]{{1,2}}) (?:-|to|until) (?:the )?{_NTH} (?:of )?{_M}(?P<year>)",
        _dates,
    ),
    rule(rf"{_W} (?:, )?(?P<day>2[5-9]|3[01]|[0-9]{{1,2}}(?= at ~?[0-9]))(?P<month>)", _weekday_and_figure),
    rule(rf"{_M} (?:the )?{_NTH}(?:(?: ,)? {_YEAR})?{_NOT_A_TIME}", _date),
    rule(rf"{_M} (?:the )?{_NTH}(?P<year>){_NOT_A_TIME}", _date),
    rule(
        r"(?<!a )(?:the )?#(?P<day>[0-9]{1,2})"
        r"(?: (?:of |in )?(?P<month>(?:this|next|that) month))?(?! thing)",
        _day_of_some_month,
    ),
    rule(rf"the (?P<day>[0-9]{{1,2}})(?P<month>){_NOT_A_TIME}", _day_of_some_month),
    rule(
        r"(?:the )?(?P<place>#[1-5]|last|penultimate|#2 last|#2 to last) "
        rf"(?P<what>{_WHAT}) (?:of|in) "
        rf"(?P<month>{'|'.join(MONTHS)}|this month|next month|the month|that month)(?: {_YEAR})?",
        _place_in_month,
    ),
    rule(
        rf"(?:the )?(?P<place>#[1-5]) (?P<what>{'|'.join(WEEKDAYS)})"
        r"(?: (?P<month>next month|this month))?(?P<year>)",
        _place_in_month,
    ),
    rule(r"(?P<year>[0-9]{4})[-/](?P<month>[0-9]{1,2})[-/](?P<day>[0-9]{1,2})", _iso),
    rule(r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})", _iso),
    rule(r"(?P<first>[0-9]{1,2})/(?P<second>[0-9]{1,2})(?:/(?P<year>[0-9]{4}|[0-9]{2}))?(?! of)", _figures),
    rule(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})", _dotted),
    rule(r"(?P<day>2[5-9]|3[01])\.(?P<month>0[1-9]|1[0-2])(?P<year>)", _dotted),
    rule(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>)", _dotted),
    rule(rf"(?:the )?end of {_M}(?P<place>)(?P<what>)(?P<year>)", _place_in_month),
    rule(rf"(?:the )?(?P<name>{_HOLIDAYS})(?: day)?(?:(?: ,)? {_YEAR})?(?P<noun>)", _holiday),
    rule(rf"(?:the )?(?P<name>{_HOLIDAYS})(?P<year>) (?P<noun>{_NOUNS})", _holiday),
)
