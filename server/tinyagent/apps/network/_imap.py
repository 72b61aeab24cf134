"""One session with an IMAP server (RFC 9051 and its predecessor), on top of the standard library's client."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from socket import socket
from typing import Any, cast

from tinyagent.apps.network._wire import Line
from tinyagent.apps.network.security import Security, tls_context
from tinyagent.errors import AppFailed, NotConfigured

MAX_MESSAGE = 64 * 2**20
"""Bytes of the largest message that is read."""
MAX_SESSION = MAX_MESSAGE + 8 * 2**20
"""Bytes that a server may say in one session."""

_LATER = ("[UNAVAILABLE]", "[INUSE]", "[LIMIT]", "[SERVERBUG]", "[CONTACTADMIN]")
_FULL = (b"QUOTA", b"[LIMIT]")
_LIST = re.compile(rb'\((?P<uses>[^()]*)\) (?:"(?:\\.|[^"\\])*"|NIL) (?P<name>.*)', re.DOTALL | re.IGNORECASE)
_UID = re.compile(rb"\bUID (\d+)", re.IGNORECASE)
_FLAGS = re.compile(rb"\bFLAGS \(([^()]*)\)", re.IGNORECASE)
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)", re.IGNORECASE)
_APPENDED = re.compile(rb"\[APPENDUID (\d+) (\d+)\]", re.IGNORECASE)
_QUOTABLE = re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True)
class Folder:
    """A mailbox by its name as the server writes it, and what it is used for (`\\drafts`, `\\sent`)."""

    name: str
    uses: frozenset[str]


@dataclass(frozen=True)
class Fetched:
    """What the server said of one message."""

    uid: int
    flags: frozenset[str]
    size: int
    received: float
    """When it was delivered, in seconds since 1970; 0 when it was not asked for."""
    content: bytes


class _Client(imaplib.IMAP4):
    """The standard client on our connection, which listens to no server that talks without end."""

    def __init__(self, line: Line, security: Security) -> None:
        self._line = line
        self._tls = security == "tls"
        self._left = MAX_SESSION
        super().__init__(line.host, line.port, line.seconds)

    def _create_socket(self, timeout: float | None = None) -> socket:
        return self._line.connect_tls() if self._tls else self._line.connect()

    def read(self, size: int) -> bytes:
        self._take(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self._take(len(line))
        return line

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self.abort("the answers are too large")


@contextmanager
def session(line: Line, user: str, password: str, security: Security) -> Generator[Session]:
    """A session of this user. Raises NotConfigured when the server refuses the password."""
    client = _Client(line, security)
    try:
        if security == "starttls":
            client.starttls(tls_context())
        _log_in(client, line, user, password)
        yield Session(client, line)
    except imaplib.IMAP4.abort as error:
        # The client has one error for a connection that ended and for an answer out of order.
        if "socket error" in str(error):
            raise ConnectionResetError from None
        raise
    finally:
        # The server's farewell is not worth waiting for.
        client.shutdown()


def _log_in(client: imaplib.IMAP4, line: Line, user: str, password: str) -> None:
    try:
        if "AUTH=PLAIN" in client.capabilities:
            client.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
        else:
            client.login(_in_quotes(user), password)  # the client itself quotes only the password
    except imaplib.IMAP4.abort:
        raise
    except (imaplib.IMAP4.error, UnicodeEncodeError) as error:
        if any(code in str(error).upper() for code in _LATER):
            raise AppFailed(f"The mail server {line.host} is busy.", hint="Try again later.") from None
        raise NotConfigured(
            f"The mail server {line.host} refused the user or the password.",
            hint="Check imap.user and imap.password; many services want a password made for apps.",
        ) from None


class Session:
    """Commands of a logged-in user; a refusal is an AppFailed that leaves out what the server said."""

    def __init__(self, client: imaplib.IMAP4, line: Line) -> None:
        self._client = client
        self._line = line
        # Servers tell more of what they can do once the user is known.
        told = _first(self._done(client.capability(), "say what it can do"))
        self._capabilities = frozenset(told.decode("ascii", "replace").upper().split())
        self.has_uidplus = "UIDPLUS" in self._capabilities

    def folders(self) -> list[Folder]:
        """All mailboxes with their special uses (RFC 6154)."""
        found = self._list()
        if "SPECIAL-USE" in self._capabilities and not any("\\drafts" in folder.uses for folder in found):
            found = self._list(" RETURN (SPECIAL-USE)") or found
        return found

    def create(self, name: str) -> str:
        """Make a folder; its name, which lies below the inbox on servers that want it there."""
        kind, _ = self._client.create(_quoted(name))
        made = name if kind == "OK" else f"INBOX.{name}"
        if kind != "OK":
            self._done(self._client.create(_quoted(made)), f"make the folder {name}")
        self._client.subscribe(_quoted(made))
        return made

    def select(self, name: str, *, change: bool = False) -> tuple[int, int]:
        """Open a mailbox; how many messages it holds, and the validity of their UIDs."""
        (count, *_) = self._done(self._client.select(_quoted(name), readonly=not change), f"open {name}")
        _, validity = self._client.response("UIDVALIDITY")
        return int(count or 0), int(_first(validity))

    def latest(self, count: int) -> list[Fetched]:
        """The flags and dates of the last 50 messages of `count`."""
        span = f"{max(1, count - 49)}:{count}"
        return _fetched(self._done(self._client.fetch(span, "(UID FLAGS INTERNALDATE)"), "list the mail"))

    def fetch(self, uid: int, what: str) -> Fetched | None:
        """Parts of one message of the open mailbox; None when it is not there."""
        answer = self._done(self._client.uid("FETCH", str(uid), f"(UID {what})"), "read a mail")
        return next((found for found in _fetched(answer) if found.uid == uid), None)

    def with_message_id(self, message_id: str) -> list[int]:
        """The UIDs whose Message-ID contains the text, in order."""
        found = self._done(
            self._client.uid("SEARCH", "HEADER", "Message-ID", _quoted(message_id)), "search the mail"
        )
        return sorted(int(uid) for line in found if isinstance(line, bytes) for uid in line.split())

    def append(self, folder: str, flags: str, content: bytes) -> tuple[int, int] | None:
        """Store a message; the UID validity and the UID that it got, when the server tells."""
        place = _quoted(folder)
        kind, data = self._committed(lambda: self._client.append(place, flags, "", content))
        said = b" ".join(part for part in data if isinstance(part, bytes))
        if kind != "OK" and any(code in said.upper() for code in _FULL):
            raise AppFailed(f"The mailbox on {self._line.host} is full.", hint="Delete mail and try again.")
        self._done((kind, data), f"store a mail in {folder}")
        told = _APPENDED.search(said)
        return (int(told[1]), int(told[2])) if told else None

    def delete(self, uid: int) -> None:
        """Delete one message; without UIDPLUS it is only marked, for others that are marked would go too."""
        answer = self._committed(lambda: self._client.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Deleted)"))
        self._done(answer, "delete the draft")
        if self.has_uidplus:
            self._done(self._client.uid("EXPUNGE", str(uid)), "delete the draft")

    def _list(self, returned: str = "") -> list[Folder]:
        answer = self._done(self._client.list('""', f'"*"{returned}'), "list its folders")
        return [folder for item in answer if (folder := _folder(item)) is not None]

    def _committed(self, command: Callable[[], tuple[str, Any]]) -> tuple[str, Any]:
        """Give a command that takes effect; only an answer, whatever it is, makes the outcome known."""
        self._line.committed = True
        kind, data = "BAD", cast("Any", [])
        try:
            kind, data = command()
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            pass
        self._line.committed = False
        return kind, data

    def _done(self, answer: tuple[str, Any], what: str) -> list[Any]:
        kind, data = answer
        if kind != "OK":
            raise AppFailed(
                f"The mail server {self._line.host} refused to {what}.", hint="Look into the mail account."
            )
        return list(data)


def _quoted(text: str) -> str:
    """A string of the protocol. Raises AppFailed for what would need another form."""
    if not _QUOTABLE.fullmatch(text):
        raise AppFailed("A name in the mail account holds characters that cannot be used.")
    return _in_quotes(text)


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _first(data: list[Any]) -> bytes:
    """The first line of an answer, zero when there is none."""
    return next((line for line in data if isinstance(line, bytes)), b"0")


def _folder(item: Any) -> Folder | None:
    line, literal = cast("tuple[Any, Any]", item) if isinstance(item, tuple) else (item, None)
    found = _LIST.fullmatch(line) if isinstance(line, bytes) else None
    if found is None:
        return None
    name = (literal if isinstance(literal, bytes) else found["name"]).decode("ascii", "replace")
    if literal is None and name.startswith('"') and name.endswith('"'):
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    return Folder(name, frozenset(found["uses"].decode("ascii", "replace").casefold().split()))


def _fetched(answer: list[Any]) -> list[Fetched]:
    """The messages of a FETCH answer: each is a line, or pieces with literals and a closing line."""
    found: list[Fetched] = []
    lines, content = b"", b""
    for item in answer:
        if isinstance(item, tuple):
            head, content = cast("tuple[bytes, bytes]", item)
            lines += head
            continue
        if not isinstance(item, bytes):
            continue
        lines += item
        if uid := _UID.search(lines):
            found.append(_message(int(uid[1]), lines, content))
        lines, content = b"", b""
    return found


def _message(uid: int, lines: bytes, content: bytes) -> Fetched:
    flags, size = _FLAGS.search(lines), _SIZE.search(lines)
    received = imaplib.Internaldate2tuple(lines)
    return Fetched(
        uid,
        frozenset(flags[1].decode("ascii", "replace").casefold().split()) if flags else frozenset(),
        int(size[1]) if size else 0,
        time.mktime(received) if received else 0.0,
        content,
    )
