"""The mail, file, map and meeting tools on the demo's desktop, with real files throughout."""

from __future__ import annotations

import email
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tinyagent.apps.base import Made, Meeting
from tinyagent.apps.portable import portable_desktop
from tinyagent.apps.portable.files import PortableFiles
from tinyagent.apps.zoom import DemoMeetings
from tinyagent.demo import OWNER, make_demo
from tinyagent.domain.tools import spec_of
from tinyagent.errors import AccessDenied, Ambiguous, DateUnreadable, NoMatch, ToolError, UnreadableFile
from tinyagent.ports import CallContext, ToolResult
from tinyagent.tools.context import ToolContext
from tinyagent.tools.files import open_and_get_file_path, summarize_pdf
from tinyagent.tools.mail import compose_new_email, forward_email, reply_to_email
from tinyagent.tools.maps import maps_open_location, maps_show_directions
from tinyagent.tools.meetings import get_zoom_meeting_link
from tinyagent.writers.composed import ComposedWriter
from tinyagent.writers.extractive import ExtractiveSummarizer

HOSTILE = (
    "quote \" and ' $(touch pwned) `x`",
    "a\r\nBcc: thief@example.com\r\n\r\nb",
    "../../etc/passwd",
    "-rf --help",
    "\u202egnp.exe \u05e9\u05dc\u05d5\u05dd",
    "🎉👩‍👧",
    "$1 ${2} {0} %s",
    "x" * 20_000,
)


class RecordingMeetings(DemoMeetings):
    """Demo meetings that remember what they were asked for."""

    def __init__(self) -> None:
        self.asked: list[Meeting] = []

    async def create(self, meeting: Meeting) -> Made:
        self.asked.append(meeting)
        return await super().create(meeting)


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    return tmp_path / "documents"


@pytest.fixture
def meetings() -> RecordingMeetings:
    return RecordingMeetings()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    make_demo(folder / "data", folder / "documents")
    return folder


@pytest.fixture
def context(made: Path, tmp_path: Path, documents: Path, meetings: RecordingMeetings) -> ToolContext:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    desktop = portable_desktop(tmp_path / "data", meetings=meetings, folders=[documents], sender=OWNER)
    return ToolContext(
        desktop, CallContext(datetime(2026, 11, 22, 10, 0)), ComposedWriter(ExtractiveSummarizer())
    )


def only_draft(tmp_path: Path) -> EmailMessage:
    (file,) = (tmp_path / "data" / "mail" / "Drafts" / "cur").iterdir()
    return email.message_from_bytes(file.read_bytes(), policy=policy.default)


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return part.get_content()


# --- what planners see -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "signature"),
    [
        (
            compose_new_email,
            "compose_new_email(recipients: list[str], cc: list[str], subject: str, context: str, "
            "attachments: list[str])",
        ),
        (reply_to_email, "reply_to_email(cc: list[str], context: str, attachments: list[str])"),
        (
            forward_email,
            "forward_email(recipients: list[str], cc: list[str], context: str, attachments: list[str])",
        ),
        (open_and_get_file_path, "open_and_get_file_path(file_name: str)"),
        (summarize_pdf, "summarize_pdf(pdf_path: str)"),
        (maps_open_location, "maps_open_location(location: str)"),
        (
            maps_show_directions,
            "maps_show_directions(start_location: str, end_location: str, transport: str)",
        ),
        (
            get_zoom_meeting_link,
            "get_zoom_meeting_link(topic: str, start_time: str, duration: int, meeting_invitees: list[str])",
        ),
    ],
)
def test_planners_see_the_published_signature(tool: Callable[..., object], signature: str) -> None:
    spec = spec_of(tool, "read", "app")

    assert spec.signature() == f"{signature} -> str"
    assert spec.description and spec.returns


# --- mail --------------------------------------------------------------------------------------


async def test_a_new_email_becomes_a_draft_with_its_attachment(
    context: ToolContext, tmp_path: Path, documents: Path
) -> None:
    path = str(documents / "Home" / "Lease Agreement.pdf")
    result = await compose_new_email(
        context,
        ["jane.ashdown@example.com"],
        ["zoe.lindqvist@example.com"],
        "The lease",
        "Here it is.",
        [path, ""],
    )

    message = only_draft(tmp_path)
    assert result.value == f"Draft saved: {message['Message-ID']}"
    assert result.message == (
        "Email to jane.ashdown@example.com with Lease Agreement.pdf attached saved as a draft (not sent): "
        "“The lease”."
    )
    assert not result.untrusted
    assert (message["To"], message["Cc"]) == ("jane.ashdown@example.com", "zoe.lindqvist@example.com")
    assert text_of(message) == "Here it is.\n"
    (part,) = message.iter_attachments()
    assert part.get_filename() == "Lease Agreement.pdf"
    assert part.get_payload(decode=True) == Path(path).read_bytes()


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        (
            "Dinner is at seven, and please bring the folding chairs.",
            "Dinner is at seven, and please bring the",
        ),
        ("ok", "ok"),
        ("", ""),
        ("x" * 100, "x" * 60),
        ("two\nlines", "two lines"),
    ],
)
async def test_without_a_subject_the_first_words_are_it(
    context: ToolContext, tmp_path: Path, text: str, subject: str
) -> None:
    await compose_new_email(context, ["a@example.com"], [], " ", text, [])

    assert only_draft(tmp_path)["Subject"] == subject


async def test_empty_entries_are_nobody(context: ToolContext, tmp_path: Path) -> None:
    await compose_new_email(context, ["a@example.com", ""], [""], "S", "T", [""])

    message = only_draft(tmp_path)
    assert (message["To"], message["Cc"]) == ("a@example.com", None)
    assert list(message.iter_attachments()) == []


@pytest.mark.parametrize("recipients", [[], [""], ["Jane"], ["No contact called Jane was found."]])
async def test_a_mail_to_nobody_in_particular_is_refused(
    context: ToolContext, tmp_path: Path, recipients: list[str]
) -> None:
    with pytest.raises(ToolError):
        await compose_new_email(context, recipients, [], "S", "T", [])
    with pytest.raises(ToolError):
        await forward_email(context, recipients, [], "T", [])
    assert not (tmp_path / "data" / "mail" / "Drafts").exists()


@pytest.mark.parametrize("path", ["/etc/hostname", "Lease Agreement.pdf", "/no/such/file", "~/.ssh/id_rsa"])
async def test_only_files_in_open_folders_are_attached(
    context: ToolContext, tmp_path: Path, path: str
) -> None:
    for act in (
        compose_new_email(context, ["a@example.com"], [], "S", "T", [path]),
        reply_to_email(context, [], "T", [path]),
        forward_email(context, ["a@example.com"], [], "T", [path]),
    ):
        with pytest.raises((AccessDenied, NoMatch)):
            await act
    assert not (tmp_path / "data" / "mail" / "Drafts").exists()


async def test_an_answer_goes_to_the_sender_of_the_selected_mail(
    context: ToolContext, tmp_path: Path
) -> None:
    result = await reply_to_email(context, [], "I will ask the smith.", [])

    message = only_draft(tmp_path)
    assert (
        result.message
        == "Reply to adaeze.okonkwo@example.org saved as a draft (not sent): “Re: Quote for the ramp”."
    )
    assert message["In-Reply-To"] == "<ramp-quote-2026@example.org>"
    assert text_of(message).startswith("I will ask the smith.\n\nOn 2026-11-16")


async def test_a_forward_carries_the_selected_mail_on(context: ToolContext, tmp_path: Path) -> None:
    result = await forward_email(context, ["priya.raghunathan@example.com"], [], "What do you think?", [])

    message = only_draft(tmp_path)
    assert result.value == f"Draft saved: {message['Message-ID']}"
    assert text_of(message).startswith("What do you think?\n\n---------- Forwarded message")
    assert [part.get_filename() for part in message.iter_attachments()] == ["ramp-quote.csv"]


# --- files -------------------------------------------------------------------------------------


async def test_a_found_file_is_its_path_and_untrusted(context: ToolContext, documents: Path) -> None:
    result = await open_and_get_file_path(context, "lease agreement")

    assert result.value == str(documents / "Home" / "Lease Agreement.pdf")
    assert result.message == f"Found Lease Agreement.pdf in {documents / 'Home'}."
    assert result.untrusted


async def test_two_plans_are_a_question(context: ToolContext) -> None:
    with pytest.raises(Ambiguous) as caught:
        await open_and_get_file_path(context, "Project Plan")
    assert [Path(candidate).parent.name for candidate in caught.value.candidates] == ["Garden", "Ramp"]


async def test_a_program_is_found_but_said_not_to_be_opened(context: ToolContext, documents: Path) -> None:
    (documents / "setup.sh").write_text("touch pwned")
    files = PortableFiles([documents], [sys.executable, "-c", ""])
    context = replace(context, desktop=replace(context.desktop, files=files))

    result = await open_and_get_file_path(context, "setup.sh")

    assert result.value == str(documents / "setup.sh")
    assert "programs are not opened" in result.message


async def test_nothing_is_shown_on_a_made_up_desktop(
    context: ToolContext, documents: Path, tmp_path: Path
) -> None:
    files = PortableFiles([documents], ["/no/such/opener"])
    context = replace(context, desktop=replace(context.desktop, files=files), demo=True)

    result = await open_and_get_file_path(context, "Packing List")

    assert "not opened" not in result.message


async def test_a_pdf_is_summarized_in_its_own_sentences(context: ToolContext, documents: Path) -> None:
    path = documents / "Reports" / "Library Annual Report 2025.pdf"
    result = await summarize_pdf(context, str(path))

    assert "Harbour Library lent more books in 2025" in result.value
    assert 200 < len(result.value) <= 1000
    assert "page 1" not in result.value
    assert result.untrusted
    assert result.message == (
        "Summarized Library Annual Report 2025.pdf (picked from its sentences, without a language model)."
    )


@pytest.mark.parametrize(("path", "error"), [("/etc/passwd", AccessDenied), ("report.pdf", NoMatch)])
async def test_only_files_in_open_folders_are_summarized(
    context: ToolContext, path: str, error: type[ToolError]
) -> None:
    with pytest.raises(error):
        await summarize_pdf(context, path)


async def test_what_is_no_pdf_is_not_summarized(context: ToolContext, documents: Path) -> None:
    with pytest.raises(UnreadableFile):
        await summarize_pdf(context, str(documents / "Packing List.txt"))


# --- maps and meetings -------------------------------------------------------------------------


async def test_a_place_is_a_link(context: ToolContext) -> None:
    result = await maps_open_location(context, "Harbour Library")

    assert result.value == result.link == "https://maps.apple.com/search?query=Harbour%20Library"
    assert result.message == "Map of Harbour Library."


async def test_a_way_is_a_link_that_says_how(context: ToolContext) -> None:
    result = await maps_show_directions(context, "", "Harbour Library", "w")

    assert result.link == "https://maps.apple.com/directions?destination=Harbour%20Library&mode=walking"
    assert result.message == "Directions to Harbour Library on foot."


async def test_a_meeting_is_a_link_that_says_when(context: ToolContext, meetings: RecordingMeetings) -> None:
    result = await get_zoom_meeting_link(
        context, "Planning", "2026-12-01 15:30:00", 45, ["a@example.com", ""]
    )

    assert meetings.asked == [Meeting("Planning", datetime(2026, 12, 1, 15, 30), 45, ("a@example.com",))]
    assert result.value == result.link
    assert result.value.startswith("https://zoom.example/j/DEMO-")
    assert "Planning" in result.message and "1 December 2026 at 15:30" in result.message
    assert "1 invitee" in result.message


async def test_a_meeting_without_a_time_of_day_or_length_has_usual_ones(
    context: ToolContext, meetings: RecordingMeetings
) -> None:
    await get_zoom_meeting_link(context, "", "2026-12-01", 0, [])

    assert meetings.asked == [Meeting("Meeting", datetime(2026, 12, 1, 9, 0), 60, ())]


@pytest.mark.parametrize(
    ("start", "minutes", "invitees", "error"),
    [
        ("tomorrow-ish", 60, [], DateUnreadable),
        ("", 60, [], DateUnreadable),
        ("2026-12-01 15:30:00", -5, [], ToolError),
        ("2026-12-01 15:30:00", 100_000, [], ToolError),
        ("2026-12-01 15:30:00", 60, ["Jane"], ToolError),
    ],
)
async def test_a_meeting_that_makes_no_sense_is_not_made(
    context: ToolContext,
    meetings: RecordingMeetings,
    start: str,
    minutes: int,
    invitees: list[str],
    error: type[ToolError],
) -> None:
    with pytest.raises(error):
        await get_zoom_meeting_link(context, "Planning", start, minutes, invitees)
    assert meetings.asked == []


# --- any argument ------------------------------------------------------------------------------

Act = Callable[[ToolContext, str], Awaitable[ToolResult]]

EVERY_ARGUMENT: dict[str, Act] = {
    "recipient": lambda context, text: compose_new_email(context, [text], [], "S", "T", []),
    "cc": lambda context, text: compose_new_email(context, ["a@example.com"], [text], "S", "T", []),
    "subject": lambda context, text: compose_new_email(context, ["a@example.com"], [], text, "T", []),
    "body": lambda context, text: compose_new_email(context, ["a@example.com"], [], "", text, []),
    "attachment": lambda context, text: compose_new_email(context, ["a@example.com"], [], "S", "T", [text]),
    "reply cc": lambda context, text: reply_to_email(context, [text], "T", []),
    "reply body": lambda context, text: reply_to_email(context, [], text, []),
    "forward to": lambda context, text: forward_email(context, [text], [], "T", []),
    "forward body": lambda context, text: forward_email(context, ["a@example.com"], [], text, []),
    "file name": open_and_get_file_path,
    "pdf path": summarize_pdf,
    "place": maps_open_location,
    "start": lambda context, text: maps_show_directions(context, text, "Harbour", "d"),
    "end": lambda context, text: maps_show_directions(context, "", text, "d"),
    "transport": lambda context, text: maps_show_directions(context, "", "Harbour", text),
    "topic": lambda context, text: get_zoom_meeting_link(context, text, "2026-12-01 15:30:00", 60, []),
    "start time": lambda context, text: get_zoom_meeting_link(context, "T", text, 60, []),
    "invitee": lambda context, text: get_zoom_meeting_link(context, "T", "2026-12-01 15:30:00", 60, [text]),
}


@pytest.mark.parametrize("argument", EVERY_ARGUMENT)
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_hostile_text_does_what_it_says_or_is_refused(
    context: ToolContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str, text: str
) -> None:
    monkeypatch.chdir(tmp_path)
    outside = {path for path in tmp_path.rglob("*") if "Drafts" not in path.parts}

    try:
        result = await EVERY_ARGUMENT[argument](context, text)
    except ToolError as error:
        assert error.message
    else:
        assert result.value and result.message
        for draft in (tmp_path / "data" / "mail").glob("Drafts/cur/*"):
            message = email.message_from_bytes(draft.read_bytes(), policy=policy.default)
            assert "Bcc" not in message and not message.defects

    assert {path for path in tmp_path.rglob("*") if "Drafts" not in path.parts} == outside
