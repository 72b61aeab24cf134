"""Building mail: checked addresses, headers that nobody can inject into, attachments.

A header never carries a line break: what came in as one is folded to a space in a subject and
refused in an address. Thread headers keep every Message-ID whole, however long it is.
"""

from __future__ import annotations

import mimetypes
import os
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path
from typing import Any, cast

from tinyagent.errors import AccessDenied, NoMatch, ToolError

MAX_SUBJECT = 500
MAX_PEOPLE = 100

_LOCAL_PART = re.compile(r"[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f.]+(\.[^\s\"(),:;<>@\[\\\]\x00-\x1f\x7f.]+)*")
_DOMAIN = re.compile(r"(?!-)[^\W_](?:[\w-]{0,61}[^\W_])?(\.[^\W_](?:[\w-]{0,61}[^\W_])?)*")
_NAMED_ADDRESS = re.compile(r"(?P<name>[^<>]*)<(?P<spec>[^<>]*)>")
_MESSAGE_ID = re.compile(r"<[^<>\s]+>")
_BIDI_CONTROLS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


class _MessageIds(UnstructuredHeader):
    """A list of Message-IDs, one a line: the usual folding would encode a long one."""

    def fold(self, *, policy: Any) -> str:
        lines = f"{policy.linesep} ".join(str(self).split())
        return f"{cast('Any', self).name}: {lines}{policy.linesep}"


def _registry() -> HeaderRegistry:
    registry = HeaderRegistry()
    for name in ("message-id", "in-reply-to", "references"):
        registry.map_to_type(name, cast("Any", _MessageIds))
    return registry


_POLICY = policy.SMTP.clone(header_factory=_registry())
_POLICY_UTF8 = _POLICY.clone(utf8=True)


def parse_address(text: str) -> Address:
    """One mail address, bare or as `Name <address>`. Raises ToolError when it is none."""
    found = _NAMED_ADDRESS.fullmatch(text.strip()) if _is_clean(text) else None
    name, spec = (found["name"].strip(' "'), found["spec"]) if found else ("", text.strip())
    local, at, domain = spec.rpartition("@")
    if not (at and len(spec) <= 254 and _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise ToolError(
            f"{_shown(text)} is not an email address.", hint="Give an address such as name@example.com."
        )
    return Address(display_name=one_line(name), username=local, domain=domain)


def parse_addresses(texts: Iterable[str], besides: Sequence[Address] = ()) -> list[Address]:
    """Addresses in order, each once and none that is in `besides`. Raises ToolError."""
    seen = {address.addr_spec.casefold() for address in besides}
    addresses: list[Address] = []
    for address in map(parse_address, texts):
        if address.addr_spec.casefold() not in seen:
            seen.add(address.addr_spec.casefold())
            addresses.append(address)
    if len(addresses) > MAX_PEOPLE:
        raise ToolError(f"{len(addresses)} recipients are more than one mail may have ({MAX_PEOPLE}).")
    return addresses


def parse_people(recipients: Iterable[str], cc: Iterable[str]) -> tuple[list[Address], list[Address]]:
    """Whom a mail is for and who gets a copy, each once. Raises ToolError, also when it is for nobody."""
    to = parse_addresses(recipients)
    if not to:
        raise ToolError("The mail has no recipient.", hint="Say whom it is for, by name or by address.")
    return to, parse_addresses(cc, besides=to)


def one_line(text: str) -> str:
    """Text fit for a header: controls become spaces, and nothing in it reads as an encoded word."""
    spaced = "".join(" " if unicodedata.category(char) in ("Cc", "Zl", "Zp") else char for char in text)
    return " ".join(spaced.replace("=?", "= ?").split())


def message_ids(text: str) -> list[str]:
    """The Message-IDs of a header's text, in order."""
    return _MESSAGE_ID.findall(text)


@dataclass(frozen=True)
class Header:
    """What a new mail says of itself."""

    sender: Address | None
    to: Sequence[Address]
    cc: Sequence[Address]
    subject: str
    references: Sequence[str] = ()
    """Message-IDs of the thread; the last one is answered."""


def new_message(header: Header, body: str, now: datetime) -> EmailMessage:
    """A plain text mail with a fresh Message-ID."""
    people = [*header.to, *header.cc, *([header.sender] if header.sender else [])]
    ascii_only = all(address.addr_spec.isascii() for address in people)
    message = EmailMessage(_POLICY if ascii_only else _POLICY_UTF8)
    domain = header.sender.domain if header.sender and header.sender.domain.isascii() else "localhost"
    message["Message-ID"] = make_msgid(domain=domain)
    message["Date"] = format_datetime(now)
    if header.sender:
        message["From"] = header.sender
    message["To"] = header.to
    if header.cc:
        message["Cc"] = header.cc
    message["Subject"] = one_line(header.subject)[:MAX_SUBJECT]
    if header.references:
        message["In-Reply-To"] = header.references[-1]
        message["References"] = " ".join(header.references)
    text = "\n".join(_encodable(body).splitlines())
    message.set_content(f"{text}\n")
    return message


def attach_files(message: EmailMessage, paths: Sequence[Path], max_bytes: int) -> None:
    """Attach files under their own names. Raises ToolError when one cannot be read or all are too large."""
    left = max_bytes
    for path in paths:
        content = _read(path, left, max_bytes)
        left -= len(content)
        kind, encoding = mimetypes.guess_type(path.name)
        main, _, sub = (kind if kind and not encoding else "application/octet-stream").partition("/")
        if main in ("message", "multipart"):
            main, sub = "application", "octet-stream"
        message.add_attachment(content, maintype=main, subtype=sub, filename=file_name(path.name))


def file_name(name: str) -> str:
    """A file's name as it may be shown to others: no controls, no reversed direction of writing."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(char for char in one_line(text) if char not in _BIDI_CONTROLS) or "attachment"


def _read(path: Path, left: int, max_bytes: int) -> bytes:
    try:
        if not path.is_file():
            raise NoMatch(f"There is no file {path} to attach.")
        with path.open("rb") as file:
            content = file.read(left + 1)
    except OSError as error:
        raise AccessDenied(f"{path} cannot be read: {error.strerror}.") from None
    if len(content) > left:
        raise ToolError(
            f"The attachments are larger than {max_bytes // 2**20} MiB.",
            hint="Share a link to the file instead.",
        )
    return content


def _is_clean(text: str) -> bool:
    return not any(unicodedata.category(char) in ("Cc", "Zl", "Zp", "Cs") for char in text)


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _shown(text: str) -> str:
    return f"“{one_line(_encodable(text))[:80]}”"
