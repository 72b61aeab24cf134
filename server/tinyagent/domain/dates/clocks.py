"""Times of day: "half five", "10.30am", "quarter to nine", "1900", "noon", "in the evening"."""

from __future__ import annotations

import re
from datetime import timedelta

from tinyagent.domain.dates.pieces import Clock, Context, Found, Half, Part, PartName, Piece, longest, rule
from tinyagent.domain.dates.words import MONTHS

PART_HOURS: dict[PartName, int] = {"morning": 9, "lunch": 12, "afternoon": 15, "evening": 18, "night": 20}
_NAMED = {
    "noon": Clock(12, 0, exact=True),
    "midnight": Clock(0, 0, exact=True, next_day=True),
    "eod": Clock(17, 0, exact=True, weight=2),
}
_WEAKEST, _WEAK = 1, 2
_EARLIEST_HOUR_MARK = 8


def match_clock(text: str, at: int, context: Context) -> Found | None:
    """The time of day, or part of the day, that the words from here on name, and where they end."""
    if text[:at].split(" ")[-2:] == ["in", ""]:
        return None  # "in 5" is a distance without a unit
    found = longest(_RULES, text, at, context)
    if found is None or not text[:at].endswith(_BEFORE_A_RANGE):
        return found
    # "From ten to two" opens a range; the same words elsewhere are 1:50.
    return longest(_RULES_IN_RANGE, text, at, context)


def clock_at(
    hour: int, minute: int, half: Half | None = None, *, exact: bool = False, weight: int = 3
) -> Clock | None:
    """A checked time of day; 24:00 is the midnight at the end of the day."""
    if minute > 59 or hour > 24 or (half == "am" and hour > 12) or (hour == 24 and minute):
        return None
    if hour == 24:
        return _NAMED["midnight"]
    if half and hour <= 12:
        return Clock(hour % 12 + (12 if half == "pm" else 0), minute, exact=True)
    return Clock(hour, minute, exact=exact or hour > 12 or hour == 0, weight=weight)


def _half(match: re.Match[str]) -> Half | None:
    text = match.groupdict().get("half")
    return "am" if text == "am" else "pm" if text == "pm" else None


def _written(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    """Hour and minutes in figures; a leading zero is the habit of a 24-hour clock."""
    hour, word = match["hour"], match["word"]
    if word:
        return (_NAMED[word],) if hour == "12" and match["minute"] == "00" else None
    half = _half(match)
    clock = clock_at(int(hour), int(match["minute"]), half, exact=hour.startswith("0"))
    return (clock,) if clock else None


def _spoken(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    """ "Six thirty", "4 30", "five oh five"."""
    clock = clock_at(int(match["hour"]), int(match["minute"]), _half(match))
    return (clock,) if clock else None


def _hour(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    clock = clock_at(int(match["hour"]), 0, _half(match))
    return (clock,) if clock else None


def _hour_mark(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    """ "16h" is a time, "2h" a duration unless "at" stands before it."""
    if int(match["hour"]) < _EARLIEST_HOUR_MARK and not _LEADS.search(match.string, 0, match.start()):
        return None
    return _hour(match, context)


def _bare(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    weight = _WEAK if _LEADS.search(match.string, 0, match.start()) else _WEAKEST
    clock = clock_at(int(match["hour"]), 0, exact=match["hour"].startswith("0"), weight=weight)
    return (clock,) if clock else None


def _around_the_hour(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    """ "Half past two", "half two", "ten minutes to four", "twenty past midnight"."""
    if match["named"]:
        full: Clock | None = _NAMED[match["named"]]
    else:
        full = clock_at(int(match["hour"]), 0, _half(match))
    if full is None or (not match["named"] and not 1 <= int(match["hour"]) <= 12):
        return None
    minutes = {"half": 30, "quarter": 15}.get(match["part"]) or int(match["part"].lstrip("~"))
    if match["side"] in ("to", "of", "before"):
        minutes = -minutes
    return (_moved(full, minutes),) if abs(minutes) < 60 else None


def _moved(full: Clock, minutes: int) -> Clock:
    """The time some minutes from a full hour; before midnight is still the same day."""
    hour, minute = divmod(full.hour * 60 + minutes, 60)
    if full.hour == 1 and not full.exact and minutes < 0:
        hour = 12  # "quarter to one" is 12:45
    return Clock(hour % 24, minute, full.exact, full.next_day and minutes >= 0)


def _named(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    return (_NAMED[match["named"]],)


def _military(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    figures, year = match["figures"], context.now.year
    if year <= int(figures) <= year + 3 and not _LEADS.search(match.string, 0, match.start()):
        return None  # a stray year
    clock = clock_at(int(figures[:-2]), int(figures[-2:]), _half(match), exact=len(figures) == 4)
    return (clock,) if clock else None


def _part(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    return (Part(match["part"]),)  # pyright: ignore[reportArgumentType]  # the rule lists the names


def _first_thing(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    return (Part("morning"),)


def _same_time(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    named = context.known_anchor()
    return (Clock(named.hour, named.minute, exact=True),)


def _then(match: re.Match[str], context: Context) -> tuple[Piece, ...] | None:
    """The anchor's time, unless "then" only carries the story on."""
    named = context.anchor
    return (Clock(named.hour, named.minute, exact=True, weight=_WEAKEST),) if named else None


def _this_time(match: re.Match[str], context: Context) -> tuple[Piece, ...]:
    return (Clock(context.now.hour, context.now.minute, exact=True),)


def on_part(clock: Clock, part: Part | None) -> Clock:
    """The clock's hour in that part of the day: "8 in the evening" is 20:00, "tonight at 1" is at night."""
    if part is None:
        return clock
    if clock.exact:
        late = part.name == "night" and clock.hour < 5 and not clock.next_day
        return Clock(clock.hour, clock.minute, exact=True, next_day=clock.next_day or late)
    hour = clock.hour % 12
    if part.name == "morning":
        return Clock(hour, clock.minute, exact=True)
    if part.name in ("evening", "night") and clock.hour == 12:
        return Clock(0, clock.minute, exact=True, next_day=True)
    if part.name == "night" and hour < 5:
        return Clock(hour, clock.minute, exact=True, next_day=True)
    if part.name == "lunch" and hour in (10, 11):
        return Clock(hour, clock.minute, exact=True)
    return Clock(hour + 12, clock.minute, exact=True)


def usual(clock: Clock) -> Clock:
    """The clock with am or pm settled by habit: 1 to 7 is pm, 8 to 11 am, 12 noon."""
    if clock.exact or clock.hour > 7:
        return clock
    return Clock(clock.hour + 12, clock.minute, exact=True, next_day=clock.next_day)


def since_midnight(clock: Clock) -> timedelta:
    """How long after the start of its day the clock stands."""
    return timedelta(days=1 if clock.next_day else 0, hours=clock.hour, minutes=clock.minute)


_HALF = r"(?P<half>am|pm)"
_HOUR = r"~?(?P<hour>[0-9]{1,2})"
_LEADS = re.compile(r"(?<![^ ])(?:at|by|around|about|from) $")
_NOT_A_DATE_OR_LENGTH = (
    rf"(?! (?:of )?(?:{'|'.join(MONTHS)})(?![^ ])"
    r"| (?:minutes|hours|m|h|day|week|month|and a half|past)(?![^ ]))"
)
_END = r"(?: hours| oclock)?"
_ON_THE_HOUR = rf"(?:(?P<named>noon|midnight)|{_HOUR}(?: oclock)?(?: {_HALF})?)"
_FIVES = r"~5|~10|~20|~25"

_RULES_IN_RANGE = (
    rule(
        r"(?P<hour>[0-9]{1,2})[:.h](?P<minute>[0-9]{2})(?::[0-9]{2})?"
        rf"(?: {_HALF})?(?: (?P<word>noon|midnight))?{_END}",
        _written,
    ),
    rule(rf"{_HOUR} ~?(?P<minute>[0-5][0-9])(?: {_HALF})?{_NOT_A_DATE_OR_LENGTH}", _spoken),
    rule(rf"{_HOUR} {_HALF}", _hour),
    rule(rf"{_HOUR} oclock(?: {_HALF})?", _hour),
    rule(rf"{_HOUR} h", _hour_mark),
    rule(
        rf"(?P<part>half)(?: past| after)?(?P<side>) {_ON_THE_HOUR}{_NOT_A_DATE_OR_LENGTH}", _around_the_hour
    ),
    rule(
        rf"(?:a )?(?P<part>quarter|~?[0-9]{{1,2}})(?: minutes)? (?P<side>past|after) {_ON_THE_HOUR}",
        _around_the_hour,
    ),
    rule(rf"(?:a )?(?P<part>quarter) (?P<side>to|of|before) {_ON_THE_HOUR}", _around_the_hour),
    rule(rf"(?P<part>~?[0-9]{{1,2}}) minutes (?P<side>to) {_ON_THE_HOUR}", _around_the_hour),
    rule(r"(?:~?12 )?(?:the )?(?P<named>noon|midnight|eod)", _named),
    rule(rf"(?P<figures>[0-9]{{3,4}})(?: {_HALF})?(?: hours)?", _military),
    rule(rf"{_HOUR}{_NOT_A_DATE_OR_LENGTH}", _bare),
    rule(r"(?:(?:in|at|during) )?(?:the )?(?P<part>morning|lunch|afternoon|evening|night)", _part),
    rule(r"#1 thing", _first_thing),
    rule(r"(?:at )?(?:the|that) same time|same time|at that time", _same_time),
    rule(r"then", _then),
    rule(r"this time", _this_time),
)
_RULES = (
    *_RULES_IN_RANGE,
    rule(rf"(?P<part>{_FIVES}) (?P<side>to) {_ON_THE_HOUR}", _around_the_hour),
    rule(rf"(?P<part>1[3-9]|2[0-9]) (?P<side>to) {_ON_THE_HOUR}", _around_the_hour),
)
_BEFORE_A_RANGE = ("from ", "between ")
