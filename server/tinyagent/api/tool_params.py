"""Parameters that the OpenAI routes share: functions, the choice among them, formats, metadata."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from tinyagent.domain.json_schema import check_schema
from tinyagent.domain.json_tools import identifier, tool_from_schema
from tinyagent.engine.calling import ClientTool, ToolChoice
from tinyagent.errors import InvalidRequest

MAX_TOOLS = 128

NAME = r"[a-zA-Z0-9_-]{1,64}"
Name = Annotated[str, StringConstraints(pattern=f"^{NAME}$")]
"""A name as OpenAI allows it for functions and formats."""

Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(max_length=64)],
        Annotated[str, StringConstraints(max_length=512)],
    ],
    Field(max_length=16),
]


class Strict(BaseModel):
    """Part of a request: no coercion, and no fields that nobody reads."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Function(Strict):
    """A function of the client's; without `parameters` it takes none."""

    name: Name
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionTool(Strict):
    """A function as a tool of chat completions."""

    type: Literal["function"]
    function: Function


def client_tools(functions: Sequence[Function], place: str) -> tuple[ClientTool, ...]:
    """The tools that these functions are. `place` is where each one stands in the request, `{}` for its
    number: `tools[{}].function`. Raises InvalidRequest."""
    tools: dict[str, ClientTool] = {}
    taken: set[str] = set()
    for number, function in enumerate(functions):
        where = place.format(number)
        if function.name in tools:
            raise InvalidRequest(
                f"`{where}.name` is {function.name!r}, as another function is called already.",
                hint="Give every function its own name.",
                param=f"{where}.name",
            )
        tools[function.name] = _client_tool(function, where, taken)
        taken.add(tools[function.name].spec.name)
    return tuple(tools.values())


def _client_tool(function: Function, where: str, taken: Collection[str]) -> ClientTool:
    param = f"{where}.parameters"
    try:
        spec = tool_from_schema(
            identifier(function.name, taken), function.description or "", function.parameters, param=param
        )
    except RecursionError:
        raise InvalidRequest(f"`{param}` is nested too deeply.", param=param) from None
    return ClientTool(function.name, spec, bool(function.strict))


# --- the two parameters whose faults are told by hand, in the document ---------------------------

choice_schema: JsonDict = {
    "anyOf": [
        {"enum": ["none", "auto", "required", None]},
        {
            "type": "object",
            "properties": {"type": {"enum": ["function", "allowed_tools"]}},
            "required": ["type"],
        },
    ]
}
format_schema: JsonDict = {
    "anyOf": [
        {"type": "null"},
        {
            "type": "object",
            "properties": {"type": {"enum": ["text", "json_object", "json_schema"]}},
            "required": ["type"],
        },
    ]
}


# --- the choice among tools ------------------------------------------------------------------


def tool_choice_of(
    choice: object, offered: Collection[str], *, nested: bool, param: str = "tool_choice"
) -> ToolChoice:
    """What `tool_choice` says. With `nested` a function is `{"type": "function", "function": {"name"}}` and
    allowed tools stand in a field of their own (chat completions), else `{"type": "function", "name"}` and
    beside the type (responses). Raises InvalidRequest."""
    if choice is None:
        return ToolChoice()
    if choice in ("none", "auto", "required"):
        return _offered_any(ToolChoice(cast("Any", choice)), offered, param)
    kind = _fields(choice).get("type")
    if kind == "function":
        return ToolChoice("required", frozenset({_function_name(choice, offered, nested, param)}))
    if kind == "allowed_tools":
        return _allowed(choice, offered, nested, param)
    raise InvalidRequest(
        f"`{param}` is not acceptable.",
        hint='It is "none", "auto", "required", a function, or allowed_tools.',
        param=param,
    )


def _offered_any(choice: ToolChoice, offered: Collection[str], param: str) -> ToolChoice:
    if choice.mode == "required" and not offered:
        raise InvalidRequest(f"`{param}` requires a call, but there are no `tools`.", param=param)
    return choice


def _allowed(choice: object, offered: Collection[str], nested: bool, param: str) -> ToolChoice:
    outer = _fields(choice)
    where = f"{param}.allowed_tools" if nested else param
    fields = _fields(outer.get("allowed_tools")) if nested else outer
    mode, listed = fields.get("mode"), fields.get("tools")
    if mode not in ("auto", "required"):
        raise InvalidRequest(f'`{where}.mode` is neither "auto" nor "required".', param=f"{where}.mode")
    if not isinstance(listed, list) or not listed:
        raise InvalidRequest(f"`{where}.tools` is not a list of functions.", param=f"{where}.tools")
    names = [
        _function_name(tool, offered, nested, f"{where}.tools[{number}]")
        for number, tool in enumerate(cast("list[object]", listed))
    ]
    return ToolChoice("required" if mode == "required" else "auto", frozenset(names))


def _function_name(choice: object, offered: Collection[str], nested: bool, where: str) -> str:
    outer = _fields(choice)
    place = f"{where}.function.name" if nested else f"{where}.name"
    name = (_fields(outer.get("function")) if nested else outer).get("name")
    if outer.get("type") != "function" or not isinstance(name, str):
        raise InvalidRequest(f"`{place}` does not name a function.", param=where)
    if name not in offered:
        raise InvalidRequest(
            f"`{place}` is {name!r:.80}, which is not among the `tools`.",
            hint=f"Offered are: {', '.join(sorted(offered)) or 'none'}.",
            param=where,
        )
    return name


# --- the format of the answer ----------------------------------------------------------------


def schema_of(format_: object, *, nested: bool, param: str) -> Mapping[str, Any] | None:
    """The JSON schema that an answer's format asks for, None for text. With `nested` the schema stands in
    `json_schema` (chat completions), else beside the type (responses). Raises InvalidRequest."""
    if format_ is None:
        return None
    outer = _fields(format_)
    match outer.get("type"):
        case "text":
            return None
        case "json_object":
            return {"type": "object"}
        case "json_schema":
            where = f"{param}.json_schema" if nested else param
            return _schema(_fields(outer.get("json_schema")) if nested else outer, where)
        case _:
            raise InvalidRequest(
                f"`{param}.type` is not known.",
                hint='It is "text", "json_object" or "json_schema".',
                param=param,
            )


def _schema(fields: Mapping[str, object], where: str) -> Mapping[str, Any]:
    name = fields.get("name")
    if not isinstance(name, str) or not re.fullmatch(NAME, name):
        raise InvalidRequest(
            f"`{where}.name` is not a name.",
            hint="It has 1 to 64 letters, digits, underscores and dashes.",
            param=f"{where}.name",
        )
    schema = fields.get("schema")
    if not isinstance(schema, dict):
        raise InvalidRequest(f"`{where}.schema` is not a JSON schema.", param=f"{where}.schema")
    found = cast("dict[str, Any]", schema)
    try:
        check_schema(found, f"{where}.schema")
    except RecursionError:
        raise InvalidRequest(f"`{where}.schema` is nested too deeply.", param=f"{where}.schema") from None
    return found


def _fields(value: object) -> Mapping[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
