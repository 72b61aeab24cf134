"""How prompts show a tool that others describe: a line with its types, a line for what needs words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tinyagent.domain.tools import Parameter, ToolSpec
from tinyagent.planners.schema_shapes import shape_of
from tinyagent.planners.shapes import (
    ANYTHING,
    FLAG,
    Choice,
    Dictionary,
    Either,
    Items,
    Number,
    Properties,
    Property,
    Row,
    Shape,
    Text,
)

LONGEST_DESCRIPTION = 1000
"""Characters of what is said of a tool or an argument."""
_DEEPEST = 4
_MOST_PARTS = 150
"""Parts of one argument's value that are shown or looked at."""
_MOST_CHOICES = 40


def describe(tool: ToolSpec) -> str:
    """The tool with names, types, defaults and meanings of its arguments; `name?` may be missing."""
    shapes = {one.name: shape_of(one.schema or {}) for one in tool.parameters}
    arguments = ", ".join(_argument(one, shapes[one.name]) for one in tool.parameters)
    lines = [f"- {tool.name}({arguments}): {_line(tool.description)}"]
    for one in tool.parameters:
        if one.description:
            lines.append(f"    {one.name}: {_line(one.description)}")
        lines += [f"    {one.name}.{note}" for note in _View().notes(shapes[one.name])]
    return "\n".join(lines) + (f"\n    returns {_line(tool.returns)}" if tool.returns else "")


def type_of(shape: Shape) -> str:
    """A shape in words: `list[str]`, `"new" | "old"`, `{"city": str, "days"?: int}`."""
    return _View().type_of(shape)


def _argument(parameter: Parameter, shape: Shape) -> str:
    schema: Any = parameter.schema or {}
    default = f" = {_line(json.dumps(schema['default'], ensure_ascii=False))}" if "default" in schema else ""
    return f"{parameter.name}{'' if parameter.required else '?'}: {type_of(shape)}{default}"


class _View:
    """One look at a shape, which ends before it is too long or too deep."""

    def __init__(self) -> None:
        self._left = _MOST_PARTS

    def _ends(self, shape: Shape, depth: int) -> bool:
        self._left -= 1
        return shape is ANYTHING or depth > _DEEPEST or self._left < 0

    def type_of(self, shape: Shape, depth: int = 0) -> str:
        if self._ends(shape, depth):
            return "any"
        if shape is FLAG:
            return "bool"
        match shape:
            case Text():
                return "str"
            case Number(whole, least, most):
                return _number(least, most) if whole else "float"
            case Choice(literals):
                more = [] if len(literals) <= _MOST_CHOICES else ["..."]
                return " | ".join([*literals[:_MOST_CHOICES], *more])
            case Items(item):
                return "[]" if item is None else f"list[{self.type_of(item, depth + 1)}]"
            case Row(items):
                return f"[{', '.join(self.type_of(item, depth + 1) for item in items)}]"
            case Dictionary(value):
                return f"dict[str, {self.type_of(value, depth + 1)}]"
            case Either(options):
                return " | ".join(dict.fromkeys(self.type_of(option, depth) for option in options))
            case Properties(properties):
                return f"{{{', '.join(self._property(one, depth + 1) for one in properties)}}}"

    def _property(self, one: Property, depth: int) -> str:
        key = json.dumps(one.key, ensure_ascii=False)
        return f"{key}{'' if one.required else '?'}: {self.type_of(one.shape, depth)}"

    def notes(self, shape: Shape, depth: int = 0) -> Iterator[str]:
        """What is said of the properties within a value, each behind its path."""
        if self._ends(shape, depth):
            return
        match shape:
            case Items(item) if item is not None:
                yield from self.notes(item, depth + 1)
            case Either(options):
                for option in options:
                    yield from self.notes(option, depth + 1)
            case Properties(properties):
                for one in properties:
                    if one.description:
                        yield f"{one.key}: {_line(one.description)}"
                    yield from (f"{one.key}.{note}" for note in self.notes(one.shape, depth + 1))
            case _:
                pass


def _number(least: int | None, most: int | None) -> str:
    if least is None and most is None:
        return "int"
    return f"int({'' if least is None else least}..{'' if most is None else most})"


def _line(text: str) -> str:
    """Others' words in one line of bounded length."""
    words = " ".join(text.split())
    return words if len(words) <= LONGEST_DESCRIPTION else f"{words[:LONGEST_DESCRIPTION]}..."
