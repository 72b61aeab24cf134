"""Mail and messages go out only when the call lets them, to those whom the user saw, and drafts come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tinyagent.apps.base import Contact, Desktop, Made, MailDraft, SelectedMail, StoredMail
from tinyagent.apps.local.outbox import Outbox
from tinyagent.apps.portable import portable_desktop
from tinyagent.apps.portable.mail import PortableMail
from tinyagent.apps.portable.maps import PortableMaps
from tinyagent.apps.zoom import DemoMeetings
from tinyagent.errors import (
    ArgumentError,
    ChangedSince,
    NoMatch,
    NotConfigured,
    OutcomeUnknown,
    PermissionMissing,
    ToolError,
    UnknownTool,
)
from tinyagent.ports import CallContext, WritingTask, Written
from tinyagent.tools.host import LocalToolHost
from tinyagent.tools.registry import BUILT_IN

DRAFT = CallContext(datetime(2024, 4, 1, 8))
SEND = replace(DRAFT, send=True)


class AsGiven:
    """A writer that leaves everything as it is."""

    async def write(self, task: WritingTask) -> Written:
        return Written(task.material)

    async def close(self) -> None:
        pass


class SendingMail(PortableMail):
    """A mail program that sends what it is told to."""

    def drafts_only(self) -> str:
        return ""

    async def compose(self, draft: MailDraft, *, send: bool = False) -> StoredMail:
        return _sent(await super().compose(draft), send)

    async def reply(
        self, original: str, cc: Sequence[str], body: str, attachments: Sequence[Path], *, send: bool = False
    ) -> StoredMail:
        return _sent(await super().reply(original, cc, body, attachments), send)


def _sent(stored: StoredMail, send: bool) -> StoredMail:
    return replace(stored, status="sent", undo=None) if send else stored


class SendingMessages(Outbox):
    async def send(self, recipients: Sequence[str], text: str, *, send: bool = False) -> Made:
        made = await super().send(recipients, text)
        return replace(made, undo=None) if send else made


@pytest.fixture
def desktop(data: Path) -> Desktop:
    for folder in ("cur", "new", "tmp"):
        (data / "mail" / "Inbox" / folder).mkdir(parents=True)
    _receive(data, "1", "Quote", "ann@x.example")
    return portable_desktop(data, meetings=DemoMeetings(), folders=[data], sender="me@x.example")


def _receive(data: Path, name: str, subject: str, sender: str) -> None:
    text = f"From: {sender}\nSubject: {subject}\nMessage-ID: <{name}@x.example>\n\nHello.\n"
    (data / "mail" / "Inbox" / "cur" / f"{name}:2,S").write_text(text)


def _select(data: Path, name: str) -> None:
    (data / "mail" / "selected").write_text(f"<{name}@x.example>")


@pytest.fixture
def host(desktop: Desktop) -> LocalToolHost:
    return LocalToolHost(desktop, AsGiven())


@pytest.fixture
def sender(desktop: Desktop, data: Path) -> LocalToolHost:
    """A host on a desktop that can send."""
    apps = {"mail": SendingMail(data, "me@x.example"), "messages": SendingMessages(data)}
    return LocalToolHost(replace(desktop, **apps), AsGiven())


# --- which arguments are recipients ----------------------------------------------------------


def test_the_arguments_that_say_whom_something_goes_to_are_marked() -> None:
    marked = {
        tool.spec.name: [parameter.name for parameter in tool.spec.parameters if parameter.recipient]
        for tool in BUILT_IN
    }

    assert {name: names for name, names in marked.items() if names} == {
        "create_calendar_event": ["invitees"],
        "compose_new_email": ["recipients", "cc"],
        "reply_to_email": ["cc"],
        "forward_email": ["recipients", "cc"],
        "send_sms": ["recipients"],
        "get_zoom_meeting_link": ["meeting_invitees"],
    }


# --- drafting and sending --------------------------------------------------------------------

SENDERS: list[tuple[str, list[Any], str]] = [
    ("compose_new_email", [["a@x.example"], [], "Lunch", "Noon?", []], "Email to a@x.example"),
    ("reply_to_email", [[], "Yes.", []], "Reply to ann@x.example"),
    ("send_sms", [["+14155550142"], "hi"], "Text message to +14155550142"),
]
every_sender = pytest.mark.parametrize(("tool", "arguments", "what"), SENDERS)


@every_sender
async def test_nothing_goes_out_unless_the_call_says_so(
    sender: LocalToolHost, tool: str, arguments: list[Any], what: str
) -> None:
    result = await sender.call(tool, arguments, DRAFT)

    assert result.message.startswith(what)
    assert "(not sent)" in result.message
    assert result.undo


@every_sender
async def test_what_went_out_is_told_and_cannot_be_taken_back(
    sender: LocalToolHost, tool: str, arguments: list[Any], what: str
) -> None:
    result = await sender.call(tool, arguments, SEND)

    assert result.message.startswith(f"{what} sent: “")
    assert result.value.startswith("Sent")
    assert result.undo is None


async def test_a_draft_in_place_of_a_sent_mail_says_why(host: LocalToolHost) -> None:
    result = await host.call("compose_new_email", [["a@x.example"], [], "Lunch", "Noon?", []], SEND)

    assert result.message.startswith("Email to a@x.example saved as a draft (not sent): “Lunch”. ")
    assert "mail server" in result.message


async def test_a_message_that_cannot_be_sent_is_refused(host: LocalToolHost) -> None:
    with pytest.raises(NotConfigured):
        await host.call("send_sms", [["+14155550142"], "hi"], SEND)


class LockedContacts:
    """An address book that may not be read."""

    async def find(self, name: str) -> Sequence[Contact]:
        raise PermissionMissing("Contacts may not be read.")

    async def all(self) -> Sequence[Contact]:
        raise PermissionMissing("Contacts may not be read.")


async def test_a_message_goes_out_where_the_contacts_cannot_be_read(desktop: Desktop, data: Path) -> None:
    host = LocalToolHost(replace(desktop, contacts=LockedContacts()), AsGiven())
    result = await host.call("send_sms", (["+14155550101"], "Hello"), DRAFT)
    assert "+14155550101" in result.message
    assert len(list((data / "messages" / "outbox").iterdir())) == 1


def test_a_desktop_that_can_send_says_so(sender: LocalToolHost) -> None:
    statuses = {status.spec.name: status.drafts_only for status in sender.tools()}

    assert statuses["compose_new_email"] == ""
    assert statuses["send_sms"]


# --- what an approval shows ------------------------------------------------------------------

SEEN = {"original": "1", "sender": "ann@x.example", "subject": "Quote", "to": "ann@x.example"}


async def test_an_approval_shows_whom_a_reply_goes_to(host: LocalToolHost) -> None:
    assert await host.details("reply_to_email", [[], "Yes.", []], DRAFT) == SEEN


async def test_an_approval_shows_what_a_forward_passes_on(host: LocalToolHost) -> None:
    details = await host.details("forward_email", [["a@x.example"], [], "", []], DRAFT)

    assert details == {"original": "1", "sender": "ann@x.example", "subject": "Quote"}


async def test_other_tools_have_nothing_to_add(host: LocalToolHost, data: Path) -> None:
    before = sorted(data.rglob("*"))

    assert await host.details("send_sms", [["+14155550142"], "hi"], DRAFT) == {}
    assert sorted(data.rglob("*")) == before


async def test_details_are_asked_for_with_arguments_that_fit(host: LocalToolHost, data: Path) -> None:
    with pytest.raises(ArgumentError):
        await host.details("reply_to_email", ["x"], DRAFT)
    with pytest.raises(UnknownTool):
        await host.details("rm_rf", [], DRAFT)
    (data / "mail" / "Inbox" / "cur" / "1:2,S").unlink()
    with pytest.raises(NoMatch):
        await host.details("reply_to_email", [[], "Yes.", []], DRAFT)


@pytest.mark.parametrize(
    ("tool", "arguments", "subject"),
    [
        ("reply_to_email", [[], "Yes.", []], "“Re: Quote”"),
        ("forward_email", [["b@x.example"], [], "", []], "“Fwd: Quote”"),
    ],
)
@pytest.mark.parametrize("selection", ["2", "gone", None])
async def test_the_approved_mail_is_acted_on_whatever_is_selected_by_then(
    host: LocalToolHost, data: Path, tool: str, arguments: list[Any], subject: str, selection: str | None
) -> None:
    details = await host.details(tool, arguments, DRAFT)
    _receive(data, "2", "Newer", "bo@x.example")
    if selection:
        _select(data, selection)

    result = await host.call(tool, arguments, replace(DRAFT, details=details))

    assert subject in result.message


@pytest.mark.parametrize("tool", ["reply_to_email", "forward_email"])
async def test_an_approved_mail_that_is_gone_is_not_replaced(
    host: LocalToolHost, data: Path, tool: str
) -> None:
    _receive(data, "2", "Other", "bo@x.example")
    arguments: list[Any] = [[], "", []] if tool == "reply_to_email" else [["b@x.example"], [], "", []]

    with pytest.raises(NoMatch):
        await host.call(tool, arguments, replace(DRAFT, details={**SEEN, "original": "gone"}))
    assert not (data / "mail" / "Drafts").exists()


class Shifting(PortableMail):
    """Another mail program, whose mail under one id is another one after a while."""

    async def selected(self) -> SelectedMail:
        return replace(await super().selected(), answer_to=("thief@x.example",))


async def test_a_reply_that_would_go_to_others_than_approved_is_refused(
    desktop: Desktop, data: Path, host: LocalToolHost
) -> None:
    details = await host.details("reply_to_email", [[], "Yes.", []], DRAFT)
    shifted = LocalToolHost(replace(desktop, mail=Shifting(data)), AsGiven())

    with pytest.raises(ChangedSince):
        await shifted.call("reply_to_email", [[], "Yes.", []], replace(SEND, details=details))
    assert not (data / "mail" / "Drafts").exists()


# --- taking back -----------------------------------------------------------------------------

WRITERS: list[tuple[str, list[Any]]] = [
    ("create_calendar_event", ["Dinner", "2024-04-06 19:00:00", "", "", [], "", ""]),
    ("create_reminder", ["Call", "2024-04-06", "", "", 0, True]),
    ("create_note", ["Log", "start", ""]),
    ("append_note_content", ["Old", "more", ""]),
    ("compose_new_email", [["a@x.example"], [], "Lunch", "Noon?", []]),
    ("reply_to_email", [[], "Yes.", []]),
    ("forward_email", [["a@x.example"], [], "", []]),
    ("send_sms", [["+14155550142"], "hi"]),
]


@pytest.mark.parametrize(("tool", "arguments"), WRITERS, ids=[tool for tool, _ in WRITERS])
async def test_every_call_that_wrote_is_taken_back_by_its_record(
    host: LocalToolHost, data: Path, tool: str, arguments: list[Any]
) -> None:
    await host.call("create_note", ["Old", "text", ""], DRAFT)
    before = _files(data)
    result = await host.call(tool, arguments, DRAFT)
    assert _files(data) != before
    assert result.undo is not None

    told = await host.undo(tool, result.undo, DRAFT)

    assert told.endswith(".")
    assert _files(data) == before
    with pytest.raises((NoMatch, ChangedSince)):
        await host.undo(tool, result.undo, DRAFT)


def _files(data: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in data.rglob("*") if path.is_file() and path.name != ".lock"}


@pytest.mark.parametrize("tool", ["get_phone_number", "summarize_pdf", "maps_open_location", "open_note"])
async def test_what_wrote_nothing_has_nothing_to_take_back(host: LocalToolHost, tool: str) -> None:
    with pytest.raises(ToolError):
        await host.undo(tool, {}, DRAFT)


async def test_an_unknown_tool_cannot_be_taken_back(host: LocalToolHost) -> None:
    with pytest.raises(UnknownTool):
        await host.undo("rm_rf", {}, DRAFT)


async def test_demo_links_have_no_record(host: LocalToolHost) -> None:
    result = await host.call("get_zoom_meeting_link", ["Sync", "2024-04-06 10:00:00", 60, []], DRAFT)

    assert result.undo is None
    with pytest.raises(NoMatch):
        await host.undo("get_zoom_meeting_link", {"meeting": "1"}, DRAFT)


class Crashing(Outbox):
    async def undo(self, record: Any) -> str:
        raise ValueError("the secret text")


async def test_an_unexpected_failure_of_an_undo_is_told_without_private_text(
    desktop: Desktop, data: Path
) -> None:
    host = LocalToolHost(replace(desktop, messages=Crashing(data)), AsGiven())

    with pytest.raises(OutcomeUnknown) as error:
        await host.undo("send_sms", {}, DRAFT)

    assert "secret" not in str(error.value)


# --- which note is meant ---------------------------------------------------------------------


async def test_an_approval_shows_the_note_that_is_added_to_and_holds_for_it(
    host: LocalToolHost, data: Path
) -> None:
    await host.call("create_note", ("Shopping List", "milk", "Home"), DRAFT)
    arguments = ("the shopping list", "figs", "")
    details = await host.details("append_note_content", arguments, DRAFT)
    assert details == {"note": "Shopping List", "folder": "Home"}
    result = await host.call("append_note_content", arguments, replace(DRAFT, details=details))
    assert result.value == "Added to the note the shopping list."
    assert "figs" in (await host.call("open_note", ("Shopping List", "Home"), DRAFT)).value


async def test_nothing_is_added_to_another_note_than_the_approved_one(
    host: LocalToolHost, data: Path
) -> None:
    await host.call("create_note", ("Work", "plan", ""), DRAFT)
    arguments = ("work", "figs", "")
    details = await host.details("append_note_content", arguments, DRAFT)
    (data / "notes" / "Notes" / "Work.md").unlink()
    await host.call("create_note", ("Work log", "start", ""), DRAFT)

    with pytest.raises(ChangedSince, match="approved"):
        await host.call("append_note_content", arguments, replace(DRAFT, details=details))

    assert (await host.call("open_note", ("Work log", ""), DRAFT)).value == "start"


# --- showing maps ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [("maps_open_location", ["Harbour"]), ("maps_show_directions", ["", "Harbour", "w"])],
)
async def test_a_map_that_cannot_be_shown_is_a_remark_beside_its_link(
    desktop: Desktop, tool: str, arguments: list[Any]
) -> None:
    broken = replace(desktop, maps=PortableMaps("apple", ["/no/such/opener"]))

    result = await LocalToolHost(broken, AsGiven()).call(tool, arguments, DRAFT)
    in_demo = await LocalToolHost(broken, AsGiven(), demo=True).call(tool, arguments, DRAFT)

    assert "It was not opened: /no/such/opener could not be started" in result.message
    assert result.link == in_demo.link
    assert "not opened" not in in_demo.message
