"""Tools are read from functions; nothing is written twice."""

from __future__ import annotations

import pytest

from tinyagent.domain.plan_parser import parse_call
from tinyagent.domain.tools import spec_of
from tinyagent.errors import ArgumentError
from tinyagent.tools.registry import BUILT_IN


def remind(context: object, name: str, people: list[str], priority: int, all_day: bool) -> str:
    """Remind of something,
    some day.

    Args:
        name: The thing to do,
            in short.
        people: Who is meant.
        priority: From 1 to 9.
        all_day: Without a time.

    Returns:
        Its identifier.
    """
    raise NotImplementedError


def test_name_types_and_descriptions_come_from_the_function() -> None:
    spec = spec_of(remind, "write", "reminders")
    assert spec.signature() == "remind(name: str, people: list[str], priority: int, all_day: bool) -> str"
    assert spec.description == "Remind of something, some day."
    assert spec.parameters[0].description == "The thing to do, in short."
    assert spec.returns == "Its identifier."
    schema = spec.json_schema()
    assert schema["required"] == ["name", "people", "priority", "all_day"]
    assert schema["properties"]["people"]["type"] == "array"


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('1. remind("a", [], 1, True)', None),
        ('2. remind("$1", ["$1"], 1, True)', None),
        ('1. remind("a", [], 1)', "takes 4 arguments"),
        ('1. remind("a", "b", 1, True)', "people must be list"),
        ('1. remind("a", [1], 1, True)', "people must be list"),
        ('1. remind("a", [], True, True)', "priority must be int"),
        ('1. remind("a", [], 1, 1)', "all_day must be bool"),
        ("1. remind(None, [], 1, True)", "name must be str"),
    ],
)
def test_arguments_are_checked_before_anything_runs(line: str, fault: str | None) -> None:
    spec = spec_of(remind, "write", "reminders")
    if fault is None:
        spec.check(parse_call(line).arguments)
        return
    with pytest.raises(ArgumentError, match=fault):
        spec.check(parse_call(line).arguments)


def test_an_argument_without_description_is_refused_at_once() -> None:
    def nameless(context: object, name: str) -> str:
        """Does something."""
        raise NotImplementedError

    with pytest.raises(TypeError, match="nameless: name"):
        spec_of(nameless, "read", "")


def test_the_sixteen_tools_have_the_signatures_of_the_published_models() -> None:
    signatures = [tool.spec.signature().removesuffix(" -> str") for tool in BUILT_IN]
    assert signatures == [
        "create_calendar_event(title: str, start_date: str, end_date: str, location: str, "
        "invitees: list[str], notes: str, calendar: str)",
        "get_phone_number(name: str)",
        "get_email_address(name: str)",
        "open_and_get_file_path(file_name: str)",
        "summarize_pdf(pdf_path: str)",
        "compose_new_email(recipients: list[str], cc: list[str], subject: str, context: str, "
        "attachments: list[str])",
        "reply_to_email(cc: list[str], context: str, attachments: list[str])",
        "forward_email(recipients: list[str], cc: list[str], context: str, attachments: list[str])",
        "maps_open_location(location: str)",
        "maps_show_directions(start_location: str, end_location: str, transport: str)",
        "create_note(name: str, content: str, folder: str)",
        "open_note(name: str, folder: str)",
        "append_note_content(name: str, content: str, folder: str)",
        "create_reminder(name: str, due_date: str, notes: str, list_name: str, priority: int, all_day: bool)",
        "send_sms(recipients: list[str], message: str)",
        "get_zoom_meeting_link(topic: str, start_time: str, duration: int, meeting_invitees: list[str])",
    ]
