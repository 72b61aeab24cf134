"""Tools that others describe but that are called like built-in ones, for planners that know only these.

Such a tool can be planned when its arguments have the built-in names and types. It may lack those
that a plan can do without; a call gives what it has by name, in whatever order it has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tinyagent.domain.plan import Call
from tinyagent.domain.tools import Parameter, ToolSpec
from tinyagent.planners.schema_shapes import shape_of, unsupported
from tinyagent.planners.shapes import (
    ANYTHING,
    FLAG,
    Either,
    Items,
    Number,
    Shape,
    Text,
)
from tinyagent.planners.symbols import ARGUMENTS, FIELDS, ArgumentKind

_ALWAYS_FILLED: dict[str, tuple[str, ...]] = {
    "create_calendar_event": ("title", "start_date", "end_date"),
    "create_reminder": ("due_date",),
    "compose_new_email": ("subject",),
    "maps_show_directions": ("transport",),
    "get_zoom_meeting_link": ("topic", "start_time", "duration"),
}
"""Arguments that plans never leave empty although a network may."""


def can_be_planned(tool: ToolSpec) -> bool:
    """Whether it is a built-in tool, or one like it."""
    kinds = ARGUMENTS.get(tool.name)
    if kinds is None or not tool.described:
        return kinds is not None
    given = _by_key(tool)
    needed = {field.name for field in FIELDS[tool.name] if field.required}
    needed.update(_ALWAYS_FILLED.get(tool.name, ()))
    fitting = given.keys() <= kinds.keys() and needed <= given.keys()
    return fitting and all(_takes(parameter, kinds[key]) for key, parameter in given.items())


def absent_arguments(tools: Iterable[ToolSpec]) -> dict[str, frozenset[str]]:
    """What each described tool lacks of the arguments that its built-in namesake has."""
    return {
        tool.name: frozenset(ARGUMENTS[tool.name].keys() - _by_key(tool).keys())
        for tool in tools
        if tool.described
    }


def by_name(call: Call, tools: Sequence[ToolSpec]) -> Call:
    """A compiled call as the offered tool takes it: of a described one by name, empty values left out."""
    tool = next(tool for tool in tools if tool.name == call.tool)
    if not tool.described:
        return call
    given = _by_key(tool)
    values = [
        (given[key], value)
        for key, value in zip(ARGUMENTS[call.tool], call.arguments, strict=True)
        if key in given
    ]
    keywords = tuple((one.name, value) for one, value in values if one.required or value)
    return replace(call, arguments=(), keywords=keywords)


def _by_key(tool: ToolSpec) -> dict[str, Parameter]:
    return {parameter.key or parameter.name: parameter for parameter in tool.parameters}


def _takes(parameter: Parameter, kind: ArgumentKind) -> bool:
    """Whether every value of that kind fits the argument's schema."""
    schema = parameter.schema or {}
    if unsupported(schema):
        return False
    shape = shape_of(schema)
    options = shape.options if isinstance(shape, Either) else (shape,)
    return shape is ANYTHING or any(_is_any(option, kind) for option in options)


def _is_any(shape: Shape, kind: ArgumentKind) -> bool:
    match shape:
        case Text(0, None):
            return kind == "str"
        case Number(_, None, None):
            return kind == "int"
        case Items(Text(0, None), 0, None):
            return kind == "list[str]"
        case _:
            return shape is FLAG and kind == "bool"
