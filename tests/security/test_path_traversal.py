"""Every argument that names a file, a note, a folder, a calendar or a list, through all tools of a real home.

What lies outside the opened folders can be neither read, attached nor written, however its path is said.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tinyagent.bootstrap.hosting import build_local_host
from tinyagent.bootstrap.writing import build_writer
from tinyagent.demo import make_demo
from tinyagent.errors import TinyAgentError
from tinyagent.home import prepare_home
from tinyagent.ports import CallContext
from tinyagent.settings import load_settings

SECRET = "what nobody may learn"
CONTEXT = CallContext(datetime(2026, 11, 22, 8, 0))

Call = Callable[..., Awaitable[str]]


class Place:
    """A home with documents, and beside it what must stay out of reach."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.outside = folder / "outside"
        self.outside.mkdir()
        for name in ("secret.txt", "secret.pdf", "secret.md"):
            (self.outside / name).write_text(SECRET)
        settings = load_settings(home=self.home, apps="portable", folders=[self.home / "documents"])
        prepare_home(settings)
        make_demo(settings.data, settings.documents)
        (self.home / "token").write_text(SECRET)
        self.documents = settings.documents
        self._traps()
        self.host = build_local_host(settings, build_writer(settings))
        self._before = self.contents()

    def _traps(self) -> None:
        (self.documents / "linked.pdf").symlink_to(self.outside / "secret.pdf")
        (self.documents / "folder").symlink_to(self.outside, target_is_directory=True)
        (self.documents / "zero.pdf").symlink_to("/dev/zero")
        (self.documents / "stdin.pdf").symlink_to("/dev/stdin")
        (self.documents / "loop.pdf").symlink_to(self.documents / "loop.pdf")
        (self.documents / ".hidden.pdf").write_text(SECRET)
        os.mkfifo(self.documents / "pipe.pdf")
        (self.home / "data" / "notes" / "linked").symlink_to(self.outside, target_is_directory=True)

    def contents(self) -> dict[Path, bytes]:
        """Everything outside the data folder."""
        files = [*self.outside.rglob("*"), *self.documents.rglob("*"), self.home / "token"]
        return {path: path.read_bytes() for path in files if path.is_file() and not path.is_symlink()}

    async def call(self, tool: str, *arguments: Any) -> str:
        """All that a call tells: its result, or its error."""
        try:
            async with asyncio.timeout(10):
                result = await self.host.call(tool, arguments, CONTEXT)
        except TinyAgentError as error:
            return str(error)
        if tool == "open_and_get_file_path":
            assert Path(result.value).resolve().is_relative_to(self.documents.resolve())
        return f"{result.value} {result.message}"

    def check(self) -> None:
        """Nothing got out of the outside, and nothing got in."""
        assert self.contents() == self._before
        for path in (self.home / "data").rglob("*"):
            assert path.is_symlink() or path.is_dir() or SECRET.encode() not in path.read_bytes(), path
            assert ".." not in path.parts


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    place = Place(tmp_path)
    monkeypatch.setenv("HOME", str(place.outside))
    monkeypatch.chdir(place.outside)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("../s")  # a socket among the files, by a path short enough for one
    (tmp_path / "s").rename(place.documents / "socket.pdf")
    yield place
    listener.close()
    place.check()


def paths(place: Place) -> list[str]:
    """Ways to say what lies outside, or what is no file."""
    documents, outside = place.documents, place.outside
    return [
        str(outside / "secret.txt"),
        str(outside / "secret.pdf"),
        f"{documents}/../../outside/secret.pdf",
        f"{documents}/./../../outside/../outside/secret.pdf",
        f"{documents}/folder/secret.pdf",
        f"{documents}/linked.pdf",
        f"{documents}/zero.pdf",
        f"{documents}/stdin.pdf",
        f"{documents}/loop.pdf",
        f"{documents}/pipe.pdf",
        f"{documents}/socket.pdf",
        f"{documents}/.hidden.pdf",
        f"{documents}/x\x00/../../../outside/secret.pdf",
        f"{documents}/%2e%2e/%2e%2e/outside/secret.pdf",
        f"//{outside}/secret.pdf",
        f"file://{outside}/secret.pdf",
        "../outside/secret.pdf",
        "secret.pdf",
        "..",
        ".",
        "~",
        "~/secret.pdf",
        "~root/.bashrc",
        "$HOME/secret.pdf",
        "/dev/zero",
        "/dev/stdin",
        "/dev/fd/0",
        "/proc/self/environ",
        "/proc/self/mem",
        "/proc/self/cwd/secret.pdf",
        "/etc/passwd",
        str(place.home / "token"),
        f"{documents}/../token",
        "..\\..\\token",
        "\\\\server\\share\\secret.pdf",
        "a/" * 2_000 + "secret.pdf",
        "a" * 8_000,
        "\ud800.pdf",
        "-",
        "*",
        "",
        "\n/etc/passwd",
    ]


async def refused(place: Place, tool: str, *arguments: Any) -> None:
    """Refused, or taken for a name that happens to fit something inside."""
    told = await place.call(tool, *arguments)
    assert SECRET not in told
    assert "root:" not in told
    assert "unexpectedly" not in told, told


async def test_a_file_is_found_in_the_opened_folders_alone(place: Place) -> None:
    for path in paths(place):
        await refused(place, "open_and_get_file_path", path)


async def test_a_pdf_is_read_in_the_opened_folders_alone(place: Place) -> None:
    for path in paths(place):
        await refused(place, "summarize_pdf", path)


async def test_only_files_of_the_opened_folders_are_attached(place: Place) -> None:
    drafts = place.home / "data" / "mail" / "Drafts"
    before = sorted(drafts.rglob("*")) if drafts.exists() else []
    for path in filter(None, paths(place)):
        await refused(place, "compose_new_email", ["a@b.example"], [], "s", "text", [path])
        await refused(place, "reply_to_email", [], "text", [path])
        await refused(place, "forward_email", ["a@b.example"], [], "text", [path])
    assert (sorted(drafts.rglob("*")) if drafts.exists() else []) == before


async def test_an_attachment_inside_still_goes_with_a_mail(place: Place) -> None:
    inside = place.documents / "Paper.txt"
    inside.write_text("inside")
    told = await place.call("compose_new_email", ["a@b.example"], [], "s", "text", [str(inside)])
    assert inside.name in told or "draft" in told.lower()
    drafts = [path for path in (place.home / "data" / "mail" / "Drafts").rglob("*") if path.is_file()]
    assert any(b"Content-Disposition: attachment" in draft.read_bytes() for draft in drafts), told
    inside.unlink()


async def test_notes_are_written_and_read_in_their_folder_alone(place: Place) -> None:
    outside = str(place.outside / "secret")
    for path in (
        outside,
        "../../../outside/secret",
        "..",
        ".",
        "~",
        "linked",
        "linked/secret",
        "x\x00/../../y",
    ):
        for name, folder in ((path, ""), ("Plans", path)):
            await refused(place, "create_note", name, "text", folder)
            await refused(place, "append_note_content", name, "text", folder)
    for path in paths(place):
        await refused(place, "open_note", path, "")
        await refused(place, "open_note", "secret", path)
    await refused(place, "open_note", "secret", "linked")


async def test_events_and_reminders_are_written_in_their_folders_alone(place: Place) -> None:
    start, end = "2026-12-01 10:00:00", "2026-12-01 11:00:00"
    for path in ("../../outside", str(place.outside), "..", "~", "\n", "x\x00/../../y", "a" * 8_000):
        await refused(place, "create_calendar_event", path, start, end, path, [], path, path)
        await refused(place, "create_reminder", path, start, path, path, 0, False)


async def test_contacts_and_places_are_names_and_no_paths(place: Place) -> None:
    for path in paths(place):
        await refused(place, "get_email_address", path)
        await refused(place, "get_phone_number", path)
        await refused(place, "maps_open_location", path)
        await refused(place, "send_sms", ["+15550100"], path)
