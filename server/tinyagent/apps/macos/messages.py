"""Text messages by the Messages application; drafts wait in an outbox of our own.

Messages takes no draft from a script, and forgets the text of a link that opens one.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from tinyagent.apps.base import Made, UndoRecord
from tinyagent.apps.local.outbox import Outbox
from tinyagent.apps.macos._scripts import Scripts
from tinyagent.errors import OutcomeUnknown


class MacMessages:
    """Implements `apps.base.Messages`; the outbox lies in the folder `data`."""

    def __init__(self, scripts: Scripts, data: Path) -> None:
        self._scripts = scripts
        self._outbox = Outbox(data)

    def drafts_only(self) -> str:
        return ""

    async def send(self, recipients: Sequence[str], text: str, *, send: bool = False) -> Made:
        if not send:
            return await self._outbox.send(recipients, text)
        answer = await self._scripts.write("messages_send", {"recipients": list(recipients), "text": text})
        if answer["accepted"] < len(recipients):
            raise OutcomeUnknown(
                f"Messages took the text for {answer['accepted']} of {len(recipients)} numbers.",
                hint="Look into Messages for whom it was sent to.",
            )
        return Made(uuid4().hex)

    async def undo(self, record: UndoRecord) -> str:
        """Take a draft out of the outbox; what was sent cannot be taken back and has no record."""
        return await self._outbox.undo(record)
