"""The built-in tools, in the order of the classifier's classes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tinyagent.domain.tools import Effect, ToolSpec, spec_of
from tinyagent.ports import ToolResult
from tinyagent.tools.calendar import create_calendar_event
from tinyagent.tools.contacts import get_email_address, get_phone_number
from tinyagent.tools.files import open_and_get_file_path, summarize_pdf
from tinyagent.tools.mail import (
    compose_new_email,
    forward_details,
    forward_email,
    reply_details,
    reply_to_email,
)
from tinyagent.tools.maps import maps_open_location, maps_show_directions
from tinyagent.tools.meetings import get_zoom_meeting_link
from tinyagent.tools.messages import send_sms
from tinyagent.tools.notes import append_details, append_note_content, create_note, open_note
from tinyagent.tools.reminders import create_reminder

Function = Callable[..., Awaitable[ToolResult]]
Details = Callable[..., Awaitable[dict[str, str]]]
"""Takes the context and the arguments of the call, as the tool does."""


@dataclass(frozen=True)
class Tool:
    """A tool's function with what it says about itself.

    `details` tells what an approval has to show beyond the arguments, where there is such a thing.
    """

    spec: ToolSpec
    function: Function
    details: Details | None = None


def _tool(function: Function, effect: Effect, app: str, details: Details | None = None) -> Tool:
    return Tool(spec_of(function, effect, app), function, details)


BUILT_IN: tuple[Tool, ...] = (
    _tool(create_calendar_event, "write", "calendar"),
    _tool(get_phone_number, "read", "contacts"),
    _tool(get_email_address, "read", "contacts"),
    _tool(open_and_get_file_path, "open", "files"),
    _tool(summarize_pdf, "read", "files"),
    _tool(compose_new_email, "send", "mail"),
    _tool(reply_to_email, "send", "mail", reply_details),
    _tool(forward_email, "send", "mail", forward_details),
    _tool(maps_open_location, "open", "maps"),
    _tool(maps_show_directions, "open", "maps"),
    _tool(create_note, "write", "notes"),
    _tool(open_note, "read", "notes"),
    _tool(append_note_content, "write", "notes", append_details),
    _tool(create_reminder, "write", "reminders"),
    _tool(send_sms, "send", "messages"),
    _tool(get_zoom_meeting_link, "write", "meetings"),
)
