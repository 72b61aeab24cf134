"""From the calls that a small model writes to the public plan: what rules decide is decided here.

A model leaves out what is absent or follows from a rule, and writes a date as the user's own
phrase. Compiling fills defaults, resolves phrases against the user's `now`, and restores the
capital letter with which a text begins. A phrase that cannot be read stays as it is: the tool that
gets it reports it, and it never becomes "now".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from tinyagent.domain.dates import format_moment, resolve_minutes
from tinyagent.domain.plan import Call, Template, Value
from tinyagent.domain.plan_parser import read_string
from tinyagent.errors import DateUnreadable
from tinyagent.planners.dictation import capitalised, dictated, restored, written_file_name
from tinyagent.planners.moments import DEFAULT_MINUTES, DateReader
from tinyagent.planners.names import looked_up_name, whole_place
from tinyagent.planners.subjects import subject_of
from tinyagent.planners.telling import calendar_of, priority_of, transport_of

_ZOOM = "get_zoom_meeting_link"
_REFERENCE = re.compile(r"\$(\d+)|\$\{(\d+)\}")


@dataclass(frozen=True)
class DraftCall:
    """A call as a small model writes it: absent arguments left out, dates as the user's phrases.

    Texts may hold references and escaped dollars as in the plan language. A list may be left out
    or empty; a duration may be a phrase ("half an hour") or the clock time of the end.
    """

    tool: str
    arguments: dict[str, str | list[str]] = field(default_factory=dict[str, "str | list[str]"])

    def text(self, name: str) -> str:
        """A text argument, "" when it is absent."""
        value = self.arguments.get(name, "")
        return value if isinstance(value, str) else ""

    def items(self, name: str) -> list[str]:
        """A list argument, empty when it is absent."""
        value = self.arguments.get(name, [])
        return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class _Meeting:
    """A Zoom call that was compiled: an event that holds its link takes from it what it lacks."""

    topic: str
    start: str
    end: str
    invitees: list[str]


class PlanCompiler:
    """Compiles the calls of one plan in their order. `first_index` is the number of the first."""

    def __init__(self, query: str, now: datetime, first_index: int = 1) -> None:
        self._query = query
        self._now = now
        self._next = first_index
        self._shift = first_index - 1
        self._drafts: list[DraftCall] = []
        self._dates = DateReader(query, now)
        self._meetings: dict[int, _Meeting] = {}
        self._builders: dict[str, Callable[[DraftCall], list[Value]]] = {
            "create_calendar_event": self._event,
            "get_phone_number": self._lookup,
            "get_email_address": self._lookup,
            "open_and_get_file_path": self._file,
            "summarize_pdf": self._summary,
            "compose_new_email": self._email,
            "reply_to_email": self._reply,
            "forward_email": self._forward,
            "maps_open_location": self._place,
            "maps_show_directions": self._directions,
            "create_note": self._note,
            "open_note": self._open_note,
            "append_note_content": self._note,
            "create_reminder": self._reminder,
            "send_sms": self._sms,
            _ZOOM: self._zoom,
        }

    def compile(self, draft: DraftCall) -> Call:
        """The public form of the next call. Raises KeyError for a tool that is not built in."""
        index = self._next
        arguments = self._builders[draft.tool](draft)
        self._next += 1
        self._drafts.append(draft)
        return Call(index, draft.tool, tuple(arguments))

    # --- tools with dates --------------------------------------------------------------------

    def _event(self, draft: DraftCall) -> list[Value]:
        meeting = self._meeting_of(draft.text("notes"))
        if meeting is not None and not draft.text("start_date"):
            start, end = meeting.start, meeting.end
        else:
            start, end = self._dates.span(draft.text("start_date"), draft.text("end_date"))
        title = draft.text("title") or (meeting.topic if meeting else draft.text("location") or "Event")
        invitees = draft.items("invitees") or (meeting.invitees if meeting else [])
        return [
            self._sentence(title), start, end, self._place_name(draft.text("location")), self._list(invitees),
            self._value(self._as_dictated(draft.text("notes"))),
            self._name(draft.text("calendar") or calendar_of(self._query)),
        ]  # fmt: skip

    def _zoom(self, draft: DraftCall) -> list[Value]:
        topic = draft.text("topic") or "Zoom meeting"
        start, end = self._dates.span(draft.text("start_time"), draft.text("duration"))
        self._meetings[self._next] = _Meeting(topic, start, end, draft.items("meeting_invitees"))
        minutes = _length(start, end)
        if minutes is None:
            minutes = _minutes_of(draft.text("duration"))
        return [self._sentence(topic), start, minutes, self._list(draft.items("meeting_invitees"))]

    def _reminder(self, draft: DraftCall) -> list[Value]:
        phrase = draft.text("due_date")
        due, all_day = phrase, False
        if not phrase:
            due, all_day = self._now.date().isoformat(), True
        else:
            try:
                moment, _ = self._dates.moment(phrase)
                due, all_day = format_moment(moment), not moment.has_time
            except DateUnreadable:
                pass
        given = draft.text("priority")
        priority = int(given) if given.isdigit() else priority_of(self._query)
        return [
            self._sentence(draft.text("name")), due, self._value(self._as_dictated(draft.text("notes"))),
            self._name(draft.text("list_name")), priority, all_day,
        ]  # fmt: skip

    def _meeting_of(self, notes: str) -> _Meeting | None:
        match = _REFERENCE.fullmatch(notes.strip())
        return self._meetings.get(int(match[1] or match[2]) + self._shift) if match else None

    # --- tools without dates -----------------------------------------------------------------

    def _email(self, draft: DraftCall) -> list[Value]:
        return [
            self._list(draft.items("recipients")), self._list(draft.items("cc")),
            self._sentence(self._subject(draft)), self._text(draft.text("context")),
            self._list(draft.items("attachments")),
        ]  # fmt: skip

    def _subject(self, draft: DraftCall) -> str:
        return subject_of(draft, self._drafts, self._query)

    def _reply(self, draft: DraftCall) -> list[Value]:
        context = self._text(draft.text("context"))
        return [self._list(draft.items("cc")), context, self._list(draft.items("attachments"))]

    def _forward(self, draft: DraftCall) -> list[Value]:
        return [self._list(draft.items("recipients")), *self._reply(draft)]

    def _directions(self, draft: DraftCall) -> list[Value]:
        transport = transport_of(self._query) or draft.text("transport")
        return [
            self._place_name(draft.text("start_location")), self._place_name(draft.text("end_location")),
            transport if transport in ("w", "r") else "d",
        ]  # fmt: skip

    def _note(self, draft: DraftCall) -> list[Value]:
        content = self._value(self._as_dictated(draft.text("content")))
        return [self._name(draft.text("name")), content, self._name(draft.text("folder"))]

    def _sms(self, draft: DraftCall) -> list[Value]:
        return [self._list(draft.items("recipients")), self._text(draft.text("message"))]

    def _file(self, draft: DraftCall) -> list[Value]:
        return [self._name(written_file_name(restored(draft.text("file_name"), self._query)))]

    def _summary(self, draft: DraftCall) -> list[Value]:
        return [self._value(draft.text("pdf_path"))]

    def _lookup(self, draft: DraftCall) -> list[Value]:
        return [self._value(looked_up_name(draft.text("name"), self._query))]

    def _open_note(self, draft: DraftCall) -> list[Value]:
        return [self._name(draft.text("name")), self._name(draft.text("folder"))]

    def _place(self, draft: DraftCall) -> list[Value]:
        return [self._place_name(draft.text("location"))]

    # --- texts -------------------------------------------------------------------------------

    def _value(self, text: str) -> Value:
        """A text with its references, numbered for the public plan."""
        value = read_string(text)
        if self._shift == 0 or not isinstance(value, Template):
            return value
        parts = (
            part if isinstance(part, str) else type(part)(part.index + self._shift) for part in value.parts
        )
        return Template(tuple(parts))

    def _list(self, items: Iterable[str]) -> Value:
        return [self._value(item) for item in dict.fromkeys(items)]

    def _name(self, text: str) -> Value:
        """A name, place, file or folder as the request writes it."""
        return self._value(restored(text, self._query))

    def _place_name(self, text: str) -> Value:
        return self._value(whole_place(restored(text, self._query), self._query))

    def _text(self, text: str) -> Value:
        """What a mail or message says."""
        return self._sentence(dictated(text, self._query))

    def _sentence(self, text: str) -> Value:
        return self._value(capitalised(text, self._query))

    def _as_dictated(self, text: str) -> str:
        """Text that stands in the request word by word stays so; other text begins with a capital."""
        text = dictated(text, self._query)
        return text if text and text in self._query else capitalised(text, self._query)


def _length(start: str, end: str) -> int | None:
    """Minutes between two written moments; None when one of them is an unread phrase."""
    try:
        return round((datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 60)
    except ValueError:
        return None


def _minutes_of(phrase: str) -> int:
    try:
        return resolve_minutes(phrase) if phrase else DEFAULT_MINUTES
    except DateUnreadable:
        return DEFAULT_MINUTES
