"""Distances: "in two hours", "a week from Thursday", "ten minutes before it starts", "the day before"."""

from __future__ import annotations

import re
from datetime import date, timedelta

from tinyagent.domain.dates.amounts import Amount, match_amount
from tinyagent.domain.dates.days import match_day
from tinyagent.domain.dates.pieces import Context, Day, Found, Length, Part, Shift, next_weekday
from tinyagent.domain.dates.words import WEEKDAYS

_IN = re.compile(r"(?:in|within) (?:about |around |exactly |the next )?")
_NOW = re.compile(r"(?:right )?now")
_FOR = re.compile(r"(?:for|lasting|lasts) (?:about |around )?")
_FROM_NOW = re.compile(r" (?:from now|hence|from this moment)(?![^ ])")
_AGO = re.compile(r" ago(?![^ ])")
_BESIDE = re.compile(
    r" (?:(?P<earlier>before(?:hand)?|earlier|ahead|prior|early)"
    r"|(?P<later>after(?:wards?)?|later|following))(?![^ ])"
)
_LINK = re.compile(r" (?:(?P<earlier>before|prior to|ahead of)|from|on|after|following)?(?: on)? ?")
_THE_DAY = re.compile(
    r"(?:the )?(?P<unit>day|week|month)(?= (?:before|after(?! next)|prior|earlier|later|ahead)(?![^ ]))"
)
_DAY_BESIDE = re.compile(
    rf"the (?:very )?(?:(?P<weekday>{'|'.join(WEEKDAYS)})|(?P<part>morning|afternoon|evening|night)) "
    r"(?P<side>before|after)(?! next)(?![^ ])"
)
_THE_UNITS = {"day": Amount(days=1), "week": Amount(days=7), "month": Amount(months=1)}


def match_shift(text: str, at: int, context: Context) -> Found | None:
    """The distance or the duration that starts here, and where its words end."""
    if _NOW.fullmatch(text):
        return (Shift(0, from_now=True),), len(text)
    beside = _DAY_BESIDE.match(text, at)
    if beside:
        return _day_beside(beside, text, context)
    for lead, reader in ((_IN, _after_in), (_FOR, _duration)):
        match = lead.match(text, at)
        amount = match_amount(text, match.end()) if match else None
        if amount:
            return reader(*amount, text, context)
    unit = _THE_DAY.match(text, at)
    found = (_THE_UNITS[unit["unit"]], unit.end()) if unit else match_amount(text, at)
    return _related(*found, text, context) if found else None


def _duration(amount: Amount, end: int, text: str, context: Context) -> Found | None:
    minutes = amount.total_minutes
    return ((Length(minutes),), end) if minutes else None


def _after_in(amount: Amount, end: int, text: str, context: Context) -> Found:
    from_now = _FROM_NOW.match(text, end)
    end = from_now.end() if from_now else end
    if not amount.is_days:
        return (Shift(amount.minutes, from_now=True),), end
    return (_distant(amount, context.today, 1),), end


def _distant(amount: Amount, base: date, sign: int) -> Day:
    """A number of weeks leaves the weekday open ("in two weeks, on Tuesday")."""
    day = amount.after(base, sign)
    return Day.in_week(day) if amount.days and amount.days % 7 == 0 else Day.only(day)


def _related(amount: Amount, end: int, text: str, context: Context) -> Found | None:
    """What an amount is measured from: now, a day that is named after it, or the anchor."""
    from_now = _FROM_NOW.match(text, end)
    if from_now:
        return _after_in(amount, end, text, context)
    ago = _AGO.match(text, end)
    if ago:
        if amount.is_days:
            return (_distant(amount, context.today, -1),), ago.end()
        return (Shift(-amount.minutes, from_now=True),), ago.end()
    if amount.is_days:
        named = _from_named_day(amount, end, text, context)
        if named:
            return named
    beside = _BESIDE.match(text, end)
    if beside:
        sign = -1 if beside["earlier"] else 1
        if not amount.is_days:
            return (Shift(sign * amount.minutes, from_now=False),), beside.end()
        return (_distant(amount, context.known_anchor().date(), sign),), beside.end()
    return _duration(amount, end, text, context)


def _day_beside(match: re.Match[str], text: str, context: Context) -> Found:
    """ "The Thursday after Easter", "the evening before": beside the day named after it, or the anchor."""
    named = match_day(text, match.end() + 1, context)
    if named and isinstance(named[0][0], Day):
        base, end = named[0][0].value, named[1]
    else:
        base, end = context.known_anchor().date(), match.end()
    sign = -1 if match["side"] == "before" else 1
    if match["part"]:
        part = Part(match["part"])  # pyright: ignore[reportArgumentType]  # the pattern lists the names
        return (Day.only(base + timedelta(days=sign)), part), end
    weekday = WEEKDAYS.index(match["weekday"])
    return (Day.only(next_weekday(weekday, base if sign > 0 else base - timedelta(days=8))),), end


def _from_named_day(amount: Amount, end: int, text: str, context: Context) -> Found | None:
    """ "A week from Thursday", "a fortnight today", "two days before Christmas"."""
    link = _LINK.match(text, end)
    named = match_day(text, link.end(), context) if link else None
    if not link or not named:
        return None
    base, *others = named[0]
    if not isinstance(base, Day):
        return None
    day = Day.only(amount.after(base.value, -1 if link["earlier"] else 1))
    return (day, *others), named[1]
