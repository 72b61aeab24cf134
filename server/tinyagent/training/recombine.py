"""New requests from natural ones: names, places, files and date phrases swapped, two requests joined.

A swap changes request and plan alike, so that the language around stays what somebody wrote. Only
training rows are recombined, and with training rows only.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tinyagent.planners.inner import DraftCall
from tinyagent.training.rows import Row

_SLOTS = {
    ("get_phone_number", "name"): "person",
    ("get_email_address", "name"): "person",
    ("open_and_get_file_path", "file_name"): "file",
    ("maps_open_location", "location"): "place",
    ("maps_show_directions", "start_location"): "place",
    ("maps_show_directions", "end_location"): "place",
    ("create_calendar_event", "location"): "place",
    ("create_calendar_event", "start_date"): "start",
    ("create_calendar_event", "end_date"): "end",
    ("create_calendar_event", "calendar"): "calendar",
    ("get_zoom_meeting_link", "start_time"): "start",
    ("get_zoom_meeting_link", "duration"): "end",
    ("get_zoom_meeting_link", "topic"): "topic",
    ("create_reminder", "due_date"): "start",
    ("create_reminder", "list_name"): "folder",
    ("create_note", "folder"): "folder",
    ("open_note", "name"): "note",
    ("open_note", "folder"): "folder",
    ("append_note_content", "name"): "note",
    ("append_note_content", "folder"): "folder",
}
_LEADS = frozenset({
    "on", "at", "in", "by", "for", "from", "to", "next", "this", "every", "the", "a", "an", "tomorrow",
    "tonight", "today", "until", "till", "half", "quarter",
})  # fmt: skip
"""First words that decide which phrases may replace each other in a sentence."""
_INVENTED = ("person", "note", "place", "topic", "folder", "calendar")
INVENTED_SHARE = 0.15
_ONSETS = (
    "b", "br", "c", "ch", "d", "dr", "f", "g", "gr", "h", "j", "k", "kl", "l", "m", "n", "p", "pr", "qu",
    "r", "s", "sh", "st", "t", "th", "tr", "v", "w", "y", "z",
)  # fmt: skip
_RHYMES = (
    "a", "al", "an", "ar", "e", "el", "en", "er", "i", "in", "ir", "is", "o", "ol", "on", "or", "u", "un",
    "us", "ai", "ea", "ou", "ie", "ao", "ek", "it", "os", "um",
)  # fmt: skip
_CONNECTIVES = (
    ". Also, ", ". Then ", ", then ", ", and ", " and also ", "; ", ". ", ". ", " and ", "\n", ", plus ",
    ". After that ", " - also ", ". Oh and ", ", and then ", ". And ",
)  # fmt: skip


def _shape(kind: str, phrase: str) -> str:
    """What a phrase must share with another to take its place in a sentence."""
    first = phrase.lower().split()[0]
    if kind == "start":
        return f"{kind} {first if first in _LEADS else 'word'}"
    if kind == "end":
        return (
            f"{kind} {'clock' if ':' in phrase or phrase.isdigit() else first if first in _LEADS else 'word'}"
        )
    if kind == "person":
        return f"{kind} {'group' if phrase.islower() else 'name'}"
    return kind


@dataclass
class Pools:
    """Everything that can stand in a slot, by kind and shape, from the training rows."""

    fillings: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, rows: Sequence[Row]) -> Pools:
        pools = cls()
        for row in rows:
            for kind, text in _slots(row):
                pools.fillings[_shape(kind, text)].append(text)
        return pools


def _slots(row: Row) -> list[tuple[str, str]]:
    """The distinct slot fillings of a row that stand in its request, longest first."""
    found: dict[str, str] = {}
    lowered = row.query.lower()
    for call in row.calls:
        for name, value in call.arguments.items():
            kind = _SLOTS.get((call.tool, name))
            if kind and isinstance(value, str) and "$" not in value and value.lower() in lowered:
                found.setdefault(value, kind)
    return sorted(((kind, text) for text, kind in found.items()), key=lambda slot: -len(slot[1]))


def _bounded(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w$]){re.escape(text)}(?!\w)", re.IGNORECASE)


def swap(row: Row, pools: Pools, chance: random.Random, share: float) -> Row:
    """A row with each slot filled anew with probability `share`."""
    query, calls = row.query, row.calls
    for kind, old in _slots(row):
        if chance.random() >= share:
            continue
        new = _filling(kind, old, pools, chance)
        pattern = _bounded(old)
        match = pattern.search(query)
        if (
            match is None
            or pattern.search(new)
            or (kind in ("start", "end") and len(pattern.findall(query)) > 1)
        ):
            continue
        spoken = new.lower() if match.group().islower() and not old.islower() else new
        query = pattern.sub(lambda _, text=spoken: text, query)
        calls = _replace(calls, pattern, new)
    return Row(query, calls, ())


def _filling(kind: str, old: str, pools: Pools, chance: random.Random) -> str:
    """Another filling of the slot: mostly one from the rows, sometimes a name that nobody has."""
    if kind in _INVENTED and old.replace(" ", "").isalpha() and chance.random() < INVENTED_SHARE:
        return " ".join(_invented(word, chance) for word in old.split())
    return chance.choice(pools.fillings[_shape(kind, old)])


def _invented(like: str, chance: random.Random) -> str:
    """A word of two or three syllables with the other's capital, so that copying is learnt and no names."""
    word = "".join(chance.choice(_ONSETS) + chance.choice(_RHYMES) for _ in range(chance.randint(2, 3)))
    return word.capitalize() if like[:1].isupper() else word


def _replace(calls: Sequence[DraftCall], pattern: re.Pattern[str], new: str) -> tuple[DraftCall, ...]:
    return map_texts(calls, lambda text: pattern.sub(lambda _: new, text))


def map_texts(calls: Sequence[DraftCall], change: Callable[[str], str]) -> tuple[DraftCall, ...]:
    """The calls with every text of theirs changed."""
    return tuple(
        DraftCall(
            call.tool,
            {
                name: [change(item) for item in value] if isinstance(value, list) else change(value)
                for name, value in call.arguments.items()
            },
        )
        for call in calls
    )


def join(first: Row, second: Row, chance: random.Random) -> Row | None:
    """Both requests in one, the second's references renumbered; None when they look up the same person."""
    people = {(call.tool, str(call.arguments.get("name")).lower()) for call in first.calls}
    if any(
        call.tool.startswith("get_") and (call.tool, str(call.arguments.get("name")).lower()) in people
        for call in second.calls
    ):
        return None
    connective = chance.choice(_CONNECTIVES)
    head = first.query.rstrip()
    if not connective.startswith(("\n", ". ")) or head.endswith((".", "!", "?")):
        head = head.rstrip(".!? ")
    tail = second.query.lstrip()
    if (
        connective[-1] != "\n"
        and not connective.endswith(". ")
        and tail[:2].istitle()
        and not tail.startswith("I ")
    ):
        tail = tail[0].lower() + tail[1:]
    shift = len(first.calls)
    moved = map_texts(
        second.calls,
        lambda text: re.sub(r"(?<!\$)\$(\d+)", lambda match: f"${int(match[1]) + shift}", text),
    )
    return Row(head + connective + tail, (*first.calls, *moved), ())
