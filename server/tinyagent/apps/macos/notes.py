"""Notes in the Notes application."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from tinyagent.apps.base import Note, UndoRecord
from tinyagent.apps.macos._note_html import body_text, harmed_by_writing, lines_html, note_html
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.apps.matching.notes import UNTITLED, best_matches, free_name, no_match
from tinyagent.apps.matching.text import fold
from tinyagent.errors import AccessDenied, Ambiguous, AppFailed, ChangedSince, ToolError

MAX_NOTES = 5000
EDIT_RETRIES = 3

MAX_UNDO_CHARACTERS = 500_000
"""A longer note is not kept in the journal, so that what was done to it cannot be taken back."""


@dataclass(frozen=True)
class _Entry:
    id: str
    name: str
    folder: str
    locked: bool


class MacNotes:
    """Implements `apps.base.Notes`. A new note goes into the default account unless a folder is named.

    A note is never written where that would lose what a script cannot see: pictures, tables, checklists.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts
        self._writing = asyncio.Lock()

    async def create(self, name: str, content: str, folder: str) -> Note:
        """A new note. A name that is taken gets a number."""
        title = " ".join(name.split()) or UNTITLED
        async with self._writing:
            title = free_name(title, await self._taken(title))
            made = await self._scripts.write(
                "notes_create", {"name": title, "html": note_html(title, content), "folder": folder}
            )
            body = await self._body(made["id"])
        undo = _record(made["id"], title, after=body)
        return Note(made["id"], made["name"], made["folder"], content, undo)

    async def open(self, name: str, folder: str) -> Note:
        entry = await self._find(name, folder)
        note = await self._read(entry)
        _require_named(note, entry)
        return Note(entry.id, note["name"], note["folder"], body_text(note["text"], note["name"]))

    async def append(self, name: str, content: str, folder: str) -> Note:
        """Add lines to the note that the name means. Raises AccessDenied where that would harm it."""
        entry = await self._find(name, folder)
        async with self._writing:
            before = await self._extend(entry, content)
            try:
                after = await self._read(entry)
            except ToolError:
                return Note(entry.id, entry.name, entry.folder, content)
        undo = _record(entry.id, entry.name, before=before, after=after["html"])
        return Note(entry.id, entry.name, entry.folder, body_text(after["text"], after["name"]), undo)

    async def undo(self, record: UndoRecord) -> str:
        """Delete a new note, or put back what an old one held. Raises NoMatch or ChangedSince."""
        payload = {"id": record.get("id", ""), "expected": record.get("after", "")}
        before = record.get("before")
        if before is not None:
            await self._scripts.write("notes_write", {**payload, "html": before})
            return f"Took the addition to the note “{record.get('name', '')}” back."
        await self._scripts.write("notes_delete", payload)
        return f"Deleted the note “{record.get('name', '')}”."

    async def _extend(self, entry: _Entry, content: str) -> str:
        """Add lines at the end; the body before."""
        for attempt in range(1, EDIT_RETRIES + 1):
            note = await self._read(entry)
            before: str = note["html"]
            _require_named(note, entry)
            _require_harmless(note)
            try:
                await self._scripts.write(
                    "notes_write", {"id": entry.id, "html": before + lines_html(content), "expected": before}
                )
            except ChangedSince:
                if attempt == EDIT_RETRIES:
                    raise
            else:
                return before
        raise AssertionError("the last attempt returns or raises")

    async def _read(self, entry: _Entry) -> dict[str, Any]:
        """The note as it stands. Raises AccessDenied when it is locked, NoMatch when it is gone."""
        note = await self._scripts.read("notes_read", {"id": entry.id})
        if note["locked"]:
            raise _locked(entry.name)
        return note

    async def _body(self, id: str) -> str:
        """The body as Notes keeps it, empty when it cannot be read: the note is there all the same."""
        try:
            return str((await self._scripts.read("notes_read", {"id": id}))["html"])
        except ToolError:
            return ""

    async def _find(self, name: str, folder: str) -> _Entry:
        entries = await self._list("", folder)
        if len(entries) == MAX_NOTES:
            entries = list(
                {entry.id: entry for entry in (*entries, *await self._list(name, folder))}.values()
            )
        matches = best_matches(name, entries)
        if len(matches) > 1:
            raise Ambiguous(
                f"Several notes match “{name}”.",
                hint="Say which one by its full name and folder.",
                candidates=[f"{entry.name} ({entry.folder})" for entry in matches],
            )
        if not matches:
            raise no_match(name, folder, entries)
        if matches[0].locked:
            raise _locked(matches[0].name)
        return matches[0]

    async def _taken(self, title: str) -> set[str]:
        return {fold(entry.name) for entry in await self._list(title, "")}

    async def _list(self, name: str, folder: str) -> list[_Entry]:
        asked = {"name": name, "folder": folder, "limit": MAX_NOTES}
        answer = await self._scripts.read("notes_find", asked)
        return [
            _Entry(str(note["id"]), str(note["name"]), str(note["folder"]), note["locked"] is True)
            for note in answer["notes"]
        ]


def _record(id: str, name: str, *, after: str, before: str | None = None) -> dict[str, str] | None:
    """How to take a write back; `before` is the body of a note that was there, None for a new note."""
    if not after or len(before or "") + len(after) > MAX_UNDO_CHARACTERS:
        return None
    record = {"id": id, "name": name, "after": after}
    return record if before is None else {**record, "before": before}


def _require_named(note: dict[str, Any], entry: _Entry) -> None:
    """Raise AppFailed for another note: names and ids get out of step in a list that changes meanwhile."""
    if note["name"] != entry.name:
        raise AppFailed("The notes changed while they were looked through.", hint="Ask again.")


def _require_harmless(note: dict[str, Any]) -> None:
    lost = "pictures, tables or files" if note["attachments"] else harmed_by_writing(note["html"])
    if lost:
        raise AccessDenied(
            f"The note “{note['name']}” has {lost}, which would be lost: nothing was added.",
            hint="Make a new note with the text, or add it in Notes yourself.",
        )


def _locked(name: str) -> AccessDenied:
    return AccessDenied(f"The note “{name}” is locked.", hint="Unlock it in Notes and ask again.")
