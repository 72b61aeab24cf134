"""What a request says is data: it arrives whole, and nothing in it is ever carried out.

Every text argument of all sixteen tools gets what would be a command to AppleScript, to a shell, to
Spotlight or to HTML, through the host that carries out calls.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Generator, Sized
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.contracts.desktop.mac_world import MacWorld
from tests.contracts.desktop.worlds import Capability, World
from tinyagent.errors import ToolError
from tinyagent.ports import CallContext, ToolResult, WritingTask, Written
from tinyagent.tools.host import LocalToolHost
from tinyagent.tools.registry import BUILT_IN

HOSTILE = [
    '" & (do shell script "touch pwned") & "',
    "'; touch pwned; echo '",
    "$(touch pwned) `touch pwned` ${IFS} | touch pwned",
    '-e do shell script "touch pwned"',
    'end tell\ndo shell script "touch pwned"\n\ttell me to quit',
    '\\" \\\\ \\n %s {0} $1 $$25 «class ctxt» ¬ (* -- *)',
    '</div><script src="x"></script>&lt; &amp; <!-- touch pwned -->',
    "שלום \u202efdp.exe\u202c 👩\u200d👩\u200d👧 é e\u0301 \u2028 \u00a0",
    "bell \x07 escape \x1b[31m delete \x7f unit \x1f end",
]
NAMES = [text.replace("/", ":") for text in HOSTILE]
"""The same as names of files."""

CONTEXT = CallContext(datetime(2026, 11, 22, 8, 0))
FUTURE = "2026-12-01 10:00:00"

Call = Callable[..., Awaitable[ToolResult]]


class Verbatim:
    """A writer that changes nothing."""

    async def write(self, task: WritingTask) -> Written:
        return Written(task.material)

    async def close(self) -> None:
        pass


@pytest.fixture
def call(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Call]:
    """Calls a tool; afterwards nothing was carried out, and nothing private was shown to other programs."""
    monkeypatch.chdir(tmp_path)
    host = LocalToolHost(world.desktop, Verbatim())

    async def run(tool: str, *arguments: Any) -> ToolResult:
        return await host.call(tool, arguments, CONTEXT)

    yield run

    assert not list(tmp_path.rglob("pwned*"))
    if isinstance(world, MacWorld):
        for run_of_script in world.mac.calls("osascript"):
            script, payload = run_of_script["argv"]
            assert re.fullmatch(r"/[\w/.-]+\.applescript", script)
            assert not Path(payload).parent.exists()
            assert run_of_script["stdin"] == ""


def visible(text: str) -> str:
    """Text without what formats may leave out or lay out their own way: controls and kinds of space."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


@pytest.mark.app("calendar")
@pytest.mark.parametrize("text", HOSTILE)
async def test_an_event_holds_the_text(world: World, call: Call, text: str) -> None:
    await call("create_calendar_event", text, FUTURE, "", text, [], text, "")

    (event,) = world.events()
    assert visible(event.title) == visible(text)
    assert visible(event.location) == visible(event.notes) == visible(text)
    if isinstance(world, MacWorld):
        assert (event.location, event.notes) == (text, text)


@pytest.mark.app("reminders")
@pytest.mark.parametrize("text", HOSTILE)
async def test_a_reminder_holds_the_text(world: World, call: Call, text: str) -> None:
    await call("create_reminder", text, FUTURE, text, "", 0, False)

    (reminder,) = world.reminders()
    assert visible(reminder.name) == visible(reminder.notes) == visible(text)
    if isinstance(world, MacWorld):
        assert reminder.notes == text


@pytest.mark.app("notes")
@pytest.mark.parametrize("text", HOSTILE)
async def test_a_note_holds_the_text_and_is_found_by_it(world: World, call: Call, text: str) -> None:
    await call("create_note", text, text, "")
    await call("append_note_content", text, text, "")

    (note,) = world.notes()
    assert visible(note.name) == visible(text)
    opened = await call("open_note", text, "")
    assert opened.value == note.text
    assert visible(note.text) == visible(f"{text}\n{text}")


@pytest.mark.app("mail")
@pytest.mark.parametrize("text", HOSTILE)
async def test_a_mail_holds_the_text_and_goes_to_nobody_else(world: World, call: Call, text: str) -> None:
    await call("compose_new_email", ["a@x.example"], [], text, text, [])

    (letter,) = world.drafts()
    assert (letter.to, letter.cc) == (("a@x.example",), ())
    assert visible(letter.subject) == visible(text)
    assert "\n" not in letter.subject
    assert visible(letter.body) == visible(text)
    if isinstance(world, MacWorld):
        assert letter.body == text.strip()


@pytest.mark.app("mail")
@pytest.mark.parametrize("text", HOSTILE)
async def test_an_answer_and_a_forward_hold_the_text(world: World, call: Call, text: str) -> None:
    world.add_mail("Ann <ann@x.example>", "First", "one")

    await call("reply_to_email", [], text, [])
    await call("forward_email", ["b@x.example"], [], text, [])

    letters = world.drafts()
    assert {letter.to for letter in letters} == {("ann@x.example",), ("b@x.example",)}
    assert all(visible(letter.body).startswith(visible(text)) for letter in letters)


@pytest.mark.app("messages")
@pytest.mark.parametrize("text", HOSTILE)
async def test_a_text_message_holds_the_text(world: World, call: Call, text: str) -> None:
    await call("send_sms", ["+14155550142"], text)

    if not world.desktop.messages.drafts_only():
        await world.desktop.messages.send(["+14155550142"], text, send=True)
        assert [sent.text for sent in world.texts()] == [text]
    assert [draft.text for draft in world.outbox()] == [text]


@pytest.mark.parametrize("name", NAMES)
async def test_a_file_is_found_shown_and_attached_by_such_a_name(world: World, call: Call, name: str) -> None:
    path = world.folder / f"{name}.txt"
    path.write_text("content")

    found = await call("open_and_get_file_path", f"{name}.txt")
    assert found.value == str(path)

    await call("compose_new_email", ["a@x.example"], [], "s", "b", [found.value])
    (attached,) = world.drafts()[0].attachments
    if isinstance(world, MacWorld):
        assert attached == path.name
        assert [run["argv"] for run in world.mac.calls("open")] == [[str(path)]]


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_names_nobody_and_nothing_finds_nothing(world: World, call: Call, text: str) -> None:
    world.add_contact("Sid Meier", phones=[("mobile", "+14155550142")], emails=["sid@x.example"])
    world.add_note("Log", "start", "Work")

    for tool, arguments in (
        ("get_phone_number", [text]),
        ("get_email_address", [text]),
        ("open_and_get_file_path", [text]),
        ("summarize_pdf", [text]),
        ("summarize_pdf", [f"/{text}"]),
        ("open_note", ["Log", text]),
        ("append_note_content", [text, "x", ""]),
    ):
        with pytest.raises(ToolError):
            await call(tool, *arguments)

    assert [note.text for note in world.notes()] == ["start"]


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_is_no_address_number_or_date_is_refused(world: World, call: Call, text: str) -> None:
    world.add_mail("Ann <ann@x.example>", "First", "one")

    for tool, arguments in (
        ("compose_new_email", [[text], [], "s", "b", []]),
        ("compose_new_email", [["a@x.example"], [text], "s", "b", []]),
        ("compose_new_email", [["a@x.example"], [], "s", "b", [text]]),
        ("reply_to_email", [[text], "b", []]),
        ("reply_to_email", [[], "b", [text]]),
        ("forward_email", [[text], [], "b", []]),
        ("forward_email", [["a@x.example"], [text], "b", []]),
        ("forward_email", [["a@x.example"], [], "b", [text]]),
        ("send_sms", [[text], "Hi"]),
        ("create_calendar_event", ["t", text, "", "", [], "", ""]),
        ("create_calendar_event", ["t", FUTURE, text, "", [], "", ""]),
        ("create_calendar_event", ["t", FUTURE, "", "", [text], "", ""]),
        ("create_reminder", ["t", text, "", "", 0, False]),
        ("get_zoom_meeting_link", ["t", text, 30, []]),
        ("get_zoom_meeting_link", ["t", FUTURE, 30, [text]]),
        ("maps_show_directions", ["", "Oslo", text]),
    ):
        with pytest.raises(ToolError):
            await call(tool, *arguments)

    assert world.events() == world.reminders() == world.drafts() == world.outbox() == []


@pytest.mark.parametrize("text", HOSTILE)
async def test_a_name_of_a_collection_makes_nothing_but_that(world: World, call: Call, text: str) -> None:
    """A folder, list or calendar of that name is made, or is an error: nothing else is touched."""
    tried: list[tuple[Capability, str, list[Any], Callable[[], Sized]]] = [
        ("new folder", "create_note", ["Log", "x", text], world.notes),
        ("new list", "create_reminder", ["t", FUTURE, "", text, 0, False], world.reminders),
        ("new calendar", "create_calendar_event", ["t", FUTURE, "", "", [], "", text], world.events),
    ]
    for capability, tool, arguments, stored in tried:
        if capability in world.lacks:
            with pytest.raises(ToolError):
                await call(tool, *arguments)
        else:
            await call(tool, *arguments)

        assert len(stored()) == (capability not in world.lacks)


@pytest.mark.app("maps")
@pytest.mark.parametrize("text", HOSTILE)
async def test_a_map_or_a_meeting_is_about_the_text(world: World, call: Call, text: str) -> None:
    place = await call("maps_open_location", text)
    way = await call("maps_show_directions", text, text, "d")
    meeting = await call("get_zoom_meeting_link", text, FUTURE, 30, [])

    for url in (place.value, way.value, meeting.value):
        assert re.fullmatch(r"https://[\x21-\x7e]+", url)
    query = parse_qs(urlsplit(way.value).query)
    assert visible(query["source"][0]) == visible(query["destination"][0]) == visible(text)
    if isinstance(world, MacWorld):
        shown = [["-a", "Maps", url] for url in (place.value, way.value)]
        assert [run["argv"] for run in world.mac.calls("open")] == shown


def test_every_built_in_tool_is_tried() -> None:
    source = Path(__file__).read_text("utf-8")

    assert [tool.spec.name for tool in BUILT_IN if f'"{tool.spec.name}"' not in source] == []
