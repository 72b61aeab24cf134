"""Writing results: whole or not at all, with the room and the place looked at first."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from tinyagent.errors import InvalidRequest, StorageFull, TinyAgentError

FULL = (errno.ENOSPC, errno.EDQUOT)
"""What the system says of a disk without room."""
_ELSEWHERE = "Free some space, or choose a place on another disk with --out."


def cannot_write(path: Path, error: OSError) -> TinyAgentError:
    """The failure to tell when a file cannot be written."""
    if error.errno in FULL or (error.errno is None and "written" in str(error)):  # so numpy tells of it
        return StorageFull(f"{path} cannot be written: the disk is full.", hint=_ELSEWHERE)
    return InvalidRequest(
        f"{path} cannot be written: {error.strerror or type(error).__name__}.",
        hint="Choose another place with --out.",
    )


@contextmanager
def whole_file(path: Path) -> Generator[Path]:
    """A file beside `path` to write to, which takes its place at the end; a failure leaves nothing.

    Raises StorageFull or InvalidRequest for what cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        try:
            yield partial
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(path, error) from error


def write_whole(path: Path, text: str) -> None:
    """Put a text in place of a file in one step. Raises StorageFull or InvalidRequest."""
    with whole_file(path) as partial:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, "utf-8")


def prepare_folder(folder: Path, needed: int, what: str) -> None:
    """Make the folder and see that it can be written and has room for the bytes that `what` needs.

    Raises StorageFull or InvalidRequest.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise cannot_write(folder, error) from error
    check_room(folder, needed, what)


def prepare_file(path: Path, needed: int, what: str) -> None:
    """See that a file can be put at `path` and has room there, before the work that it takes to make it.

    Raises StorageFull or InvalidRequest.
    """
    if path.is_dir():
        raise InvalidRequest(f"{path} is a folder.", hint="Give the file to write with --out.")
    prepare_folder(path.absolute().parent, needed, what)


def check_room(folder: Path, needed: int, what: str) -> None:
    """Raises StorageFull when the disk of the folder has less room than `what` needs, in bytes."""
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise StorageFull(
            f"{folder} has room for {readable_size(free)}; {what} needs about {readable_size(needed)}.",
            hint=_ELSEWHERE,
        )


def readable_size(count: float) -> str:
    """A number of bytes as people read it."""
    for unit, bytes_of_it in (("GB", 1e9), ("MB", 1e6)):
        if count >= bytes_of_it:
            return f"{count / bytes_of_it:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
