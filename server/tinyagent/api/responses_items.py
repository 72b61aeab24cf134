"""The input items of a response: read, given ids, and understood as a conversation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from tinyagent.api.conversation import Conversation, refuse
from tinyagent.api.text_parts import joined_text
from tinyagent.engine.calling import Turn

Item = dict[str, Any]

_TEXTS = ("input_text", "output_text", "text")
_ROLES = ("user", "assistant", "system", "developer")
_FIELDS: dict[str, tuple[str, ...]] = {
    "message": ("type", "role", "content", "id", "status", "phase"),
    "function_call": ("type", "call_id", "name", "arguments", "id", "status"),
    "function_call_output": ("type", "call_id", "output", "id", "status"),
}


def read_items(given: str | Sequence[Mapping[str, Any]], key: str) -> list[Item]:
    """The items in their full form, in their places; `key` makes the ids of those that came without one.

    References stay as they are, and so does reasoning, which is the plan of another turn. Raises
    InvalidRequest, naming the item at fault.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return [_read(item, f"input[{number}]", f"{key}_i{number}") for number, item in enumerate(given)]


def _read(item: Mapping[str, Any], where: str, key: str) -> Item:
    kind = item.get("type")
    if kind is None:
        kind = "message" if "role" in item else "item_reference"
    if kind == "reasoning":
        return {"type": kind}
    if kind == "item_reference":
        return {"type": kind, "id": _text(item, "id", where)}
    if not isinstance(kind, str) or kind not in _FIELDS:
        refuse(f"{where}.type", f"is {kind!r:.50}, which is not supported", f"Known: {', '.join(_FIELDS)}.")
    for name, value in item.items():
        if name not in _FIELDS[kind] and value not in (None, [], {}):
            refuse(f"{where}.{name}", f"is not a known field of items of type {kind}", "Leave it out.")
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
        refuse(f"{where}.role", f"is none of {', '.join(_ROLES)}")
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
        refuse(f"{where}.{name}", "is not a text" if name in item else "is missing")
    return value


def _id(item: Mapping[str, Any], otherwise: str) -> str:
    own = item.get("id")
    return own if isinstance(own, str) and own else otherwise


# --- the conversation --------------------------------------------------------------------------


def turns_of(items: Sequence[Item], places: Sequence[str]) -> tuple[Turn, ...]:
    """The conversation; `places` tell of each item where it stands in the request.

    Raises InvalidRequest where calls and results do not belong together.
    """
    conversation = Conversation("Add `function_call_output`.")
    for item, where in zip(items, places, strict=True):
        match item["type"]:
            case "function_call":
                conversation.called(
                    item["call_id"],
                    item["name"],
                    item["arguments"],
                    id_at=f"{where}.call_id",
                    arguments_at=f"{where}.arguments",
                )
            case "function_call_output":
                conversation.returned(item["call_id"], item["output"], f"{where}.call_id")
            case _:
                conversation.said(item["role"], text_of(item), where)
    conversation.check_answered("input")
    return tuple(conversation.turns)
