"""Shapes of arguments that others describe: what a value looks like, for grammars and prompts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyagent.planners.ambiguity import Form, Readings


@dataclass(frozen=True, eq=False)
class Text:
    """A text with so many characters; `most` None is any number."""

    least: int = 0
    most: int | None = None


@dataclass(frozen=True, eq=False)
class Number:
    """A number, `whole` or not; a whole one may have bounds."""

    whole: bool
    least: int | None = None
    most: int | None = None


@dataclass(frozen=True, eq=False)
class Choice:
    """One of these, written as the plan language writes them."""

    literals: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Items:
    """A list; `item` None is a list without any."""

    item: Shape | None
    least: int = 0
    most: int | None = None


@dataclass(frozen=True, eq=False)
class Row:
    """A list with a shape for each place."""

    items: tuple[Shape, ...]


@dataclass(frozen=True, eq=False)
class Property:
    """A named value of an object."""

    key: str
    shape: Shape
    required: bool
    description: str = ""


@dataclass(frozen=True, eq=False)
class Properties:
    """An object with these properties, in their order."""

    properties: tuple[Property, ...]


@dataclass(frozen=True, eq=False)
class Dictionary:
    """An object with keys of one's choice."""

    value: Shape


@dataclass(frozen=True, eq=False)
class Either:
    """A value of one of these shapes."""

    options: tuple[Shape, ...]


Shape = Text | Number | Choice | Items | Row | Properties | Dictionary | Either

TEXT, INTEGER, NUMBER = Text(), Number(True), Number(False)
FLAG, NOTHING = Choice(("True", "False")), Choice(("None",))


def _anything(depth: int) -> Shape:
    plain = (TEXT, NUMBER, FLAG, NOTHING)
    if depth == 0:
        return Either(plain)
    inner = _anything(depth - 1)
    return Either((*plain, Items(inner), Dictionary(inner)))


ANYTHING = _anything(2)


def readings_of(shape: Shape) -> int:
    """How many readings of an unfinished value a grammar of this shape keeps open at most."""
    readings, seen = Readings(), set[int]()

    def look_at(one: Shape) -> int:
        if id(one) not in seen:
            seen.add(id(one))
            inner = _parts(one)
            names = tuple(look_at(part) for part in inner)
            if isinstance(one, Choice):
                readings.fixed(id(one), one.literals)
            elif isinstance(one, Either):
                readings.union(id(one), names)
            elif isinstance(one, (Items, Row)):
                readings.form(id(one), Form("[", names))
            elif isinstance(one, (Dictionary, Properties)):
                members = one.properties if isinstance(one, Properties) else ()
                head = readings.head((part.key, id(part.shape), part.required) for part in members)
                readings.form(id(one), Form("{", names, head))
        return id(one)

    look_at(shape)
    return readings.most()


def _parts(shape: Shape) -> Sequence[Shape]:
    """The shapes that a shape is made of."""
    match shape:
        case Items(item):
            return () if item is None else (item,)
        case Row(parts) | Either(parts):
            return parts
        case Properties(properties):
            return [one.shape for one in properties]
        case Dictionary(value):
            return (value,)
        case _:
            return ()
