"""Files by Spotlight's index, within the folders that the user has opened to the assistant."""

from __future__ import annotations

import asyncio
import contextlib
import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from tinyagent.apps.local.folders import OpenFolders, is_closed, lies_in, only_one, refuse_program
from tinyagent.apps.local.processes import OutputTooLarge, run
from tinyagent.apps.macos._opening import open_on_desktop
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.apps.matching.files import best_matches, carrying_words
from tinyagent.apps.matching.text import APOSTROPHES, words
from tinyagent.errors import AppFailed, ToolError

SPOTLIGHT_SECONDS = 8.0
MAX_OUTPUT = 4 * 2**20

MAX_FOUND = 2000
"""Above so many files of a name the folders are walked through, which has bounds of its own."""


class MacFiles(OpenFolders):
    """Implements `apps.base.Files`. `opener` is `open` where files are to be shown, empty otherwise.

    Spotlight finds; where it knows nothing (a volume without an index) the folders are walked through.
    """

    def __init__(self, scripts: Scripts, folders: Sequence[Path], opener: Sequence[str] = ()) -> None:
        super().__init__(folders)
        self._scripts = scripts
        self._opener = tuple(opener)

    async def find(self, name: str) -> Path:
        query = _query(name)
        if query is None:
            return await super().find(name)
        *parents, last = [part for part in name.strip().split("/") if part not in ("", ".")]
        matches = await self._matches(query, parents, last)
        return only_one(matches, name) if matches else await super().find(name)

    async def show(self, path: Path) -> None:
        """Show the file in its program, or where it lies when no program takes it.

        The Finder itself, which asks for a permission, is told only where `open` cannot.
        """
        if not self._opener:
            return
        await asyncio.to_thread(refuse_program, path)
        for options in ((), ("-R",)):
            with contextlib.suppress(AppFailed):
                await open_on_desktop((*self._opener, *options, str(path)), "The file")
                return
        await self._scripts.read("files_reveal", {"path": str(path)})

    async def _matches(self, query: str, parents: Sequence[str], last: str) -> list[Path]:
        """The files that are meant equally well; empty when Spotlight is of no help."""
        found = await asyncio.gather(*(_spotlight(folder, query) for folder in self.folders))
        paths = list(dict.fromkeys(path for paths in found for path in paths))
        if len(paths) > MAX_FOUND:
            return []
        named = [path for path in paths if lies_in(path, parents) and not self._is_hidden(path)]
        allowed: set[Path] = set()
        for path in best_matches(last, named):
            try:
                allowed.add(await self.check(str(path)))
            except ToolError:  # it was moved since it was indexed, or leads out of the folders
                return []
        return sorted(allowed)

    def _is_hidden(self, path: Path) -> bool:
        """Whether the file lies where files are not looked for: hidden folders and the inside of bundles."""
        for folder in self.folders:
            if path.is_relative_to(folder):
                above = path.relative_to(folder).parts
                return any(is_closed(part) for part in above[:-1]) or above[-1].startswith(".")
        return True


def _query(name: str) -> str | None:
    """What to ask Spotlight: file names with all the words. None where a walk does better.

    Only letters and digits are left of the name, so nothing of it means anything to Spotlight.
    """
    stripped = name.strip()
    if stripped.startswith(("/", "~")) or ".." in stripped.split("/"):
        return None
    last = next((part for part in reversed(stripped.split("/")) if part not in ("", ".")), "")
    if not _reads_alike(last):
        return None
    return " && ".join(f'kMDItemFSName == "*{word}*"cd' for word in carrying_words(last)) or None


def _reads_alike(name: str) -> bool:
    """Whether Spotlight, which disregards case and accents alone, finds all that our comparison does.

    It would not find “Straße” by “strasse”, nor “O'Brien” by “obrien”.
    """
    if any(char in APOSTROPHES for char in name):
        return False
    plain = unicodedata.normalize("NFD", name.lower())
    return "".join(words(name)) == "".join(char for char in plain if char.isalnum())


async def _spotlight(folder: Path, query: str) -> list[Path]:
    try:
        argv = ("mdfind", "-0", "-onlyin", str(folder), query)
        finished = await run(argv, seconds=SPOTLIGHT_SECONDS, max_bytes=MAX_OUTPUT)
    except (OSError, TimeoutError, OutputTooLarge):
        return []
    return [Path(os.fsdecode(path)) for path in finished.output.split(b"\0") if path.startswith(b"/")]
