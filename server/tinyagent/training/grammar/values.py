"""The values of a form's slots and calls, and the expressions of the frames over them."""

from __future__ import annotations

from types import CodeType
from typing import cast

from tinyagent.training.grammar.draft import Argument


class Values(dict[str, object]):
    """Values by name; what a form does not say is None."""

    def __missing__(self, name: str) -> object:
        return None


def evaluated(code: CodeType, values: Values) -> Argument | None:
    """What an expression of the grammar's own files says."""
    return cast("Argument | None", eval(code, {"__builtins__": {}}, values))


def _join(*parts: str | None) -> str | None:
    """The parts with spaces between; None when one is not said."""
    return None if None in parts else " ".join(part for part in parts if part)


def _both(*parts: str | None) -> str | None:
    """Those parts that are said, with spaces between."""
    return " ".join(part for part in parts if part) or None


def _glue(*parts: str | None) -> str | None:
    """The parts without spaces between; None when one is not said."""
    return None if None in parts else "".join(part for part in parts if part)


def _cap(text: str | None) -> str | None:
    return text[:1].upper() + text[1:] if text else None


def _flat(*lists: list[str] | None) -> list[str]:
    return [item for found in lists if found for item in found]


def _attach(*paths: str | None) -> list[str]:
    return [path for path in paths if path]


def _carry(words: str, result: str) -> str:
    """Words of the user's own with the result after them."""
    return f"{words} {result}" if words[-1] in "?!" else f"{words.rstrip('.')}: {result}"


def _way(transport: str | None) -> str | None:
    """The value for a means of transport; driving is the default and left out."""
    return transport if transport in ("w", "r") else None


def _only(people: list[str]) -> str:
    return people[0]


HELPERS: dict[str, object] = {
    "attach": _attach, "both": _both, "cap": _cap, "carry": _carry, "flat": _flat, "glue": _glue,
    "join": _join, "only": _only, "way": _way,
}  # fmt: skip
