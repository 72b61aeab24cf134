"""From the sides of a phrase to moments, by the rules for am and pm, missing days and ranges."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from tinyagent.domain.dates.amounts import match_amount
from tinyagent.domain.dates.clocks import PART_HOURS, on_part, since_midnight, usual
from tinyagent.domain.dates.pieces import Clock, Context, Day
from tinyagent.domain.dates.scan import Side, Sides, read_sides
from tinyagent.domain.dates.words import normalise
from tinyagent.errors import DateUnreadable

MAX_CHARACTERS = 200
_SHORT_LENGTH = re.compile(r"(?P<hours>[0-6])h(?P<minutes>[0-5][0-9])", re.IGNORECASE)
_BARE_MINUTES = re.compile(
    r"(?:for |about |around )?~?(?P<minutes>[0-9]{1,4})(?: (?:,|again|each|only|please))*"
)
_ZONE = re.compile(
    r"(?:[0-9]|am|pm|noon|midnight|oclock) (?:utc|gmt|cet|cest|eet|eest|est|edt|cst|cdt|mst|mdt|pst|pdt|bst"
    r"|ist|jst|aest|aedt|nzst|hkt|sgt)(?![^ ])"
)
_HALF_DAY, _ONE_DAY = timedelta(hours=12), timedelta(days=1)
_HINT = 'Give the day and the time, such as "next Tuesday at 5 pm" or "2026-03-05 17:00".'


@dataclass(frozen=True)
class Moment:
    """A day, or a time on a day, without a time zone: what the wall clock shows."""

    value: datetime
    """At 00:00 when no time of day was given."""
    has_time: bool
    """A time of day was given, or a word that implies one ("tonight", "noon", "EOD")."""
    has_date: bool
    """A day was given; else it was inferred from the anchor or the clock."""


def resolve(phrase: str, now: datetime, anchor: datetime | None = None) -> Moment:
    """The moment that a phrase means; of a range, its start.

    `anchor` is the event or reminder that the request named just before. It is what "that day" or "an hour
    before" lean on, and a bare time is on its day. Without an anchor a bare time is today, or
    tomorrow when today's has passed. Raises DateUnreadable, never guesses.
    """
    with _reading(phrase):
        context = Context(_minute(now), anchor)
        return _start(_sides(phrase, context), context, phrase)


def resolve_end(phrase: str, start: datetime, now: datetime) -> datetime:
    """The end of what begins at `start`: a time ("to 4 pm"), a day and a time, or a duration ("45 minutes").

    A time without am or pm is the first one after the start; "1h30" is a duration and "16h30" a time.
    Raises DateUnreadable.
    """
    with _reading(phrase):
        if short := _SHORT_LENGTH.fullmatch(phrase.strip()):
            return start + timedelta(hours=int(short["hours"]), minutes=int(short["minutes"]))
        context = Context(_minute(now), start)
        sides = _sides(phrase, context)
        return _end(
            sides.start if sides.end is None or sides.end.is_empty else sides.end, start, context, phrase
        )


def split_range(phrase: str, now: datetime, anchor: datetime | None = None) -> tuple[Moment, datetime | None]:
    """Start and end of a phrase that may hold both ("Monday 1-4 pm", "tomorrow at 3 for 45 minutes").

    The end is None when the phrase tells none. Raises DateUnreadable.
    """
    with _reading(phrase):
        context = Context(_minute(now), anchor)
        sides = _sides(phrase, context)
        start = _start(sides, context, phrase)
        if sides.end is not None and not sides.end.is_empty:
            return start, _end(sides.end, start.value, context, phrase)
        if sides.start.lengths and start.has_time:
            return start, start.value + timedelta(minutes=sides.start.lengths[-1].minutes)
        return start, None


def resolve_minutes(phrase: str) -> int:
    """A duration in minutes: 90 for "an hour and a half" as for a bare "90". Raises DateUnreadable."""
    with _reading(phrase):
        text = normalise(phrase)
        for at in (0, *(i + 1 for i, sign in enumerate(text) if sign == " ")):
            amount = match_amount(text, at)
            minutes = amount[0].total_minutes if amount else None
            if minutes:
                return minutes
        bare = _BARE_MINUTES.fullmatch(text)
        if bare is None or not int(bare["minutes"]):
            raise _unreadable(phrase, "a length of time", 'Say how long, such as "45 minutes".')
        return int(bare["minutes"])


def format_moment(moment: Moment) -> str:
    """`YYYY-MM-DD HH:MM:SS`, or `YYYY-MM-DD` when no time of day was given."""
    if moment.has_time:
        return moment.value.isoformat(sep=" ", timespec="seconds")
    return moment.value.date().isoformat()


# --- reading ---------------------------------------------------------------------------------


@contextmanager
def _reading(phrase: str) -> Generator[None]:
    """Refuse phrases that are too long, and days beyond the calendar's last year."""
    if len(phrase) > MAX_CHARACTERS:
        raise DateUnreadable("The words for a date are too long to be one.", hint=_HINT)
    try:
        yield
    except (OverflowError, ValueError) as error:
        raise _unreadable(phrase) from error


def _unreadable(phrase: str, what: str = "a date or a time", hint: str = _HINT) -> DateUnreadable:
    return DateUnreadable(f'"{phrase}" cannot be read as {what}.', hint=hint)


def _minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0)


def _sides(phrase: str, context: Context) -> Sides:
    text = normalise(phrase)
    if _ZONE.search(text):
        raise _unreadable(phrase, hint="Write the time as the clock shows it where you are, without a zone.")
    sides = read_sides(text, context)
    if sides.start.is_empty and sides.end is not None:
        return Sides(sides.end)
    return sides


# --- the start -------------------------------------------------------------------------------


def _start(sides: Sides, context: Context, phrase: str) -> Moment:
    side, end = sides.start, sides.end
    days = side.days or (end.days if end is not None else [])
    day = _one_day(days, phrase) if days else None
    clock = _settled(side)
    if side.shifts and (side.shifts[-1].minutes or (clock is None and day is None)):
        return _shifted(side, day, context)
    if clock is None:
        if day is None:
            raise _unreadable(phrase)
        return Moment(datetime.combine(day, time()), has_time=False, has_date=True)
    if not clock.exact:
        clock = _before_end(clock, end) or usual(clock)
    return _on_day(clock, day, context)


def _one_day(days: list[Day], phrase: str) -> date:
    """The first day that all the words for it may mean."""
    days = [day for day in days if not day.descriptive] or days
    if all(day.choices for day in days):
        raise DateUnreadable(
            f'"{phrase}" may be more than one day.',
            hint="Write the month as a word.",
            candidates=[f"{day:%d %B %Y}" for day in days[0].choices],
        )
    candidates = {day for one in days for day in one.possible} or {days[0].value}
    common = [day for day in candidates if all(one.may_be(day) for one in days)]
    if len(days) == 1:
        return days[0].value
    if not common:
        raise DateUnreadable(f'"{phrase}" names days that do not agree.', hint="Name one day.")
    return min(common)


def _settled(side: Side) -> Clock | None:
    """The side's time of day, as far as its own words settle it."""
    part = side.parts[-1] if side.parts else None
    if side.clocks:
        return on_part(max(side.clocks, key=lambda clock: clock.weight), part)
    return Clock(PART_HOURS[part.name], 0, exact=True) if part else None


def _before_end(clock: Clock, end: Side | None) -> Clock | None:
    """In "1-4 pm" the end settles the start: the last reading that comes before it."""
    closing = _settled(end) if end is not None else None
    if closing is None or not closing.exact:
        return None
    readings = [Clock(clock.hour % 12 + half, clock.minute, exact=True) for half in (0, 12)]
    earlier = [one for one in readings if since_midnight(one) < since_midnight(closing)]
    return earlier[-1] if earlier else readings[-1]


def _on_day(clock: Clock, day: date | None, context: Context) -> Moment:
    if day is not None:
        return Moment(_at(day, clock), has_time=True, has_date=True)
    if context.anchor is not None:
        return Moment(_at(context.anchor.date(), clock), has_time=True, has_date=False)
    today = _at(context.today, clock)
    return Moment(today if today > context.now else today + _ONE_DAY, has_time=True, has_date=False)


def _at(day: date, clock: Clock) -> datetime:
    return datetime.combine(day, time()) + since_midnight(clock)


def _shifted(side: Side, day: date | None, context: Context) -> Moment:
    """ "In two hours" counts from now, "an hour before" from a time in the same phrase or from the anchor."""
    shift = side.shifts[-1]
    if shift.from_now:
        base = context.now
    elif clock := _settled(side):
        base = _on_day(usual(clock), day, context).value
    else:
        base = context.known_anchor()
    return Moment(base + timedelta(minutes=shift.minutes), has_time=True, has_date=True)


# --- the end ---------------------------------------------------------------------------------


def _end(side: Side, start: datetime, context: Context, phrase: str) -> datetime:
    clock = _settled(side)
    if clock is None and side.lengths:
        return start + timedelta(minutes=sum(length.minutes for length in side.lengths))
    if side.shifts:
        return _after_start(_shifted(side, None, context).value, start, phrase)
    day = _one_day(side.days, phrase) if side.days else None
    if clock is None:
        if day is None:
            raise _unreadable(phrase)
        return _after_start(datetime.combine(day, start.time()), start, phrase)
    if day is not None:
        return _on_named_day(clock, day, start, phrase)
    value = _at(start.date(), clock)
    step = _ONE_DAY if clock.exact else _HALF_DAY
    while value <= start:
        value += step
    return value


def _on_named_day(clock: Clock, day: date, start: datetime, phrase: str) -> datetime:
    value = _at(day, usual(clock))
    if value <= start and not clock.exact:
        value = _at(day, clock) + (_HALF_DAY if clock.hour < 12 else timedelta())
    return _after_start(value, start, phrase)


def _after_start(end: datetime, start: datetime, phrase: str) -> datetime:
    if end <= start:
        raise DateUnreadable(
            f'"{phrase}" ends before it begins.',
            hint=f"Give an end after {start:%Y-%m-%d %H:%M}.",
        )
    return end
