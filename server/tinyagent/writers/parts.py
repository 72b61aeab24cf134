"""A long text in parts that a model can read."""

from __future__ import annotations

_BREAKS = ("\n\n", "\n", ". ", " ")
"""Where a text may be parted, the best first."""


def split_parts(text: str, size: int) -> list[str]:
    """The text in parts of at most `size` characters, parted between paragraphs or sentences if possible."""
    parts: list[str] = []
    rest = text.strip()
    while len(rest) > size:
        end = _break(rest, size)
        parts.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return [*parts, rest] if rest else parts


def _break(text: str, size: int) -> int:
    """Where the first part ends: at the best break in its second half."""
    for mark in _BREAKS:
        found = text.rfind(mark, size // 2, size - len(mark) + 1)
        if found >= 0:
            return found + len(mark)
    return size
