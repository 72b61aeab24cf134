"""A conversation as clients tell it, turn by turn: calls and their results have to belong together."""

from __future__ import annotations

import json
from typing import Any, NoReturn, cast

from tinyagent.api.text_parts import whole_characters
from tinyagent.engine.calling import Called, Returned, Said, Turn
from tinyagent.errors import InvalidRequest
from tinyagent.ports import ChatRole


class Conversation:
    """Takes the turns in their order. Methods raise InvalidRequest, naming the place that they were told.

    `remedy` says what to send where a result is missing.
    """

    def __init__(self, remedy: str) -> None:
        self.turns: list[Turn] = []
        self._remedy = remedy
        self._open: dict[str, str] = {}
        """Names of the functions by the ids of calls without a result."""
        self._used: set[str] = set()
        """Ids of all calls since the user's last message."""

    def said(self, role: str, text: str, where: str) -> None:
        """A message in words; developers speak as the system."""
        self.check_answered(where)
        if role == "user":
            self._used.clear()
        self.turns.append(Said(cast("ChatRole", "system" if role == "developer" else role), text))

    def called(self, call: str, name: str, arguments: str, *, id_at: str, arguments_at: str) -> None:
        """A call that the assistant asked for; `arguments` is a JSON object as text, or nothing."""
        if call in self._used:
            refuse(id_at, "is the id of an earlier call", "Give every call an id of its own.")
        self._used.add(call)
        self._open[call] = name
        self.turns.append(Called(call, name, _arguments(arguments, arguments_at)))

    def returned(self, call: str, text: str, id_at: str) -> None:
        """What a call brought."""
        self.waiting(call, id_at)
        del self._open[call]
        self.turns.append(Returned(call, text))

    def waiting(self, call: str, id_at: str) -> str:
        """The name of the function whose call waits for its result."""
        if call not in self._open:
            refuse(
                id_at,
                "is no call before it that waits for its result",
                f"Waiting are: {', '.join(self._open) or 'none'}.",
            )
        return self._open[call]

    def check_answered(self, where: str) -> None:
        """Refuse what comes at this place while there are calls without a result."""
        if self._open:
            refuse(where, f"comes before the results of these calls: {', '.join(self._open)}", self._remedy)


def refuse(where: str, problem: str, hint: str | None = None) -> NoReturn:
    """Raise InvalidRequest for what stands at this place."""
    raise InvalidRequest(f"`{where}` {problem}.", hint=hint, param=where)


def _arguments(text: str, where: str) -> dict[str, Any]:
    """The arguments of a call. Clients write none as the empty text, too."""
    if not text.strip():
        return {}
    try:
        found = whole_characters(json.loads(text, parse_constant=_no_json))
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        refuse(where, "is no JSON object as text")
    return cast("dict[str, Any]", found)


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)
