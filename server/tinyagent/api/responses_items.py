"""The input items of a response: read, given ids, and understood as a conversation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, cast

from tinyagent.api.text_parts import joined_text
from tinyagent.engine.calling import Called, Returned, Said, Turn
from tinyagent.errors import InvalidRequest
from tinyagent.ports import ChatRole

Item = dict[str, Any]

_TEXTS = ("input_text", "output_text", "text")
_ROLES = ("user", "assistant", "system", "developer")
_FIELDS: dict[str, tuple[str, ...]] = {
    "message": ("type", "role", "content", "id", "status", "phase"),
    "function_call": ("type", "call_id", "name", "arguments", "id", "status"),
    "function_call_output": ("type", "call_id", "output", "id", "status"),
}


def read_items(given: str | Sequence[Mapping[str, Any]], key: str) -> list[Item]:
    """The items in their full form; `key` makes the ids of those that came without one.

    Reasoning is the plan of another turn and is left out; references stay as they are. Raises
    InvalidRequest, naming the item at fault.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    read = [_read(item, f"input[{number}]", f"{key}_i{number}") for number, item in enumerate(given)]
    return [item for item in read if item["type"] != "reasoning"]


def _read(item: Mapping[str, Any], where: str, key: str) -> Item:
    kind = item.get("type")
    if kind is None:
        kind = "message" if "role" in item else "item_reference"
    if kind == "reasoning":
        return {"type": kind}
    if kind == "item_reference":
        return {"type": kind, "id": _text(item, "id", where)}
    if not isinstance(kind, str) or kind not in _FIELDS:
        _refuse(f"{where}.type", f"is {kind!r:.50}, which is not supported", f"Known: {', '.join(_FIELDS)}.")
    for name, value in item.items():
        if name not in _FIELDS[kind] and value not in (None, [], {}):
            _refuse(f"{where}.{name}", f"is not a known field of items of type {kind}", "Leave it out.")
    if kind == "message":
        return _message(item, where, key)
    return _call(item, where, key) if kind == "function_call" else _result(item, where, key)


def _call(item: Mapping[str, Any], where: str, key: str) -> Item:
    named = {name: _text(item, name, where) for name in ("call_id", "name", "arguments")}
    return {"id": _id(item, f"fc_{key}"), "type": "function_call", **named, "status": "completed"}


def _result(item: Mapping[str, Any], where: str, key: str) -> Item:
    told = {
        "call_id": _text(item, "call_id", where),
        "output": joined_text(item.get("output"), f"{where}.output", _TEXTS),
    }
    return {"id": _id(item, f"fco_{key}"), "type": "function_call_output", **told, "status": "completed"}


def _message(item: Mapping[str, Any], where: str, key: str) -> Item:
    role = item.get("role")
    if role not in _ROLES:
        _refuse(f"{where}.role", f"is none of {', '.join(_ROLES)}")
    text = joined_text(item.get("content"), f"{where}.content", _TEXTS)
    return message_item(cast("str", role), text, _id(item, f"msg_{key}"))


def message_item(role: str, text: str, own_id: str) -> Item:
    """A message that has ended."""
    part: Item = {"type": "input_text", "text": text}
    if role == "assistant":
        part = {"type": "output_text", "text": text, "annotations": [], "logprobs": []}
    return {"id": own_id, "type": "message", "role": role, "content": [part], "status": "completed"}


def text_of(item: Item) -> str:
    """The text of a message."""
    return "\n".join(part["text"] for part in item["content"])


def _text(item: Mapping[str, Any], name: str, where: str) -> str:
    value = item.get(name)
    if not isinstance(value, str) or (not value and name != "arguments"):
        _refuse(f"{where}.{name}", "is not a text" if name in item else "is missing")
    return value


def _id(item: Mapping[str, Any], otherwise: str) -> str:
    own = item.get("id")
    return own if isinstance(own, str) and own else otherwise


# --- the conversation --------------------------------------------------------------------------


def turns_of(items: Sequence[Item], before: int) -> tuple[Turn, ...]:
    """The conversation. `before` is how many of the items are earlier ones and no part of `input`.

    Raises InvalidRequest where calls and results do not belong together.
    """
    reading = _Reading()
    for number, item in enumerate(items):
        reading.take(item, f"input[{number - before}]" if number >= before else "previous_response_id")
    reading.check_answered("input")
    return tuple(reading.turns)


class _Reading:
    """Reads items one by one and remembers which calls have no result yet."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []
        self._open: set[str] = set()

    def take(self, item: Item, where: str) -> None:
        match item["type"]:
            case "function_call":
                self._open.add(item["call_id"])
                arguments = _arguments(item["arguments"], f"{where}.arguments")
                self.turns.append(Called(item["call_id"], item["name"], arguments))
            case "function_call_output":
                self._answered(item["call_id"], where)
                self.turns.append(Returned(item["call_id"], item["output"]))
            case _:
                self.check_answered(where)
                role = "system" if item["role"] == "developer" else item["role"]
                self.turns.append(Said(cast("ChatRole", role), text_of(item)))

    def _answered(self, call: str, where: str) -> None:
        if call not in self._open:
            waiting = ", ".join(sorted(self._open)) or "none"
            _refuse(
                f"{where}.call_id", "is no call before it that waits for its result", f"Waiting: {waiting}."
            )
        self._open.remove(call)

    def check_answered(self, where: str) -> None:
        """Raise InvalidRequest for calls without a result."""
        if self._open:
            calls = ", ".join(sorted(self._open))
            _refuse(
                where, f"has no result of these calls where it is due: {calls}", "Add `function_call_output`."
            )


def _arguments(text: str, where: str) -> dict[str, Any]:
    try:
        found: object = json.loads(text or "{}", parse_constant=_no_json)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        _refuse(where, "is no JSON object as text")
    return cast("dict[str, Any]", found)


def _no_json(constant: str) -> NoReturn:
    raise ValueError(constant)


def _refuse(where: str, problem: str, hint: str | None = None) -> NoReturn:
    raise InvalidRequest(f"`{where}` {problem}.", hint=hint, param=where)
