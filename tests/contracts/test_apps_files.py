"""Files are found by name within the open folders; two that match are a question, never a guess."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tinyagent.apps.base import Files
from tinyagent.apps.local.folders import OpenFolders
from tinyagent.apps.local.opening import desktop_opener
from tinyagent.apps.portable.files import PortableFiles
from tinyagent.errors import AccessDenied, NoMatch, NotConfigured, ToolError, UnreadableFile

HOSTILE = (
    "../../etc/passwd",
    "..",
    "/etc/passwd",
    "~/.ssh/id_rsa",
    "-rf",
    "'; touch pwned; '",
    '"$(touch pwned)"',
    "a\x00b",
    "a\r\nb",
    "\u202efdp.exe",
    "*",
    "[a-z]*.pdf",
    "x" * 5000,
    "🎉",
    ".",
    "%2e%2e%2f",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "open").mkdir()
    return tmp_path / "open"


@pytest.fixture
def files(folder: Path) -> Files:
    return PortableFiles([folder])


@pytest.fixture
def put(folder: Path) -> Callable[[str], Path]:
    def make(name: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("content")
        return path

    return make


Put = Callable[[str], Path]


@pytest.mark.parametrize(
    ("better", "worse", "said"),
    [
        ("plan", "plan.txt", "plan"),
        ("Plan.txt", "plan.txt", "Plan.txt"),
        ("plan.txt", "the plan.txt", "plan"),
        ("Café.txt", "The café.txt", "cafe"),
        ("annual report.pdf", "annual reports.pdf", "report annual"),
        ("budget.txt", "budgets.txt", "budget"),
    ],
)
async def test_the_closer_name_wins(files: Files, put: Put, better: str, worse: str, said: str) -> None:
    put(worse)
    path = put(better)

    assert await files.find(said) == path


@pytest.mark.parametrize("said", ["zebra", "tax return", "   ", "", *HOSTILE])
async def test_what_matches_nothing_is_an_error_and_no_other_file(files: Files, put: Put, said: str) -> None:
    put("Lease.pdf")
    put("Report.pdf")

    with pytest.raises((NoMatch, AccessDenied)) as caught:
        await files.find(said)
    assert caught.value.hint or isinstance(caught.value, AccessDenied)


async def test_hidden_files_folders_and_links_to_elsewhere_do_not_exist(
    files: Files, put: Put, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "inner.txt").write_text("s")
    (folder / "secret.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "away").symlink_to(tmp_path / "outside")
    (folder / "loop").symlink_to(folder)
    put(".hidden.txt")
    put(".git/config.txt")
    put("node_modules/module.txt")
    os.mkfifo(folder / "pipe.txt")

    for said in ("secret", "inner", "hidden", "config", "module", "pipe"):
        with pytest.raises(NoMatch):
            await files.find(said)


async def test_a_link_within_the_open_folders_leads_to_its_file(files: Files, put: Put, folder: Path) -> None:
    target = put("Long name.txt")
    (folder / "short.txt").symlink_to(target)

    assert await files.find("short") == target
    assert await files.find("long name") == target


async def test_one_file_in_overlapping_folders_is_one_file(folder: Path, put: Put) -> None:
    path = put("Sub/Plan.txt")

    assert await PortableFiles([folder, folder / "Sub", folder]).find("plan") == path


async def test_a_hidden_folder_that_is_opened_itself_is_open(tmp_path: Path) -> None:
    place = tmp_path / ".private" / "documents"
    place.mkdir(parents=True)
    (place / "plan.txt").write_text("x")

    files = PortableFiles([tmp_path, place])

    assert await files.find("plan") == place / "plan.txt"
    assert await files.check(str(place / "plan.txt")) == place / "plan.txt"


async def test_a_search_that_was_cut_short_says_so(folder: Path, put: Put) -> None:
    for number in range(30):
        put(f"{number}.txt")

    with pytest.raises(NoMatch) as caught:
        await OpenFolders([folder], max_entries=10).find("missing")
    assert "Only a part" in (caught.value.hint or "")


async def test_a_folder_that_is_missing_has_no_files(tmp_path: Path) -> None:
    with pytest.raises(NoMatch):
        await PortableFiles([tmp_path / "missing"]).find("plan")
    with pytest.raises(NotConfigured):
        await PortableFiles([]).find("plan")
    with pytest.raises(NotConfigured):
        await PortableFiles([]).check("/etc/passwd")


async def test_a_path_in_an_open_folder_is_resolved(files: Files, put: Put, folder: Path) -> None:
    path = put("Sub/plan.txt")

    assert await files.check(str(folder / "Sub" / ".." / "Sub" / "plan.txt")) == path
    assert await files.find(str(path)) == path


@pytest.mark.parametrize("name", HOSTILE)
async def test_no_path_leads_out_of_the_open_folders(files: Files, folder: Path, name: str) -> None:
    (folder.parent / "secret.txt").write_text("s")

    for path in (name, f"{folder}/{name}", f"{folder}/../secret.txt", f"{folder}x/secret.txt"):
        with pytest.raises(ToolError):
            await files.check(path)


async def test_links_devices_pipes_folders_and_hidden_files_cannot_be_read(
    files: Files, put: Put, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.txt").write_text("s")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "null").symlink_to("/dev/null")
    os.mkfifo(folder / "pipe")

    expected = {
        folder / "link.txt": AccessDenied,
        folder / "null": AccessDenied,
        folder / "pipe": AccessDenied,
        put(".ssh/id_rsa"): AccessDenied,
        folder: UnreadableFile,
        folder / "missing.txt": NoMatch,
    }
    for path, error in expected.items():
        with pytest.raises(error):
            await files.check(str(path))


async def test_nothing_is_shown_unless_it_is_switched_on(files: Files, put: Put) -> None:
    await files.show(put("plan.txt"))


async def test_a_file_is_shown_by_its_full_path_as_one_argument(
    folder: Path, put: Put, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    os.mkfifo(seen)
    opener = [sys.executable, "-c", f"import sys; open({str(seen)!r}, 'w').write('|'.join(sys.argv[1:]))"]
    path = put("-rf; touch pwned $(x) 'y'.txt")

    await PortableFiles([folder], opener).show(path)

    assert seen.read_text() == str(path)


@pytest.mark.parametrize("name", ["run.sh", "Setup.EXE", "Launcher.desktop", "script.py", "program"])
async def test_programs_are_found_but_not_started(folder: Path, put: Put, name: str, tmp_path: Path) -> None:
    path = put(name)
    path.chmod(0o755)
    files = PortableFiles([folder], ["touch", str(tmp_path / "started")])

    assert await files.find(name) == path
    with pytest.raises(AccessDenied, match="program"):
        await files.show(path)
    assert not (tmp_path / "started").exists()


async def test_an_opener_that_is_missing_is_a_plain_error(folder: Path, put: Put) -> None:
    with pytest.raises(ToolError, match="could not be started"):
        await PortableFiles([folder], ["/no/such/opener"]).show(put("plan.txt"))


def test_the_opener_needs_a_display(tmp_path: Path) -> None:
    opener = tmp_path / "xdg-open"
    opener.write_text("#!/bin/sh\n")
    opener.chmod(0o755)
    path = {"PATH": str(tmp_path)}

    assert desktop_opener("linux", path) == ()
    assert desktop_opener("linux", {**path, "WAYLAND_DISPLAY": "wayland-0"}) == (str(opener),)
    assert desktop_opener("linux", {"PATH": "/nowhere", "DISPLAY": ":0"}) == ()
    assert desktop_opener("darwin", {}) == ("/usr/bin/open",)
