"""The one reader of dates: phrases from a request become moments, ends of ranges and durations.

Rules written by hand, not a general date parser: those guess where this house must not (a missing day,
"half five", "next Friday", 5/6), and an unreadable date has to be an error and never "now".
"""

from tinyagent.domain.dates.resolver import (
    MAX_CHARACTERS,
    Moment,
    format_moment,
    resolve,
    resolve_end,
    resolve_minutes,
    split_range,
)

__all__ = [
    "MAX_CHARACTERS",
    "Moment",
    "format_moment",
    "resolve",
    "resolve_end",
    "resolve_minutes",
    "split_range",
]
