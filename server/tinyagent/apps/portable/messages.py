"""Text messages as records in an outbox: `messages/outbox/<id>.json`. Nothing is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from tinyagent.apps.portable._storage import write_atomically


class PortableMessages:
    """An outbox in the data folder; each record has an `sms:` link that a phone or desktop can open."""

    def __init__(self, data: Path) -> None:
        self._outbox = data / "messages" / "outbox"

    async def send(self, recipients: Sequence[str], text: str) -> str:
        """Put a text message into the outbox; its id."""
        return await asyncio.to_thread(self._store, tuple(recipients), text)

    def _store(self, recipients: tuple[str, ...], text: str) -> str:
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
        content = json.dumps(record, ensure_ascii=False, indent=2) + "\n"
        write_atomically(self._outbox / f"{id}.json", content.encode())
        return id


def sms_uri(recipients: Sequence[str], text: str) -> str:
    """The message as a link (RFC 5724)."""
    numbers = ",".join(quote(number, safe="+") for number in recipients)
    return f"sms:{numbers}?body={quote(text, safe='')}"
