"""The host offers the sixteen tools, checks calls and turns every failure into words."""

from __future__ import annotations

import asyncio
import errno
import logging
import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tinyagent.apps.portable import portable_desktop
from tinyagent.apps.zoom import DemoMeetings, ZoomMeetings
from tinyagent.domain.tools import spec_of
from tinyagent.errors import (
    AccessDenied,
    AppFailed,
    ArgumentError,
    NotConfigured,
    OutcomeUnknown,
    StorageFull,
    TinyAgentError,
    UnknownTool,
)
from tinyagent.ports import CallContext, ToolHost, ToolResult
from tinyagent.tools.context import ToolContext
from tinyagent.tools.host import LocalToolHost
from tinyagent.tools.registry import BUILT_IN, Tool
from tinyagent.writers.composed import ComposedWriter
from tinyagent.writers.extractive import ExtractiveSummarizer

NOW = CallContext(datetime(2024, 4, 1, 8))

SIGNATURES = [
    "create_calendar_event(title: str, start_date: str, end_date: str, location: str, "
    "invitees: list[str], notes: str, calendar: str) -> str",
    "get_phone_number(name: str) -> str",
    "get_email_address(name: str) -> str",
    "open_and_get_file_path(file_name: str) -> str",
    "summarize_pdf(pdf_path: str) -> str",
    "compose_new_email(recipients: list[str], cc: list[str], subject: str, context: str, "
    "attachments: list[str]) -> str",
    "reply_to_email(cc: list[str], context: str, attachments: list[str]) -> str",
    "forward_email(recipients: list[str], cc: list[str], context: str, attachments: list[str]) -> str",
    "maps_open_location(location: str) -> str",
    "maps_show_directions(start_location: str, end_location: str, transport: str) -> str",
    "create_note(name: str, content: str, folder: str) -> str",
    "open_note(name: str, folder: str) -> str",
    "append_note_content(name: str, content: str, folder: str) -> str",
    "create_reminder(name: str, due_date: str, notes: str, list_name: str, priority: int, "
    "all_day: bool) -> str",
    "send_sms(recipients: list[str], message: str) -> str",
    "get_zoom_meeting_link(topic: str, start_time: str, duration: int, meeting_invitees: list[str]) -> str",
]


def _host(data: Path, *tools: Tool, **options: Any) -> LocalToolHost:
    desktop = portable_desktop(data, meetings=DemoMeetings(), folders=[data])
    return LocalToolHost(
        desktop, ComposedWriter(ExtractiveSummarizer()), **({"tools": tools} if tools else {}), **options
    )


def _failing(error: BaseException) -> Tool:
    async def tool(context: ToolContext, text: str) -> ToolResult:
        """Fail.

        Args:
            text: Anything.
        """
        raise error

    return Tool(spec_of(tool, "write", "test"), tool)


def test_the_tools_are_the_sixteen_in_the_order_of_their_classes() -> None:
    assert [tool.spec.signature() for tool in BUILT_IN] == SIGNATURES


def test_every_tool_says_what_it_does_and_returns() -> None:
    for tool in BUILT_IN:
        assert re.fullmatch(r"[A-Z].*\.", tool.spec.description), tool.spec.name
        assert tool.spec.returns, tool.spec.name
        assert tool.spec.app, tool.spec.name


def test_tools_that_could_send_say_so_and_why_they_only_draft(tmp_path: Path) -> None:
    statuses = {status.spec.name: status for status in _host(tmp_path).tools()}

    senders = {"compose_new_email", "reply_to_email", "forward_email", "send_sms"}
    assert {name for name, status in statuses.items() if status.spec.effect == "send"} == senders
    assert {name for name, status in statuses.items() if status.drafts_only} == senders
    assert "mail server" in statuses["compose_new_email"].drafts_only
    assert "text messages" in statuses["send_sms"].drafts_only


async def test_zoom_without_credentials_is_disabled_with_the_reason(tmp_path: Path) -> None:
    desktop = portable_desktop(tmp_path, meetings=ZoomMeetings("", "", "", "UTC"), folders=[tmp_path])
    host: ToolHost = LocalToolHost(desktop, ComposedWriter(ExtractiveSummarizer()))

    disabled = {status.spec.name: status.reason for status in host.tools() if not status.enabled}

    assert list(disabled) == ["get_zoom_meeting_link"]
    assert "Zoom" in disabled["get_zoom_meeting_link"]
    with pytest.raises(NotConfigured):
        await host.call("get_zoom_meeting_link", ("Sync", "2024-04-06 10:00:00", 60, []), NOW)


async def test_an_unknown_tool_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownTool, match="rm_rf"):
        await _host(tmp_path).call("rm_rf", (), NOW)


@pytest.mark.parametrize(
    "arguments", [(), ("Sid", "x"), (3,), (None,), (["Sid"],), ("half a pair \ud83c",)], ids=repr
)
async def test_arguments_that_do_not_fit_are_an_error(tmp_path: Path, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(ArgumentError):
        await _host(tmp_path).call("get_phone_number", arguments, NOW)


async def test_half_a_character_in_a_list_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError):
        await _host(tmp_path).call("send_sms", (["\ud83c"], "hi"), NOW)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/home/me/secret.md"), StorageFull),
        (PermissionError(errno.EACCES, "Permission denied", "/home/me/secret.md"), AccessDenied),
        (OSError(errno.EIO, "Input/output error", "/home/me/secret.md"), AppFailed),
        (ValueError("the secret text"), OutcomeUnknown),
        (KeyError("secret"), OutcomeUnknown),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
async def test_an_unexpected_failure_is_told_without_private_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, told: type[TinyAgentError]
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(told) as raised:
        await _host(tmp_path, _failing(error)).call("tool", ("secret",), NOW)

    assert "secret" not in str(raised.value)
    assert "secret" not in caplog.text


async def test_an_expected_failure_and_a_cancellation_pass_unchanged(tmp_path: Path) -> None:
    expected = AppFailed("The printer is on fire.")

    with pytest.raises(AppFailed) as raised:
        await _host(tmp_path, _failing(expected)).call("tool", ("",), NOW)
    with pytest.raises(asyncio.CancelledError):
        await _host(tmp_path, _failing(asyncio.CancelledError())).call("tool", ("",), NOW)

    assert raised.value is expected


async def test_a_call_knows_the_time_the_region_and_the_demo(tmp_path: Path) -> None:
    seen: list[ToolContext] = []

    async def tool(context: ToolContext) -> ToolResult:
        """Look around."""
        seen.append(context)
        return ToolResult("", "")

    looking = Tool(spec_of(tool, "read", "test"), tool)
    await _host(tmp_path, looking, region="SE", demo=True).call("tool", (), NOW)

    assert [(context.call, context.region, context.demo) for context in seen] == [(NOW, "SE", True)]


async def test_the_region_decides_about_local_numbers(tmp_path: Path) -> None:
    (tmp_path / "contacts").mkdir()
    (tmp_path / "contacts" / "a.vcf").write_text(
        "BEGIN:VCARD\nVERSION:3.0\nFN:Åsa\nTEL:070-123 45 67\nEND:VCARD\n", "utf-8"
    )

    result = await _host(tmp_path, region="SE").call("get_phone_number", ("Åsa",), NOW)

    assert result.value == "+46701234567"


async def test_calls_made_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    host = _host(tmp_path)
    await host.call("create_note", ("Log", "start", ""), NOW)

    await asyncio.gather(
        *(host.call("append_note_content", ("Log", f"line {n}", ""), NOW) for n in range(6)),
        *(
            host.call("create_reminder", (f"Do {n}", "2024-04-06", "", "New list", 0, True), NOW)
            for n in range(6)
        ),
    )

    assert len((await host.call("open_note", ("Log", ""), NOW)).value.split("\n")) == 7
    assert len(list((tmp_path / "reminders").glob("New list/*.ics"))) == 6


def test_an_own_set_of_tools_can_be_offered(tmp_path: Path) -> None:
    renamed = replace(BUILT_IN[1], spec=replace(BUILT_IN[1].spec, name="phone_of"))

    assert [status.spec.name for status in _host(tmp_path, renamed).tools()] == ["phone_of"]
