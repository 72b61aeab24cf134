"""Why a language model wrote nothing that can be used."""

from __future__ import annotations


class NotWritten(Exception):
    """`reason` continues “Written without the model: …”; `kind` says it for the log, without any text."""

    def __init__(self, reason: str, kind: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind or reason
