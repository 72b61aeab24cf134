"""What every journal keeps to."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.scripted import NOW
from tinyagent.domain import events as ev
from tinyagent.errors import JournalError, StorageFull
from tinyagent.journal.memory import MemoryJournal
from tinyagent.journal.sqlite import SqliteJournal
from tinyagent.ports import Journal


@pytest.fixture(params=["memory", "sqlite"])
async def journal(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Journal]:
    journal = MemoryJournal() if request.param == "memory" else SqliteJournal(tmp_path / "journal.sqlite3")
    yield journal
    await journal.close()


def created(run: str) -> ev.RunCreated:
    data = ev.RunCreatedData(
        query="öffne", mode="run", planner="p", now=NOW, deadline_s=1, history=(("user", "hi"),)
    )
    return ev.RunCreated(run=run, time=NOW, data=data)


def delta(run: str, text: str) -> ev.AnswerDelta:
    return ev.AnswerDelta(run=run, time=NOW, data=ev.AnswerDeltaData(text=text))


def completed(run: str) -> ev.RunCompleted:
    return ev.RunCompleted(run=run, time=NOW, data=ev.RunCompletedData(answer="a"))


async def test_events_come_back_numbered_equal_and_in_order(journal: Journal) -> None:
    stored = await journal.append([created("r1"), delta("r1", "x\u0000y \u202e"), completed("r1")])
    assert [event.seq for event in stored] == [1, 2, 3]
    assert await journal.read("r1") == stored
    assert await journal.read("r1", 2) == stored[2:]
    assert await journal.read("unknown") == []


async def test_concurrent_appends_get_different_numbers(journal: Journal) -> None:
    await asyncio.gather(*(journal.append([delta("r1", str(number))]) for number in range(20)))
    assert [event.seq for event in await journal.read("r1")] == list(range(1, 21))


async def test_runs_are_listed_newest_first_and_page_by_page(journal: Journal) -> None:
    for run in ("a", "b", "c"):
        await journal.append([created(run)])
    assert await journal.runs(2) == ["c", "b"]
    assert await journal.runs(2, before="b") == ["a"]


async def test_only_runs_without_a_terminal_event_are_unfinished(journal: Journal) -> None:
    await journal.append([created("a"), completed("a")])
    await journal.append([created("b"), delta("b", "x")])
    assert await journal.unfinished() == ["b"]


async def test_a_deleted_run_is_gone_with_its_key(journal: Journal) -> None:
    await journal.append([created("a")])
    assert await journal.remember_key("k", "a") == "a"
    assert await journal.remember_key("k", "b") == "a"
    assert await journal.delete("a")
    assert not await journal.delete("a")
    assert await journal.read("a") == []
    assert await journal.remember_key("k", "b") == "b"


async def test_what_was_appended_survives_the_process(tmp_path: Path) -> None:
    first = SqliteJournal(tmp_path / "j")
    stored = await first.append([created("a"), delta("a", "x")])
    await first.close()
    second = SqliteJournal(tmp_path / "j")
    assert await second.read("a") == stored
    await second.close()


@pytest.mark.parametrize("damage", ["text", "middle"])
async def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "journal.sqlite3"
    if damage == "text":
        path.write_bytes(b"this is no database, but it is somebody's file" * 100)
    else:
        whole = SqliteJournal(path)
        for number in range(200):
            await whole.append([delta(f"r{number}", "x" * 500)])
        await whole.close()
        content = bytearray(path.read_bytes())
        content[4096:40960] = b"\xff" * (40960 - 4096)
        path.write_bytes(content)
    before = path.read_bytes()
    journal = SqliteJournal(path)
    with pytest.raises(JournalError, match="damaged") as caught:
        await journal.read("a")
    assert str(path) in caught.value.message
    assert "Move the file away" in str(caught.value.hint)
    assert path.read_bytes() == before
    await journal.close()


async def test_a_full_disk_is_said_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite3"
    journal = SqliteJournal(path)
    await journal.append([created("a")])
    # SQLite's own page limit stands in for the disk's: it raises the same "full" error.
    await journal._do(lambda connection: connection.execute("PRAGMA max_page_count = 8"))  # type: ignore[attr-defined]
    with pytest.raises(StorageFull):
        for _ in range(50):
            await journal.append([delta("a", "x" * 4000)])
    count = len(await journal.read("a"))
    await journal.close()
    again = sqlite3.connect(path)
    assert again.execute("SELECT COUNT(*) FROM events").fetchone() == (count,)
    again.close()


async def test_others_cannot_read_the_files_of_a_journal_even_in_an_open_folder(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        journal = SqliteJournal(tmp_path / "journal.sqlite3")
        await journal.append([created("a")])
    finally:
        os.umask(before)
    files = list(tmp_path.iterdir())
    assert len(files) > 1  # the write-ahead log holds text too
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    await journal.close()


@pytest.mark.parametrize("body", ["{}", "no json", '{"type": "run.danced", "seq": 1}'])
async def test_an_event_that_cannot_be_read_is_a_journal_error(tmp_path: Path, body: str) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    await journal.append([created("a")])
    await journal._do(lambda connection: connection.execute("UPDATE events SET body = ?", (body,)))
    await journal._do(lambda connection: connection.commit())
    with pytest.raises(JournalError, match="run a"):
        await journal.read("a")
    await journal.close()


async def test_a_journal_in_a_folder_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "missing" / "journal.sqlite3")
    with pytest.raises(JournalError, match="cannot be opened"):
        await journal.runs(1)
    await journal.close()


async def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "journal.sqlite3")
    await journal.append([created("a")])
    await journal.close()
    with pytest.raises(JournalError, match="closed"):
        await journal.read("a")
