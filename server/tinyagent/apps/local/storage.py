"""Files of the data folder: safe names, confinement, atomic writes and clear errors."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
import unicodedata
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from tinyagent.apps.matching.text import key
from tinyagent.errors import AccessDenied, AppFailed, StorageFull, TinyAgentError

NAME_BYTES = 120
"""Longest file name made from a user's words; leaves room for suffixes below the usual limit of 255."""

DISPLAY_NAME = "displayname"
"""File that holds a collection's name as the user gave it (the vdir convention)."""

LOCK_SECONDS = 10.0

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DENIED = {errno.EACCES, errno.EPERM, errno.EROFS}
_SEPARATORS = set('/\\:*?"<>|')


def safe_name(text: str, fallback: str) -> str:
    """A file name that reads like `text`: letters of any script stay, what could leave the folder does not.

    Returns `fallback` when nothing is left.
    """
    kept = "".join(
        "_" if character in _SEPARATORS else character
        for character in unicodedata.normalize("NFC", " ".join(text.split()))
        if unicodedata.category(character) not in ("Cc", "Cs")
    )
    shortened = kept.lstrip(". ").encode()[:NAME_BYTES].decode(errors="ignore")
    return shortened.rstrip(". ") or fallback


def confined(path: Path, root: Path) -> Path:
    """The path without links. Raises AccessDenied when it lies outside `root`."""
    resolved = path.resolve()
    if not resolved.is_relative_to(root.resolve()):
        raise AccessDenied(f"{path.name} leads out of the folder {root}.")
    return resolved


def write_atomically(path: Path, data: bytes) -> None:
    """Write the whole file or nothing: a reader sees the old content or the new, also after a crash.

    Raises StorageFull, AccessDenied or AppFailed; the old content stays in each case.
    """
    with storage_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            if path.exists():
                shutil.copymode(path, temporary)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def read_regular(path: Path) -> bytes:
    """The file's content. Raises AccessDenied for what is no plain file (a pipe would block)."""
    with storage_errors(path.parent):
        if not stat.S_ISREG(path.stat().st_mode):
            raise AccessDenied(f"{path.name} in {path.parent} is not a plain file.")
        return path.read_bytes()


def collection(root: Path, name: str, default: str) -> Path:
    """The folder under `root` that keeps the collection `name`, made when there is none.

    An existing collection is found without regard to case; an empty name means `default`.
    """
    wanted = name.strip() or default
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        for folder in collections(root):
            if key(collection_name(folder)) == key(wanted):
                return folder
        folder = confined(_unused(root, safe_name(wanted, default), ""), root)
        folder.mkdir()
    if folder.name != wanted:
        write_atomically(folder / DISPLAY_NAME, wanted.encode())
    return folder


def collections(root: Path) -> list[Path]:
    """The folders under `root`, hidden ones and links to elsewhere left out."""
    if not root.is_dir():
        return []
    inside = root.resolve()
    folders = [entry for entry in sorted(root.iterdir()) if entry.is_dir() and not entry.name.startswith(".")]
    return [folder for folder in folders if folder.resolve().is_relative_to(inside)]


def collection_name(folder: Path) -> str:
    """The name that the user gave the collection."""
    shown = folder / DISPLAY_NAME
    if shown.is_file():
        return shown.read_text("utf-8", "replace").strip() or folder.name
    return folder.name


def unused_file(folder: Path, name: str, suffix: str, fallback: str) -> Path:
    """A path in `folder` for a new file called `name`; numbered when that name is taken."""
    return confined(_unused(folder, safe_name(name, fallback), suffix), folder)


@contextmanager
def exclusive(root: Path) -> Generator[None]:
    """Keep other threads and processes that ask for the same folder waiting. Raises AppFailed after 10 s."""
    with storage_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / ".lock", timeout=LOCK_SECONDS)
        try:
            lock.acquire()
        except Timeout as error:
            raise AppFailed(
                f"Another program has kept {root} locked for {LOCK_SECONDS:.0f} seconds.",
                hint="Close it and try again.",
            ) from error
        try:
            yield
        finally:
            lock.release()


@contextmanager
def storage_errors(folder: Path) -> Generator[None]:
    """Turn the system's errors into ours. They name the folder, never the file or its content."""
    try:
        yield
    except TinyAgentError:
        raise
    except OSError as error:
        raise storage_error(error, folder) from error


def storage_error(error: OSError, folder: Path) -> TinyAgentError:
    """What an error of the system means to a user who wanted something done in `folder`."""
    if error.errno in _FULL:
        return StorageFull(
            f"There is no space left to write in {folder}; nothing was changed.",
            hint="Free some space and try again.",
        )
    if error.errno in _DENIED:
        return AccessDenied(
            f"The system does not permit this in {folder}.",
            hint="Check the owner and the permissions of the folder.",
        )
    return AppFailed(f"The folder {folder} could not be used: {error.strerror or type(error).__name__}.")


def _unused(folder: Path, stem: str, suffix: str) -> Path:
    path, number = folder / f"{stem}{suffix}", 2
    while os.path.lexists(path):
        path, number = folder / f"{stem} {number}{suffix}", number + 1
    return path


def _sync_folder(folder: Path) -> None:
    """Make the new name durable, where the system lets a folder be opened."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
