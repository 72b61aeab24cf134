"""What the teacher is asked for: tools that make sense together, and somebody who wants something of them.

The n-th ask of a seed is always the same, so that a run goes on where it stopped and asks nothing twice.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tinyagent.planners.symbols import FIELDS

MAX_TOOLS = 6
_FIRST_DAY, _DAYS = datetime(2024, 1, 2), 1700

_WEIGHTS = {
    "send_sms": 3.5, "create_calendar_event": 3.0, "compose_new_email": 3.0, "create_reminder": 3.0,
    "get_zoom_meeting_link": 2.0, "open_and_get_file_path": 2.0, "create_note": 2.0, "summarize_pdf": 1.5,
    "reply_to_email": 1.5, "forward_email": 1.5, "maps_open_location": 1.5, "maps_show_directions": 1.5,
    "append_note_content": 1.5, "open_note": 1.2, "get_phone_number": 0.7, "get_email_address": 0.5,
}  # fmt: skip
"""How often a tool is what somebody is after; lookups mostly come along with others."""
_SITUATIONS: tuple[tuple[str, ...], ...] = (
    ("get_zoom_meeting_link", "create_calendar_event", "compose_new_email", "send_sms", "create_note"),
    ("open_and_get_file_path", "summarize_pdf", "compose_new_email", "forward_email", "reply_to_email"),
    ("maps_open_location", "maps_show_directions", "send_sms", "create_reminder", "append_note_content"),
    ("open_note", "append_note_content", "create_note", "create_reminder", "compose_new_email", "send_sms"),
    ("create_calendar_event", "maps_show_directions", "maps_open_location", "send_sms", "create_reminder"),
    ("reply_to_email", "forward_email", "create_calendar_event", "create_reminder", "open_and_get_file_path"),
    ("get_phone_number", "get_email_address", "create_note", "send_sms", "compose_new_email"),
    tuple(_WEIGHTS),
)  # fmt: skip
_HELPERS: dict[str, tuple[tuple[str, float], ...]] = {
    "send_sms": (("get_phone_number", 0.92),),
    "compose_new_email": (("get_email_address", 0.88), ("open_and_get_file_path", 0.2)),
    "forward_email": (("get_email_address", 0.9),),
    "reply_to_email": (("open_and_get_file_path", 0.15), ("get_email_address", 0.15)),
    "summarize_pdf": (("open_and_get_file_path", 0.92),),
    "create_calendar_event": (("get_email_address", 0.4),),
    "get_zoom_meeting_link": (("create_calendar_event", 0.65), ("get_email_address", 0.75)),
}
"""What a tool needs before it or beside it, and how often."""
_SIZES = (0.25, 0.35, 0.27, 0.13)
"""How often somebody is after one to four tools."""

_PERSONS = (
    "a night nurse in Leeds", "a site manager in Lagos", "a violin teacher in Porto",
    "a PhD student in Seoul", "a farmer near Dubbo", "a paralegal in Toronto",
    "a father of three in Dublin", "a tour guide in Cusco", "a start-up founder in Bengaluru",
    "a retired engineer in Graz", "a pastry chef in Lyon", "a vet in Nairobi",
    "a union official in Glasgow", "a film producer in Mumbai", "a school secretary in Ohio",
    "a diver in Cebu", "a translator in Tbilisi", "a football coach in Accra", "a notary in Lima",
    "a logistics clerk in Rotterdam", "a choir leader in Cardiff", "a flat-share student in Leipzig",
    "an accountant in Johannesburg", "an estate agent in Brisbane", "an organic grocer in Oregon",
    "an oncologist in Izmir", "an event planner in Dubai", "an amateur astronomer in Tartu",
    "a lawyer on a train", "a busy grandmother",
)  # fmt: skip
_MANNERS = (
    "terse, hardly a full sentence", "dictated: lower case, no punctuation, a filler word or two",
    "polite and complete", "rambling, with an aside that asks for nothing", "grumpy and in a hurry",
    "slangy, with abbreviations", "as a non-native speaker writes", "formal business English",
    "as a question or a wish instead of an order", "a list of things to do", "with a self-correction",
    "with a few slips of typing",
)  # fmt: skip
_TWISTS = (
    "", "", "", "the same person is needed twice", "somebody is meant by a pronoun later on",
    "people are called by relation or title", "a group is written to",
    "an address or number is given literally", "the date stands far from the thing that it belongs to",
    "the words of a message are quoted",
    "one part of the request is something that no tool can do, and the plan leaves it out",
    "a result of one call is put into a message or note", "names from at least two cultures",
)  # fmt: skip


@dataclass(frozen=True)
class Ask:
    """One question to the teacher: the tools, who speaks and how, at which moment, and good examples."""

    index: int
    tools: tuple[str, ...]
    person: str
    manners: tuple[str, ...]
    twist: str
    now: datetime
    examples: tuple[str, ...]


def ask_of(seed: int, index: int, examples: Sequence[tuple[frozenset[str], str]], requests: int) -> Ask:
    """The ask of this number for `requests` requests; `examples` are (tools, text) to choose three from."""
    chance = random.Random(f"tinyagent teacher {seed} {index}")
    tools = sample_tools(chance)
    moment = _FIRST_DAY + timedelta(days=chance.randrange(_DAYS), minutes=chance.randrange(6 * 60, 21 * 60))
    return Ask(
        index,
        tools,
        chance.choice(_PERSONS),
        tuple(chance.sample(_MANNERS, requests)),
        chance.choice(_TWISTS),
        moment,
        _nearest(frozenset(tools), examples, chance),
    )


def sample_tools(chance: random.Random) -> tuple[str, ...]:
    """One to six tools that make sense together, those with which they are usually needed among them."""
    situation = chance.choice(_SITUATIONS)
    wanted = chance.choices(range(1, len(_SIZES) + 1), _SIZES)[0]
    chosen: set[str] = set()
    left = list(situation)
    for _ in range(wanted):
        tool = chance.choices(left, [_WEIGHTS[name] for name in left])[0]
        left.remove(tool)
        together = chosen | {tool} | _companions(tool, chance)
        chosen = together if len(together) <= MAX_TOOLS else chosen
    return tuple(tool for tool in FIELDS if tool in chosen)


def _companions(tool: str, chance: random.Random) -> set[str]:
    return {helper for helper, share in _HELPERS.get(tool, ()) if chance.random() < share}


def _nearest(
    tools: frozenset[str], examples: Sequence[tuple[frozenset[str], str]], chance: random.Random
) -> tuple[str, ...]:
    """Three examples out of a hand of them, those that share most with the tools."""
    hand = chance.sample(examples, min(len(examples), 150))
    hand.sort(key=lambda example: len(example[0] ^ tools))
    return tuple(text for _, text in hand[:3])
