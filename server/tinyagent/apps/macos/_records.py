"""Telling whether something in an application still is as it was written."""

from __future__ import annotations

import hashlib
import json

from tinyagent.errors import ChangedSince


def fingerprint(*texts: str) -> str:
    """A digest of texts that does not heed what applications change by themselves: line ends, outer space."""
    plain = [text.replace("\r\n", "\n").replace("\r", "\n").strip() for text in texts]
    return hashlib.sha256(json.dumps(plain).encode()).hexdigest()


def require_same(now: str, recorded: str, what: str) -> None:
    """Raise ChangedSince when the fingerprints differ."""
    if now != recorded:
        raise ChangedSince(
            f"{what} was changed since, so it was left alone.", hint="Take it back by hand if you want to."
        )
