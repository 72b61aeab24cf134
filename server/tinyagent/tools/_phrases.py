"""Parts of the sentences that tell people what was done."""

from __future__ import annotations

MAX_QUOTED = 200


def quoted(text: str) -> str:
    """The text in quotation marks and on one line, its end left out when it is long."""
    line = " ".join(text.split())
    return f"“{line}”" if len(line) <= MAX_QUOTED else f"“{line[: MAX_QUOTED - 1].rstrip()}…”"


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """For example “1 person” or “2 people”."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
