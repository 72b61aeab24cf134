"""Days: "next Tuesday", "Friday week", "the day after", "that evening", and those of `month_days`."""

from __future__ import annotations

import re
from datetime import date, timedelta

from tinyagent.domain.dates import month_days
from tinyagent.domain.dates.amounts import Amount
from tinyagent.domain.dates.pieces import Clock, Context, Day, Found, Part, Piece, longest, next_weekday, rule
from tinyagent.domain.dates.words import WEEKDAYS

_WEEK = timedelta(days=7)


def match_day(text: str, at: int, context: Context) -> Found | None:
    """The day that the words from here on name, and where they end."""
    return longest(_RULES, text, at, context)


# --- weekdays --------------------------------------------------------------------------------


def _weekday(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    return _named_weekday(match, context), *_half(match)


def _named_weekday(match: re.Match[str], context: Context) -> Day:
    weekday, today = WEEKDAYS.index(match["weekday"]), context.today
    which, week = match["which"] or "", match["week"] or ""
    monday = today - timedelta(days=today.weekday())
    upcoming = next_weekday(weekday, today)
    if which.startswith(("that", "the same", "same")):
        return _same_weekday(weekday, context)
    if week:
        return Day.only(monday + _week_offset(week) + timedelta(days=weekday))
    if which == "next":
        return Day.only(monday + _WEEK + timedelta(days=weekday))
    if which == "last":
        return Day.only(upcoming - (2 if weekday == today.weekday() else 1) * _WEEK)
    if which.endswith("following") and context.anchor:
        return Day.only(next_weekday(weekday, context.anchor.date()))
    later = {"week": _WEEK, "fortnight": 2 * _WEEK}.get(match["later"] or "")
    return Day.only(upcoming + later) if later else Day.on_weekday(weekday, today)


def _half(match: re.Match[str]) -> tuple[Piece, ...]:
    """ "Friday am", "tomorrow pm"."""
    return {"am": (Part("morning"),), "pm": (Part("afternoon"),)}.get(match["half"] or "", ())


def _week_offset(words: str) -> timedelta:
    if "after next" in words:
        return 2 * _WEEK
    return timedelta() if "this" in words else _WEEK


def _same_weekday(weekday: int, context: Context) -> Day:
    if context.anchor is None:
        return Day.only(next_weekday(weekday, context.today))
    return Day.only(next_weekday(weekday, context.anchor.date() - timedelta(days=1)))


def _counted_weekday(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    """ "Two Fridays from now"."""
    first = next_weekday(WEEKDAYS.index(match["weekday"]), context.today)
    return (Day.only(first + (int(match["count"]) - 1) * _WEEK),)


# --- relative days ---------------------------------------------------------------------------

_RELATIVE = {"today": 0, "tomorrow": 1, "yesterday": -1, "tonight": 0}


def _relative(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    day = context.today + timedelta(days=_RELATIVE[match["name"]])
    day += {"week": _WEEK, "fortnight": 2 * _WEEK}.get(match["later"] or "", timedelta())
    return (Day.only(day), Part("night")) if match["name"] == "tonight" else (Day.only(day), *_half(match))


def _following_day(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    base = context.anchor.date() if context.anchor else context.today
    return (Day.only(base + timedelta(days=1)),)


def _whole(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    """ "Next week" is its Monday unless a weekday stands beside it, "next month" its first day."""
    monday = context.today - timedelta(days=context.today.weekday())
    if match["unit"] == "weekend":
        saturday = monday + timedelta(days=12 if match["which"] == "next" else 5)
        saturday += _WEEK if match["after"] else timedelta()
        return (Day(saturday, frozenset((saturday, saturday + timedelta(days=1)))),)
    if match["unit"] == "week":
        return (Day.in_week(monday + (2 if match["after"] else 1) * _WEEK),)
    first = context.today.replace(day=1)
    return (
        Day.only(Amount(months=1).after(first if match["unit"] == "month" else first.replace(month=12), 1)),
    )


def _this_time_next_week(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    return Day.only(context.today + _WEEK), Clock(context.now.hour, context.now.minute, exact=True)


def _end_of(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    """The Friday of a week, the last day of a month or a year."""
    today, further = context.today, match["which"] == "next"
    if match["unit"] == "week":
        friday = today + timedelta(days=4 - today.weekday()) + (_WEEK if further else timedelta())
        return (Day.only(friday if friday >= today else friday + _WEEK),)
    if match["unit"] == "year":
        return (Day.only(date(today.year + further, 12, 31)),)
    last = Amount(months=1 + further).after(today.replace(day=1), 1)
    return (Day.only(last - timedelta(days=1)),)


# --- days that lean on the anchor ------------------------------------------------------------


def _same_day(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    return (Day.only(context.known_anchor().date()),)


def _part_of_same_day(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    """ "That morning", "this afternoon"."""
    part = Part(match["part"])  # pyright: ignore[reportArgumentType]  # the rule lists the names
    day = context.today if match["which"] == "this" else context.known_anchor().date()
    return Day.only(day), part


_W = rf"(?P<weekday>{'|'.join(WEEKDAYS)})"
_HALF = r"(?: (?P<half>am|pm))?"
_PART = r"(?P<part>morning|afternoon|evening|night)"

_RULES = (
    *month_days.RULES,
    rule(
        r"(?:(?P<which>this coming|the coming|coming|upcoming|this|next|last|the following|following|"
        rf"(?:that|the|this) same|same|that|the) )?{_W}"
        r"(?: (?:of |in )?(?P<week>this week|next week|the following week|(?:(?:the )?week )?after next))?"
        rf"(?: (?P<later>week|fortnight))?{_HALF}",
        _weekday,
    ),
    rule(rf"~?(?P<count>[1-9]) {_W} from now", _counted_weekday),
    rule(
        rf"(?:on )?(?:the )?(?P<name>today|tomorrow|tonight|yesterday)(?: (?P<later>week|fortnight))?{_HALF}",
        _relative,
    ),
    rule(r"(?:the )?(?:next|following) day", _following_day),
    rule(r"(?:the )?(?P<which>next|this|the) (?P<unit>weekend)(?P<after>)", _whole),
    rule(r"(?:the )?(?P<unit>weekend) (?P<after>after) (?P<which>next)", _whole),
    rule(r"this time next week", _this_time_next_week),
    rule(r"(?P<which>next) (?P<unit>week)(?P<after>)", _whole),
    rule(r"(?P<which>next) (?P<unit>month|year)(?P<after>)", _whole),
    rule(r"(?:the )?(?P<unit>week) (?P<after>after) (?P<which>next)", _whole),
    rule(r"(?:the )?end of (?P<which>the|this|next) (?P<unit>week|month|year)", _end_of),
    rule(r"(?P<unit>month|year) end(?P<which>)", _end_of),
    rule(r"(?:(?:that|the|this)(?: very)? )?same day|that(?: very)? day", _same_day),
    rule(rf"(?P<which>this|that(?: same| very)?|the same) {_PART}", _part_of_same_day),
)
