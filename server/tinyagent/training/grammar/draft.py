"""A request in the making: its calls so far, and what later clauses can lean on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tinyagent.planners.inner import DraftCall

_SHARED = frozenset((
    "get_phone_number", "get_email_address", "open_and_get_file_path", "summarize_pdf", "maps_open_location",
))  # fmt: skip
"""Tools that are called once for the same thing."""

Argument = str | list[str]


class Unfit(Exception):
    """A form that cannot be used here: it leans on something that was not said."""


@dataclass(frozen=True)
class Person:
    """Somebody: as they are spoken of, the name that is looked up (or a literal address), their pronoun."""

    text: str
    name: str
    pronoun: str  # "she", "he" or "they"
    literal: bool = False


@dataclass(frozen=True)
class Result:
    """What "it" can stand for: its kind, the reference, and what a mail with it is about."""

    kind: str
    reference: str
    subject: str


@dataclass
class Draft:
    """Calls, and the people, the result and the event that were named last."""

    calls: list[DraftCall] = field(default_factory=list[DraftCall])
    people: tuple[Person, ...] = ()
    result: Result | None = None
    has_event: bool = False

    def copy(self) -> Draft:
        return Draft(list(self.calls), self.people, self.result, self.has_event)

    def call(self, tool: str, arguments: Mapping[str, Argument | None]) -> str:
        """Add a call, or find the one that did the same; the reference to its result."""
        given = {name: value for name, value in arguments.items() if value}
        call = DraftCall(tool, given)
        if tool in _SHARED and call in self.calls:
            return f"${self.calls.index(call) + 1}"
        self.calls.append(call)
        return f"${len(self.calls)}"
