"""Writing is all or nothing, stays in its folder and fails in words that help."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyagent.apps.local import storage
from tinyagent.apps.local.storage import (
    collection,
    confined,
    exclusive,
    read_regular,
    safe_name,
    unused_file,
    write_atomically,
)
from tinyagent.errors import AccessDenied, AppFailed, StorageFull

APPEND_UNDER_A_SIZE_LIMIT = """
import asyncio, resource, sys
from pathlib import Path
from tinyagent.apps.portable.notes import PortableNotes
from tinyagent.errors import StorageFull

resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
try:
    asyncio.run(PortableNotes(Path(sys.argv[1])).append("Diary", "x" * 5000, ""))
except StorageFull as error:
    print(error)
"""


@given(st.text())
def test_a_safe_name_is_one_visible_part_of_a_path(text: str) -> None:
    name = safe_name(text, "Untitled")

    assert Path(name).name == name
    assert not name.startswith(".")
    assert 0 < len(name.encode()) <= storage.NAME_BYTES
    assert not any(unicodedata.category(character) == "Cc" for character in name)


@pytest.mark.parametrize(
    "text", ["Groceries", "Smörgåsbord", "買い物", "קניות", "🍕 night", "O'Brien & Sons (2024)"]
)
def test_a_harmless_name_is_kept_in_any_script(text: str) -> None:
    assert safe_name(text, "Untitled") == text


@pytest.mark.parametrize("text", ["", "   ", ".", "..", "\n\t", "\x00"])
def test_a_name_without_letters_falls_back(text: str) -> None:
    assert safe_name(text, "Untitled") == "Untitled"


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "notes"
    root.mkdir()
    (root / "way-out").symlink_to(tmp_path)

    with pytest.raises(AccessDenied):
        confined(root / "way-out" / "secret.md", root)


def test_a_collection_that_is_a_link_elsewhere_is_not_used(tmp_path: Path) -> None:
    root, outside = tmp_path / "calendars", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (root / "Work").symlink_to(outside)

    folder = collection(root, "Work", "Calendar")

    assert folder.resolve().is_relative_to(root.resolve())
    assert collection(root, "work", "Calendar") == folder


def test_a_new_file_gets_a_free_name(tmp_path: Path) -> None:
    (tmp_path / "a_b.md").touch()
    (tmp_path / "a_b 2.md").symlink_to(tmp_path / "nowhere")

    assert unused_file(tmp_path, "a/b", ".md", "Untitled").name == "a_b 3.md"


def test_a_full_disk_is_said_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "note.md"
    write_atomically(path, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(StorageFull, match="no space left"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["note.md"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_an_addition_that_does_not_fit_leaves_the_note_as_it_was(tmp_path: Path) -> None:
    note = tmp_path / "notes" / "Notes" / "Diary.md"
    note.parent.mkdir(parents=True)
    note.write_text("Monday\n")

    done = subprocess.run(
        [sys.executable, "-c", APPEND_UNDER_A_SIZE_LIMIT, str(tmp_path)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=60,
        check=False,
    )

    assert "no space left" in done.stdout, done.stderr
    assert note.read_text() == "Monday\n"
    assert [entry.name for entry in note.parent.iterdir()] == ["Diary.md"]


def test_a_folder_that_is_a_file_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("not a folder")

    with pytest.raises(AppFailed, match="could not be used"):
        write_atomically(tmp_path / "notes" / "note.md", b"x")


def test_the_permissions_of_a_file_survive_a_change(tmp_path: Path) -> None:
    path = tmp_path / "note.md"
    path.write_bytes(b"old")
    path.chmod(0o640)

    write_atomically(path, b"new")

    assert path.stat().st_mode & 0o777 == 0o640


def test_new_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    write_atomically(tmp_path / "note.md", b"private")

    assert (tmp_path / "note.md").stat().st_mode & 0o077 == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.vcf")

    with pytest.raises(AccessDenied):
        read_regular(tmp_path / "pipe.vcf")


def test_a_folder_kept_locked_by_another_is_an_error_not_a_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "LOCK_SECONDS", 0.05)
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with exclusive(tmp_path):
            held.set()
            done.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert held.wait(30)
        with pytest.raises(AppFailed, match="locked"), exclusive(tmp_path):
            pass
    finally:
        done.set()
        other.join()
    with exclusive(tmp_path):
        pass
