"""Tools that make, read and extend notes."""

from __future__ import annotations

import re
import unicodedata

from tinyagent.apps.base import Note
from tinyagent.errors import ChangedSince
from tinyagent.ports import ToolResult
from tinyagent.tools._prose import worded
from tinyagent.tools.context import ToolContext


async def create_note(context: ToolContext, name: str, content: str, folder: str) -> ToolResult:
    """Write a new note.

    Args:
        name: The note's title.
        content: What the note says.
        folder: Which folder to use; empty for the default one.

    Returns:
        A status with the note's name.
    """
    text, remark = await worded(context, "note", content, name=name)
    note = await context.desktop.notes.create(name, text, folder)
    taken = f" The name “{name}” was taken." if _is_numbered(note.name, name) else ""
    return ToolResult(
        f"Created the note {note.name}.", f"Created the note {_place(note)}.{taken}{remark}", undo=note.undo
    )


async def open_note(context: ToolContext, name: str, folder: str) -> ToolResult:
    """Read an existing note.

    Args:
        name: The note's title, as the user gives it.
        folder: Which folder it is in; empty when not said.

    Returns:
        The note's text.
    """
    note = await context.desktop.notes.open(name, folder)
    return ToolResult(note.text, f"Opened the note {_place(note)}.", untrusted=True)


async def append_note_content(context: ToolContext, name: str, content: str, folder: str) -> ToolResult:
    """Add text at the end of an existing note.

    Args:
        name: The note's title, as the user gives it.
        content: The text to add.
        folder: Which folder it is in; empty when not said.

    Returns:
        A status with the note's name.
    """
    approved = context.call.details or {}
    title, place = approved.get("note", name), approved.get("folder", folder)
    if "note" in approved and await append_details(context, title, content, place) != approved:
        raise ChangedSince(
            f"The note “{title}” is not there any more as it was approved.", hint="Look for it and ask again."
        )
    text, remark = await worded(context, "note", content, name=name)
    note = await context.desktop.notes.append(title, text, place)
    # The title that was found is text that others may have written; the name given is the user's.
    return ToolResult(
        f"Added to the note {name}.", f"Added to the note {_place(note)}.{remark}", undo=note.undo
    )


async def append_details(context: ToolContext, name: str, content: str, folder: str) -> dict[str, str]:
    """Which note the name means now."""
    note = await context.desktop.notes.open(name, folder)
    return {"note": note.name, "folder": note.folder}


def _is_numbered(stored: str, asked: str) -> bool:
    """Whether a number was put behind the name; the application may lay out the rest its own way."""
    plain, wanted = (" ".join(unicodedata.normalize("NFC", name).split()) for name in (stored, asked))
    return bool(wanted) and re.fullmatch(rf"{re.escape(wanted)} \d+", plain) is not None


def _place(note: Note) -> str:
    return f"“{note.name}” in {note.folder}" if note.folder else f"“{note.name}”"
