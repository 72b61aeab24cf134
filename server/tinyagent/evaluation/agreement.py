"""When an argument of a generated plan agrees with the reference's.

Three classes, by tool and parameter:

- `EXACT`: dates, numbers, addresses, paths, transport and flags are equal.
- `NAME`: names, places and folders are equal but for case, spacing and a leading article.
- `TEXT`: free text agrees by its words, as far as two people would word the same thing alike.

Items of a list agree by the parameter's class, and lists are compared as sets. References are
compared after the isomorphism has translated the generated plan's numbers to the reference's.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from enum import Enum

from tinyagent.domain.plan import Call, Reference, Template, Value

MINIMAL_F1 = 0.6
"""Free text agrees from this token F1 on."""


class ArgumentClass(Enum):
    """How an argument is compared."""

    EXACT = "exact"
    NAME = "name"
    TEXT = "text"


EXACT, NAME, TEXT = ArgumentClass.EXACT, ArgumentClass.NAME, ArgumentClass.TEXT

CLASSES: dict[str, dict[str, ArgumentClass]] = {
    "create_calendar_event": {
        "title": TEXT,
        "start_date": EXACT,
        "end_date": EXACT,
        "location": NAME,
        "invitees": NAME,
        "notes": TEXT,
        "calendar": NAME,
    },
    "get_phone_number": {"name": NAME},
    "get_email_address": {"name": NAME},
    "open_and_get_file_path": {"file_name": NAME},
    "summarize_pdf": {"pdf_path": EXACT},
    "compose_new_email": {
        "recipients": NAME,
        "cc": NAME,
        "subject": TEXT,
        "context": TEXT,
        "attachments": EXACT,
    },
    "reply_to_email": {"cc": NAME, "context": TEXT, "attachments": EXACT},
    "forward_email": {"recipients": NAME, "cc": NAME, "context": TEXT, "attachments": EXACT},
    "maps_open_location": {"location": NAME},
    "maps_show_directions": {"start_location": NAME, "end_location": NAME, "transport": EXACT},
    "create_note": {"name": NAME, "content": TEXT, "folder": NAME},
    "open_note": {"name": NAME, "folder": NAME},
    "append_note_content": {"name": NAME, "content": TEXT, "folder": NAME},
    "create_reminder": {
        "name": TEXT,
        "due_date": EXACT,
        "notes": TEXT,
        "list_name": NAME,
        "priority": EXACT,
        "all_day": EXACT,
    },
    "send_sms": {"recipients": NAME, "message": TEXT},
    "get_zoom_meeting_link": {
        "topic": TEXT,
        "start_time": EXACT,
        "duration": EXACT,
        "meeting_invitees": NAME,
    },
}
"""The parameters of the built-in tools in their order; those of other tools are all `EXACT`."""

_Atom = str | tuple[str, object]
_ARTICLE = re.compile(r"(?:the|an|a) (?=.)")
_APOSTROPHES = re.compile(r"['\u2019]")
_WORD = re.compile(r"\w+")


def disagreements(reference: Call, generated: Call, translation: Mapping[int, int]) -> list[str]:
    """The parameters in which two calls of one tool disagree, as `tool.parameter`.

    `translation` leads from numbers of the generated plan to numbers of the reference.
    """
    if len(reference.arguments) != len(generated.arguments):
        return [f"{reference.tool}.(number of arguments)"]
    classes = CLASSES.get(reference.tool, {})
    names = [*classes, *(f"argument {n}" for n in range(len(classes) + 1, len(reference.arguments) + 1))]
    same = {index: index for index in reference.references}
    return [
        f"{reference.tool}.{name}"
        for name, expected, given in zip(names, reference.arguments, generated.arguments, strict=False)
        if not _agree(classes.get(name, EXACT), expected, same, given, translation)
    ]


def _agree(
    kind: ArgumentClass,
    expected: Value,
    same: Mapping[int, int],
    given: Value,
    translation: Mapping[int, int],
) -> bool:
    if isinstance(expected, list) or isinstance(given, list):
        if not (isinstance(expected, list) and isinstance(given, list)):
            return False
        return {_atom(kind, item, same) for item in expected} == {
            _atom(kind, item, translation) for item in given
        }
    if kind is TEXT and isinstance(expected, (str, Template)) and isinstance(given, (str, Template)):
        return _texts_agree(expected, same, given, translation)
    return _atom(kind, expected, same) == _atom(kind, given, translation)


def _atom(kind: ArgumentClass, value: Value, translation: Mapping[int, int]) -> _Atom:
    """The value in a form in which agreeing values are equal."""
    if isinstance(value, (str, Template)):
        text = _flat(value, translation)
        return text if kind is EXACT else _name(text)
    if isinstance(value, list):
        return ("list", tuple(_atom(kind, item, translation) for item in value))
    if isinstance(value, bool) or value is None:
        return ("flag", value)
    return ("number", value)


def _name(text: str) -> str:
    folded = " ".join(text.casefold().split())
    article = _ARTICLE.match(folded)
    return folded[article.end() :] if article else folded


def _flat(value: str | Template, translation: Mapping[int, int]) -> str:
    """The text with translated references in a form that no text of a plan has."""
    if isinstance(value, str):
        return value
    return "".join(
        f"\0{translation.get(part.index, -part.index)}\0" if isinstance(part, Reference) else part
        for part in value.parts
    )


def _texts_agree(
    expected: str | Template, same: Mapping[int, int], given: str | Template, translation: Mapping[int, int]
) -> bool:
    references = _translated(expected, same)
    if references != _translated(given, translation):
        return False
    expected_words, given_words = _words(expected), _words(given)
    if references and not (expected_words and given_words):
        return True
    if not expected_words and not given_words:
        return _flat(expected, same).strip() == _flat(given, translation).strip()
    return token_f1(expected_words, given_words) >= MINIMAL_F1


def _translated(value: str | Template, translation: Mapping[int, int]) -> set[int]:
    indexes = value.references if isinstance(value, Template) else ()
    return {translation.get(index, -index) for index in indexes}


def _words(value: str | Template) -> list[str]:
    parts = value.parts if isinstance(value, Template) else (value,)
    text = " ".join(part for part in parts if isinstance(part, str))
    return _WORD.findall(_APOSTROPHES.sub("", text.casefold()))


def token_f1(expected: list[str], given: list[str]) -> float:
    """The harmonic mean of precision and recall of words, each counted as often as it stands."""
    common = (Counter(expected) & Counter(given)).total()
    total = len(expected) + len(given)
    return 2 * common / total if total else 1.0
