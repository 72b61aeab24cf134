"""Shapes of arguments that others describe: what a value looks like, for grammars and prompts."""

from __future__ import annotations

from dataclasses import dataclass


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
