"""The file of a chain while it is written to."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock, Timeout

from tinyagent.errors import JournalError
from tinyagent.journal._chain import (
    BrokenLine,
    Head,
    check,
    head_path,
    link,
    read_head,
    read_line,
    write_all,
    write_head,
)
from tinyagent.ports import AuditEntry, Clock

_BLOCK = 65_536

TORN = AuditEntry(run="", task=0, tool="", effect="", action="failed", by="tinyagent", code="torn_line")
"""Says that a crash came in the middle of a line; what there was of it lies in the `.torn` file."""


class OpenLog:
    """A log held by this process. Not for several threads.

    Raises OSError when the system fails, and JournalError when another process holds the log or its
    end is not what was last written.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = _held(path)
        try:
            self._descriptor = _open_private(path)
        except BaseException:
            self._lock.release()
            raise
        try:
            self._find_end()
        except BaseException:
            self.close()
            raise

    @property
    def current(self) -> bool:
        """Whether the file at the log's path is still this one, and ends where it was left."""
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor)) and there.st_size == self._end

    def append(self, entry: AuditEntry) -> None:
        """Store the entry; durable on return, and not there at all after an exception."""
        time = self._clock.now().isoformat(timespec="microseconds")
        line, head = link({"time": time, **asdict(entry)}, self._head)
        try:
            write_all(self._descriptor, line)
            os.fsync(self._descriptor)
            write_head(self._path, head)
        except BaseException:
            os.ftruncate(self._descriptor, self._end)
            raise
        self._head, self._end = head, self._end + len(line)

    def close(self) -> None:
        """Release the log."""
        os.close(self._descriptor)
        self._lock.release()

    def _find_end(self) -> None:
        """Where the next line goes. A line that a crash tore is put aside first, and an entry says so."""
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            size = file.seek(0, os.SEEK_END)
            last, torn = _last_line(file, size)
            self._head = _checked_end(self._path, file, last)
        self._end = size - len(torn)
        if torn:
            _put_aside(self._path.with_suffix(".torn"), torn)
            os.ftruncate(self._descriptor, self._end)
            self.append(TORN)


def _held(path: Path) -> FileLock:
    lock = FileLock(f"{path}.lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise JournalError(
            f"The audit log {path} is in use by another process.",
            hint="Stop the other server, or use another --home.",
        ) from None
    return lock


def _open_private(path: Path) -> int:
    """The log for reading and appending, for its owner alone; a new one has a head that says "empty"."""
    if not path.exists() and not head_path(path).exists():
        write_head(path, Head())
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        path.chmod(0o600)
        _sync_folder(path.parent)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _sync_folder(folder: Path) -> None:
    """Make the names in it durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _last_line(file: BinaryIO, size: int) -> tuple[bytes, bytes]:
    """The last complete line, and what stands behind it."""
    start, tail = size, b""
    while start and tail.count(b"\n") < 2:
        length = min(_BLOCK, start)
        start -= length
        file.seek(start)
        tail = file.read(length) + tail
    complete, end, torn = tail.rpartition(b"\n")
    return complete.rpartition(b"\n")[2] + end, torn


def _checked_end(path: Path, file: BinaryIO, last: bytes) -> Head:
    """The head that the last complete line makes, if that is what was written last."""
    try:
        stored = read_head(path)
        fields = read_line(last) if last else {"seq": 0, "hash": Head().hash}
        head = Head(int(fields["seq"]), str(fields["hash"]))
        if head == stored:
            return head
        file.seek(0)  # a crash between a line and its head leaves the line ahead
        fault = check((line for line in file if line.endswith(b"\n")), stored).fault
        if not fault:
            return head
    except BrokenLine as broken:
        fault = str(broken)
    raise JournalError(
        f"The audit log {path} is damaged or was changed: {fault}.",
        hint=f"See `tinyagent audit verify`. To begin a new log, move it and {head_path(path).name} away.",
    )


def _put_aside(path: Path, torn: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        write_all(descriptor, torn + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
