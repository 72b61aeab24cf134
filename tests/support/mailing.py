"""Mail accounts on the test servers, and mail as a receiver reads it."""

from __future__ import annotations

import email
from collections.abc import Sequence
from email import policy
from email.message import EmailMessage
from pathlib import Path

from tests.support import imap_server, smtp_server
from tests.support.imap_server import ImapServer
from tests.support.smtp_server import SmtpServer
from tinyagent.apps.base import MailDraft, StoredMail
from tinyagent.apps.formats.letters import LetterWriter
from tinyagent.apps.network.mail import NetworkMail
from tinyagent.apps.network.mailbox import MailAccount
from tinyagent.apps.network.smtp import Sender
from tinyagent.apps.portable.mail import PortableMail

ROBIN = "Robin Ashdown <robin@example.com>"
BODY = "\n".join(
    [".", ".dot", "..two", "Grüße, 你好 🎉", "x" * 3000, "From here", "tab\tand trailing  ", "", "end"]
)


def account(server: ImapServer, password: str = imap_server.PASSWORD) -> MailAccount:
    return MailAccount("127.0.0.1", imap_server.USER, password, server.port, "none")


def sender(server: SmtpServer, password: str = smtp_server.PASSWORD) -> Sender:
    return Sender("127.0.0.1", smtp_server.USER, password, server.port, "none")


def mail(
    folder: Path, imap: ImapServer | None = None, smtp: SmtpServer | None = None, own: str = ROBIN
) -> NetworkMail:
    return NetworkMail(
        LetterWriter(own),
        PortableMail(folder, own),
        account=account(imap) if imap else None,
        sender=sender(smtp) if smtp else None,
    )


def draft(
    recipients: Sequence[str] = ("ann@example.org",),
    subject: str = "Hello",
    body: str = BODY,
    cc: Sequence[str] = (),
    attachments: Sequence[Path] = (),
) -> MailDraft:
    return MailDraft(tuple(recipients), tuple(cc), subject, body, tuple(attachments))


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=policy.default)
    assert not message.defects
    return message


def text_of(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part is not None
    return part.get_content().replace("\r\n", "\n")


def in_folder(server: ImapServer, folder: str) -> EmailMessage:
    ((flags, raw),) = server.messages(folder)
    assert "\\Draft" in flags or folder != "Drafts"
    return parsed(raw)


def undo_of(stored: StoredMail) -> dict[str, str]:
    assert stored.undo is not None
    return dict(stored.undo)


ORIGINAL = (
    b"From: Adaeze <adaeze@example.org>\r\nTo: robin@example.com\r\n"
    b"Subject: =?utf-8?q?Angebot_=C3=BCber_12?=\r\nMessage-ID: <quote.1@example.org>\r\n"
    b"Date: Sat, 21 Nov 2026 10:00:00 +0100\r\n\r\nThe ramp costs 9530 euros.\r\n"
)
