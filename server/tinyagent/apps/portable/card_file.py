"""The address cards in one vCard file."""

from __future__ import annotations

import logging
from pathlib import Path

from tinyagent.apps.formats.vcard import Card, parse_cards
from tinyagent.apps.local.storage import read_regular
from tinyagent.errors import ToolError

logger = logging.getLogger(__name__)


def read_cards(path: Path) -> list[Card]:
    """All cards of a file, none of one that cannot be read. A damaged card is skipped with a warning."""
    try:
        content = read_regular(path)
    except ToolError:
        logger.warning("skipped %s: the file cannot be read", path)
        return []
    return parse_cards(_decode(content), path.name)


def _decode(content: bytes) -> str:
    try:
        return content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")
