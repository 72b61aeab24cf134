"""What `tinyagent doctor` looks at on a Mac: its programs, its permissions, its index and its services."""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tinyagent.cli.checks_frameworks import check_frameworks
from tinyagent.cli.findings import ANSWER_S, Finding, from_error, in_time
from tinyagent.errors import TinyAgentError

if TYPE_CHECKING:
    from tinyagent.apps.macos.permissions import Permission
    from tinyagent.settings import Settings
    from tinyagent.workers.launchd import Agent

PROGRAMS = {
    "osascript": "tells the applications what to do",
    "mdfind": "finds files by Spotlight",
    "open": "shows files and maps",
    "mdutil": "tells whether Spotlight has an index",
}
ESSENTIAL = "osascript"
FULL_DISK_ACCESS = "System Settings > Privacy & Security > Full Disk Access"
MAX_OUTPUT = 2**16


def on_a_mac(settings: Settings) -> bool:
    """Whether calls go to macOS's own applications."""
    return settings.apps == "macos" or (settings.apps == "auto" and sys.platform == "darwin")


async def examine_mac(settings: Settings) -> AsyncIterator[Finding]:
    """All checks of a Mac in turn. macOS shows its questions for permissions while they run."""
    for finding in check_programs():
        yield finding
    async for finding in check_frameworks():
        yield finding
    async for finding in check_permissions():
        yield finding
    # Of the folders that nobody named, some may not be there.
    folders = settings.folders or [folder for folder in settings.search_folders if folder.exists()]
    for folder in folders:
        yield await check_readable(folder)
    async for finding in check_index(folders):
        yield finding
    async for finding in check_services():
        yield finding


def check_programs() -> list[Finding]:
    """The programs of macOS that the work is done with are there."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if not missing:
        return [Finding("programs", "ok", f"{', '.join(PROGRAMS)} are there")]
    hint = "It belongs to macOS: is this a Mac, and does PATH hold /usr/bin?"
    return [
        Finding(name, "fault" if name == ESSENTIAL else "advice", f"not found; it {PROGRAMS[name]}", hint)
        for name in missing
    ]


async def check_permissions() -> AsyncIterator[Finding]:
    """Every application is told something harmless, so that macOS asks now and not in the middle of a run."""
    if shutil.which(ESSENTIAL) is None:
        return
    from tinyagent.apps.macos import permissions

    for permission in await permissions.check_permissions():
        yield _of_permission(permission)


def _of_permission(permission: Permission) -> Finding:
    name = f"permission for {permission.app}"
    if permission.state == "granted":
        return Finding(name, "ok", f"granted; {permission.app} {permission.purpose}")
    if permission.state == "missing":
        detail = f"missing; {permission.app} {permission.purpose}"
        return Finding(name, "advice", detail, f"Switch it on: {permission.switch}. Then run this again.")
    hint = f"Open {permission.app}, answer what it asks and run this again. The switch: {permission.switch}."
    return Finding(name, "advice", permission.reason or f"{permission.app} did not answer", hint)


async def check_readable(folder: Path) -> Finding:
    """A folder that files are looked for in can be listed; macOS may ask for it now."""
    name = f"folder {folder}"
    try:
        await in_time(lambda: _look_into(folder))
    except TimeoutError:
        hint = "Answer the question that macOS shows for it, or take it out of `folders`."
        return Finding(name, "advice", f"did not answer within {ANSWER_S:g} seconds", hint)
    except OSError as error:
        return Finding(name, "advice", f"cannot be listed: {error.strerror}", _way_in(error))
    return Finding(name, "ok", "can be listed")


def _look_into(folder: Path) -> None:
    with os.scandir(folder) as entries:
        next(entries, None)


def _way_in(error: OSError) -> str:
    if error.errno == errno.EPERM:  # what macOS answers for a folder that it guards
        return f"Let the program that runs tinyagent in: {FULL_DISK_ACCESS}. Then start it again."
    if error.errno == errno.ENOENT:
        return "Make it, or take it out of `folders`."
    return "Change its permissions, or take it out of `folders`."


async def check_index(folders: Sequence[Path]) -> AsyncIterator[Finding]:
    """Spotlight has an index of the volumes that files are looked for on."""
    if shutil.which("mdutil") is None:
        return
    for volume in dict.fromkeys(map(_volume, folders)):
        yield await _check_volume(volume)


def _volume(folder: Path) -> Path:
    """Where the folder's volume is mounted: other volumes than the startup one lie below /Volumes."""
    parts = folder.expanduser().absolute().parts
    return Path(*parts[:3]) if parts[1:2] == ("Volumes",) and len(parts) > 2 else Path("/")


async def _check_volume(volume: Path) -> Finding:
    from tinyagent.apps.local.processes import OutputTooLarge, run

    name = f"spotlight on {volume}"
    try:
        ended = await run(("mdutil", "-s", str(volume)), seconds=ANSWER_S, max_bytes=MAX_OUTPUT)
    except (OSError, TimeoutError, OutputTooLarge):
        return Finding(name, "advice", "mdutil did not answer", "Files are found more slowly without it.")
    if b"indexing enabled" in ended.output.lower():
        return Finding(name, "ok", "indexed")
    hint = f"`sudo mdutil -i on {volume}` makes one; until then folders are searched file by file."
    return Finding(name, "advice", "has no index", hint)


async def check_services() -> AsyncIterator[Finding]:
    """What launchd starts when the user logs in, and whether it runs."""
    from tinyagent.workers.launchd import Agent

    for agent in (Agent("server"), Agent("worker")):
        if agent.plist.is_file():
            yield await _check_agent(agent)
        else:
            hint = f"`tinyagent service install {agent.name}` has it started."
            yield Finding(f"{agent.name} at login", "ok", "not started", hint)


async def _check_agent(agent: Agent) -> Finding:
    from tinyagent.workers import launchd

    name = f"{agent.name} at login"
    try:
        status = await in_time(lambda: launchd.status(agent))
    except TimeoutError:
        return Finding(name, "advice", "launchctl did not answer", "Log out and in again.")
    except TinyAgentError as error:
        return from_error(name, "advice", error)
    if status.pid is not None:
        return Finding(name, "ok", f"started; process {status.pid}")
    ended = "" if status.last_exit is None else f"; it ended with {status.last_exit}"
    return Finding(name, "advice", f"installed but not running{ended}", f"Its log: {agent.log}")
