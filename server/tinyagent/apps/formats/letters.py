"""New mail, answers and forwards as messages, whatever they are then stored in or sent by."""

from __future__ import annotations

import email
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from pathlib import Path

from tinyagent.apps.base import MailDraft
from tinyagent.apps.formats import quoting
from tinyagent.apps.formats.mime import (
    Header,
    attach_files,
    file_name,
    new_message,
    parse_address,
    parse_people,
)
from tinyagent.errors import AppFailed, ToolError

MAX_ATTACHMENT_BYTES = 25 * 2**20


def local_now() -> datetime:
    return datetime.now().astimezone()


@dataclass(frozen=True)
class Letter:
    """A finished message: its bytes, and what its headers say."""

    message: EmailMessage
    content: bytes
    to: tuple[Address, ...]
    cc: tuple[Address, ...]

    @property
    def id(self) -> str:
        """The Message-ID."""
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        return str(self.message["Subject"])

    @property
    def recipients(self) -> tuple[str, ...]:
        """The addresses in To."""
        return tuple(address.addr_spec for address in self.to)


class LetterWriter:
    """Builds messages from `sender`, an address bare or as `Name <address>`.

    With an empty sender the messages carry no From. Raises ToolError for addresses that are none, for
    a message without recipient, and for attachments that cannot be read or are too large together.
    """

    def __init__(
        self,
        sender: str = "",
        *,
        max_attachment_bytes: int = MAX_ATTACHMENT_BYTES,
        now: Callable[[], datetime] = local_now,
    ) -> None:
        self.sender = parse_address(sender) if sender.strip() else None
        self._max_bytes = max_attachment_bytes
        self._now = now

    def compose(self, draft: MailDraft) -> Letter:
        """A new message."""
        header = self._header(draft.recipients, draft.cc, draft.subject)
        return self._letter(header, draft.body, draft.attachments)

    def reply(self, raw: bytes, cc: Sequence[str], body: str, attachments: Sequence[Path]) -> Letter:
        """An answer to the received message `raw`, its text quoted below."""
        original = quoting.parse(raw)
        answer_to = quoting.answer_addresses(original)
        if not answer_to:
            raise ToolError("The mail does not say whom to answer.", hint="Write a new mail instead.")
        subject = quoting.reply_subject(quoting.header(original, "Subject"))
        # An id with other letters has no form in a header; the answer then stands alone.
        thread = [id for id in quoting.thread(original) if id.isascii()]
        header = self._header(answer_to, cc, subject, thread)
        return self._letter(header, f"{body.strip()}\n\n{quoting.quoted_reply(original)}", attachments)

    def forward(
        self, raw: bytes, recipients: Sequence[str], cc: Sequence[str], body: str, attachments: Sequence[Path]
    ) -> Letter:
        """The received message `raw` passed on: quoted with its attachments, or attached whole."""
        original = quoting.parse(raw)
        subject = quoting.forward_subject(quoting.header(original, "Subject"))
        header = self._header(recipients, cc, subject)
        parts = _plain_attachments(original)
        text = quoting.plain_text(original)
        if parts is None or text is None:
            whole = email.message_from_bytes(raw, policy=policy.SMTP)
            return self._letter(
                header, body.strip(), attachments, lambda message: message.add_attachment(whole)
            )

        def add_parts(message: EmailMessage) -> None:
            for name, kind, content in parts:
                main, _, sub = kind.partition("/")
                message.add_attachment(content, maintype=main, subtype=sub, filename=name)

        quoted = quoting.quoted_forward(original, text)
        return self._letter(header, f"{body.strip()}\n\n{quoted}".strip(), attachments, add_parts)

    def _header(
        self, recipients: Sequence[str], cc: Sequence[str], subject: str, references: Sequence[str] = ()
    ) -> Header:
        to, copies = parse_people(recipients, cc)
        return Header(self.sender, to, copies, subject, references)

    def _letter(
        self,
        header: Header,
        text: str,
        attachments: Sequence[Path],
        extend: Callable[[EmailMessage], None] | None = None,
    ) -> Letter:
        message = new_message(header, text, self._now())
        try:
            if extend is not None:
                extend(message)
            attach_files(message, attachments, self._max_bytes)
            content = message.as_bytes()
        except quoting.BROKEN_MAIL:
            raise AppFailed(
                "The mail could not be written because the original is malformed.",
                hint="Write a new mail instead.",
            ) from None
        if len(content) > self._max_bytes * 3 // 2 + quoting.MAX_QUOTED * 4:
            raise ToolError(
                "The mail is too large to be sent.", hint="Share a link to the attachment instead."
            )
        return Letter(message, content, tuple(header.to), tuple(header.cc))


def _plain_attachments(original: EmailMessage) -> list[tuple[str, str, bytes]] | None:
    """Name, type and content of each attachment; None when only the whole mail can carry them."""
    attachments: list[tuple[str, str, bytes]] = []
    try:
        for part in original.iter_attachments():
            content = part.get_payload(decode=True)
            if part.is_multipart() or not isinstance(content, bytes):
                return None
            name = file_name(part.get_filename() or "attachment")
            attachments.append((name, part.get_content_type(), content))
    except quoting.BROKEN_MAIL:
        return None
    return attachments
