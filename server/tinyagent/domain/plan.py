"""The plan language: numbered calls with `$n` references, as objects and as text.

    1. get_email_address("Sid")
    2. compose_new_email(["$1"], [], "Hello", "Costs $$25", [])
    3. join()<END_OF_PLAN>

`plan_parser` makes text into objects, once; from then on references are objects and never text,
so that `$1` is no part of `$10`, and a result that happens to contain `$2` stays what it is.
The grammar is that of the LLMCompiler plans of TinyAgent (arXiv:2409.00608).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tinyagent.errors import PlanReferenceError

END_OF_PLAN = "<END_OF_PLAN>"
JOIN = "join"


@dataclass(frozen=True)
class Reference:
    """The result of the call with this number."""

    index: int


@dataclass(frozen=True)
class Template:
    """A string with references in it: text and references in their order."""

    parts: tuple[str | Reference, ...]

    @property
    def references(self) -> tuple[int, ...]:
        return tuple(part.index for part in self.parts if isinstance(part, Reference))


Value = str | int | float | bool | Template | list["Value"] | dict[str, "Value"] | None
"""An argument. Objects (`dict`) and None occur with tools that others describe by a JSON schema."""


@dataclass(frozen=True)
class Call:
    """One line of a plan: what to call, with what, and why (the planner's thought).

    `keywords` are arguments given by name; `ToolSpec.bind` puts them in their places.
    """

    index: int
    tool: str
    arguments: tuple[Value, ...]
    thought: str = ""
    keywords: tuple[tuple[str, Value], ...] = ()

    @property
    def references(self) -> frozenset[int]:
        """Numbers of all calls whose results this call uses."""
        values = (*self.arguments, *(value for _, value in self.keywords))
        return frozenset(index for value in values for index in references_in(value))

    @property
    def written_arguments(self) -> tuple[object, ...]:
        """The arguments as plain values, references written as `$n`."""
        return tuple(_written(value) for value in self.arguments)

    @property
    def is_join(self) -> bool:
        return self.tool == JOIN


@dataclass(frozen=True)
class Plan:
    """The calls of a plan in their order, `join` left out."""

    calls: tuple[Call, ...]


# --- objects to text -------------------------------------------------------------------------


def format_call(call: Call) -> str:
    """The call as a line of the plan language; its thought, if any, on a line before it."""
    values = [_format_value(value) for value in call.arguments]
    values += [f"{name}={_format_value(value)}" for name, value in call.keywords]
    arguments = ", ".join(values)
    thought = f"Thought: {call.thought}\n" if call.thought else ""
    return f"{thought}{call.index}. {call.tool}({arguments})"


def format_plan(calls: Sequence[Call]) -> str:
    """A whole plan (without `join`) as text, `join()` and the stop string at its end."""
    following = 1 + max((call.index for call in calls), default=0)
    return "\n".join([*map(format_call, calls), f"{following}. {JOIN}(){END_OF_PLAN}"])


def _format_value(value: Value) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_format_value(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quote(key)}: {_format_value(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (str, Template)):
        return _quote(str(_written(value)))
    return repr(value)


def _written(value: Value) -> object:
    """A value with its references as text again."""
    if isinstance(value, list):
        return [_written(item) for item in value]
    if isinstance(value, dict):
        return {key: _written(item) for key, item in value.items()}
    if isinstance(value, Template):
        return "".join(_write_part(part, following) for part, following in _with_following(value.parts))
    return escape_dollars(value) if isinstance(value, str) else value


def _with_following(parts: tuple[str | Reference, ...]) -> Iterator[tuple[str | Reference, object]]:
    return zip(parts, [*parts[1:], ""], strict=True)


def _write_part(part: str | Reference, following: object) -> str:
    """`$1`, or `${1}` where a digit follows."""
    if isinstance(part, str):
        return escape_dollars(part)
    digit_follows = isinstance(following, str) and following[:1].isdigit()
    return f"${{{part.index}}}" if digit_follows else f"${part.index}"


def escape_dollars(text: str) -> str:
    """Write a literal dollar before a digit as `$$`, so that it is no reference."""
    return re.sub(r"\$(?=\d|\{\d)", "$$", text)


_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return '"' + _UNWRITABLE.sub(_escape, escaped) + '"'


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


# --- substitution ----------------------------------------------------------------------------


def substitute(call: Call, results: Mapping[int, str]) -> list[Value]:
    """The call's arguments with every reference replaced by its result, in one pass.

    Raises PlanReferenceError when a result is missing.
    """
    return [_resolve(value, results, call.index) for value in call.arguments]


def _resolve(value: Value, results: Mapping[int, str], index: int) -> Value:
    if isinstance(value, list):
        return [_resolve(item, results, index) for item in value]
    if isinstance(value, dict):
        return {key: _resolve(item, results, index) for key, item in value.items()}
    if isinstance(value, Template):
        return "".join(
            _result(part, results, index) if isinstance(part, Reference) else part for part in value.parts
        )
    return value


def _result(reference: Reference, results: Mapping[int, str], index: int) -> str:
    if reference.index not in results:
        raise PlanReferenceError(f"Call {index} uses ${reference.index}, which has no result.")
    return results[reference.index]


def references_in(value: Value) -> Iterator[int]:
    """Numbers of the calls whose results an argument uses."""
    if isinstance(value, list):
        for item in value:
            yield from references_in(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from references_in(item)
    elif isinstance(value, Template):
        yield from value.references
