"""How many readings of an unfinished text a grammar keeps open at once.

llama.cpp follows them all. Alternatives that begin alike and hold themselves double the readings with each
level that is written, until memory ends; such grammars have to be known before they are used.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Literal

MOST_READINGS = 5000
_LEVELS = 100
"""Rules within rules that are looked at: what grows so slowly that it stays below the bound is harmless."""

Member = tuple[str, frozenset[str] | None, bool]
"""A property that an object begins with: its name, its values if they are fixed, whether they are plain."""


@dataclass(frozen=True)
class Form:
    """An object or a list with the values of these names in it.

    `head` are the properties that an object surely begins with.
    """

    opening: Literal["{", "["]
    inner: tuple[Hashable, ...]
    head: tuple[Member, ...] = ()

    def begins_like(self, other: Form) -> bool:
        """Whether a text may be read as the beginning of both until another value is opened within."""
        if self.opening != other.opening:
            return False
        for (name, values, plain), (other_name, other_values, other_plain) in zip(
            self.head, other.head, strict=False
        ):
            if name != other_name or (values and other_values and not values & other_values):
                return False
            if not (plain and other_plain):
                break
        return True


class Readings:
    """Counts the readings of values by their names."""

    def __init__(self) -> None:
        self._forms: dict[Hashable, Form] = {}
        self._unions: dict[Hashable, tuple[Hashable, ...]] = {}
        self._values: dict[Hashable, frozenset[str]] = {}

    def form(self, name: Hashable, form: Form) -> None:
        """The value of this name is an object or a list."""
        self._forms[name] = form

    def union(self, name: Hashable, options: Iterable[Hashable]) -> None:
        """The value of this name is one of these; those of which nothing is told are plain."""
        options = tuple(option for option in options if option != name)
        if options:
            self._unions[name] = options

    def fixed(self, name: Hashable, values: Iterable[str]) -> None:
        """The value of this name is one of these texts."""
        self._values[name] = frozenset(values)

    def member(self, key: str, value: Hashable) -> Member:
        """A property whose value has this name."""
        return key, self._values.get(value), value not in self._forms and value not in self._unions

    def head(self, members: Iterable[tuple[str, Hashable, bool]]) -> tuple[Member, ...]:
        """The properties that an object surely begins with, by name, value and whether each is required."""
        return tuple(self.member(key, value) for key, value, _ in takewhile(lambda one: one[2], members))

    def most(self) -> int:
        """The most readings of any value, or more than `MOST_READINGS`."""
        rivals = {name: self._rivals(name) for name in self._unions}
        count: dict[Hashable, int] = {}
        for _ in range(_LEVELS):
            following = self._following(count, rivals)
            if following == count or max(following.values(), default=1) > MOST_READINGS:
                return max(following.values(), default=1)
            count = following
        return max(count.values(), default=1)

    def _following(
        self, count: Mapping[Hashable, int], rivals: Mapping[Hashable, list[list[Hashable]]]
    ) -> dict[Hashable, int]:
        """The readings of all values, by those of the values in them."""
        found = {
            name: max((count.get(one, 1) for one in form.inner), default=1)
            for name, form in self._forms.items()
        }
        for name, groups in rivals.items():
            found[name] = max(sum(count.get(one, 1) for one in group) for group in groups)
        return found

    def _rivals(self, name: Hashable) -> list[list[Hashable]]:
        """The options of a union that begin alike: for each object and list those, and all plain values."""
        options = self._options(name)
        opened = [(option, self._forms[option]) for option in options if option in self._forms]
        rivals = [[inner for inner, other in opened if form.begins_like(other)] for _, form in opened]
        return [*rivals, [option for option in options if option not in self._forms]]

    def _options(self, name: Hashable) -> list[Hashable]:
        """The options of a union, with those of the unions among them in their place."""
        found: dict[Hashable, None] = {}
        left, seen = [*self._unions[name]], {name}
        while left:
            option = left.pop()
            if option not in self._unions:
                found[option] = None
            elif option not in seen:
                seen.add(option)
                left += self._unions[option]
        return list(found) or [name]
