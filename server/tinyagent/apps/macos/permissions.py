"""What macOS has to allow, application by application. Asking makes macOS show its question."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Literal

from tinyagent.apps.macos._cncontacts import contact_store
from tinyagent.apps.macos._errors import responsible_program
from tinyagent.apps.macos._eventkit import EVENTS, REMINDERS, event_store
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.errors import PermissionMissing, ToolError

State = Literal["granted", "missing", "unknown"]

PURPOSES = {
    "Contacts": "looks up phone numbers and addresses",
    "Calendar": "makes events",
    "Reminders": "makes reminders",
    "Notes": "makes, reads and extends notes",
    "Mail": "writes drafts, sends mail",
    "Messages": "sends text messages",
    "Finder": "shows where files lie",
}
"""The applications that are told things, and what for. Maps and files are opened without a permission."""


@dataclass(frozen=True)
class Permission:
    """One switch of macOS: whether it is on, what it is for and where it is.

    `unknown` means that the application did not answer; `reason` says why then.
    """

    app: str
    state: State
    purpose: str
    switch: str
    reason: str = ""


async def check_permissions(scripts: Scripts | None = None) -> list[Permission]:
    """Ask every application something harmless, all at once, and tell what came of it."""
    runner = scripts or Scripts()
    return list(await asyncio.gather(*(_check(runner, app) for app in PURPOSES)))


async def _check(scripts: Scripts, app: str) -> Permission:
    if await asyncio.to_thread(_has_framework, app):
        return _permission(app, "granted", f"Privacy & Security > {app}")
    try:
        answer = await scripts.read("permission_check", {"app": app}, app=app)
    except PermissionMissing:
        return _permission(app, "missing")
    except ToolError as error:
        return _permission(app, "unknown", reason=error.message)
    return _permission(app, "granted" if answer["granted"] else "missing")


def _permission(app: str, state: State, page: str = "", reason: str = "") -> Permission:
    place = page or f"Privacy & Security > Automation > {responsible_program()} > {app}"
    return Permission(app, state, PURPOSES[app], f"System Settings > {place}", reason)


def _has_framework(app: str) -> bool:
    match app:
        case "Contacts":
            return contact_store() is not None
        case "Calendar":
            return event_store(EVENTS) is not None
        case "Reminders":
            return event_store(REMINDERS) is not None
        case _:
            return False
