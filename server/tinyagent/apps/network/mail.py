"""Mail over the network: drafts in an IMAP account, sending by SMTP.

Either may be missing. Without SMTP every mail is a draft; without IMAP drafts, and the mail that is
answered, are those of another `Mail`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tinyagent.apps.base import Mail, MailDraft, SelectedMail, StoredMail, UndoRecord
from tinyagent.apps.formats import quoting
from tinyagent.apps.formats.letters import Letter, LetterWriter
from tinyagent.apps.network.mailbox import MailAccount
from tinyagent.apps.network.smtp import Refused, Sender
from tinyagent.errors import NotConfigured, ToolError

_KEEPS_COPIES = (
    "smtp.gmail.com", "smtp.googlemail.com", "smtp-relay.gmail.com",
    "smtp.office365.com", "smtp-mail.outlook.com",
)  # fmt: skip
"""Servers that put what is sent through them into the account's Sent folder themselves."""

_NO_SMTP = "Mail cannot be sent: no server is set under [smtp], so it is kept as a draft."
_NO_IMAP = "It is kept as a draft: an answer is sent only from an account that mail is read from, see [imap]."
_IN_ACCOUNT = "imap"
"""Value of `place` in the records of drafts that lie in the account."""


class NetworkMail:
    """Implements `apps.base.Mail`.

    `letters` builds the messages and knows the sender; `fallback` has the drafts when there is no account.
    """

    def __init__(
        self,
        letters: LetterWriter,
        fallback: Mail,
        *,
        account: MailAccount | None = None,
        sender: Sender | None = None,
    ) -> None:
        self._letters = letters
        self._fallback = fallback
        self._account = account
        self._sender = sender

    def drafts_only(self) -> str:
        return "" if self._sender else _NO_SMTP

    async def selected(self) -> SelectedMail:
        """The message of the inbox that was delivered last."""
        if self._account is None:
            return await self._fallback.selected()
        latest = await self._account.latest()
        message = quoting.parse(latest.content)
        author = quoting.header(message, "From")
        subject = quoting.header(message, "Subject")
        return SelectedMail(latest.id, author, subject, tuple(quoting.answer_addresses(message)))

    async def compose(self, draft: MailDraft, *, send: bool = False) -> StoredMail:
        if self._account is None and not (send and self._sender):
            return self._told(await self._fallback.compose(draft), send)
        return await self._deliver(self._letters.compose(draft), send)

    async def reply(
        self, original: str, cc: Sequence[str], body: str, attachments: Sequence[Path], *, send: bool = False
    ) -> StoredMail:
        if self._account is None:
            return self._told(await self._fallback.reply(original, cc, body, attachments), send)
        raw = await self._account.received(original)
        return await self._deliver(self._letters.reply(raw, cc, body, attachments), send)

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
        if self._account is None:
            stored = await self._fallback.forward(original, recipients, cc, body, attachments)
            return self._told(stored, send)
        raw = await self._account.received(original)
        return await self._deliver(self._letters.forward(raw, recipients, cc, body, attachments), send)

    async def undo(self, record: UndoRecord) -> str:
        """Delete a draft, as long as it is the one that was stored."""
        if record.get("place") != _IN_ACCOUNT:
            return await self._fallback.undo(record)
        if self._account is None:
            raise NotConfigured("The draft lies in a mail account.", hint="Set the account under [imap].")
        return f"Deleted the draft “{await self._account.remove_draft(record)}”."

    async def _deliver(self, letter: Letter, send: bool) -> StoredMail:
        if send and self._sender is not None:
            return await self._send(letter, self._sender)
        assert self._account is not None, "without an account every draft is the fallback's"
        place = await self._account.add_draft(letter.id, letter.content)
        undo = {"place": _IN_ACCOUNT, **place} if place else None
        remark = _NO_SMTP if send else ""
        return StoredMail(letter.id, "draft", letter.subject, letter.recipients, undo, remark)

    async def _send(self, letter: Letter, sender: Sender) -> StoredMail:
        if self._letters.sender is None:
            raise NotConfigured("The mail has no sender.", hint="Set sender to your address.")
        refused = await sender.send(letter, self._letters.sender)
        remarks = [_refusal(refused)] if refused else []
        if self._account is not None and sender.host.casefold() not in _KEEPS_COPIES:
            try:
                await self._account.add_sent(letter.content)
            except ToolError as error:
                remarks.append(f"The mail was sent, but no copy was kept: {error.message}")
        return StoredMail(letter.id, "sent", letter.subject, letter.recipients, remark=" ".join(remarks))

    def _told(self, stored: StoredMail, send: bool) -> StoredMail:
        """The fallback's draft, with the reason why it is one."""
        return replace(stored, remark=_NO_IMAP if self._sender else _NO_SMTP) if send else stored


def _refusal(refused: Sequence[Refused]) -> str:
    addresses = ", ".join(entry.address for entry in refused)
    return f"The mail server refused {addresses}; it took the mail for the others."
