"""Taking back a file that was written, as long as nobody has changed it since.

A record comes back from a journal, so it is data: it can name no place outside the folder of its app.
"""

from __future__ import annotations

import hashlib
import unicodedata
from pathlib import Path, PurePosixPath

from tinyagent.apps.base import UndoRecord
from tinyagent.apps.local.storage import confined, read_regular, storage_errors
from tinyagent.errors import AccessDenied, AppFailed, ChangedSince, NoMatch

PATH, SHA256 = "path", "sha256"
ADDITION, SHA256_BEFORE = "addition", "sha256_before"
"""How many bytes were added at the end of a file, and what it was without them."""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def written(path: Path, root: Path, content: bytes) -> dict[str, str]:
    """The record of a file below `root` that was just written with this content."""
    return {PATH: path.resolve().relative_to(root.resolve()).as_posix(), SHA256: sha256(content)}


def extended(path: Path, root: Path, before: bytes, after: bytes) -> dict[str, str]:
    """The record of a file below `root` that something was added to at its end."""
    addition = str(len(after) - len(before))
    return {**written(path, root, after), ADDITION: addition, SHA256_BEFORE: sha256(before)}


def recorded_path(record: UndoRecord, root: Path, suffix: str) -> Path:
    """The visible file below `root` that the record names. Raises AccessDenied for any other place."""
    name = PurePosixPath(record.get(PATH, ""))
    visible = name.parts and not any(part.startswith((".", "/")) for part in name.parts)
    writable = not any(unicodedata.category(character) in ("Cc", "Cs") for character in str(name))
    if not visible or not writable or name.suffix != suffix:
        raise AccessDenied(f"The record of the call names no {suffix} file in {root}.")
    with storage_errors(root):
        return confined(root / name, root)


def remove_unchanged(path: Path, record: UndoRecord, what: str) -> bytes:
    """Delete the file and return what it held. Raises NoMatch when it is gone, or ChangedSince."""
    with storage_errors(path.parent):
        if not path.is_file():
            raise gone(what)
        content = read_regular(path)
        _require_unchanged(content, record, what)
        path.unlink(missing_ok=True)
    return content


def before_addition(content: bytes, record: UndoRecord, what: str) -> bytes:
    """The content without what was added to it. Raises ChangedSince when it is not what the addition left."""
    _require_unchanged(content, record, what)
    addition = record.get(ADDITION, "")
    size = int(addition) if addition.isascii() and addition.isdigit() and len(addition) < 12 else 0
    before = content[: max(0, len(content) - size)]
    if sha256(before) != record.get(SHA256_BEFORE):
        raise AppFailed(
            "The record of the addition is damaged; nothing was changed.", hint="Take it out by hand."
        )
    return before


def _require_unchanged(content: bytes, record: UndoRecord, what: str) -> None:
    if sha256(content) != record.get(SHA256):
        raise ChangedSince(
            f"{what} was changed since, so it was left alone.", hint="Take it back by hand if you want to."
        )


def gone(what: str) -> NoMatch:
    """The error for something that is not there any more."""
    return NoMatch(f"{what} is gone already.", hint="Nothing is left to take back.")
