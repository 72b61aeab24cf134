"""What mail needs of an IMAP account: the latest message, a message by its id, drafts and sent copies."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tinyagent.apps.base import UndoRecord
from tinyagent.apps.formats import quoting
from tinyagent.apps.formats.mime import message_ids
from tinyagent.apps.network._imap import MAX_MESSAGE, Folder, Session, session
from tinyagent.apps.network._wire import Line, on_line
from tinyagent.apps.network.security import Security, require_protection
from tinyagent.errors import ChangedSince, NoMatch, ToolError

INBOX = "INBOX"
_DRAFT_NAMES = {
    "drafts", "draft", "entwürfe", "brouillons", "borradores", "bozze", "concepten", "rascunhos", "utkast",
}  # fmt: skip
_SENT_NAMES = {
    "sent", "sent items", "sent messages", "sent mail", "gesendet", "gesendete objekte", "envoyés",
    "enviados", "inviata", "verzonden", "skickat",
}  # fmt: skip
_PLACE = re.compile(r"(\d{1,12}):(\d{1,12})", re.ASCII)

T = TypeVar("T")


@dataclass(frozen=True)
class Received:
    """A received message; `id` is its place in the inbox, which no sender can choose."""

    id: str
    content: bytes


class MailAccount:
    """One account on an IMAP server. Every method opens a session of its own and takes `seconds` at most.

    Raises ConfigurationError when the password would travel unprotected; the methods raise NotConfigured
    (refused password), AppFailed, and OutcomeUnknown when the server is lost in the middle of a change.
    """

    def __init__(
        self,
        host: str,
        user: str,
        password: str,
        port: int = 993,
        security: Security = "tls",
        *,
        seconds: float = 15.0,
    ) -> None:
        require_protection("imap", host, security != "none")
        self.user = user
        self._host, self._port, self._password = host, port, password
        self._security: Security = security
        self._seconds = seconds

    async def check(self) -> None:
        """Log in and look at nothing."""
        await self._run(lambda mailbox: None)

    async def latest(self) -> Received:
        """The headers of the message in the inbox that was delivered last. Raises NoMatch."""
        return await self._run(_latest)

    async def received(self, id: str) -> bytes:
        """A whole message of the inbox. Raises NoMatch."""
        return await self._run(lambda mailbox: _received(mailbox, id))

    async def add_draft(self, id: str, content: bytes) -> UndoRecord | None:
        """Store a draft; how to take it back, where the server tells the draft's place."""
        return await self._run(lambda mailbox: _add_draft(mailbox, id, content))

    async def add_sent(self, content: bytes) -> None:
        """Keep a copy of a sent message."""

        def add(mailbox: Session) -> None:
            mailbox.append(_special(mailbox, "\\sent", _SENT_NAMES, "Sent"), r"(\Seen)", content)

        await self._run(add)

    async def remove_draft(self, record: UndoRecord) -> str:
        """Delete a draft; its subject.

        Raises NoMatch when it is gone, ChangedSince when another took its place.
        """
        return await self._run(lambda mailbox: _remove_draft(mailbox, record))

    async def _run(self, work: Callable[[Session], T]) -> T:
        def with_session(line: Line) -> T:
            with session(line, self.user, self._password, self._security) as mailbox:
                return work(mailbox)

        line = Line("mail server", self._host, self._port, self._seconds)
        return await on_line(line, with_session)


def _latest(mailbox: Session) -> Received:
    count, validity = mailbox.select(INBOX)
    listed = mailbox.latest(count) if count else []
    kept = [message for message in listed if "\\deleted" not in message.flags]
    if not kept:
        raise NoMatch("There is no mail in the inbox.", hint="Say whom to write to instead.")
    uid = max(kept, key=lambda message: (message.received, message.uid)).uid
    found = mailbox.fetch(uid, "BODY.PEEK[HEADER]")
    if found is None:
        raise NoMatch("The latest mail was moved while it was read.", hint="Try again.")
    return Received(f"{validity}:{uid}", found.content)


def _received(mailbox: Session, id: str) -> bytes:
    _, validity = mailbox.select(INBOX)
    place = _PLACE.fullmatch(id)
    content = _whole(mailbox, int(place[2])) if place and int(place[1]) == validity else b""
    if not content:
        raise NoMatch("The mail is not in the inbox any more.", hint="Select another mail.")
    return content


def _whole(mailbox: Session, uid: int) -> bytes:
    """The message's content, empty when it is not there."""
    size = mailbox.fetch(uid, "RFC822.SIZE")
    if size is not None and size.size > MAX_MESSAGE:
        raise ToolError("The mail is too large to be read.", hint="Answer it in the mail program.")
    found = mailbox.fetch(uid, "BODY.PEEK[]")
    return found.content if found else b""


def _add_draft(mailbox: Session, id: str, content: bytes) -> UndoRecord | None:
    folder = _special(mailbox, "\\drafts", _DRAFT_NAMES, "Drafts")
    place = mailbox.append(folder, r"(\Draft \Seen)", content)
    if place is None:
        # The draft is stored; only the way back would be missing.
        with contextlib.suppress(Exception):
            place = _place(mailbox, folder, id)
    return {"validity": str(place[0]), "uid": str(place[1]), "message_id": id} if place else None


def _remove_draft(mailbox: Session, record: UndoRecord) -> str:
    """A stored message never changes: an edited draft is a new message, usually with the same Message-ID."""
    id = record.get("message_id", "")
    folder = _special(mailbox, "\\drafts", _DRAFT_NAMES, "Drafts")
    _, validity = mailbox.select(folder, change=True)
    uid = int(record["uid"]) if record.get("uid", "").isdigit() else 0
    found = (
        mailbox.fetch(uid, "FLAGS BODY.PEEK[HEADER]")
        if uid and record.get("validity") == str(validity)
        else None
    )
    if found and "\\deleted" not in found.flags and _message_id(found.content) == id:
        mailbox.delete(uid)
        return quoting.header(quoting.parse(_head(found.content)), "Subject")
    if id and any(other != uid for other in mailbox.with_message_id(id)):
        raise ChangedSince("The draft was edited since, so it was left alone.", hint="Delete it by hand.")
    raise NoMatch("The draft is gone already.", hint="Nothing is left to take back.")


def _place(mailbox: Session, folder: str, id: str) -> tuple[int, int] | None:
    _, validity = mailbox.select(folder)
    uids = mailbox.with_message_id(id)
    return (validity, uids[-1]) if uids else None


def _special(mailbox: Session, use: str, names: set[str], default: str) -> str:
    """The folder with this special use, else the one of such a name, else a new one."""
    folders = [folder for folder in mailbox.folders() if not folder.uses & {"\\noselect", "\\nonexistent"}]
    used = next((folder.name for folder in folders if use in folder.uses), None)
    named = used or next((folder.name for folder in folders if _last_part(folder) in names), None)
    return named or mailbox.create(default)


def _last_part(folder: Folder) -> str:
    """The last part of a path of folders, in lower case, without its form of transport."""
    return re.split(r"[./\\]", _decoded(folder.name))[-1].casefold()


def _decoded(name: str) -> str:
    """A mailbox's name in readable form: `&APw-` is ü (modified UTF-7)."""

    def letters(found: re.Match[str]) -> str:
        coded = found[1].replace(",", "/")
        return f"+{coded}-".encode().decode("utf-7", "replace") if coded else "&"

    return re.sub(r"&([A-Za-z0-9+,]*)-", letters, name)


def _message_id(content: bytes) -> str:
    return next(iter(message_ids(quoting.header(quoting.parse(_head(content)), "Message-ID"))), "")


def _head(content: bytes) -> bytes:
    return re.split(rb"\r?\n\r?\n", content, maxsplit=1)[0] + b"\r\n\r\n"
