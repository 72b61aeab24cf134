"""The subject of a mail whose user gave it none.

A mail that carries one file or note and nothing else is about that: a subject that shares no word with it
or with what the mail says, or that is the title of something else in the plan, gives way to its name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinyagent.planners.inner import DraftCall

_GIVEN = re.compile(r"\b(?:subject|titled?|head(?:ed|ing|er|line)|re:)", re.IGNORECASE)
_REFERENCE = re.compile(r"(?<!\$)\$(?:(\d+)|\{(\d+)\})")
_FILE = re.compile(r"(?:[~/\\][^\s/\\]*)*[\w-][\w().-]*\.(?=\w*[a-z])\w{2,5}\b", re.IGNORECASE)
_SEPARATORS = re.compile(r"[\s_.-]+")
_VERSION = re.compile(r"(?: (?:\S*\d\S*|final|draft|rev|[A-Z]))+$", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_SMALL = frozenset(("a", "an", "and", "for", "from", "in", "is", "of", "on", "the", "to", "with"))
_TITLES = {
    "create_calendar_event": "title",
    "get_zoom_meeting_link": "topic",
    "create_note": "name",
    "append_note_content": "name",
}


def subject_of(mail: DraftCall, earlier: Sequence[DraftCall], query: str) -> str:
    """The mail's subject. `earlier` are the calls before it, which its references number from 1."""
    subject = mail.text("subject")
    carried = _carried(mail, earlier)
    if carried is None or _GIVEN.search(query):
        return subject
    name = _named_after(carried, earlier)
    others = {call.text(_TITLES[call.tool]).lower() for call in earlier if call.tool in _TITLES}
    own = _words(name) | _words(mail.text("context"))
    if name and (not _words(subject) & own or subject.lower() in others - {name.lower()}):
        return name
    if carried.tool == "summarize_pdf":
        return _FILE.sub(lambda match: spoken_file(match.group()), subject)
    return subject


def spoken_file(name: str) -> str:
    """A file's name as people say it: without folders, ending, underscores and hyphens."""
    stem = re.split(r"[/\\]", name)[-1]
    return _SEPARATORS.sub(" ", stem.rpartition(".")[0] or stem).strip()


def _carried(mail: DraftCall, earlier: Sequence[DraftCall]) -> DraftCall | None:
    """The call whose result the mail carries, in its text or else attached; None unless it is one."""
    texts = [mail.text("context")]
    if not _REFERENCE.search(texts[0]):
        texts = mail.items("attachments")
    numbers = {int(match[1] or match[2]) for text in texts for match in _REFERENCE.finditer(text)}
    alone = len(numbers) == 1 and len(texts) == 1 and max(numbers) <= len(earlier)
    return earlier[numbers.pop() - 1] if alone else None


def _named_after(call: DraftCall, earlier: Sequence[DraftCall]) -> str:
    match call.tool:
        case "open_note":
            return call.text("name")
        case "open_and_get_file_path":
            spoken = spoken_file(call.text("file_name"))
            return _VERSION.sub("", spoken) or spoken
        case "summarize_pdf":
            path = call.text("pdf_path")
            number = _REFERENCE.fullmatch(path)
            file = earlier[int(number[1] or number[2]) - 1].text("file_name") if number else path
            return f"Summary of {spoken_file(file)}" if file else ""
        case _:
            return ""


def _words(text: str) -> set[str]:
    """The words that tell something, those of a file's name one by one."""
    found = {word.lower() for word in _WORD.findall(_SEPARATORS.sub(" ", text))}
    return found - _SMALL
