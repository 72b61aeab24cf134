"""What the rules find in a phrase: days, times of day, lengths and the words that join them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Literal

from tinyagent.errors import DateUnreadable

Half = Literal["am", "pm"]
PartName = Literal["morning", "lunch", "afternoon", "evening", "night"]


@dataclass(frozen=True)
class Context:
    """What a phrase is read against: the clock, and the moment that was named just before."""

    now: datetime
    anchor: datetime | None

    @property
    def today(self) -> date:
        return self.now.date()

    def known_anchor(self) -> datetime:
        """The anchor, for words that mean nothing without one ("the day before")."""
        if self.anchor is None:
            raise DateUnreadable(
                "The date leans on another event, and none was named before it.",
                hint='Name the day and the time themselves, such as "Friday at 5 pm".',
            )
        return self.anchor


@dataclass(frozen=True)
class Day:
    """A day: the meaning when it stands alone, and what it may mean beside another word for the day.

    "Friday the 13th" is the first day that both "Friday" and "the 13th" may mean. A bare weekday may be any
    such day, `possible` is empty then. `choices` holds the readings of a numeric date whose order of day
    and month is unknown. A `descriptive` day, "the Christmas party", gives way to any other.
    """

    value: date
    possible: frozenset[date]
    weekday: int | None = None
    choices: tuple[date, ...] = ()
    descriptive: bool = False

    def may_be(self, day: date) -> bool:
        """Whether the word fits that day."""
        return day in self.possible if self.weekday is None else day.weekday() == self.weekday

    @classmethod
    def only(cls, day: date) -> Day:
        """A day that can mean nothing else."""
        return cls(day, frozenset((day,)))

    @classmethod
    def on_weekday(cls, weekday: int, today: date) -> Day:
        """The next such weekday after today."""
        return cls(next_weekday(weekday, today), frozenset(), weekday)

    @classmethod
    def in_week(cls, day: date) -> Day:
        """A day whose week was named, so that a weekday beside it picks another day of that week."""
        monday = day - timedelta(days=day.weekday())
        return cls(day, frozenset(monday + timedelta(days=i) for i in range(7)))


@dataclass(frozen=True)
class Clock:
    """A time of day. `exact` means that am or pm is settled; `next_day` is for midnight.

    The higher `weight` wins when a phrase holds several: a bare number may be anything.
    """

    hour: int
    minute: int
    exact: bool = False
    next_day: bool = False
    weight: int = 3


@dataclass(frozen=True)
class Part:
    """A part of the day, which has an hour of its own and settles am or pm of another one."""

    name: PartName


@dataclass(frozen=True)
class Shift:
    """Minutes after (or, negative, before) now or the named moment."""

    minutes: int
    from_now: bool


@dataclass(frozen=True)
class Length:
    """A duration in minutes."""

    minutes: int


class Mark(Enum):
    """Words that join: the end of a range follows, a correction, a denial, a choice, a dash."""

    UNTIL = "until"
    TO = "to"
    AND = "and"
    DASH = "-"
    BETWEEN = "between"
    CORRECTION = "correction"
    DENIAL = "not"
    OR = "or"


Piece = Day | Clock | Part | Shift | Length | Mark
Builder = Callable[[re.Match[str], Context], "tuple[Piece, ...] | None"]
Rule = tuple[re.Pattern[str], Builder]
Found = tuple[tuple[Piece, ...], int]


def next_weekday(weekday: int, after: date) -> date:
    """The first such weekday (Monday is 0) after the day."""
    return after + timedelta(days=(weekday - after.weekday() - 1) % 7 + 1)


def rule(pattern: str, builder: Builder) -> Rule:
    """A rule for whole words: the pattern must not end inside a token."""
    return re.compile(rf"(?:{pattern})(?![^ ])"), builder


def longest(rules: tuple[Rule, ...], text: str, at: int, context: Context) -> Found | None:
    """What the rule that reads furthest from here finds, with the place where it ends."""
    best: Found | None = None
    for pattern, builder in rules:
        match = pattern.match(text, at)
        if match and (best is None or match.end() > best[1]):
            pieces = builder(match, context)
            if pieces is not None:
                best = pieces, match.end()
    return best
