"""A marked function as a tool: its schema, the check of its arguments, and its call."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NotRequired, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, with_config
from pydantic.errors import PydanticUserError
from pydantic_core import PydanticSerializationError, to_json
from typing_extensions import TypedDict

from tinyagent.domain.json_tools import identifier, tool_from_schema
from tinyagent.domain.tools import Recipients, ToolSpec
from tinyagent.errors import ArgumentError, InvalidRequest
from tinyagent.plugins.declaring import Declared
from tinyagent.plugins.docstrings import describe
from tinyagent.ports import ToolResult


class NoTool(Exception):
    """Why a function cannot be a tool, as a sentence."""


@dataclass(frozen=True)
class OwnTool:
    """A function that can be called as a tool. `place` is where it stands, for people."""

    spec: ToolSpec
    function: Callable[..., Any]
    declared: Declared
    place: str
    arguments: TypeAdapter[dict[str, Any]]

    @property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def checked(self, arguments: Sequence[Any]) -> dict[str, Any]:
        """The arguments as the function takes them. Raises ArgumentError."""
        self.spec.check(arguments)
        try:
            values = dict(self.arguments.validate_python(self.spec.values(arguments)))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise ArgumentError(f"{self.spec.name}: {place} is not acceptable: {first['msg']}.") from None
        return values

    def result(self, value: object) -> ToolResult:
        """What the function returned as a result of a call."""
        done = f"{self.spec.name} is done."
        if isinstance(value, ToolResult):
            untrusted = value.untrusted or self.declared.untrusted
            return replace(value, message=value.message or done, untrusted=untrusted, undo=None)
        return ToolResult(_text(value), done, untrusted=self.declared.untrusted)


def place_of(function: Callable[..., Any]) -> str:
    """File and line of a function."""
    code = inspect.unwrap(function).__code__
    return f"{Path(code.co_filename)}, line {code.co_firstlineno}"


def own_tool(function: Callable[..., Any], declared: Declared) -> OwnTool:
    """The tool that a marked function is. Raises NoTool."""
    name = getattr(function, "__name__", "")
    if name != identifier(name):
        raise NoTool(f"{name} cannot be the name of a tool.")
    summary, described = describe(function)
    if not summary:
        raise NoTool(f"{name} needs a docstring that says what it does.")
    arguments, defaults, recipients = _arguments(function, described)
    try:
        schema = arguments.json_schema()
        _add_defaults(schema, defaults)
        spec = tool_from_schema(
            name, summary, schema, effect=declared.effect, app=f"own:{declared.app or name}", returns="text"
        )
    except (PydanticUserError, InvalidRequest) as error:
        raise NoTool(f"The arguments of {name} cannot be described: {str(error).splitlines()[0]}") from None
    parameters = tuple(
        replace(parameter, recipient=(parameter.key or parameter.name) in recipients)
        for parameter in spec.parameters
    )
    spec = replace(spec, parameters=parameters)
    return OwnTool(spec, function, declared, place_of(function), arguments)


def _arguments(
    function: Callable[..., Any], described: Mapping[str, str]
) -> tuple[TypeAdapter[dict[str, Any]], dict[str, object], set[str]]:
    """The check of a function's arguments, their defaults, and which of them name recipients."""
    name = function.__name__
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except Exception as error:  # whatever evaluating the user's annotations raises
        raise NoTool(f"A type of {name} cannot be read ({error}).") from None
    fields: dict[str, Any] = {}
    defaults: dict[str, object] = {}
    recipients: set[str] = set()
    for key, parameter in inspect.signature(function).parameters.items():
        if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            raise NoTool(f"{name}: {parameter} must be an argument that can be given by name.")
        if key not in hints:
            raise NoTool(f"{name}: the argument {key} needs a type.")
        if hints[key] == Recipients:
            recipients.add(key)
        kind: Any = (
            Annotated[hints[key], Field(description=described[key])] if described.get(key) else hints[key]
        )
        fields[key] = kind
        if parameter.default is not parameter.empty:
            fields[key] = NotRequired[kind]
            defaults[key] = parameter.default
    shape: Any = with_config(ConfigDict(extra="forbid"))(TypedDict(name, fields))  # type: ignore[operator]
    try:
        return TypeAdapter(shape), defaults, recipients
    except (PydanticUserError, TypeError) as error:
        raise NoTool(f"A type of {name} cannot be used: {str(error).splitlines()[0]}") from None


def _add_defaults(schema: dict[str, Any], defaults: Mapping[str, object]) -> None:
    properties = cast("dict[str, dict[str, Any]]", schema.get("properties", {}))
    for key, value in defaults.items():
        if isinstance(value, (str, int, float, bool)):
            properties[key]["default"] = value


def _text(value: object) -> str:
    """A text as it is, nothing as nothing, and all else as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    try:
        return (
            value.model_dump_json() if isinstance(value, BaseModel) else to_json(value, fallback=str).decode()
        )
    except (PydanticSerializationError, ValueError, RecursionError):
        return str(value)
