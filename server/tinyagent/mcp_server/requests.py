"""A client's call as a run: of one tool with its arguments, or of a request in words."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, ValidationError

from tinyagent.domain.plan import Call, Value, format_plan
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.runs import RunRequest
from tinyagent.errors import ArgumentError, InvalidRequest
from tinyagent.mcp_server.offers import title_of

SHOWN_CHARACTERS = 200
"""How much of a long argument the run's description repeats; the plan holds all of it."""

MAX_CHARACTERS = 500_000
MAX_VALUES = 10_000
MAX_DEPTH = 64
"""How much one call's arguments may hold; beyond it, only reading them takes seconds."""


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    request: str
    planner: str | None = None
    mode: Literal["run", "plan"] = "run"


def asked_run(arguments: Mapping[str, Any], answerable: bool) -> RunRequest:
    """The run that the arguments of `run` ask for. Raises InvalidRequest.

    Its words are a model's, and so are the arguments of a call: no person's, as far as can be told.
    """
    try:
        asked = _Asked.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise InvalidRequest(f"`{name}` is not acceptable: {first['msg']}.", param=name) from None
    return RunRequest(asked.request, asked.mode, asked.planner, answerable=answerable, by_program=True)


def given_run(spec: ToolSpec, arguments: Mapping[str, Any], answerable: bool) -> RunRequest:
    """The run whose plan is this one call. Raises ArgumentError for arguments that do not fit the tool."""
    names = {parameter.key or parameter.name: parameter for parameter in spec.parameters}
    unknown = [name for name in arguments if name not in names]
    missing = [name for name, one in names.items() if one.required and name not in arguments]
    if unknown or missing:
        fault = f"has no argument {unknown[0]!r}" if unknown else f"needs {', '.join(missing)}"
        raise ArgumentError(f"{spec.name} {fault}.", hint=f"Its arguments are {', '.join(names)}.")
    _check_measure(spec.name, arguments)
    keywords = tuple((names[name].name, cast("Value", value)) for name, value in arguments.items())
    call = Call(1, spec.name, (), keywords=keywords)
    bound = spec.bind(call)
    spec.check(bound.arguments)
    plan = format_plan([call if spec.described else bound])
    return RunRequest(_sentence(spec, arguments), plan=plan, answerable=answerable, by_program=True)


def _check_measure(tool: str, arguments: Mapping[str, Any]) -> None:
    """Raise ArgumentError for arguments that are too much, or that JSON has no word for."""
    left: list[tuple[Any, int]] = [(arguments, 0)]
    values, characters = 0, 0
    while left:
        value, depth = left.pop()
        values += 1
        if isinstance(value, float) and not math.isfinite(value):
            raise ArgumentError(f"{tool}: an argument holds {value}, which is no number of JSON.")
        if isinstance(value, str):
            characters += len(value)
        elif isinstance(value, dict):
            items = cast("dict[str, Any]", value)
            characters += sum(map(len, items))
            left += [(item, depth + 1) for item in items.values()]
        elif isinstance(value, list):
            left += [(item, depth + 1) for item in cast("list[Any]", value)]
        if depth > MAX_DEPTH:
            raise ArgumentError(f"{tool}: its arguments are nested more than {MAX_DEPTH} levels deep.")
        if values > MAX_VALUES or characters > MAX_CHARACTERS:
            limits = f"{MAX_VALUES} values or {MAX_CHARACTERS} characters"
            raise ArgumentError(f"{tool}: its arguments have more than {limits}.")


def _sentence(spec: ToolSpec, arguments: Mapping[str, Any]) -> str:
    """What the call is for, with those whom something goes to in full: they are the caller's own words."""
    recipients = {parameter.key or parameter.name for parameter in spec.parameters if parameter.recipient}
    parts = [
        f"{name} {_shown(value, name in recipients)}"
        for name, value in arguments.items()
        if value not in ("", [], None)
    ]
    return f"{title_of(spec.name)}: {'; '.join(parts)}" if parts else title_of(spec.name)


def _shown(value: Any, whole: bool) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in cast("list[Any]", value)):
        text = ", ".join(cast("list[str]", value))
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if whole or len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
