"""What an AppleScript says of itself at its top: its arguments, its answer, and what it needs.

A header is a run of `-- key: value` lines, every key of `_KEYS` once. It is the contract that the
sender of a payload and the reader of an answer check against, on both sides of `osascript`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

NONE = "none"
"""Stands in a header for an empty list."""

KINDS = ("text", "integer", "boolean", "list", "moment", "records")
MOMENT_PARTS = ("year", "month", "day", "hour", "minute", "second")

_KEYS = ("operation", "tool", "app", "permission", "arguments", "returns", "seconds")


@dataclass(frozen=True)
class Field:
    """An argument, or a part of the answer. An optional one may be absent or null."""

    name: str
    kind: str
    optional: bool = False


@dataclass(frozen=True)
class ScriptHeader:
    """What one script does.

    `tools` are the built-in tools that it serves, none for a script that serves the set-up. `app` is the
    application that it tells, several parted by commas. `permission` is the switch of macOS that it
    needs. `seconds` is how long it waits for the application.
    """

    operation: str
    tools: tuple[str, ...]
    app: str
    permission: str
    arguments: tuple[Field, ...]
    returns: tuple[Field, ...]
    seconds: int


def applescripts_folder() -> Path:
    """Where the scripts lie: inside an installed package, beside the sources otherwise."""
    package = Path(__file__).parents[2]
    installed = package / "_applescripts"
    return installed if installed.is_dir() else package.parents[1] / "applescripts"


def read_header(path: Path) -> ScriptHeader:
    """The header of a script. Raises ValueError naming the fault, OSError when it cannot be read."""
    return parse_header(path.read_text(encoding="utf-8"), path.name)


def parse_header(source: str, name: str) -> ScriptHeader:
    """The header at the top of `source`; `name` stands in the error. Raises ValueError."""
    try:
        values = _values(source)
        return ScriptHeader(
            operation=values["operation"],
            tools=_listed(values["tool"]),
            app=values["app"],
            permission=values["permission"],
            arguments=_fields(values["arguments"]),
            returns=_fields(values["returns"]),
            seconds=_seconds(values["seconds"]),
        )
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def check_payload(header: ScriptHeader, payload: Mapping[str, Any]) -> None:
    """Raises ValueError naming the argument that is missing, unknown or of another type."""
    _check(f"{header.operation}: argument", header.arguments, payload)


def check_answer(header: ScriptHeader, answer: Mapping[str, Any]) -> None:
    """Raises ValueError naming the part of the answer that is missing, unknown or of another type."""
    _check(f"{header.operation}: answer's", header.returns, answer)


def _values(source: str) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in source.splitlines():
        if not line.startswith("--"):
            break
        key, colon, value = line[2:].partition(":")
        key, value = key.strip(), value.strip()
        if not colon or key not in _KEYS or key in values or not value:
            raise ValueError(f"not a header line: {line!r}")
        values[key] = value
    if missing := [key for key in _KEYS if key not in values]:
        raise ValueError(f"the header lacks {', '.join(missing)}")
    return values


def _listed(value: str) -> tuple[str, ...]:
    return () if value == NONE else tuple(part.strip() for part in value.split(","))


def _fields(value: str) -> tuple[Field, ...]:
    fields = tuple(_field(part) for part in _listed(value))
    if len({field.name for field in fields}) != len(fields):
        raise ValueError(f"a name stands twice in {value!r}")
    return fields


def _field(part: str) -> Field:
    name, _, kind = (piece.strip() for piece in part.partition(":"))
    optional = kind.endswith("?")
    kind = kind.removesuffix("?")
    if not name.isidentifier() or kind not in KINDS:
        raise ValueError(f"{part!r} is not of the form NAME: TYPE")
    return Field(name, kind, optional)


def _seconds(value: str) -> int:
    if not value.isdecimal() or int(value) == 0:
        raise ValueError(f"seconds: {value!r} is not a positive whole number")
    return int(value)


def _check(what: str, fields: tuple[Field, ...], values: Mapping[str, Any]) -> None:
    if unknown := sorted(set(values) - {field.name for field in fields}):
        raise ValueError(f"{what} {unknown[0]!r} is unknown")
    for field in fields:
        value = values.get(field.name)
        if value is None and field.optional:
            continue
        if field.name not in values:
            raise ValueError(f"{what} {field.name!r} is missing")
        if not _fits(field.kind, value):
            raise ValueError(f"{what} {field.name!r} is not of type {field.kind}")


def _fits(kind: str, value: object) -> bool:
    match kind:
        case "text":
            return isinstance(value, str)
        case "integer":
            return _is_integer(value)
        case "boolean":
            return isinstance(value, bool)
        case "list":
            return _is_list_of(value, str)
        case "records":
            return _is_list_of(value, dict)
        case _:
            return _is_moment(value)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_list_of(value: object, kind: type) -> bool:
    return isinstance(value, list) and all(isinstance(part, kind) for part in cast("list[object]", value))


def _is_moment(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    parts = cast("dict[object, object]", value)
    return set(parts) == set(MOMENT_PARTS) and all(_is_integer(part) for part in parts.values())
