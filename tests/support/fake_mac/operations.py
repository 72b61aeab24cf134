"""What each script does, on the store of a fake Mac."""

# The programs start often, and pathlib takes nearly as long to import as Python takes to start.
# ruff: noqa: PTH110
from __future__ import annotations

import os

from .mailing import MAIL
from .store import identifier
from .trouble import ScriptError
from .writing import NOTES

# Types alone need it, and the programs start often.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Data = dict[str, Any]


def contacts_find(data: Data, asked: Data) -> Data:
    name = asked["name"].casefold()
    return {"contacts": [one for one in data["contacts"] if name in one["name"].casefold()][: asked["limit"]]}


def contacts_all(data: Data, asked: Data) -> Data:
    return {"contacts": data["contacts"][: asked["limit"]]}


def calendar_create(data: Data, asked: Data) -> Data:
    name = asked["calendar"] or "Home"
    if name in data["read_only"]:
        raise ScriptError(1008)
    if name not in data["calendars"]:
        raise ScriptError(1004)
    id = identifier(data)
    data["calendars"][name][id] = {key: asked[key] for key in ("title", "start", "end", "location", "notes")}
    return {"id": id, "calendar": name}


def calendar_find(data: Data, asked: Data) -> Data:
    return _only(data["calendars"].get(asked["calendar"], {}), asked["id"])


def calendar_delete(data: Data, asked: Data) -> Data:
    calendar_find(data, asked)
    del data["calendars"][asked["calendar"]][asked["id"]]
    return {"deleted": True}


def reminders_create(data: Data, asked: Data) -> Data:
    name = asked["list"] or "Reminders"
    if name not in data["lists"]:
        raise ScriptError(1004)
    id = f"x-apple-reminder://{identifier(data)}"
    kept = {key: asked[key] for key in ("name", "notes", "due", "all_day", "priority")}
    data["lists"][name][id] = {**kept, "completed": False}
    return {"id": id, "list": name}


def reminders_find(data: Data, asked: Data) -> Data:
    reminder = _only(_all_reminders(data), asked["id"])
    told = {key: reminder[key] for key in ("name", "notes", "completed")}
    return {**told, "due": [reminder["due"]] if reminder["due"] else []}


def reminders_delete(data: Data, asked: Data) -> Data:
    _only(_all_reminders(data), asked["id"])
    for reminders in data["lists"].values():
        reminders.pop(asked["id"], None)
    return {"deleted": True}


def messages_send(data: Data, asked: Data) -> Data:
    known = data["numbers"]
    if known is not None and not set(asked["recipients"]) <= set(known):
        raise ScriptError(1009)
    data["texts"].append({"recipients": asked["recipients"], "text": asked["text"]})
    return {"accepted": len(asked["recipients"])}


def maps_open(_data: Data, asked: Data) -> Data:
    return {"opened": asked["url"].startswith("https://")}


def files_reveal(_data: Data, asked: Data) -> Data:
    if not os.path.exists(asked["path"]):
        raise ScriptError(1001)
    return {"opened": True}


def permission_check(data: Data, asked: Data) -> Data:
    return {"granted": asked["app"] not in data["denied"]}


def _all_reminders(data: Data) -> Data:
    return {id: one for reminders in data["lists"].values() for id, one in reminders.items()}


def _only(things: Data, id: str) -> Data:
    if id not in things:
        raise ScriptError(1001)
    return things[id]


OPERATIONS: dict[str, Callable[[Data, Data], Data]] = {
    **{
        one.__name__: one
        for one in (
            contacts_find,
            contacts_all,
            calendar_create,
            calendar_find,
            calendar_delete,
            reminders_create,
            reminders_find,
            reminders_delete,
            messages_send,
            maps_open,
            files_reveal,
            permission_check,
        )
    },
    **MAIL,
    **NOTES,
}
