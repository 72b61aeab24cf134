"""Mail as files: a Maildir that every mail program can read, with drafts that wait for the user.

Below the data folder lie `mail/Drafts`, `mail/Inbox` and `mail/Sent`. The file `mail/selected`,
when it is there, names the selected message by its Message-ID.
"""

from __future__ import annotations

import asyncio
import contextlib
import mailbox
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from tinyagent.apps.base import MailDraft, SelectedMail, StoredMail, UndoRecord
from tinyagent.apps.formats import quoting
from tinyagent.apps.formats.letters import MAX_ATTACHMENT_BYTES, Letter, LetterWriter, local_now
from tinyagent.apps.formats.mime import message_ids
from tinyagent.apps.local.storage import confined, storage_errors
from tinyagent.apps.local.undo import SHA256, gone, remove_unchanged, sha256
from tinyagent.errors import NoMatch

_DRAFT = "draft"
"""Holds the draft's key in the Maildir in the record that takes it back."""

DRAFTS_ONLY = "No mail server is configured to send by (`smtp`)."


class PortableMail:
    """Implements `apps.base.Mail`; every mail it makes is a draft.

    `sender` is the user's address, bare or as `Name <address>`. When it is empty, drafts carry
    no From, which the mail program that sends them fills in.
    """

    def __init__(
        self,
        data: Path,
        sender: str = "",
        *,
        max_attachment_bytes: int = MAX_ATTACHMENT_BYTES,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        self._root = data / "mail"
        self._letters = LetterWriter(sender, max_attachment_bytes=max_attachment_bytes, now=now)
        self._lock = threading.Lock()

    def drafts_only(self) -> str:
        return DRAFTS_ONLY

    async def selected(self) -> SelectedMail:
        return await asyncio.to_thread(self._describe_selected)

    async def compose(self, draft: MailDraft, *, send: bool = False) -> StoredMail:
        return _draft(await asyncio.to_thread(self._compose, draft), send)

    async def reply(
        self, original: str, cc: Sequence[str], body: str, attachments: Sequence[Path], *, send: bool = False
    ) -> StoredMail:
        return _draft(await asyncio.to_thread(self._reply, original, cc, body, attachments), send)

    async def forward(
        self,
        original: str,
        recipients: Sequence[str],
        cc: Sequence[str],
        body: str,
        attachments: Sequence[Path],
        *,
        send: bool = False,
    ) -> StoredMail:
        stored = await asyncio.to_thread(self._forward, original, recipients, cc, body, attachments)
        return _draft(stored, send)

    async def undo(self, record: UndoRecord) -> str:
        """Delete a draft. Raises NoMatch when it is gone or was sent, ChangedSince when it was edited."""
        return await asyncio.to_thread(self._undo, record)

    def _describe_selected(self) -> SelectedMail:
        path = self._selected_path()
        with storage_errors(self._root):
            mail = quoting.parse(path.read_bytes())
        sender, subject = quoting.header(mail, "From"), quoting.header(mail, "Subject")
        return SelectedMail(_key(path), sender, subject, tuple(quoting.answer_addresses(mail)))

    def _compose(self, draft: MailDraft) -> StoredMail:
        return self._store(self._letters.compose(draft))

    def _reply(self, id: str, cc: Sequence[str], body: str, attachments: Sequence[Path]) -> StoredMail:
        return self._store(self._letters.reply(self._original(id), cc, body, attachments))

    def _forward(
        self, id: str, recipients: Sequence[str], cc: Sequence[str], body: str, attachments: Sequence[Path]
    ) -> StoredMail:
        return self._store(self._letters.forward(self._original(id), recipients, cc, body, attachments))

    def _store(self, letter: Letter) -> StoredMail:
        draft = mailbox.MaildirMessage(letter.content)
        draft.set_subdir("cur")
        draft.set_flags("DS")
        with self._lock, storage_errors(self._root):
            key = str(self._folder("Drafts").add(draft))
            path = self._stored_draft(key)
            undo = {_DRAFT: key, SHA256: sha256(path.read_bytes())} if path else None
        return StoredMail(letter.id, "draft", letter.subject, letter.recipients, undo)

    def _undo(self, record: UndoRecord) -> str:
        with self._lock, storage_errors(self._root):
            path = self._stored_draft(record.get(_DRAFT, ""))
            if path is None:
                raise gone("The draft")
            content = remove_unchanged(path, record, "The draft")
        return f"Deleted the draft “{quoting.header(quoting.parse(content), 'Subject')}”."

    def _stored_draft(self, key: str) -> Path | None:
        """The draft's file; its name ends with flags, which mail programs change."""
        folder = confined(self._root / "Drafts", self._root)
        return next((path for path in _files(folder) if _key(path) == key), None)

    def _folder(self, name: str) -> mailbox.Maildir:
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        return mailbox.Maildir(self._root / name, factory=None, create=True)

    def _original(self, id: str) -> bytes:
        """A received message as stored, by its key in the Maildir. Raises NoMatch."""
        with storage_errors(self._root):
            path = next((path for path in self._received() if _key(path) == id), None)
            if path is None:
                raise NoMatch("The mail is not in the inbox any more.", hint="Select another mail.")
            return path.read_bytes()

    def _selected_path(self) -> Path:
        """The file of the message to act on. Raises NoMatch."""
        with storage_errors(self._root):
            wanted = self._selected_id()
            if wanted is None:
                path = next(self._received(), None)
                missing = NoMatch(
                    "There is no mail in the inbox.", hint=f"Put the mail into {self._root / 'Inbox'}."
                )
            else:
                path = next((path for path in self._received() if _has_id(path, wanted)), None)
                missing = NoMatch(
                    "The selected mail is not in the inbox.",
                    hint=f"Delete {self._root / 'selected'} to act on the latest mail.",
                )
        if path is None:
            raise missing
        return path

    def _selected_id(self) -> str | None:
        try:
            text = (self._root / "selected").read_text("utf-8", "replace").strip()
        except FileNotFoundError:
            return None
        return f"<{text.strip('<>')}>" if text else None

    def _received(self) -> Iterator[Path]:
        """The inbox's files, latest first; the time of delivery counts, not what the sender claims."""
        return _files(self._root / "Inbox")


def _files(maildir: Path) -> Iterator[Path]:
    """The messages of a Maildir, latest first, without those that are marked as trash."""
    found: list[tuple[float, str, Path]] = []
    for folder in ("new", "cur"):
        with contextlib.suppress(FileNotFoundError), os.scandir(maildir / folder) as entries:
            for entry in entries:
                flags = entry.name.partition(":2,")[2]
                if entry.name.startswith(".") or "T" in flags:
                    continue
                with contextlib.suppress(FileNotFoundError):  # a mail program has just moved it
                    if entry.is_file():
                        found.append((entry.stat().st_mtime, entry.name, Path(entry.path)))
    return (path for _, _, path in sorted(found, reverse=True))


def _key(path: Path) -> str:
    """What names a message in its Maildir, whatever its flags; unlike its Message-ID, no sender sets it."""
    return path.name.partition(":")[0]


def _draft(stored: StoredMail, send: bool) -> StoredMail:
    return replace(stored, remark=DRAFTS_ONLY) if send else stored


def _has_id(path: Path, wanted: str) -> bool:
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        message = quoting.parse(_head(file.read(2**18)))
        return wanted in message_ids(quoting.header(message, "Message-ID"))
    return False


def _head(raw: bytes) -> bytes:
    return raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0] + b"\n\n"
