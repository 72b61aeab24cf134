"""Text messages as records in an outbox: `messages/outbox/<id>.json`. Nothing is sent from here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from tinyagent.apps.base import Made, UndoRecord
from tinyagent.apps.local.storage import write_atomically
from tinyagent.apps.local.undo import recorded_path, remove_unchanged, written
from tinyagent.errors import NotConfigured

DRAFTS_ONLY = "No program here sends text messages."


class Outbox:
    """An outbox in the data folder; each record has an `sms:` link that a phone or desktop can open."""

    def __init__(self, data: Path) -> None:
        self._outbox = data / "messages" / "outbox"

    def drafts_only(self) -> str:
        return DRAFTS_ONLY

    async def send(self, recipients: Sequence[str], text: str, *, send: bool = False) -> Made:
        """Put a text message into the outbox. Raises NotConfigured when it is to be sent."""
        if send:
            raise NotConfigured(
                "Text messages cannot be sent from here.",
                hint='Leave it in the outbox (approvals.send = "draft") and send it from a phone.',
            )
        return await asyncio.to_thread(self._store, tuple(recipients), text)

    async def undo(self, record: UndoRecord) -> str:
        """Take the message out of the outbox. Raises NoMatch or ChangedSince."""
        return await asyncio.to_thread(self._undo, record)

    def _undo(self, record: UndoRecord) -> str:
        remove_unchanged(recorded_path(record, self._outbox, ".json"), record, "The text message")
        return "Took the text message out of the outbox."

    def _store(self, recipients: tuple[str, ...], text: str) -> Made:
        created = datetime.now(UTC)
        # The time first, so that a listing of the folder is in order.
        id = f"{created:%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}"
        record = {
            "id": id,
            "status": "queued",
            "created": created.isoformat(),
            "recipients": recipients,
            "text": text,
            "uri": sms_uri(recipients, text),
        }
        content = (json.dumps(record, ensure_ascii=False, indent=2) + "\n").encode()
        path = self._outbox / f"{id}.json"
        write_atomically(path, content)
        return Made(id, written(path, self._outbox, content))


def sms_uri(recipients: Sequence[str], text: str) -> str:
    """The message as a link (RFC 5724)."""
    numbers = ",".join(quote(number, safe="+") for number in recipients)
    return f"sms:{numbers}?body={quote(text, safe='')}"
