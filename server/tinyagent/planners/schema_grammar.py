"""Grammar rules (GBNF) for arguments that a JSON schema describes, within one line of a plan.

Texts are those of the line, so that references lead backwards only; wherever a schema wants something
else than text, a result alone (`"$1"`) may stand for it.
"""

from __future__ import annotations

from collections.abc import Sequence

from tinyagent.domain.tools import ToolSpec
from tinyagent.planners.digits import whole_numbers
from tinyagent.planners.gbnf import Limits, RuleBook, choice, literal
from tinyagent.planners.schema_shapes import plan_literal, shape_of
from tinyagent.planners.shapes import (
    Choice,
    Dictionary,
    Either,
    Items,
    Number,
    Properties,
    Row,
    Shape,
    Text,
)

SHARED = (
    r'one ::= [^\"\\$\x00-\x1F\x7F] | "\\" ["\\n]',
    r'two ::= "$$" [0-9] | "$" [ !#%-/:-\[\]-z|}~]',
    'number ::= "-"? ("0" | [1-9] [0-9]{0,14}) ("." [0-9]{1,9})?',
    r'key ::= "\"" [^\"\\\x00-\x1F\x7F]{1,64} "\""',
)
"""Rules that those of all lines use. `one` and `two` are so many characters of a text."""


def argument_shapes(tool: ToolSpec) -> dict[str, Shape]:
    """The shapes of a described tool's arguments by their names in plans."""
    return {parameter.name: shape_of(parameter.schema or {}) for parameter in tool.parameters}


class LineRules:
    """Writes the rules of one line. With `referring` there are results that it may use."""

    def __init__(self, book: RuleBook, line: int, referring: bool, limits: Limits) -> None:
        self._book, self._line, self._referring, self._limits = book, line, referring, limits
        self._values: dict[int, str] = {}

    def call(self, tool: ToolSpec, shapes: dict[str, Shape]) -> str:
        """What a call of a described tool looks like: arguments by name, some of which may be missing."""
        named = [
            (f"{literal(f'{one.name}=')} {self.value(shapes[one.name])}", one.required)
            for one in tool.parameters
        ]
        return f'"{tool.name}(" {self._sequence(named)} ")"'

    def value(self, shape: Shape) -> str:
        """The rule of a value."""
        if id(shape) not in self._values:
            options = dict.fromkeys(self._written(shape))
            if self._referring and not _is_text(shape) and not _is_fixed(shape):
                options[f"q{self._line}"] = None
            self._values[id(shape)] = self._book.name(" | ".join(options))
        return self._values[id(shape)]

    def _written(self, shape: Shape) -> list[str]:
        match shape:
            case Text(least, most):
                return self._text(least, most) if least or most is not None else [f"s{self._line}"]
            case Number(whole, least, most):
                return [self._book.name(whole_numbers(least, most))] if whole else ["number"]
            case Choice(literals):
                return [self._book.name(choice(literals))]
            case Either(options):
                return [written for option in options for written in self._written(option)]
            case Items(item, least, most):
                return [self._book.name(self._list(item, least, most))]
            case Row(items):
                return [self._book.name(_enclosed("[", ' ", " '.join(map(self.value, items)), "]"))]
            case Dictionary(value):
                pair = self._book.name(f'key ": " {self.value(value)}')
                return [self._book.name(_enclosed("{", self._repeated(pair, 0, None), "}"))]
            case Properties(properties):
                named = [
                    (f"{literal(plan_literal({one.key: 0})[1:-2])} {self.value(one.shape)}", one.required)
                    for one in properties
                ]
                return [self._book.name(_enclosed("{", self._sequence(named), "}"))]

    def _list(self, item: Shape | None, least: int, most: int | None) -> str:
        inner = "" if item is None else self._repeated(self.value(item), least, most)
        return _enclosed("[", inner, "]")

    def _repeated(self, item: str, least: int, most: int | None) -> str:
        """The item several times, with commas: as often as it has to be, and within the limits."""
        upper = max(least, min(self._limits.items, self._limits.items if most is None else most))
        several = f'{item} (", " {item}){{{max(least - 1, 0)},{upper - 1}}}'
        return several if least else f"({several})?"

    def _sequence(self, items: Sequence[tuple[str, bool]]) -> str:
        """The items in their order with commas between; those that are not required may be missing."""
        if not items:
            return ""
        following = [f'", " {item}' if required else f'(", " {item})?' for item, required in items]
        if items[0][1]:
            return " ".join([items[0][0], *following[1:]])
        tails = [""]
        for part in reversed(following[1:]):
            tails.append(self._book.name(f"{part} {tails[-1]}".rstrip()))
        heads: list[str] = []
        for (item, required), tail in zip(items, reversed(tails), strict=True):
            heads.append(f"{item} {tail}".rstrip())
            if required:
                return f"({' | '.join(heads)})"
        return f"({' | '.join(heads)})?"

    # --- texts of a certain length ---

    def _text(self, least: int, most: int | None) -> list[str]:
        """A text of such a length, or one with a result in it, whose length nobody knows."""
        longest = self._limits.characters
        least = min(least, longest)
        if most is None:
            written = f'ch{{{least}}} run "$"?'
        else:
            upper = max(least, min(most, longest))
            written = self._book.once((least, upper), lambda: self._span(least, upper))
        texts = [self._book.name(f'"\\"" {written} "\\""')]
        if self._referring:
            several = f"{{1,{self._limits.references}}}"
            texts.append(self._book.name(f'"\\"" run g{self._line}{several} "$"? "\\""'))
        return texts

    def _span(self, least: int, most: int) -> str:
        """From `least` to `most` characters, where a dollar and what follows it are two."""
        rules = ["", ""]
        for longest in range(1, most + 1):
            shortest = max(least - most + longest, 0)
            options = [f"one {rules[-1]}"] + ([f"two {rules[-2]}"] if longest > 1 else [])
            options += ['"$"'] if shortest <= 1 else []
            body = " | ".join(option.rstrip() for option in options)
            rules.append(self._book.name(f"({body})?" if shortest == 0 else body))
        return rules[-1]


def _enclosed(start: str, inner: str, end: str) -> str:
    return f'"{start}" {inner} "{end}"' if inner else f'"{start}{end}"'


def _is_text(shape: Shape) -> bool:
    """Whether it can be a text, which a result alone is as well."""
    return isinstance(shape, Text) or (isinstance(shape, Either) and any(map(_is_text, shape.options)))


def _is_fixed(shape: Shape) -> bool:
    return isinstance(shape, Choice) and len(shape.literals) == 1
