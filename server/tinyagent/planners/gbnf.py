"""The small change of grammars (GBNF): literals, choices, rules that several have in common, bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of a plan: its calls, a list's items, and of a text the references and what is between."""

    calls: int = 14
    items: int = 12
    characters: int = 600
    references: int = 6


_NAME = re.compile(r"[a-z][a-z0-9-]*")


class RuleBook:
    """Rules by what they say: what lines and tools have in common stands there once."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._written: dict[Hashable, str] = {}

    def name(self, body: str) -> str:
        """The name of the rule that says this; a body that is a name already needs no rule."""
        if _NAME.fullmatch(body):
            return body
        return self._names.setdefault(body, f"v{len(self._names)}")

    def once(self, key: Hashable, write: Callable[[], str]) -> str:
        """What `write` answered the first time that it was asked for under this key."""
        if key not in self._written:
            self._written[key] = write()
        return self._written[key]

    def rules(self) -> Iterator[str]:
        """All rules as lines of the grammar."""
        return (f"{name} ::= {body}" for body, name in self._names.items())


def literal(text: str) -> str:
    """A text of printable characters that has to stand there as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def choice(options: Iterable[object]) -> str:
    """One of these texts."""
    return " | ".join(literal(str(option)) for option in options)
