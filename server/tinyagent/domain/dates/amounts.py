"""Amounts of time: "an hour and a half", "1h30", "two weeks"."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import date, timedelta

_MINUTES = {"minutes": 1, "m": 1, "hours": 60, "h": 60}
_DAYS = {"day": 1, "week": 7, "fortnight": 14}
_MONTHS = {"month": 1, "year": 12}
_UNIT = r"(?P<unit>minutes|m|hours|h|day|week|fortnight|month|year)"
_NUMBER = r"~?(?P<number>[0-9]{1,4}(?:\.[0-9]{1,2})?)"
_PORTION = {
    "half": 0.5,
    "quarter": 0.25,
    "3 quarters": 0.75,
    "3 quarter": 0.75,
    "1/2": 0.5,
    "1/4": 0.25,
    "3/4": 0.75,
}
_SOME = r"~?(?P<portion>half|quarter|3 quarters?|1/2|1/4|3/4)"

_FORMS = tuple(
    re.compile(rf"{form}(?![^ ])")
    for form in (
        r"(?P<hours>[0-9]{1,2})h(?P<minutes>[0-9]{2})",
        rf"(?:an? |~?1 (?=half|quarter))?{_SOME} (?:of )?(?:an? )?{_UNIT}",
        rf"{_NUMBER} (?:and )?(?:an? )?{_SOME} {_UNIT}",
        rf"(?:an? )?{_NUMBER} (?:of )?(?:full )?{_UNIT}",
        rf"an? {_UNIT}",
        r"(?P<unit>hours)(?= and )",
        r"an? (?P<unit>fortnight)|(?P<bare>fortnight)",
    )
)
_AND_PORTION = re.compile(rf" (?:and )?(?:an? )?{_SOME}(?![^ ])")
_AND_MINUTES = (
    re.compile(r"(?: ,)?(?: and)? ~?(?P<minutes>[0-9]{1,2}) (?:minutes|m)(?![^ ])"),
    re.compile(r"(?: and)? ~?(?P<minutes>[0-9]{1,2})(?! (?:am|pm|oclock|hours|h))(?![^ ])"),
)
_PAST_OR_TO = re.compile(r" (?:past|to)(?![^ ])")


@dataclass(frozen=True)
class Amount:
    """A length of time: minutes, or whole days, or whole months."""

    minutes: int = 0
    days: int = 0
    months: int = 0

    @property
    def is_days(self) -> bool:
        return not self.minutes

    @property
    def total_minutes(self) -> int | None:
        """The length in minutes; months have none."""
        return None if self.months else self.minutes + self.days * 24 * 60

    def after(self, day: date, sign: int) -> date:
        """The day this much later (sign 1) or earlier (sign -1); a month ends no later than its last day."""
        if not self.months:
            return day + timedelta(days=sign * self.days)
        year, month = divmod(day.year * 12 + day.month - 1 + sign * self.months, 12)
        return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def match_amount(text: str, at: int) -> tuple[Amount, int] | None:
    """The amount that starts here, and where it ends."""
    for form in _FORMS:
        match = form.match(text, at)
        amount = _amount(match) if match else None
        if match and amount:
            return _with_tail(amount, text, match)
    return None


def _amount(match: re.Match[str]) -> Amount | None:
    groups = match.groupdict()
    if groups.get("hours"):
        return Amount(minutes=int(groups["hours"]) * 60 + int(groups["minutes"]))
    unit = groups.get("unit") or "fortnight"
    count = float(groups["number"]) if groups.get("number") else 0.0
    if groups.get("portion"):
        count += _PORTION[groups["portion"]]
    elif not groups.get("number"):
        count = 1.0
    return _of(count, unit)


def _of(count: float, unit: str) -> Amount | None:
    days = count * _DAYS.get(unit, 0)
    months = count * _MONTHS.get(unit, 0)
    if not count or months % 1:
        return None
    if unit in _MINUTES:
        return Amount(minutes=round(count * _MINUTES[unit]))
    return Amount(minutes=round(days * 24 * 60)) if days % 1 else Amount(days=int(days), months=int(months))


def _with_tail(amount: Amount, text: str, match: re.Match[str]) -> tuple[Amount, int]:
    """Add what follows whole hours: "and a half", "twenty minutes", "ten"."""
    if match.groupdict().get("unit") not in ("hours", "h"):
        return amount, match.end()
    portion = _AND_PORTION.match(text, match.end())
    if portion and not _PAST_OR_TO.match(text, portion.end()):
        return Amount(amount.minutes + round(60 * _PORTION[portion["portion"]])), portion.end()
    for form in _AND_MINUTES:
        minutes = form.match(text, match.end())
        if minutes and int(minutes["minutes"]) < 60:
            return Amount(amount.minutes + int(minutes["minutes"])), minutes.end()
    return amount, match.end()
