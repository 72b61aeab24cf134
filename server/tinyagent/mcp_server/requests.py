"""A client's call as a run: of one tool with its arguments, or of a request in words."""

from __future__ import annotations

import json
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


class _Asked(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    request: str
    planner: str | None = None
    mode: Literal["run", "plan"] = "run"


def asked_run(arguments: Mapping[str, Any], answerable: bool) -> RunRequest:
    """The run that the arguments of `run` ask for. Raises InvalidRequest."""
    try:
        asked = _Asked.model_validate(dict(arguments))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise InvalidRequest(f"`{name}` is not acceptable: {first['msg']}.", param=name) from None
    return RunRequest(asked.request, asked.mode, asked.planner, answerable=answerable)


def given_run(spec: ToolSpec, arguments: Mapping[str, Any], answerable: bool) -> RunRequest:
    """The run whose plan is this one call. Raises ArgumentError for arguments that do not fit the tool."""
    names = {parameter.key or parameter.name: parameter for parameter in spec.parameters}
    unknown = [name for name in arguments if name not in names]
    missing = [name for name, one in names.items() if one.required and name not in arguments]
    if unknown or missing:
        fault = f"has no argument {unknown[0]!r}" if unknown else f"needs {', '.join(missing)}"
        raise ArgumentError(f"{spec.name} {fault}.", hint=f"Its arguments are {', '.join(names)}.")
    keywords = tuple((names[name].name, cast("Value", value)) for name, value in arguments.items())
    call = Call(1, spec.name, (), keywords=keywords)
    bound = spec.bind(call)
    spec.check(bound.arguments)
    plan = format_plan([call if spec.described else bound])
    return RunRequest(_sentence(spec, arguments), plan=plan, answerable=answerable)


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
