"""What the words of a request tell beside the calls that a model writes: priority, calendar, transport."""

from __future__ import annotations

import re

_PRIORITIES = {
    1: re.compile(
        r"\b(?:high(?:est)?|top|urgent|max(?:imum)?)[- ]prio(?:rity)?\b"
        r"|\bprio(?:rity)?(?: is| at|:| to|,)? (?:high|highest|1|one|top)\b",
        re.IGNORECASE,
    ),
    5: re.compile(
        r"\b(?:medium|middle|mid|normal)[- ]prio(?:rity)?\b"
        r"|\bprio(?:rity)?(?: is| at|:| to|,)? (?:medium|5|five|normal)\b",
        re.IGNORECASE,
    ),
    9: re.compile(
        r"\blow(?:est)?[- ]prio(?:rity)?\b|\bprio(?:rity)?(?: is| at|:| to|,)? (?:low|lowest|9|nine)\b",
        re.IGNORECASE,
    ),
}
_REMINDER = re.compile(r"\bremind(?:er)?s?\b", re.IGNORECASE)
_NAME = r"[\"'“‘]?(?P<name>[^\W\d_a-zß-ÿ][\w&’-]*(?: [^\W\d_a-zß-ÿ][\w&-]*)*)"
_CALENDARS = (
    re.compile(rf"\b(?:on|in|into|to|onto) (?:the |my |our )?{_NAME}[\"'”’]? calendar\b"),
    re.compile(rf"\bcalendar (?:called|named) {_NAME}"),
)
ON_FOOT = re.compile(
    r"\b(?:walk|foot|feet|stroll|wander|hik|pedestrian|march|ambl|legs|shank|pied|trot|trek)", re.IGNORECASE
)
BY_TRANSIT = re.compile(
    r"\b(?:bus(?!i)|coach|train(?!e|ing)|tram|m[eé]tro|mrt|mtr|subway|tube|transit|rail|public|ferry|ferries"
    r"|underground|overground|rer\b|[us]-?bahn|monorail|skytrain)",
    re.IGNORECASE,
)
_BY_ROAD = re.compile(r"\b(?:driv|cars?\b|taxi|by road|vans?\b)", re.IGNORECASE)


def priority_of(query: str) -> int:
    """The priority that the request gives its only reminder, else 0."""
    found = [value for value, pattern in _PRIORITIES.items() if pattern.search(query)]
    return found[0] if len(found) == 1 and len(_REMINDER.findall(query)) < 2 else 0


def calendar_of(query: str) -> str:
    """The calendar that the request names, "" when it names none or several."""
    names = {match["name"] for pattern in _CALENDARS for match in pattern.finditer(query)}
    return names.pop() if len(names) == 1 else ""


def transport_of(query: str) -> str:
    """The means of transport, "w" or "r", of which alone the request speaks, else ""."""
    found = [pattern for pattern in (ON_FOOT, BY_TRANSIT, _BY_ROAD) if pattern.search(query)]
    if found == [ON_FOOT]:
        return "w"
    return "r" if found == [BY_TRANSIT] else ""
