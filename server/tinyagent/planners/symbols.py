"""The output language of the pointer decoder, and what may follow what.

A plan is a flat list of symbols: `T:tool`, then for each argument that is present `A:name` and its
content: words copied from the request or taken from the vocabulary (`W:word`, lower case), results
(`R:2`), `I` between the items of a list, `V:…` for the values of a closed set. `J` ends the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tinyagent.domain.plan import Reference, Template
from tinyagent.domain.plan_parser import read_string
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.words import split_words

JOIN = "J"
ITEM = "I"

ArgumentKind = Literal["str", "int", "bool", "list[str]"]

Kind = Literal["text", "name", "people", "files", "date", "choice"]
"""What an argument holds: free text, a name or place, addresses, paths, a date phrase, one of a set."""


@dataclass(frozen=True)
class Field:
    """An argument in the output language. `sources` are the tools whose results it may hold."""

    name: str
    kind: Kind
    required: bool = False
    sources: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()

    @property
    def is_list(self) -> bool:
        return self.kind in ("people", "files")


_EMAIL, _PHONE, _FILE = ("get_email_address",), ("get_phone_number",), ("open_and_get_file_path",)
_RESULTS = (
    *_EMAIL, *_PHONE, *_FILE, "summarize_pdf", "open_note", "maps_open_location", "maps_show_directions",
    "get_zoom_meeting_link",
)  # fmt: skip


def _text(name: str, required: bool = False) -> Field:
    return Field(name, "text", required, _RESULTS)


_CC = Field("cc", "people", sources=_EMAIL)
_ATTACHMENTS = Field("attachments", "files", sources=_FILE)
_FOLDER = Field("folder", "name")

FIELDS: dict[str, tuple[Field, ...]] = {
    "create_calendar_event": (
        Field("title", "text"),
        Field("start_date", "date"),
        Field("end_date", "date"),
        Field("location", "name"),
        Field("invitees", "people", sources=_EMAIL),
        _text("notes"),
        Field("calendar", "name"),
    ),
    "get_phone_number": (Field("name", "name", True),),
    "get_email_address": (Field("name", "name", True),),
    "open_and_get_file_path": (Field("file_name", "name", True),),
    "summarize_pdf": (Field("pdf_path", "name", True, _FILE),),
    "compose_new_email": (
        Field("recipients", "people", True, _EMAIL),
        _CC,
        Field("subject", "text"),
        _text("context"),
        _ATTACHMENTS,
    ),
    "reply_to_email": (_CC, _text("context"), _ATTACHMENTS),
    "forward_email": (Field("recipients", "people", True, _EMAIL), _CC, _text("context"), _ATTACHMENTS),
    "maps_open_location": (Field("location", "name", True),),
    "maps_show_directions": (
        Field("start_location", "name"),
        Field("end_location", "name", True),
        Field("transport", "choice", choices=("w", "r")),
    ),
    "create_note": (Field("name", "text", True), _text("content"), _FOLDER),
    "open_note": (Field("name", "name", True), _FOLDER),
    "append_note_content": (Field("name", "name", True), _text("content"), _FOLDER),
    "create_reminder": (
        Field("name", "text", True),
        Field("due_date", "date"),
        _text("notes"),
        Field("list_name", "name"),
        Field("priority", "choice", choices=("1", "5", "9")),
    ),
    "send_sms": (Field("recipients", "people", True, _PHONE), _text("message", True)),
    "get_zoom_meeting_link": (
        Field("topic", "text"),
        Field("start_time", "date"),
        Field("duration", "date"),
        Field("meeting_invitees", "people", sources=_EMAIL),
    ),
}


_OF_OTHER_KINDS: dict[str, ArgumentKind] = {"duration": "int", "priority": "int"}
ARGUMENTS: dict[str, dict[str, ArgumentKind]] = {
    tool: {
        field.name: _OF_OTHER_KINDS.get(field.name, "list[str]" if field.is_list else "str")
        for field in fields
    }
    for tool, fields in FIELDS.items()
}
"""The arguments of the built-in tools in plans, in their order, with their types."""
ARGUMENTS["create_reminder"]["all_day"] = "bool"


def field_of(tool: str, name: str) -> Field:
    """The field of that name. Raises KeyError when the tool has none such."""
    for field in FIELDS[tool]:
        if field.name == name:
            return field
    raise KeyError(f"{tool} has no argument {name}")


def symbols_of(calls: Sequence[DraftCall]) -> list[str]:
    """The symbols that write these calls; copied words are written as `W:word`, in their own case."""
    out: list[str] = []
    for call in calls:
        out.append(f"T:{call.tool}")
        for field in FIELDS[call.tool]:
            value = call.arguments.get(field.name)
            if value:
                out += [f"A:{field.name}", *_content(field, value)]
    return [*out, JOIN]


def _content(field: Field, value: str | list[str]) -> list[str]:
    if field.kind == "choice":
        return [f"V:{value}"]
    out: list[str] = []
    for number, item in enumerate(value if isinstance(value, list) else [value]):
        out += [ITEM] if number else []
        text = read_string(item)
        for part in text.parts if isinstance(text, Template) else (text,):
            if isinstance(part, Reference):
                out.append(f"R:{part.index}")
            else:
                out += [f"W:{word.text}" for word in split_words(part)]
    return out
