"""From the normal form of a phrase to its sides: what it says of the start, and what of the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from tinyagent.domain.dates.clocks import match_clock
from tinyagent.domain.dates.days import match_day
from tinyagent.domain.dates.pieces import Clock, Context, Day, Found, Length, Mark, Part, Piece, Shift
from tinyagent.domain.dates.shifts import match_shift
from tinyagent.errors import DateUnreadable

_MARKS = tuple(
    (re.compile(rf"(?:{words})(?![^ ])"), mark)
    for words, mark in (
        (r"until|ending(?: at)?|ends(?: at)?|finish(?:es|ing)?(?: at)?|end ,", Mark.UNTIL),
        (r"to", Mark.TO),
        (r"and", Mark.AND),
        (r"-", Mark.DASH),
        (r"between", Mark.BETWEEN),
        (
            r"no|sorry|i mean|make (?:it|that)|make|actually|rather|scratch that|wait|instead|correction",
            Mark.CORRECTION,
        ),
        (r"not", Mark.DENIAL),
        (r"or(?! so)", Mark.OR),
    )
)
# Words between two pieces that leave them side by side.
_FILLER = re.compile(
    r"(?:at|on|by|from|the|about|around|roughly|exactly|sharp|ish|um|uh|er|like|again|and|so|,)(?![^ ])"
)
_WORD = re.compile(r"[^ ]+")


@dataclass
class Side:
    """What is said about one moment."""

    days: list[Day] = field(default_factory=list[Day])
    clocks: list[Clock] = field(default_factory=list[Clock])
    parts: list[Part] = field(default_factory=list[Part])
    shifts: list[Shift] = field(default_factory=list[Shift])
    lengths: list[Length] = field(default_factory=list[Length])

    def add(self, piece: Piece) -> None:
        match piece:
            case Day():
                self.days.append(piece)
            case Clock():
                self.clocks.append(piece)
            case Part():
                self.parts.append(piece)
            case Shift():
                self.shifts.append(piece)
            case Length():
                self.lengths.append(piece)
            case Mark():
                pass

    def correct(self, later: Side) -> None:
        """Let what was said later replace what it contradicts."""
        if later.shifts:
            self.days, self.clocks, self.parts = [], [], []
        if later.clocks or later.parts:
            self.shifts = []
        if later.parts:  # "at 8, no, in the evening" keeps the 8, "at noon" goes
            self.clocks = [clock for clock in self.clocks if not clock.exact]
        self.days = later.days or self.days
        self.clocks = later.clocks or self.clocks
        self.parts = later.parts or self.parts
        self.shifts = later.shifts or self.shifts
        self.lengths = later.lengths or self.lengths

    @property
    def is_empty(self) -> bool:
        return not (self.days or self.clocks or self.parts or self.shifts or self.lengths)


@dataclass
class Sides:
    """The two sides of a phrase; `end` is None when the phrase has no word that opens a range."""

    start: Side = field(default_factory=Side)
    end: Side | None = None


@dataclass(frozen=True)
class _Placed:
    piece: Piece
    beside: bool  # nothing but filler stands between it and the piece before


def read_sides(text: str, context: Context) -> Sides:
    """Both sides of the phrase, with its corrections carried out."""
    placed = _pieces(text, context)
    sides = Sides()
    for segment in _segments(placed):
        later = _split(segment)
        if later.end is None and sides.end is not None:
            sides.end.correct(later.start)
            continue
        sides.start.correct(later.start)
        if later.end is not None:
            sides.end = later.end
    return sides


def _pieces(text: str, context: Context) -> list[_Placed]:
    """All pieces in their order; words that mean nothing here are passed over."""
    placed: list[_Placed] = []
    at, beside = 0, True
    while at < len(text):
        found = _longest_at(text, at, context)
        if found:
            pieces, end = found
            placed.append(_Placed(pieces[0], beside))
            placed.extend(_Placed(piece, True) for piece in pieces[1:])
            at, beside = end + 1, True
            continue
        filler = _FILLER.match(text, at)
        word = _WORD.match(text, at)
        beside = beside and filler is not None
        at = (word.end() if word else at) + 1
    return placed


def _longest_at(text: str, at: int, context: Context) -> Found | None:
    found = [f for read in (match_day, match_clock, match_shift) if (f := read(text, at, context))]
    for pattern, mark in _MARKS:
        match = pattern.match(text, at)
        if match:
            found.append(((mark,), match.end()))
    return max(found, key=lambda one: one[1], default=None)


def _segments(placed: list[_Placed]) -> list[list[_Placed]]:
    """The pieces between corrections; what follows a denial is left out."""
    segments: list[list[_Placed]] = [[]]
    denied = False
    for one in placed:
        if one.piece is Mark.CORRECTION:
            segments.append([])
        elif one.piece is Mark.DENIAL:
            denied = True
        elif denied:
            denied = False
        else:
            segments[-1].append(one)
    return segments


def _split(segment: list[_Placed]) -> Sides:
    """A segment's pieces on either side of the word that opens its range."""
    sides = Sides()
    for at, one in enumerate(segment):
        if one.piece is Mark.OR and _joins(segment, at):
            raise DateUnreadable("The words leave a choice of two times.", hint="Name one of them.")
        if isinstance(one.piece, Mark):
            if sides.end is None and _opens_range(segment, at):
                sides.end = Side()
            continue
        (sides.start if sides.end is None else sides.end).add(one.piece)
    return sides


def _joins(segment: list[_Placed], at: int) -> bool:
    """Whether a mark stands right between two pieces."""
    return 0 < at < len(segment) - 1 and segment[at].beside and segment[at + 1].beside


def _opens_range(segment: list[_Placed], at: int) -> bool:
    mark = segment[at].piece
    before = segment[at - 1].piece if at else None
    after = segment[at + 1] if at + 1 < len(segment) else None
    if mark is Mark.UNTIL:
        return True
    if mark is Mark.BETWEEN or not (segment[at].beside or before is None):
        return False
    if mark is Mark.AND and not any(one.piece is Mark.BETWEEN for one in segment[:at]):
        return False
    if before is None:
        return mark is Mark.TO and after is not None
    if isinstance(before, Day):
        return after is not None and after.beside and isinstance(after.piece, Day)
    return isinstance(before, Clock | Part) and (after is None or after.beside)
