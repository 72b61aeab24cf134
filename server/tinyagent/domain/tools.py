"""What a tool is, read from a typed Python function: nothing about it is written twice.

From the signature and the docstring come the JSON schema, the planner's line, the argument
check and (in `planners`) the grammar rule.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from tinyagent.domain.plan import Call, Template, Value, references_in
from tinyagent.errors import ArgumentError

Effect = Literal["read", "open", "write", "send"]
"""What a call does to the world: retries, approvals and recovery go by it."""

Kind = Literal["str", "int", "bool", "list[str]", "json"]
"""The type of an argument; `json` is whatever its JSON schema says."""

Recipients = Annotated[list[str], "recipients"]
"""A list of those whom something goes to; a tool's parameter of this type is a list of texts otherwise."""

_KINDS: dict[Any, Kind] = {
    str: "str",
    int: "int",
    bool: "bool",
    list[str]: "list[str]",
    Recipients: "list[str]",
}
_SCHEMAS: dict[Kind, dict[str, Any]] = {
    "json": {},
    "str": {"type": "string"},
    "int": {"type": "integer"},
    "bool": {"type": "boolean"},
    "list[str]": {"type": "array", "items": {"type": "string"}},
}


@dataclass(frozen=True)
class Parameter:
    """One positional argument of a tool.

    `schema` describes an argument of kind `json`. One that is not `required` may be None, which means
    that it is not given.
    """

    name: str
    kind: Kind
    description: str
    recipient: bool = False
    """Whether it says whom something goes to."""
    schema: Mapping[str, Any] | None = None
    required: bool = True
    key: str = ""
    """What the tool's schema calls it, where that is no name that a plan can write."""


@dataclass(frozen=True)
class ToolSpec:
    """A tool as planners, the API and the engine see it."""

    name: str
    description: str
    parameters: tuple[Parameter, ...]
    returns: str
    effect: Effect
    app: str = ""
    schema: Mapping[str, Any] | None = None
    """The JSON schema object of the arguments, for a tool that others describe; see `json_tools`."""

    @property
    def described(self) -> bool:
        """Whether others describe it by a JSON schema, so that planners have to read that."""
        return self.schema is not None

    def json_schema(self) -> dict[str, Any]:
        """The arguments as a JSON schema object (draft 2020-12); of a built-in tool every one is required."""
        if self.schema is not None:
            return dict(self.schema)
        properties = {
            parameter.name: {**_SCHEMAS[parameter.kind], "description": parameter.description}
            for parameter in self.parameters
        }
        return {
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
        }

    def signature(self) -> str:
        """One line: name, typed arguments and the result, as planners are prompted with."""
        arguments = ", ".join(f"{parameter.name}: {parameter.kind}" for parameter in self.parameters)
        return f"{self.name}({arguments}) -> str"

    def bind(self, call: Call) -> Call:
        """The call with the arguments that it gives by name in their places. Raises ArgumentError."""
        left = list(self.parameters[len(call.arguments) :])
        if not call.keywords and not (self.described and left):
            return call
        named = dict(call.keywords)
        bound = [named.pop(parameter.name, None) for parameter in left]
        if named:
            raise ArgumentError(f"{self.name} has no argument {next(iter(named))!r}, or it is given twice.")
        return replace(call, arguments=(*call.arguments, *bound), keywords=())

    def check(self, arguments: Sequence[Value]) -> None:
        """Raise ArgumentError when number or types of the arguments do not fit.

        References stand for text, so a template fits where text does. Where a tool is described by a
        JSON schema, a template fits everywhere: what it becomes is checked when it is there.
        """
        if len(arguments) != len(self.parameters):
            names = ", ".join(parameter.name for parameter in self.parameters)
            raise ArgumentError(
                f"{self.name} takes {len(self.parameters)} arguments ({names}), not {len(arguments)}."
            )
        for parameter, value in zip(self.parameters, arguments, strict=True):
            if parameter.kind == "json":
                _check_described(self.name, parameter, value)
            elif not _fits(parameter.kind, value):
                raise ArgumentError(
                    f"{self.name}: {parameter.name} must be {parameter.kind}, not {value!r:.80}."
                )

    def values(self, arguments: Sequence[Any]) -> dict[str, Any]:
        """Resolved arguments by name, as a JSON object: what is not given is left out."""
        pairs = zip(self.parameters, arguments, strict=True)
        return {one.key or one.name: value for one, value in pairs if one.required or value is not None}


def _check_described(tool: str, parameter: Parameter, value: Value) -> None:
    from tinyagent.domain.json_schema import problem_with

    if (value is None and not parameter.required) or any(references_in(value)):
        return
    problem = problem_with(value, parameter.schema or {})
    if problem:
        raise ArgumentError(f"{tool}: {parameter.name} is not acceptable: {problem}.")


def _fits(kind: Kind, value: object) -> bool:
    if kind == "str":
        return isinstance(value, (str, Template))
    if kind == "bool":
        return isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, list) and all(_fits("str", item) for item in typing.cast("list[object]", value))


def spec_of(function: Callable[..., Any], effect: Effect, app: str) -> ToolSpec:
    """Read a tool's spec from its function.

    The first parameter (the context that the host passes) is not part of the spec. The
    docstring's first paragraph describes the tool; `Args:` and `Returns:` sections (Google
    style) describe arguments and result. Raises TypeError on an untyped or undescribed one.
    """
    hints = typing.get_type_hints(function, include_extras=True)
    summary, described, returns = _read_docstring(inspect.getdoc(function) or "")
    names = list(inspect.signature(function).parameters)[1:]
    for name in names:
        if hints.get(name) not in _KINDS or name not in described:
            raise TypeError(
                f"{function.__name__}: {name} needs one of the types {list(_KINDS)} and a description"
            )
    parameters = tuple(
        Parameter(name, _KINDS[hints[name]], described[name], recipient=hints[name] == Recipients)
        for name in names
    )
    return ToolSpec(function.__name__, summary, parameters, returns, effect, app)


def _read_docstring(text: str) -> tuple[str, dict[str, str], str]:
    summary, _, rest = text.partition("\n\n")
    arguments: dict[str, str] = {}
    returns: list[str] = []
    section, name = "", ""
    for line in rest.splitlines():
        if line.strip() in ("Args:", "Returns:", "Raises:"):
            section, name = line.strip(), ""
        elif section == "Args:" and line.strip():
            if line.startswith("    ") and not line.startswith("     "):
                name, _, description = line.strip().partition(": ")
                arguments[name] = description
            else:
                arguments[name] += " " + line.strip()
        elif section == "Returns:" and line.strip():
            returns.append(line.strip())
    return " ".join(summary.split()), arguments, " ".join(returns)
