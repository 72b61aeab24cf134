"""Tools that others describe: a name, a text and the JSON schema of an object of arguments.

That is how OpenAI clients, MCP servers and functions of the user's own tell what they offer. Their
properties become positional parameters, the required ones first, so that the engine treats them as it
does its own.
"""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

from tinyagent.domain.json_refs import Parts, referred
from tinyagent.domain.json_schema import check_schema, problem_with
from tinyagent.domain.plan import JOIN, Call, Reference, Template
from tinyagent.domain.tools import Effect, Parameter, ToolSpec
from tinyagent.errors import InvalidRequest

MAX_PARAMETERS = 64


def identifier(name: str, taken: Collection[str] = ()) -> str:
    """A name as the plan language can write it, unlike all that are `taken`."""
    plain = re.sub(r"\W", "_", name, flags=re.ASCII)
    if not plain or plain[0].isdigit():
        plain = f"_{plain}"
    if keyword.iskeyword(plain) or plain == JOIN:
        plain += "_"
    found, number = plain, 2
    while found in taken:
        found, number = f"{plain}_{number}", number + 1
    return found


def tool_from_schema(
    name: str,
    description: str,
    schema: Mapping[str, Any] | None,
    *,
    effect: Effect = "write",
    app: str = "",
    returns: str = "",
    param: str = "parameters",
) -> ToolSpec:
    """The tool with these arguments; None is a tool without any.

    Arguments are named as plans can name them; `Parameter.key` is what the schema calls them. `name` is
    the caller's to choose by `identifier`. Raises InvalidRequest, naming `param`, for what is no JSON schema
    of an object.
    """
    full = dict(schema or {"type": "object", "properties": {}})
    check_schema(full, param)
    meant = referred(full)
    if meant is not full:
        check_schema(meant, param)
    properties = cast("dict[str, object]", meant.get("properties", {}))
    if meant.get("type", "object") != "object":
        raise InvalidRequest(f"`{param}` is not the schema of an object.", param=param)
    if len(properties) > MAX_PARAMETERS:
        raise InvalidRequest(f"`{param}` has more than {MAX_PARAMETERS} properties.", param=param)
    required = set(cast("list[str]", meant.get("required", [])))
    parts = Parts(full)
    parameters: dict[str, Parameter] = {}
    for key, item in properties.items():
        fields = cast("dict[str, Any]", item) if isinstance(item, dict) else {}
        named = identifier(key, parameters)
        parameters[named] = Parameter(
            named,
            "json",
            str(fields.get("description", "")),
            schema=parts.alone(fields),
            required=key in required,
            key=key,
        )
    in_order = sorted(parameters.values(), key=lambda parameter: not parameter.required)
    return ToolSpec(name, description, tuple(in_order), returns, effect, app, schema=full)


def typed_arguments(spec: ToolSpec, call: Call, resolved: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments of a call after substitution, each of the type that its schema asks for.

    A result is text. Where an argument is a result and nothing else, and its schema takes no text but what
    the text says in JSON (a number, a list), that is the argument.
    """
    return tuple(
        _typed(written, value, parameter.schema) if parameter.schema is not None else value
        for parameter, written, value in zip(spec.parameters, call.arguments, resolved, strict=True)
    )


def _typed(written: object, value: object, schema: object) -> object:
    fields = cast("dict[str, Any]", schema) if isinstance(schema, dict) else {}
    if isinstance(written, list) and isinstance(value, list):
        pairs = zip(cast("list[object]", written), cast("list[object]", value), strict=True)
        return [_typed(old, new, fields.get("items")) for old, new in pairs]
    if isinstance(written, dict) and isinstance(value, dict):
        inner = cast("dict[str, object]", fields.get("properties", {}))
        old = cast("dict[str, object]", written)
        return {
            key: _typed(old[key], new, inner.get(key))
            for key, new in cast("dict[str, object]", value).items()
        }
    if not (isinstance(written, Template) and isinstance(value, str)):
        return value
    alone = len(written.parts) == 1 and isinstance(written.parts[0], Reference)
    if not alone or not problem_with(value, fields):
        return value
    try:
        meant: object = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return value if problem_with(meant, fields) else meant
