"""Files by Spotlight's index, within the folders that the user has opened to the assistant."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path, PurePath

from tinyagent.apps.macos._opening import open_on_desktop
from tinyagent.apps.macos._process import OutputTooLarge, run
from tinyagent.apps.portable._matching import words
from tinyagent.apps.portable._names import best_matches, folded
from tinyagent.apps.portable.files import MAX_CANDIDATES, PortableFiles
from tinyagent.errors import AccessDenied, Ambiguous, AppFailed, ToolError

SPOTLIGHT_SECONDS = 8.0
MAX_OUTPUT = 4 * 2**20

MAX_FOUND = 2000
"""Above so many files of a name the folders are walked through, which has bounds of its own."""

_FILLERS = frozenset({"a", "an", "the", "my", "our", "file", "document", "called", "named"})
_BUNDLES = frozenset(
    {".app", ".bundle", ".framework", ".kext", ".photoslibrary", ".plugin", ".prefpane", ".workflow"}
)
_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv"})
_PROGRAMS = _BUNDLES | {
    ".action", ".applescript", ".bat", ".bin", ".cmd", ".com", ".command", ".desktop", ".dmg", ".exe",
    ".fileloc", ".hta", ".inetloc", ".jar", ".js", ".jxa", ".lnk", ".mobileconfig", ".mpkg", ".msi", ".pkg",
    ".ps1", ".py", ".pyw", ".reg", ".scpt", ".scptd", ".scr", ".sh", ".shortcut", ".terminal",
    ".tool", ".url", ".vbs", ".webloc", ".wsf",
}  # fmt: skip
"""Suffixes of what runs, or leads elsewhere, when it is opened."""


class MacFiles:
    """Implements `apps.base.Files`.

    Spotlight finds; what may be found and which of several is meant follow the rules of the portable files,
    which also walk through the folders where Spotlight knows nothing (a volume without an index).
    """

    def __init__(self, folders: Sequence[Path], opener: Sequence[str] = ()) -> None:
        self._folders = tuple(dict.fromkeys(folder.expanduser().resolve() for folder in folders))
        self._opener = tuple(opener)
        self._walked = PortableFiles(folders)

    async def find(self, name: str) -> Path:
        query = _query(name)
        if query is None:
            return await self._walked.find(name)
        *parents, last = [part for part in name.strip().split("/") if part not in ("", ".")]
        matches = await self._matches(query, parents, last)
        if len(matches) > 1:
            raise Ambiguous(
                f"{len(matches)} files match “{name}”.",
                hint="Say which one you mean.",
                candidates=[str(path) for path in matches[:MAX_CANDIDATES]],
            )
        return matches[0] if matches else await self._walked.find(name)

    async def check(self, path: str) -> Path:
        return await self._walked.check(path)

    async def show(self, path: Path) -> None:
        """Show the file in its program, or where it lies when no program takes it."""
        if not self._opener:
            return
        if await asyncio.to_thread(_is_program, path):
            raise AccessDenied(
                f"{path.name} is a program; programs are not opened.", hint="Start it yourself."
            )
        try:
            await open_on_desktop((*self._opener, str(path)), "The file")
        except AppFailed:
            await open_on_desktop((*self._opener, "-R", str(path)), "The file")

    async def _matches(self, query: str, parents: Sequence[str], last: str) -> list[Path]:
        """The files that are meant equally well; empty when Spotlight is of no help."""
        found = await asyncio.gather(*(_spotlight(folder, query) for folder in self._folders))
        paths = list(dict.fromkeys(path for paths in found for path in paths))
        if len(paths) > MAX_FOUND:
            return []
        named = [path for path in paths if _lies_in(path, parents) and not self._is_hidden(path)]
        allowed: set[Path] = set()
        for path in best_matches(last, named):
            try:
                allowed.add(await self._walked.check(str(path)))
            except ToolError:  # it was moved since it was indexed, or leads out of the folders
                return []
        return sorted(allowed)

    def _is_hidden(self, path: Path) -> bool:
        """Whether the file lies where files are not looked for: hidden folders and the inside of bundles."""
        for folder in self._folders:
            if path.is_relative_to(folder):
                above = path.relative_to(folder).parts
                return any(_is_closed(part) for part in above[:-1]) or above[-1].startswith(".")
        return True


def _query(name: str) -> str | None:
    """What to ask Spotlight: file names with all the words. None where a walk does better.

    Only letters and digits are left of the name, so nothing of it means anything to Spotlight.
    """
    stripped = name.strip()
    if stripped.startswith(("/", "~")) or ".." in stripped.split("/"):
        return None
    last = next((part for part in reversed(stripped.split("/")) if part not in ("", ".")), "")
    every = words(folded(last))
    carrying = [word for word in every if word not in _FILLERS] or every
    return " && ".join(f'kMDItemFSName == "*{word}*"cd' for word in carrying) or None


async def _spotlight(folder: Path, query: str) -> list[Path]:
    try:
        argv = ("mdfind", "-0", "-onlyin", str(folder), query)
        finished = await run(argv, seconds=SPOTLIGHT_SECONDS, max_bytes=MAX_OUTPUT)
    except (OSError, TimeoutError, OutputTooLarge):
        return []
    return [Path(os.fsdecode(path)) for path in finished.output.split(b"\0") if path.startswith(b"/")]


def _lies_in(path: Path, parents: Sequence[str]) -> bool:
    above = path.parent.parts[-len(parents) :] if parents else ()
    return [folded(part) for part in above] == [folded(part) for part in parents]


def _is_closed(folder: str) -> bool:
    return (
        folder.startswith(".")
        or folder in _SKIPPED_FOLDERS
        or PurePath(folder).suffix.casefold() in _PROGRAMS
    )


def _is_program(path: Path) -> bool:
    executable = not path.suffix and os.access(path, os.X_OK)
    return executable or path.suffix.casefold() in _PROGRAMS
