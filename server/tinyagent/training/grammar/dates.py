"""Date phrases of every kind that the plan language's rule 13 knows, by the role they play in a sentence."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tinyagent.domain.dates import resolve, resolve_end, resolve_minutes
from tinyagent.errors import DateUnreadable
from tinyagent.training.grammar.lexicon import grammar_part
from tinyagent.training.split import Part

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT_DAYS = ("mon", "tues", "weds", "thurs", "fri", "sat", "sun", "Mon", "Tue", "Wed", "Thu", "Fri")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_ORDINALS = ("first", "second", "third", "fifth", "seventh", "ninth", "twelfth", "fifteenth", "twentieth")
_HOURS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "noon")
_COUNTS = ("two", "three", "four", "five", "six", "ten")
_RELATIVE = (
    "tomorrow", "tomorrow", "tomorrow", "tmrw", "today", "tonight", "the day after tomorrow", "this weekend",
    "a week tomorrow", "in a week", "in a fortnight", "a week today", "in a month", "in two weeks",
    "in three days", "next week", "the end of the month", "the end of the week", "Christmas Eve",
)  # fmt: skip
_NO_CLOCK = ("this evening", "this afternoon", "tomorrow morning", "tonight", "tomorrow evening")
_NIGHT_HOURS = ("8", "9", "nine", "half past eight", "9:30", "ten o'clock", "7pm", "21:00", "8:15", "10 pm")
_SPOKEN_HOURS = (
    "6 in the evening", "8 in the morning", "three in the afternoon", "9 at night", "seven in the morning",
    "half seven in the evening", "10 in the morning",
)  # fmt: skip
_BY = (
    ("by EOD", "EOD"), ("by noon", "noon"), ("at midnight", "at midnight"), ("at noon", "at noon"),
    ("by EOD tomorrow", "EOD tomorrow"),
)  # fmt: skip
_LEANING = (
    "an hour before", "the day before", "the evening before", "the night before", "half an hour before",
    "two hours before", "15 minutes before", "20 min before", "that morning", "the week before",
    "ten minutes before it starts", "an hour before that", "a day before", "an hour beforehand",
    "two days before", "the afternoon before", "90 minutes before", "a week before", "that evening",
    "45 minutes before it", "a quarter of an hour before", "three days before", "half an hour earlier",
)  # fmt: skip
_SPANS = (
    ("2", "3:30"), ("9", "12"), ("14:00", "15:30"), ("10", "11:15"), ("6", "9"), ("1", "4 pm"),
    ("5", "6:30"), ("8", "10"), ("13:30", "14:30"), ("9:15", "10:45"), ("7pm", "11pm"), ("noon", "2"),
    ("half past two", "four"), ("9", "5"), ("18:00", "20:30"), ("11", "noon"), ("three", "half past four"),
    ("10.30", "11.30"), ("4", "5:15"), ("7", "8:30 in the evening"), ("8am", "1pm"), ("15:00", "16:45"),
    ("nine", "eleven"), ("2:15", "2:45"), ("19h", "21h"), ("3", "5"), ("16:20", "17:00"), ("6pm", "8pm"),
    ("ten", "quarter past eleven"), ("10am", "noon"), ("8:30", "12:45"), ("two", "five"), ("1pm", "1:45pm"),
)  # fmt: skip
_SPAN_FRAMES = (
    ("", " to "), ("from ", " to "), ("", "-"), ("", "–"), ("between ", " and "), ("from ", " until "),
    ("", " till "), ("from ", " till "), ("", " until "), ("", " - "),
)  # fmt: skip
_LENGTHS = (
    "45 minutes", "half an hour", "90 minutes", "two hours", "an hour and a half", "30 min", "20 minutes",
    "forty minutes", "15 mins", "three hours", "2 hours", "1.5 hours", "an hour and a quarter", "75 minutes",
    "50 minutes", "two and a half hours", "25 minutes", "three quarters of an hour", "40 min",
    "a couple of hours", "twenty minutes", "half a day", "90 min", "four hours", "2h", "ten minutes",
    "an hour and ten minutes", "thirty minutes", "35 minutes", "an hour and twenty minutes", "five hours",
    "2.5 hours", "55 minutes", "sixty minutes", "100 minutes", "3 hours",
)  # fmt: skip
_ANY_MOMENT = datetime(2026, 3, 11, 10, 0)


@dataclass(frozen=True)
class Phrase:
    """A date phrase: as it stands in the sentence, what a plan holds of it, the end that it names.

    `timed` when it says a time of day on a day.
    """

    text: str
    value: str
    end: str = ""
    timed: bool = False


Maker = Callable[[random.Random], Phrase]


def date_phrase(role: str, part: Part, chance: random.Random) -> Phrase:
    """A phrase for a role (a key of `ROLES`) that belongs to the part."""
    maker = ROLES[role]
    while True:
        phrase = maker(chance)
        if grammar_part(f"{phrase.value} {phrase.end}") == part and _is_readable(phrase, role):
            return phrase


def _is_readable(phrase: Phrase, role: str) -> bool:
    try:
        if role == "length":
            return resolve_minutes(phrase.value) > 0
        moment = resolve(phrase.value, _ANY_MOMENT, _ANY_MOMENT)
        return not phrase.end or resolve_end(phrase.end, moment.value, _ANY_MOMENT) > moment.value
    except DateUnreadable:
        return False


def _day(chance: random.Random) -> tuple[str, bool]:
    """A day, and whether "on" may stand before it."""
    name = chance.choice(_DAYS)
    number = chance.randint(1, 28)
    ordinal = f"{number}{_ending(number)}"
    month = chance.choice(_MONTHS)
    drawn = chance.random()
    if drawn < 0.34:
        return name, True
    if drawn < 0.54:
        return chance.choice(_RELATIVE[:6] if chance.random() < 0.6 else _RELATIVE), False
    if drawn < 0.64:
        return chance.choice((f"next {name}", f"this {name}", f"this coming {name}")), False
    if drawn < 0.72:
        return chance.choice((f"{ordinal} {month}", f"{number} {month}", f"the {ordinal} of {month}")), True
    if drawn < 0.79:
        return chance.choice((f"{month} {number}", f"{month} {ordinal}", f"{number} {month[:3]}")), True
    if drawn < 0.88:
        return f"the {chance.choice((ordinal, ordinal, chance.choice(_ORDINALS)))}", True
    if drawn < 0.93:
        return chance.choice(_SHORT_DAYS), False
    return chance.choice((
        f"{name} week", f"a week from {name}", f"{name} next week", f"the second {name} of next month",
        f"in {chance.choice(_COUNTS)} weeks", f"{name} the week after next", "Boxing Day", "New Year's Eve",
        f"in {chance.choice(_COUNTS)} days", f"the last {name} of the month",
    )), False  # fmt: skip


def _noun(chance: random.Random) -> tuple[str, bool]:
    """A day that may stand after "for", unlike "in three days"."""
    day, takes_on = _day(chance)
    return _noun(chance) if day.startswith("in ") else (day, takes_on)


def _ending(number: int) -> str:
    if number in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _clock(chance: random.Random, day: str = "") -> str:
    """A time of day; one that suits a day that is a night."""
    if day == "tonight":
        return chance.choice(_NIGHT_HOURS)
    half = chance.choice(("am", "pm", "pm"))
    hour = chance.randint(6, 11) if half == "am" else chance.choice((12, *range(1, 11)))
    drawn = chance.random()
    if drawn < 0.28:
        return f"{hour}{chance.choice(('', '', ' '))}{half}"
    if drawn < 0.42:
        return str(hour)
    if drawn < 0.54:
        return f"{chance.randint(7, 21)}:{chance.choice(('00', '15', '30', '45', '40', '20'))}"
    if drawn < 0.62:
        return f"{hour}{chance.choice(':.')}{chance.choice(('15', '30', '45', '10'))}"
    if drawn < 0.72:
        return f"half past {chance.choice(_HOURS[:-1])}"
    if drawn < 0.78:
        return f"quarter {chance.choice(('to', 'past'))} {chance.choice(_HOURS[:-1])}"
    if drawn < 0.86:
        return chance.choice(_HOURS)
    if drawn < 0.91:
        return f"{chance.choice(_HOURS[:-1])} o'clock"
    if drawn < 0.96:
        return chance.choice(_SPOKEN_HOURS)
    return f"{hour}:{chance.choice(('30', '45', '05'))}{half}"


def _part_of_day(chance: random.Random) -> str:
    return chance.choice(("morning", "afternoon", "evening", "night", "evening", "morning"))


def _when(chance: random.Random) -> Phrase:
    """A day, mostly with a time, as a noun: "Thursday 3pm"."""
    day, _ = _noun(chance)
    drawn = chance.random()
    if day in ("today", "tonight") and drawn < 0.22:
        drawn = 0.9
    if drawn < 0.14:
        return _same(day)
    if drawn < 0.22 and re.fullmatch(r"[A-Z]\w+day|tomorrow", day):
        return _same(f"{day} {_part_of_day(chance)}")
    clock = _clock(chance, day)
    if drawn < 0.5 or clock.isdigit() or clock in _HOURS[:-1]:
        text = f"{day} at {clock}"
    elif drawn < 0.8 or (not clock[0].isdigit() and day not in _DAYS):
        text = f"{day}{chance.choice((' ', ' ', ', '))}{clock}"
    else:
        text = f"{clock} {day}"
    return _timed(text)


def _onwhen(chance: random.Random) -> Phrase:
    """The same as an adverb: "on Thursday at 3"."""
    day, takes_on = _day(chance)
    on = "on " if takes_on and chance.random() < 0.75 else ""
    drawn = chance.random()
    if drawn < 0.05:
        return _same(chance.choice(_NO_CLOCK))
    if day in ("today", "tonight") and drawn < 0.32:
        drawn = 0.9
    if drawn < 0.24:
        return Phrase(on + day, day)
    if drawn < 0.32 and re.fullmatch(r"[A-Z]\w+day|tomorrow", day):
        part = f"{day} {_part_of_day(chance)}"
        return Phrase(on + part, part)
    clock = _clock(chance, day)
    if drawn < 0.72:
        return Phrase(f"{on}{day} at {clock}", f"{day} at {clock}", timed=True)
    return _timed(f"at {clock} {on}{day}")


def _soon(chance: random.Random) -> Phrase:
    """When a reminder is due: a date, a time alone, or a distance from now."""
    drawn = chance.random()
    if drawn < 0.7:
        return _onwhen(chance)
    if drawn < 0.86:
        return _same(f"at {_clock(chance)}")
    if drawn < 0.89:
        return Phrase(*chance.choice(_BY))
    minutes = chance.choice(("10", "20", "25", "40", "45", "ninety", "fifteen", "30"))
    return _same(chance.choice((
        f"in {minutes} minutes", "in an hour", "in half an hour", "in two hours", f"in {minutes} min",
        "in an hour and a half", "in three hours",
    )))  # fmt: skip


def _period(chance: random.Random) -> Phrase:
    """A day with start and end: "Thursday from 2 to 3:30"."""
    day, _ = _noun(chance)
    if day == "tonight":
        return _period(chance)
    start, end = chance.choice(_SPANS)
    lead, between = chance.choice(_SPAN_FRAMES)
    if between == " to " and not lead and not start[0].isdigit():
        between = " till "  # "ten to four" would be a time
    comma = "," if not lead and (day not in _DAYS or chance.random() < 0.6) else ""
    first = f"{day}{comma} {lead}{start}"
    if re.search(rf"(?<![\w.:]){re.escape(end)}(?![\w:])", first):
        return _period(chance)
    return Phrase(f"{first}{between}{end}", first, end, timed=True)


def _due_day(chance: random.Random) -> Phrase:
    return _same(_day(chance)[0])


def _same(text: str) -> Phrase:
    return Phrase(text, text)


def _timed(text: str) -> Phrase:
    return Phrase(text, text, timed=True)


ROLES: dict[str, Maker] = {
    "when": _when,
    "onwhen": _onwhen,
    "soon": _soon,
    "day": _due_day,
    "time": lambda chance: _timed(_clock(chance)),
    "at": lambda chance: _timed(f"at {_clock(chance)}"),
    "period": _period,
    "length": lambda chance: _same(chance.choice(_LENGTHS)),
    "lean": lambda chance: _same(chance.choice(_LEANING)),
}
