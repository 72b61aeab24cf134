"""Text that any journal, file and model can hold."""

from __future__ import annotations

import re

_SURROGATE = re.compile(r"[\ud800-\udfff]")


def whole_characters(text: str) -> str:
    """The text with both halves of a surrogate pair put together, and a lone half marked as unreadable.

    Models write such pairs for emoji, and file names can hold lone ones; no journal stores them.
    """
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
