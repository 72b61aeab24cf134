"""Notes as Markdown files: `notes/<folder>/<name>.md`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tinyagent.apps.base import Note, UndoRecord
from tinyagent.apps.local.storage import (
    collection,
    collection_name,
    collections,
    exclusive,
    read_regular,
    storage_errors,
    unused_file,
    write_atomically,
)
from tinyagent.apps.local.undo import (
    ADDITION,
    before_addition,
    extended,
    gone,
    recorded_path,
    remove_unchanged,
    written,
)
from tinyagent.apps.matching.notes import UNTITLED, best_matches, free_name, no_match
from tinyagent.apps.matching.text import fold, key
from tinyagent.apps.portable.note_file import compose, read_name, read_text, text_of, with_addition
from tinyagent.errors import Ambiguous, AppFailed, NoMatch

DEFAULT_FOLDER = "Notes"

EDIT_RETRIES = 5


@dataclass(frozen=True)
class _Entry:
    path: Path
    name: str
    folder: str


class PortableNotes:
    """Notes in the data folder, which may be edited with any editor at the same time."""

    def __init__(self, data: Path) -> None:
        self._root = data / "notes"

    async def create(self, name: str, content: str, folder: str) -> Note:
        """A new note. A name that is taken in the folder gets a number, nothing is overwritten."""
        return await asyncio.to_thread(self._create, name, content, folder)

    async def open(self, name: str, folder: str) -> Note:
        """The note that the name means, in the folder if one is given. Raises NoMatch or Ambiguous."""
        return await asyncio.to_thread(self._open, name, folder)

    async def append(self, name: str, content: str, folder: str) -> Note:
        """Add lines to the note that the name means. Raises NoMatch or Ambiguous."""
        return await asyncio.to_thread(self._append, name, content, folder)

    async def undo(self, record: UndoRecord) -> str:
        """Delete a new note, or take an addition out of a note; not when the note was edited since."""
        return await asyncio.to_thread(self._undo, record)

    def _create(self, name: str, content: str, folder: str) -> Note:
        with exclusive(self._root):
            place = collection(self._root, folder, DEFAULT_FOLDER)
            taken = {fold(entry.name) for entry in _entries_in(place, self._root)}
            title = free_name(name if name.strip() else UNTITLED, taken)
            path = unused_file(place, title, ".md", UNTITLED)
            file = compose(title, content, datetime.now().astimezone())
            write_atomically(path, file)
        undo = written(path, self._root, file)
        return Note(self._id(path), title, collection_name(place), content, undo)

    def _open(self, name: str, folder: str) -> Note:
        entry = self._find(name, folder)
        return Note(self._id(entry.path), entry.name, entry.folder, read_text(entry.path))

    def _append(self, name: str, content: str, folder: str) -> Note:
        with exclusive(self._root):
            entry = self._find(name, folder)
            before, after = _edit(entry.path, lambda old: with_addition(old, content))
        undo = extended(entry.path, self._root, before, after)
        return Note(self._id(entry.path), entry.name, entry.folder, text_of(after, entry.path), undo)

    def _undo(self, record: UndoRecord) -> str:
        path = recorded_path(record, self._root, ".md")
        with exclusive(self._root):
            if not path.is_file():
                raise gone("The note")
            name = read_name(path)
            if ADDITION not in record:
                remove_unchanged(path, record, "The note")
                return f"Deleted the note “{name}”."
            _edit(path, lambda content: before_addition(content, record, "The note"))
        return f"Took the addition out of the note “{name}”."

    def _find(self, name: str, folder: str) -> _Entry:
        with storage_errors(self._root):
            entries = self._entries(folder)
        matches = best_matches(name, entries)
        if len(matches) == 1:
            return matches[0]
        if matches:
            candidates = [f"{entry.name} ({self._id(entry.path)})" for entry in matches]
            raise Ambiguous(
                f"Several notes match “{name}”.",
                hint="Say which one by its full name.",
                candidates=candidates,
            )
        raise no_match(name, folder, entries)

    def _entries(self, folder: str) -> list[_Entry]:
        if not folder.strip():
            places = [self._root, *collections(self._root)]
        else:
            places = [
                place for place in collections(self._root) if key(collection_name(place)) == key(folder)
            ]
            if not places:
                raise NoMatch(
                    f"There is no folder of notes called “{folder}”.",
                    hint=_folders_hint(collections(self._root)),
                )
        return [entry for place in places for entry in _entries_in(place, self._root)]

    def _id(self, path: Path) -> str:
        return path.relative_to(self._root.resolve()).as_posix()


def _entries_in(place: Path, root: Path) -> list[_Entry]:
    if not place.is_dir():
        return []
    inside, folder = root.resolve(), "" if place == root else collection_name(place)
    files = [
        path.resolve()
        for path in sorted(place.glob("*.md"))
        if not path.name.startswith(".") and path.is_file()
    ]
    return [_Entry(path, read_name(path), folder) for path in files if path.is_relative_to(inside)]


def _edit(path: Path, change: Callable[[bytes], bytes]) -> tuple[bytes, bytes]:
    """Replace the file's content; the old and the new. An edit made by another program meanwhile is kept."""
    for _ in range(EDIT_RETRIES):
        version = _version(path)
        before = read_regular(path)
        after = change(before)
        text_of(after, path)  # what is no text stays as it is
        if _version(path) == version:
            write_atomically(path, after)
            return before, after
    raise AppFailed(
        f"The note {path.stem} keeps changing.", hint="Close the program that edits it and try again."
    )


def _version(path: Path) -> tuple[int, int, int]:
    with storage_errors(path.parent):
        state = path.stat()
    return state.st_mtime_ns, state.st_size, state.st_ino


def _folders_hint(places: Sequence[Path]) -> str:
    names = [collection_name(place) for place in places]
    return f"There are: {', '.join(names)}." if names else "There are no notes yet."
