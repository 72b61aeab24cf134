"""The folders that the user has opened to the assistant: what is found in them, and nothing outside."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from tinyagent.apps.matching.files import best_matches, folded
from tinyagent.errors import AccessDenied, Ambiguous, NoMatch, NotConfigured, UnreadableFile

MAX_CANDIDATES = 10

_SKIPPED_FOLDERS = frozenset({"node_modules", "__pycache__", "venv"})
_PROGRAMS = {
    ".action", ".app", ".appimage", ".apk", ".applescript", ".bat", ".bin", ".bundle", ".cmd", ".com",
    ".command", ".desktop", ".dmg", ".exe", ".fileloc", ".framework", ".hta", ".inetloc", ".jar", ".js",
    ".jxa", ".kext", ".lnk", ".mobileconfig", ".mpkg", ".msi", ".photoslibrary", ".pkg", ".plugin",
    ".prefpane", ".ps1", ".py", ".pyw", ".reg", ".scpt", ".scptd", ".scr", ".sh", ".shortcut", ".terminal",
    ".tool", ".url", ".vbs", ".webloc", ".workflow", ".wsf",
}  # fmt: skip
"""Suffixes of what runs, or leads elsewhere, when it is opened."""


class OpenFolders:
    """Finding and checking files, as `apps.base.Files` asks for.

    Only regular files below `folders` exist for it: hidden ones and links that lead outside do not. A search
    looks at no more than `max_entries` names and takes no longer than `seconds`.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        *,
        max_entries: int = 200_000,
        seconds: float = 5.0,
    ) -> None:
        self.folders = tuple(dict.fromkeys(folder.expanduser().resolve() for folder in folders))
        self._max_entries = max_entries
        self._seconds = seconds

    async def find(self, name: str) -> Path:
        if not name.strip():
            raise NoMatch("No file name was given.", hint="Say which file you mean.")
        if name.strip().startswith(("/", "~")) or PurePath(name.strip()).is_absolute():
            return await self.check(name.strip())
        return await asyncio.to_thread(self._find, name.strip())

    async def check(self, path: str) -> Path:
        return await asyncio.to_thread(self._check, path)

    def _find(self, name: str) -> Path:
        self._require_folders()
        *parents, last = [part for part in name.split("/") if part not in ("", ".")] or [name]
        if ".." in (*parents, last):
            raise AccessDenied(f"“{name}” leads out of the folders that may be read.")
        walk = _Walk(self.folders, self._max_entries, time.monotonic() + self._seconds)
        paths = [path for path in walk.files() if lies_in(path, parents)]
        matches = sorted({path.resolve() for path in best_matches(last, paths)})
        if not matches:
            raise NoMatch(f"No file matches “{name}”.", hint=self._no_match_hint(walk))
        return self._check(str(only_one(matches, name)))

    def _no_match_hint(self, walk: _Walk) -> str:
        places = ", ".join(map(str, self.folders))
        if walk.cut_short:
            return f"Only a part of {places} could be searched; give the full path."
        return f"Files are looked for in {places}."

    def _check(self, path: str) -> Path:
        self._require_folders()
        try:
            asked = Path(path).expanduser()
            resolved = asked.resolve()
        except (OSError, RuntimeError, ValueError):
            raise NoMatch(f"“{path[:200]!r}” is not a path.", hint="Give the full path of a file.") from None
        if not asked.is_absolute():
            raise NoMatch(f"“{path}” is not a full path.", hint="Find the file by its name first.")
        if not _is_open(resolved, self.folders):
            places = ", ".join(map(str, self.folders))
            raise AccessDenied(
                f"“{path}” is not in a folder that may be read.",
                hint=f"Open folders are {places}; `folders` in the settings opens more.",
            )
        self._require_readable_file(resolved)
        return resolved

    def _require_readable_file(self, path: Path) -> None:
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            raise NoMatch(f"There is no file {path}.", hint="Find the file by its name first.") from None
        except OSError as error:
            raise AccessDenied(f"{path} cannot be reached: {error.strerror}.") from None
        if stat.S_ISDIR(mode):
            raise UnreadableFile(f"{path} is a folder, not a file.", hint="Name a file in it.")
        if not stat.S_ISREG(mode):
            raise AccessDenied(f"{path} is a device or a pipe, not a file.")
        if not os.access(path, os.R_OK):
            raise AccessDenied(f"{path} may not be read by this user.", hint="Change the file's permissions.")

    def _require_folders(self) -> None:
        if not self.folders:
            raise NotConfigured(
                "No folder is open to the assistant.", hint="Add one to `folders` in the settings."
            )


def only_one(matches: Sequence[Path], name: str) -> Path:
    """The single match. Raises Ambiguous when the name means several files equally well."""
    if len(matches) > 1:
        raise Ambiguous(
            f"{len(matches)} files match “{name}”.",
            hint="Say which one you mean.",
            candidates=[str(path) for path in matches[:MAX_CANDIDATES]],
        )
    return matches[0]


def refuse_program(path: Path) -> None:
    """Raise AccessDenied for a file that runs, or leads elsewhere, when it is opened."""
    executable = not path.suffix and os.access(path, os.X_OK)
    if executable or path.suffix.casefold() in _PROGRAMS:
        raise AccessDenied(f"{path.name} is a program; programs are not opened.", hint="Start it yourself.")


def lies_in(path: Path, parents: Sequence[str]) -> bool:
    """Whether the folders above the file end with `parents`."""
    above = path.parent.parts[-len(parents) :] if parents else ()
    return [folded(part) for part in above] == [folded(part) for part in parents]


def is_closed(folder: str) -> bool:
    """Whether files are not looked for in a folder of this name: a hidden one, a cache, a program."""
    return (
        folder.startswith(".")
        or folder in _SKIPPED_FOLDERS
        or PurePath(folder).suffix.casefold() in _PROGRAMS
    )


def _is_open(path: Path, folders: Sequence[Path]) -> bool:
    """Whether a path without links lies in one of the folders, and not in a hidden place there."""
    return any(
        path.is_relative_to(folder)
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
        for folder in folders
    )


@dataclass
class _Walk:
    """A bounded walk through folders, the near files first."""

    folders: Sequence[Path]
    max_entries: int
    deadline: float
    cut_short: bool = field(default=False, init=False)

    def files(self) -> Iterator[Path]:
        for count, entry in enumerate(self._entries()):
            if count >= self.max_entries or time.monotonic() > self.deadline:
                self.cut_short = True
                return
            if self._is_file(entry):
                yield Path(entry.path)

    def _entries(self) -> Iterator[os.DirEntry[str]]:
        waiting = deque(self.folders)
        while waiting:
            try:
                with os.scandir(waiting.popleft()) as entries:
                    for entry in entries:
                        if entry.name.startswith("."):
                            continue
                        yield entry
                        if entry.is_dir(follow_symlinks=False) and not is_closed(entry.name):
                            waiting.append(Path(entry.path))
            except OSError:
                continue

    def _is_file(self, entry: os.DirEntry[str]) -> bool:
        try:
            if not entry.is_file():
                return False
            path = Path(entry.path)
            return _is_open(path.resolve() if entry.is_symlink() else path, self.folders)
        except OSError:
            return False
