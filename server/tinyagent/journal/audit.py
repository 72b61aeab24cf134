"""The audit log: one JSON line for each thing that was done, asked or refused, chained by hashes.

It holds no text of the user's: arguments are a SHA-256. What the chain shows and what it cannot show is
told in docs/security.md.
"""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from tinyagent.errors import JournalError, StorageFull
from tinyagent.journal._chain import BrokenLine, Head, Verdict, check, read_head, read_line
from tinyagent.journal._open_log import OpenLog
from tinyagent.ports import AuditEntry, Clock

__all__ = ["FileAuditLog", "Verdict", "entries", "verify"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class FileAuditLog:
    """Implements the AuditLog port with a file that one process holds from the first entry to `close`.

    `append` raises StorageFull when the disk is full, and JournalError when the file cannot be written
    or its end is not what was last written: no further entry can be trusted then.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._file: OpenLog | None = None

    async def append(self, entry: AuditEntry) -> None:
        await self._do(partial(self._append, entry))

    async def close(self) -> None:
        if self._file is not None:
            await self._do(self._close)
        self._thread.shutdown()

    async def _do(self, work: Callable[[], None]) -> None:
        """Run `work` in the log's thread, and finish it even when the caller is cancelled."""
        try:
            working = asyncio.get_running_loop().run_in_executor(self._thread, work)
        except RuntimeError:  # the thread takes no more work
            raise JournalError("The audit log was closed.", hint="The server is stopping.") from None
        await asyncio.shield(working)

    def _append(self, entry: AuditEntry) -> None:
        try:
            # What somebody moved, replaced or cut is checked as at the start.
            if self._file is not None and not self._file.current:
                self._close()
            if self._file is None:
                self._file = OpenLog(self._path, self._clock)
            self._file.append(entry)
        except OSError as error:
            self._close()
            raise _explained(error, self._path) from error

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def verify(path: Path, known: str = "") -> Verdict:
    """Read the whole log and check every line, and that one of them has the hash `known` if it is given.

    A log that was never begun is whole. Raises JournalError when it cannot be read.
    """
    try:
        # The head comes first: what a server writes meanwhile stands behind it.
        stored = read_head(path)
        try:
            with path.open("rb") as file:
                return check(file, stored, known)
        except FileNotFoundError:
            return check((), stored, known)
    except BrokenLine as broken:
        return Verdict(0, Head().hash, None, str(broken))
    except OSError as error:
        raise _explained(error, path) from error


def entries(path: Path) -> Iterator[dict[str, Any] | str]:
    """The entries of a log, oldest first; in place of a line that is not sound, what is wrong with it.

    Raises JournalError when the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield read_line(line)
                except BrokenLine as broken:
                    yield f"line {number}: {broken}"
    except FileNotFoundError:
        return
    except OSError as error:
        raise _explained(error, path) from error


def _explained(error: OSError, path: Path) -> JournalError:
    if error.errno in _FULL:
        return StorageFull(
            f"The audit log {path} cannot be written: the disk is full.",
            hint="Free some space and try again; nothing that was recorded is lost.",
        )
    return JournalError(
        f"The audit log {path} cannot be read or written: {error.strerror or type(error).__name__}.",
        hint="Check the folder's permissions.",
    )
