"""Email addresses in arguments."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tinyagent.errors import ToolError

_ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]+@[^\s@<>\"(),:;\\\[\]\x00-\x1f\x7f]+")


def email_addresses(texts: Sequence[str], param: str) -> tuple[str, ...]:
    """The addresses, each once, empty ones left out. Raises ToolError for what is none."""
    addresses = dict.fromkeys(address for text in texts if (address := text.strip()))
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise ToolError(
                f"“{address}” is not an email address.",
                hint="Give an address such as name@example.com, or the name of a contact who has one.",
                param=param,
            )
    return tuple(addresses)
