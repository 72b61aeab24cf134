"""The audit log: what is stored, what survives a crash, and what no change can hide."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.scripted import FixedClock
from tinyagent.errors import JournalError, StorageFull
from tinyagent.journal.audit import FileAuditLog, entries, verify
from tinyagent.ports import AuditEntry

ENTRY = AuditEntry("run_1", 2, "send_email", "send", "approved", arguments="ab" * 32, by="owner")


def head_of(path: Path) -> Path:
    return path.with_suffix(".head")


async def write(path: Path, count: int) -> None:
    log = FileAuditLog(path, FixedClock())
    for number in range(count):
        await log.append(AuditEntry(f"run_{number}", number, "create_note", "write", "started"))
    await log.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.jsonl"


# --- what is stored --------------------------------------------------------------------------


async def test_an_entry_is_one_line_with_its_fields_time_and_place(path: Path) -> None:
    log = FileAuditLog(path, FixedClock())
    await log.append(ENTRY)
    await log.append(ENTRY)
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert first.items() >= asdict(ENTRY).items()
    assert (first["seq"], first["time"], first["previous"]) == (
        1,
        "2025-03-08T11:20:00.000000+00:00",
        "0" * 64,
    )
    assert (second["seq"], second["previous"]) == (2, first["hash"])
    await log.close()


async def test_the_files_are_their_owners_alone(path: Path) -> None:
    await write(path, 1)
    assert [stat.S_IMODE(file.stat().st_mode) for file in (path, head_of(path))] == [0o600, 0o600]


async def test_a_log_goes_on_where_it_ended(path: Path) -> None:
    await write(path, 2)
    await write(path, 3)
    verdict = verify(path)
    assert (verdict.ok, verdict.entries) == (True, 5)
    assert verdict.head == json.loads(path.read_text().splitlines()[-1])["hash"]


async def test_entries_of_concurrent_calls_stand_in_one_chain(path: Path) -> None:
    log = FileAuditLog(path, FixedClock())
    await asyncio.gather(*(log.append(ENTRY) for _ in range(20)))
    await log.close()
    assert (verify(path).ok, verify(path).entries) == (True, 20)


async def test_a_cancelled_caller_leaves_a_whole_log(path: Path) -> None:
    log = FileAuditLog(path, FixedClock())
    appending = asyncio.create_task(log.append(ENTRY))
    await asyncio.sleep(0)
    appending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await appending
    await log.close()
    assert (verify(path).ok, verify(path).entries) == (True, 1)


async def test_a_second_writer_is_refused_until_the_first_one_closes(path: Path) -> None:
    first, second = FileAuditLog(path, FixedClock()), FileAuditLog(path, FixedClock())
    await first.append(ENTRY)
    with pytest.raises(JournalError, match="in use by another process"):
        await second.append(ENTRY)
    await first.close()
    await second.append(ENTRY)
    await second.close()
    assert (verify(path).ok, verify(path).entries) == (True, 2)


async def test_a_closed_log_takes_nothing_more(path: Path) -> None:
    log = FileAuditLog(path, FixedClock())
    await log.close()
    with pytest.raises(JournalError, match="was closed"):
        await log.append(ENTRY)


# --- failures --------------------------------------------------------------------------------


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_told_and_leaves_the_log_as_it_was(path: Path) -> None:
    log = FileAuditLog(path, FixedClock())
    await log.append(ENTRY)
    before = path.read_bytes()
    with largest_file(len(before) + 100):
        for _ in range(2):
            with pytest.raises(StorageFull, match="disk is full"):
                await log.append(ENTRY)
    assert path.read_bytes() == before
    await log.append(ENTRY)
    await log.close()
    assert (verify(path).ok, verify(path).entries) == (True, 2)


async def test_an_entry_whose_head_cannot_be_stored_is_not_stored(path: Path) -> None:
    log = FileAuditLog(path, FixedClock())
    await log.append(ENTRY)
    before = path.read_bytes()
    path.with_suffix(".head-new").mkdir()
    with pytest.raises(JournalError, match="cannot be read or written"):
        await log.append(ENTRY)
    assert (path.read_bytes(), verify(path).ok) == (before, True)
    await log.close()


async def test_a_place_that_is_no_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    log = FileAuditLog(tmp_path / "file" / "audit.jsonl", FixedClock())
    with pytest.raises(JournalError, match="cannot be read or written"):
        await log.append(ENTRY)
    await log.close()


# --- crashes ---------------------------------------------------------------------------------


async def test_a_torn_last_line_is_put_aside_and_the_chain_says_so(path: Path) -> None:
    await write(path, 2)
    with path.open("ab") as file:
        file.write(b'{"action":"sta')
    assert (verify(path).line, verify(path).fault) == (3, "it is not complete")
    await write(path, 1)
    assert path.with_suffix(".torn").read_bytes() == b'{"action":"sta\n'
    assert [entry["code"] for entry in entries(path) if isinstance(entry, dict)] == ["", "", "torn_line", ""]
    assert verify(path).ok


WRITER = """
import asyncio, sys
from pathlib import Path
from tests.support.scripted import FixedClock
from tinyagent.journal.audit import FileAuditLog
from tinyagent.ports import AuditEntry

async def main():
    log = FileAuditLog(Path(sys.argv[1]), FixedClock())
    while True:
        await log.append(AuditEntry("run_1", 1, "create_note", "write", "started"))
        print("stored", flush=True)

asyncio.run(main())
"""


async def test_what_was_stored_outlives_a_killed_writer(path: Path) -> None:
    paths = os.pathsep.join(sys.path)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WRITER, str(path)),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        for _ in range(20):
            assert await process.stdout.readline() == b"stored\n"
        process.kill()
        told = 20 + (await process.stdout.read()).count(b"stored")
        await process.wait()
    assert verify(path).entries in (told, told + 1)
    await write(path, 1)
    verdict = verify(path)
    assert (verdict.ok, verdict.entries >= told + 1) == (True, True)


async def test_a_line_whose_head_a_crash_kept_back_counts(path: Path) -> None:
    await write(path, 2)
    old_head = head_of(path).read_bytes()
    await write(path, 1)
    head_of(path).write_bytes(old_head)
    assert (verify(path).ok, verify(path).entries) == (True, 3)
    await write(path, 1)
    assert json.loads(head_of(path).read_text())["seq"] == 4


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1])),
        lambda path: path.write_bytes(path.read_bytes()[:-5]),
        lambda path: path.write_bytes(path.read_bytes()[:-5] + b"xxxx\n"),
        lambda path: path.write_bytes(b""),
        lambda path: path.unlink(),
        lambda path: head_of(path).unlink(),
        lambda path: head_of(path).write_text("{}"),
    ],
    ids=["line cut off", "tail cut off", "line changed", "emptied", "deleted", "no head", "damaged head"],
)
async def test_a_log_with_another_end_is_not_written_to(path: Path, harm: Callable[[Path], object]) -> None:
    await write(path, 3)
    harm(path)
    before = path.read_bytes() if path.exists() else b""
    log = FileAuditLog(path, FixedClock())
    with pytest.raises(JournalError, match="damaged or was changed"):
        await log.append(ENTRY)
    await log.close()
    assert path.read_bytes() == before
    assert not verify(path).ok
    assert not path.with_suffix(".torn").exists()


# --- checking --------------------------------------------------------------------------------


def replace_with_cut(path: Path) -> None:
    cut = path.with_suffix(".cut")
    cut.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    cut.replace(path)


@pytest.mark.parametrize(
    "harm",
    [Path.unlink, replace_with_cut, lambda path: path.write_bytes(b"")],
    ids=["gone", "cut", "emptied"],
)
async def test_a_log_that_is_harmed_while_it_is_open_is_not_written_to(
    path: Path, harm: Callable[[Path], object]
) -> None:
    log = FileAuditLog(path, FixedClock())
    for _ in range(2):
        await log.append(ENTRY)
    harm(path)
    for _ in range(2):
        with pytest.raises(JournalError, match="damaged or was changed"):
            await log.append(ENTRY)
    await log.close()


async def test_a_log_that_is_moved_away_while_it_is_open_begins_anew(path: Path) -> None:
    log = FileAuditLog(path, FixedClock())
    await log.append(ENTRY)
    path.rename(path.with_suffix(".old"))
    head_of(path).rename(path.with_suffix(".old-head"))
    await log.append(ENTRY)
    await log.close()
    assert (verify(path).ok, verify(path).entries) == (True, 1)


def test_a_log_that_was_never_begun_is_whole(path: Path) -> None:
    assert (verify(path).ok, verify(path).entries, list(entries(path))) == (True, 0, [])


async def test_the_first_faulty_line_is_named(path: Path) -> None:
    await write(path, 4)
    text = path.read_text().replace('"run":"run_2"', '"run":"run_9"')
    path.write_text(text)
    verdict = verify(path)
    assert (verdict.ok, verdict.entries, verdict.line) == (False, 2, 3)
    assert "changed" in verdict.fault
    assert [type(entry) for entry in entries(path)] == [dict, dict, str, dict]


async def test_a_log_written_anew_lacks_the_hash_that_was_noted(path: Path) -> None:
    await write(path, 3)
    noted = verify(path).head
    await write(path, 1)
    assert verify(path, noted).ok
    path.unlink()
    head_of(path).unlink()
    assert verify(path).ok
    assert "noted" in verify(path, noted).fault
    await write(path, 1)
    assert "noted" in verify(path, noted).fault


LINES = 5


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "audit.jsonl"
    asyncio.run(write(path, LINES))
    return path


def changed_byte(lines: list[bytes], data: st.DataObject) -> bytes:
    content = b"".join(lines)
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != content[place]))
    return content[:place] + bytes([byte]) + content[place + 1 :]


def deleted(lines: list[bytes], data: st.DataObject) -> bytes:
    first = data.draw(st.integers(0, LINES - 1))
    last = data.draw(st.integers(first, LINES - 1))
    return b"".join(lines[:first] + lines[last + 1 :])


def duplicated(lines: list[bytes], data: st.DataObject) -> bytes:
    at, to = data.draw(st.integers(0, LINES - 1)), data.draw(st.integers(0, LINES))
    return b"".join([*lines[:to], lines[at], *lines[to:]])


def swapped(lines: list[bytes], data: st.DataObject) -> bytes:
    order = data.draw(st.permutations(range(LINES)).filter(lambda order: list(order) != sorted(order)))
    return b"".join(lines[number] for number in order)


def truncated(lines: list[bytes], data: st.DataObject) -> bytes:
    content = b"".join(lines)
    return content[: data.draw(st.integers(0, len(content) - 1))]


@pytest.mark.parametrize("harm", [changed_byte, deleted, duplicated, swapped, truncated])
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_no_change_of_the_lines_is_missed(
    whole: Path, harm: Callable[[list[bytes], st.DataObject], bytes], data: st.DataObject
) -> None:
    harmed = harm(whole.read_bytes().splitlines(keepends=True), data)
    path = whole.with_name("harmed.jsonl")
    path.write_bytes(harmed)
    head_of(path).write_bytes(head_of(whole).read_bytes())
    assert not verify(path).ok


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_change_of_the_head_is_missed(whole: Path, data: st.DataObject) -> None:
    path = whole.with_name("other.jsonl")
    path.write_bytes(whole.read_bytes())
    head_of(path).write_bytes(changed_byte([head_of(whole).read_bytes()], data))
    assert not verify(path).ok
