"""Mail by the Mail application."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from email.headerregistry import Address
from pathlib import Path
from typing import Any, Literal

from tinyagent.apps.base import MailDraft, SelectedMail, StoredMail, UndoRecord
from tinyagent.apps.formats.mime import MAX_SUBJECT, one_line, parse_addresses, parse_people
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.errors import NoMatch

_OPEN = "outgoing:"
"""How the id of a message begins that Mail has not stored yet."""

LOOK_IT_OVER = "Look the draft over in Mail: the text may be set as a quotation."
"""Mail sets a text that it gets from a script as a quotation in some versions."""


class MacMail:
    """Implements `apps.base.Mail`. `sender` is the user's address; without one Mail takes its default."""

    def __init__(self, scripts: Scripts, sender: str = "") -> None:
        self._scripts = scripts
        self._sender = sender

    def drafts_only(self) -> str:
        return ""

    async def selected(self) -> SelectedMail:
        mail = await self._scripts.read("mail_selected", {})
        return SelectedMail(mail["id"], mail["sender"], mail["subject"], tuple(mail["answer_to"]))

    async def compose(self, draft: MailDraft, *, send: bool = False) -> StoredMail:
        to, cc = _people(draft.recipients, draft.cc)
        subject = one_line(draft.subject)[:MAX_SUBJECT]
        payload = {
            "to": to,
            "cc": cc,
            "subject": subject,
            "body": draft.body,
            "attachments": await _attachments(draft.attachments),
            "sender": self._sender,
        }
        answer = await self._write("mail", payload, send)
        return _stored(answer, send, subject, to)

    async def reply(
        self, original: str, cc: Sequence[str], body: str, attachments: Sequence[Path], *, send: bool = False
    ) -> StoredMail:
        payload = {
            "original": original,
            "cc": _specs(parse_addresses(cc)),
            "body": body,
            "attachments": await _attachments(attachments),
        }
        answer = await self._write("mail_reply", payload, send)
        return _stored(answer, send, answer["subject"], answer["to"])

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
        to, cc_people = _people(recipients, cc)
        payload = {
            "original": original,
            "to": to,
            "cc": cc_people,
            "body": body,
            "attachments": await _attachments(attachments),
        }
        answer = await self._write("mail_forward", payload, send)
        return _stored(answer, send, answer["subject"], answer["to"])

    async def undo(self, record: UndoRecord) -> str:
        """Delete a draft. Raises NoMatch when it is gone or was sent."""
        answer = await self._scripts.write("mail_discard", {"id": record.get("draft", "")})
        if not answer["deleted"]:
            raise NoMatch("The draft is gone already.", hint="Nothing is left to take back.")
        return f"Deleted the draft “{record.get('subject', '')}”."

    async def _write(self, kind: str, payload: dict[str, Any], send: bool) -> dict[str, Any]:
        return await self._scripts.write(f"{kind}_{'send' if send else 'draft'}", payload)


def _stored(answer: dict[str, Any], send: bool, subject: str, to: Iterable[str]) -> StoredMail:
    status: Literal["draft", "sent"] = "sent" if send else "draft"
    # An open message would be closed with whatever was typed into it; a stored one that was edited has
    # another Message-ID, and is not found.
    stored = not send and not answer["id"].startswith(_OPEN)
    undo = {"draft": answer["id"], "subject": subject} if stored else None
    remark = "" if send else answer.get("remark") or LOOK_IT_OVER
    return StoredMail(answer["id"], status, subject, tuple(to), undo, remark)


def _people(recipients: Sequence[str], cc: Sequence[str]) -> tuple[list[str], list[str]]:
    to, copies = parse_people(recipients, cc)
    return _specs(to), _specs(copies)


def _specs(addresses: Iterable[Address]) -> list[str]:
    return [address.addr_spec for address in addresses]


async def _attachments(paths: Sequence[Path]) -> list[str]:
    """The full paths. Raises NoMatch for a file that is not there, which Mail would leave out silently."""
    for path in paths:
        if not await asyncio.to_thread(path.is_file):
            raise NoMatch(f"There is no file {path} to attach.")
    return [str(path.absolute()) for path in paths]
