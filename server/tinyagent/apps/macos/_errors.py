"""What the error numbers of AppleScript mean to a user, and what to do about them.

Only numbers are read: the text beside them is in the user's language and may quote private things.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass

from tinyagent.errors import (
    AccessDenied,
    Ambiguous,
    AppFailed,
    ChangedSince,
    DateUnreadable,
    NoMatch,
    OutcomeUnknown,
    PermissionMissing,
    Rejected,
    ToolError,
)

NOT_RUNNING = -600
NOT_AUTHORIZED = -1743
TIMED_OUT = -1712
CONNECTION_LOST = -609

_NUMBER = re.compile(rb"\((-?\d{1,9})\)\s*\Z")
_TERMINALS = {"Apple_Terminal": "Terminal", "iTerm.app": "iTerm", "vscode": "Visual Studio Code"}
_AUTOMATION = "Open System Settings > Privacy & Security > Automation and tick {app} for {program}."
_WAITING = "Look for a question or a dialog of {app} that waits behind other windows, then ask again."


@dataclass(frozen=True)
class Meaning:
    """One error number. `{app}` and `{program}` are filled in.

    `in_the_middle`: the application may have done what it was told before the error came.
    """

    kind: type[ToolError]
    message: str
    hint: str = ""
    in_the_middle: bool = False


SYSTEM: dict[int, Meaning] = {
    -128: Meaning(Rejected, "The call was cancelled in {app}.", "Ask again if it was not meant."),
    NOT_RUNNING: Meaning(AppFailed, "{app} was not running.", "It has been started now: ask again."),
    CONNECTION_LOST: Meaning(AppFailed, "{app} quit in the middle.", "Open {app} and ask again.", True),
    TIMED_OUT: Meaning(AppFailed, "{app} did not answer in time.", _WAITING, True),
    NOT_AUTHORIZED: Meaning(PermissionMissing, "macOS does not let {program} control {app}.", _AUTOMATION),
    -1744: Meaning(PermissionMissing, "{program} may not control {app} yet.", _AUTOMATION),
    -1728: Meaning(
        NoMatch, "{app} does not have what was asked for.", "Look it up in {app} and ask again.", True
    ),
    -2740: Meaning(AppFailed, "This version of {app} does not understand the script.", "Update macOS."),
    -2741: Meaning(AppFailed, "This version of {app} does not understand the script.", "Update macOS."),
    -10004: Meaning(PermissionMissing, "{app} refused a privileged command of {program}.", _AUTOMATION),
    -25211: Meaning(
        PermissionMissing,
        "macOS does not let {program} control this computer.",
        "Open System Settings > Privacy & Security > Accessibility and tick {program}.",
    ),
    -30720: Meaning(DateUnreadable, "{app} cannot represent the date.", "Give another date."),
}
"""Errors of macOS and of its applications."""

OWN: dict[int, Meaning] = {
    1001: Meaning(NoMatch, "It is not in {app} any more.", "Look it up in {app} and ask again."),
    1002: Meaning(ChangedSince, "It was changed in {app} since, so it was left alone.", "Change it by hand."),
    1003: Meaning(AccessDenied, "The note is locked.", "Unlock it in {app} and ask again."),
    1004: Meaning(NoMatch, "{app} has no account, calendar, list or folder of that name.", "Name another."),
    1005: Meaning(NoMatch, "No mail is selected, and the inbox is empty.", "Select a mail in {app}."),
    1006: Meaning(Ambiguous, "Several things in {app} match.", "Say which one you mean."),
    1007: Meaning(AppFailed, "The script for {app} could not read what it was given.", "Ask again."),
    1008: Meaning(AccessDenied, "{app} does not let it be changed.", "Name a calendar or list of your own."),
    1009: Meaning(NoMatch, "{app} does not know the number.", "Give a number that takes text messages."),
}
"""Errors that the scripts raise themselves."""


def error_number(errors: bytes) -> int | None:
    """The number that ends osascript's complaint, None when there is none."""
    found = _NUMBER.search(errors)
    return int(found[1]) if found else None


def error_for(number: int | None, app: str, *, writes: bool) -> ToolError:
    """The failure that a number means; for a call that writes, whether it took effect may be unknown."""
    if number is None:
        return outcome_unknown(app) if writes else AppFailed(f"The script for {app} failed.")
    meaning = OWN.get(number) or SYSTEM.get(number)
    if meaning is None:
        if writes:
            return outcome_unknown(app, f"answered with the error {number}")
        hint = f"Open {app} to see whether it works, then ask again."
        return AppFailed(f"{app} answered with the error {number}.", hint=hint)
    if meaning.in_the_middle and writes:
        return outcome_unknown(app, f"answered with the error {number}")
    names = {"app": app, "program": responsible_program()}
    return meaning.kind(meaning.message.format(**names), hint=meaning.hint.format(**names) or None)


def outcome_unknown(app: str, what: str = "stopped answering in the middle") -> OutcomeUnknown:
    """A write did not come to its end; `what` says what the application did in place of that."""
    return OutcomeUnknown(
        f"{app} {what}: whether it was done is unknown.",
        hint=f"Look into {app} before you ask again.",
    )


def responsible_program(environ: Mapping[str, str] = os.environ) -> str:
    """The program that macOS asks for, as far as it is known: a terminal answers for what runs in it."""
    return _TERMINALS.get(environ.get("TERM_PROGRAM", ""), "the program that runs tinyagent")
