"""The public plan of calls whose words are right as they stand: only dates and defaults are filled in.

Unlike the planners' compiler nothing is guessed or restored here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tinyagent.domain.dates import format_moment
from tinyagent.domain.plan import END_OF_PLAN, JOIN, Call, Value, format_call
from tinyagent.domain.plan_parser import read_string
from tinyagent.planners.dictation import written_file_name
from tinyagent.planners.inner import DraftCall
from tinyagent.planners.moments import DateReader
from tinyagent.planners.symbols import FIELDS

_ZOOM = "get_zoom_meeting_link"
_MOMENT = "%Y-%m-%d %H:%M:%S"


def literal_plan(query: str, now: datetime, drafts: Sequence[DraftCall]) -> tuple[str, datetime | None]:
    """The plan as text, and the earliest moment with a time in it. Raises ValueError for an unread date."""
    writer = _Writer(query, now)
    calls = [writer.call(index, draft) for index, draft in enumerate(drafts, 1)]
    lines = [format_call(call) for call in calls] + [f"{len(calls) + 1}. {JOIN}(){END_OF_PLAN}"]
    return "\n".join(lines), min(writer.moments, default=None)


class _Writer:
    def __init__(self, query: str, now: datetime) -> None:
        self._dates = DateReader(query, now)
        self._now = now
        self._meetings: dict[int, tuple[DraftCall, str, str]] = {}
        self.moments: list[datetime] = []

    def call(self, index: int, draft: DraftCall) -> Call:
        plain = [self._plain(draft, field.name, field.is_list) for field in FIELDS[draft.tool]]
        if draft.tool == "create_calendar_event":
            plain = self._event(draft, plain)
        elif draft.tool == _ZOOM:
            plain = self._zoom(index, draft, plain)
        elif draft.tool == "create_reminder":
            plain = self._reminder(draft, plain)
        elif draft.tool == "open_and_get_file_path":
            plain = [read_string(written_file_name(draft.text("file_name")))]
        elif draft.tool == "maps_show_directions":
            plain[2] = draft.text("transport") or "d"
        return Call(index, draft.tool, tuple(plain))

    def _plain(self, draft: DraftCall, name: str, is_list: bool) -> Value:
        if is_list:
            return [read_string(item) for item in draft.items(name)]
        return read_string(draft.text(name))

    def _event(self, draft: DraftCall, plain: list[Value]) -> list[Value]:
        reference = draft.text("notes").removeprefix("$")
        meeting = self._meetings.get(int(reference)) if reference.isdecimal() else None
        if meeting is not None and not draft.text("start_date"):
            zoom, start, end = meeting
            plain[0] = plain[0] or zoom.text("topic")
            plain[4] = plain[4] or [read_string(item) for item in zoom.items("meeting_invitees")]
        else:
            start, end = self._span(draft.text("start_date"), draft.text("end_date"))
        return [plain[0], start, end, *plain[3:]]

    def _zoom(self, index: int, draft: DraftCall, plain: list[Value]) -> list[Value]:
        start, end = self._span(draft.text("start_time"), draft.text("duration"))
        self._meetings[index] = (draft, start, end)
        length = datetime.strptime(end, _MOMENT) - datetime.strptime(start, _MOMENT)
        return [plain[0], start, round(length.total_seconds() / 60), plain[3]]

    def _span(self, start: str, end: str) -> tuple[str, str]:
        written = self._dates.span(start, end)
        try:
            moment = datetime.strptime(written[0], _MOMENT)
            datetime.strptime(written[1], _MOMENT)
        except ValueError:
            raise ValueError(f'the date "{start}" or its end "{end}" cannot be read') from None
        if start:
            self.moments.append(moment)
        return written

    def _reminder(self, draft: DraftCall, plain: list[Value]) -> list[Value]:
        phrase = draft.text("due_date")
        due, all_day = self._now.date().isoformat(), True
        if phrase:
            moment, _ = self._dates.moment(phrase)
            due, all_day = format_moment(moment), not moment.has_time
            self.moments += [] if all_day else [moment.value]
        priority = draft.text("priority")
        return [plain[0], due, *plain[2:4], int(priority) if priority else 0, all_day]
