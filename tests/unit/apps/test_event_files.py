"""An event names its people; a server tells them only where it is asked to."""

from __future__ import annotations

from datetime import datetime

import vobject

from tinyagent.apps.base import EventDraft
from tinyagent.apps.formats.entries import event_file

DRAFT = EventDraft(
    "Lunch", datetime(2026, 11, 27, 12, 30), datetime(2026, 11, 27, 13, 30), "", ("ann@example.com",), "", ""
)


def attendee(quiet: bool) -> dict[str, list[str]]:
    _, content = event_file(DRAFT, None, "me@example.com", quiet=quiet)
    (found,) = vobject.readOne(content.decode()).vevent.attendee_list
    assert found.value == "mailto:ann@example.com"
    return found.params


def test_a_server_that_schedules_is_told_to_keep_quiet() -> None:
    assert attendee(quiet=True)["SCHEDULE-AGENT"] == ["CLIENT"]
    assert "SCHEDULE-AGENT" not in attendee(quiet=False)
