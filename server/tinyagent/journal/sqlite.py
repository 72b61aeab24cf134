"""A journal in one SQLite file: one writer thread, write-ahead log, durable before visible."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from tinyagent.domain.events import EVENT, TERMINAL, Event
from tinyagent.errors import JournalError, StorageFull, UnreadableRun

T = TypeVar("T")

SCHEMA_VERSION = 1
BUSY_TIMEOUT_S = 5.0

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS events (
    run TEXT NOT NULL,
    seq INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (run TEXT PRIMARY KEY, ended INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS keys (key TEXT PRIMARY KEY, run TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""


class SqliteJournal:
    """Implements the Journal port. All access goes through one thread, so writes are ordered.

    Raises JournalError from every method when the file is damaged or cannot be written, and
    StorageFull when the disk is full; what was stored before stays readable.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._connection: sqlite3.Connection | None = None

    async def append(self, events: Sequence[Event]) -> list[Event]:
        return await self._do(lambda connection: _append(connection, events))

    async def read(self, run: str, after: int = 0) -> list[Event]:
        query = "SELECT body FROM events WHERE run = ? AND seq > ? ORDER BY seq"
        rows = await self._do(lambda connection: connection.execute(query, (run, after)).fetchall())
        try:
            return [EVENT.validate_json(body) for (body,) in rows]
        except ValueError:  # its text would quote what a person wrote
            raise UnreadableRun(
                f"The journal {self._path} holds an event of run {run} that this version cannot read.",
                hint="Update tinyagent, or delete the run.",
            ) from None

    async def runs(self, limit: int, before: str | None = None) -> list[str]:
        query = "SELECT run FROM runs WHERE ?1 IS NULL OR run < ?1 ORDER BY run DESC LIMIT ?2"
        rows = await self._do(lambda connection: connection.execute(query, (before, limit)).fetchall())
        return [run for (run,) in rows]

    async def unfinished(self) -> list[str]:
        query = "SELECT run FROM runs WHERE ended = 0 ORDER BY run"
        rows = await self._do(lambda connection: connection.execute(query).fetchall())
        return [run for (run,) in rows]

    async def delete(self, run: str) -> bool:
        def work(connection: sqlite3.Connection) -> bool:
            with connection:
                connection.execute("DELETE FROM events WHERE run = ?", (run,))
                connection.execute("DELETE FROM keys WHERE run = ?", (run,))
                return connection.execute("DELETE FROM runs WHERE run = ?", (run,)).rowcount > 0

        return await self._do(work)

    async def remember_key(self, key: str, run: str) -> str:
        def work(connection: sqlite3.Connection) -> str:
            with connection:
                connection.execute("INSERT OR IGNORE INTO keys VALUES (?, ?)", (key, run))
                return connection.execute("SELECT run FROM keys WHERE key = ?", (key,)).fetchone()[0]

        return await self._do(work)

    async def close(self) -> None:
        if self._connection is not None:
            await self._do(lambda connection: connection.close())
            self._connection = None
        self._thread.shutdown()

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run `work` in the journal's thread, and finish it even when the caller is cancelled."""
        try:
            working = asyncio.get_running_loop().run_in_executor(self._thread, self._guarded, work)
        except RuntimeError:  # the thread takes no more work
            raise JournalError("The journal was closed.", hint="The server is stopping.") from None
        return await asyncio.shield(working)

    def _guarded(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = _open(self._path)
            return work(self._connection)
        except sqlite3.Error as error:
            raise _explained(error, self._path) from error


def _open(path: Path) -> sqlite3.Connection:
    _make_private(path)
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            raise sqlite3.DatabaseError("quick_check found damage")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise JournalError(
                f"The journal {path} was written by a newer version of tinyagent.", hint="Update tinyagent."
            )
        connection.executescript(_SCHEMA)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_private(path: Path) -> None:
    """Let only the owner read the file; SQLite gives its write-ahead log the same permissions."""
    with contextlib.suppress(OSError):  # SQLite will say better what is wrong
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)


def _append(connection: sqlite3.Connection, events: Sequence[Event]) -> list[Event]:
    stored: list[Event] = []
    with connection:
        for event in events:
            query = "SELECT COALESCE(MAX(seq), 0) + 1 FROM events WHERE run = ?"
            seq = connection.execute(query, (event.run,)).fetchone()[0]
            event = event.model_copy(update={"seq": seq})
            body = EVENT.dump_json(event).decode()
            connection.execute("INSERT INTO events VALUES (?, ?, ?)", (event.run, seq, body))
            ended = int(isinstance(event, TERMINAL))
            if seq == 1 or ended:
                connection.execute("INSERT OR REPLACE INTO runs VALUES (?, ?)", (event.run, ended))
            stored.append(event)
    return stored


def _explained(error: sqlite3.Error, path: Path) -> JournalError:
    text = str(error)
    if "full" in text or "disk I/O error" in text:
        return StorageFull(
            f"The journal {path} cannot be written: the disk is full.",
            hint="Free some space and try again; nothing that was recorded is lost.",
        )
    if "locked" in text:
        return JournalError(
            f"The journal {path} is in use by another process.",
            hint="Stop the other server, or use another --home.",
        )
    if "unable to open" in text or "readonly" in text:
        return JournalError(
            f"The journal {path} cannot be opened for writing.", hint="Check the folder's permissions."
        )
    return JournalError(
        f"The journal {path} is damaged ({text}).",
        hint="Nothing was changed. Move the file away to begin a new history, or restore it from a backup.",
    )
