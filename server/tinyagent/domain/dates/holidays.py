"""Feast days with one date wherever they are kept; days that differ by country are left out on purpose."""

from __future__ import annotations

from datetime import date, timedelta

# As in the normal form of `words`: without apostrophes, and without a closing "day".
FIXED = {
    "new year eve": (12, 31),
    "new year": (1, 1),
    "hogmanay": (12, 31),
    "epiphany": (1, 6),
    "valentine": (2, 14),
    "valentines": (2, 14),
    "leap": (2, 29),
    "st patrick": (3, 17),
    "saint patrick": (3, 17),
    "april fool": (4, 1),
    "april fools": (4, 1),
    "halloween": (10, 31),
    "all saints": (11, 1),
    "bonfire night": (11, 5),
    "guy fawkes night": (11, 5),
    "christmas eve": (12, 24),
    "christmas": (12, 25),
    "boxing": (12, 26),
}

_FROM_EASTER = {
    "shrove tuesday": -47,
    "pancake": -47,
    "ash wednesday": -46,
    "palm sunday": -7,
    "good friday": -2,
    "easter sunday": 0,
    "easter": 0,
    "easter monday": 1,
    "ascension": 39,
    "pentecost": 49,
    "whit monday": 50,
}

MOVABLE = (*_FROM_EASTER, "thanksgiving", "black friday")


def movable(name: str, year: int) -> date:
    """The day of a movable feast in that year (Gregorian calendar)."""
    if name in _FROM_EASTER:
        return _easter(year) + timedelta(days=_FROM_EASTER[name])
    first = date(year, 11, 1)
    thanksgiving = first + timedelta(days=(3 - first.weekday()) % 7 + 21)
    return thanksgiving + timedelta(days=1 if name == "black friday" else 0)


def _easter(year: int) -> date:
    """Easter Sunday, from the golden number, the epact and the Sunday letter."""
    golden, century = year % 19, year // 100
    lunar = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (year % 100 // 4) - lunar - year % 100 % 4) % 7
    late = (golden + 11 * lunar + 22 * sunday) // 451
    month, day = divmod(lunar + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)
