"""From a small model's calls to the public plan."""

from __future__ import annotations

from datetime import datetime

from tinyagent.domain.plan import format_call
from tinyagent.planners.dictation import capitalised
from tinyagent.planners.inner import DraftCall, PlanCompiler

NOW = datetime(2026, 3, 4, 10, 0)  # a Wednesday


def _lines(query: str, *drafts: DraftCall, first_index: int = 1) -> list[str]:
    compiler = PlanCompiler(query, NOW, first_index)
    return [format_call(compiler.compile(draft)) for draft in drafts]


def test_an_event_without_an_end_lasts_an_hour() -> None:
    draft = DraftCall("create_calendar_event", {"title": "review", "start_date": "tomorrow at 3 pm"})
    assert _lines("review tomorrow at 3 pm", draft) == [
        '1. create_calendar_event("Review", "2026-03-05 15:00:00", "2026-03-05 16:00:00", "", [], "", "")'
    ]


def test_an_event_without_a_time_starts_at_nine() -> None:
    draft = DraftCall("create_calendar_event", {"title": "Fair", "start_date": "on Friday"})
    assert '"2026-03-06 09:00:00", "2026-03-06 10:00:00"' in _lines("fair on Friday", draft)[0]


def test_the_end_is_a_clock_time_or_a_duration() -> None:
    for phrase in ("4:30 pm", "an hour and a half"):
        draft = DraftCall(
            "create_calendar_event", {"title": "Talk", "start_date": "tomorrow at 3 pm", "end_date": phrase}
        )
        assert '"2026-03-05 15:00:00", "2026-03-05 16:30:00"' in _lines(f"talk {phrase}", draft)[0]


def test_a_range_in_the_request_decides_between_morning_and_evening() -> None:
    draft = DraftCall("create_calendar_event", {"title": "T", "start_date": "Friday 10", "end_date": "11 pm"})
    assert '"2026-03-06 22:00:00", "2026-03-06 23:00:00"' in _lines("T Friday 10 to 11 pm", draft)[0]


def test_an_event_takes_what_it_lacks_from_the_zoom_meeting_in_its_notes() -> None:
    lines = _lines(
        "zoom with Ann friday 3pm for 30 minutes",
        DraftCall("get_email_address", {"name": "Ann"}),
        DraftCall(
            "get_zoom_meeting_link",
            {
                "topic": "catch-up",
                "start_time": "friday 3pm",
                "duration": "30 minutes",
                "meeting_invitees": ["$1"],
            },
        ),
        DraftCall("create_calendar_event", {"notes": "$2"}),
    )
    assert lines[1:] == [
        '2. get_zoom_meeting_link("Catch-up", "2026-03-06 15:00:00", 30, ["$1"])',
        '3. create_calendar_event("Catch-up", "2026-03-06 15:00:00", "2026-03-06 15:30:00", "", '
        '["$1"], "$2", "")',
    ]


def test_a_zoom_meeting_without_a_length_takes_an_hour() -> None:
    draft = DraftCall("get_zoom_meeting_link", {"topic": "Sync", "start_time": "friday 3pm"})
    assert _lines("sync", draft) == ['1. get_zoom_meeting_link("Sync", "2026-03-06 15:00:00", 60, [])']


def test_reminders_without_a_time_or_date_are_all_day() -> None:
    day = DraftCall("create_reminder", {"name": "call mum", "due_date": "on Friday"})
    none = DraftCall("create_reminder", {"name": "call mum", "priority": "1"})
    timed = DraftCall("create_reminder", {"name": "call mum", "due_date": "tonight at 9"})
    assert _lines("remind me", day) == ['1. create_reminder("Call mum", "2026-03-06", "", "", 0, True)']
    assert _lines("remind me", none) == ['1. create_reminder("Call mum", "2026-03-04", "", "", 1, True)']
    assert _lines("remind me", timed) == [
        '1. create_reminder("Call mum", "2026-03-04 21:00:00", "", "", 0, False)'
    ]


def test_an_unreadable_date_stays_as_written() -> None:
    draft = DraftCall("create_reminder", {"name": "Pay", "due_date": "when pigs fly"})
    assert _lines("x", draft) == ['1. create_reminder("Pay", "when pigs fly", "", "", 0, False)']
    event = DraftCall("create_calendar_event", {"title": "Pay", "start_date": "when pigs fly"})
    assert '"when pigs fly", ""' in _lines("x", event)[0]


def test_an_hour_before_leans_on_the_call_before() -> None:
    lines = _lines(
        "talk friday 3pm, an hour before remind me",
        DraftCall("create_calendar_event", {"title": "Talk", "start_date": "friday 3pm"}),
        DraftCall("create_reminder", {"name": "Prepare", "due_date": "an hour before"}),
    )
    assert '"2026-03-06 14:00:00"' in lines[1]


def test_dollars_of_the_user_are_doubled_and_references_kept() -> None:
    draft = DraftCall("send_sms", {"recipients": ["$1"], "message": "you owe me $$25: $2"})
    assert _lines("x", draft) == ['1. send_sms(["$1"], "You owe me $$25: $2")']


def test_references_follow_the_first_number_of_the_plan() -> None:
    draft = DraftCall("send_sms", {"recipients": ["$1"], "message": "see $2"})
    assert _lines("x", draft, first_index=4) == ['4. send_sms(["$4"], "See $5")']


def test_quoted_words_keep_their_case() -> None:
    assert capitalised("locked in", "text him 'locked in'") == "locked in"
    assert capitalised("locked in", "text him locked in") == "Locked in"
    assert capitalised("i'm late", "tell him I am late") == "I'm late"
    assert capitalised("report.pdf is attached", "send it") == "report.pdf is attached"


def test_transport_defaults_to_driving() -> None:
    draft = DraftCall("maps_show_directions", {"end_location": "Bath"})
    assert _lines("way to Bath", draft) == ['1. maps_show_directions("", "Bath", "d")']
