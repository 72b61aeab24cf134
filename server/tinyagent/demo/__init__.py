"""A made-up desktop to try everything on: people, mail, notes and documents that belong to nobody.

Names are invented; addresses are of reserved domains and telephone numbers of ranges that are
set aside for fiction. The same files come out at every making.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tinyagent.apps.local.storage import storage_errors, write_atomically
from tinyagent.demo.mails import SELECTED, inbox
from tinyagent.demo.notes import notes
from tinyagent.demo.papers import papers
from tinyagent.demo.people import OWNER, OWNER_ADDRESS, cards
from tinyagent.errors import Conflict

__all__ = ["OWNER", "OWNER_ADDRESS", "DemoReport", "make_demo"]

_MARKER = "demo.txt"
_MARKER_TEXT = b"All data in this folder is made up. It is safe to delete.\n"
_PRIVATE_FOLDERS = ("contacts", "mail", "notes")


@dataclass(frozen=True)
class DemoReport:
    """The files that were made, and those that were there before and were left alone."""

    added: tuple[Path, ...]
    kept: tuple[Path, ...]


def make_demo(data: Path, documents: Path) -> DemoReport:
    """Fill a data folder with made-up people, mail and notes, and `documents` with files.

    Existing files are never changed. Raises Conflict when `data` holds somebody's own contacts,
    mail or notes, with which made-up ones must not be mixed.
    """
    if not (data / _MARKER).exists() and _has_private_files(data):
        raise Conflict(
            f"{data} holds contacts, mail or notes already.", hint="Choose an empty folder for the demo data."
        )
    added: list[Path] = []
    kept: list[Path] = []
    for root, files in ((data, {_MARKER: _MARKER_TEXT, **_private_files()}), (documents, papers())):
        for name, content in files.items():
            path = root / name
            (added if _add(path, content) else kept).append(path)
    with storage_errors(data):
        _deliver(data, added)
    return DemoReport(tuple(added), tuple(kept))


def _private_files() -> Mapping[str, bytes]:
    mails = {mail.path: mail.content() for mail in inbox()}
    return {**cards(), **notes(), **mails, "mail/selected": f"{SELECTED}\n".encode()}


def _has_private_files(data: Path) -> bool:
    with storage_errors(data):
        return any(path.is_file() for folder in _PRIVATE_FOLDERS for path in (data / folder).rglob("*"))


def _add(path: Path, content: bytes) -> bool:
    if os.path.lexists(path):
        return False
    write_atomically(path, content)
    return True


def _deliver(data: Path, added: list[Path]) -> None:
    """Make the inbox a whole Maildir; a mail's file is as old as the mail."""
    for folder in ("cur", "new", "tmp"):
        (data / "mail" / "Inbox" / folder).mkdir(parents=True, exist_ok=True)
    for mail in inbox():
        path = data / mail.path
        if path in added:
            os.utime(path, (mail.sent.timestamp(), mail.sent.timestamp()))
