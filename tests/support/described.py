"""Tools that others describe, for the planners' tests, and JSON schemas of all kinds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from tinyagent.domain.json_tools import tool_from_schema
from tinyagent.domain.tools import ToolSpec
from tinyagent.ports import PlanRequest

NOW = datetime(2026, 3, 4, 9, 30)


def make_tool(name: str, properties: Mapping[str, object], *required: str, **others: object) -> ToolSpec:
    """A described tool with these properties, of which some are required."""
    schema = {"type": "object", "properties": dict(properties), "required": list(required), **others}
    return tool_from_schema(name, f"What {name} does.", schema)


def request_for(*tools: ToolSpec, query: str = "do it", **others: Any) -> PlanRequest:
    """A request over described tools."""
    return PlanRequest(query, NOW, tools, **others)


KEYS = st.sampled_from(["a", "b c", 'd"e', "für", "$1", "class", "back\\slash", "tab\t"])
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([0.5, "", "$2 and", 'q"', "$", "\\", "a\nb"]),
)


def _texts() -> st.SearchStrategy[dict[str, Any]]:
    bounds = st.tuples(st.integers(0, 4), st.integers(0, 5))
    return st.one_of(
        st.just({"type": "string"}),
        bounds.map(lambda two: {"type": "string", "minLength": two[0], "maxLength": sum(two)}),
        st.integers(1, 3).map(lambda least: {"type": "string", "minLength": least}),
    )


def _objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    properties = st.dictionaries(KEYS, inner, max_size=3)
    return st.tuples(properties, st.sets(KEYS)).map(
        lambda two: {
            "type": "object",
            "properties": two[0],
            "required": sorted(two[1] & two[0].keys()),
            "additionalProperties": False,
        }
    )


def _lists(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    bounds = st.tuples(st.integers(0, 2), st.integers(0, 2))
    return st.tuples(inner, bounds).map(
        lambda two: {
            "type": "array", "items": two[0], "minItems": two[1][0], "maxItems": sum(two[1]),
        }
    )  # fmt: skip


SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        _texts(),
        st.sampled_from(["integer", "number", "boolean", "null"]).map(lambda name: {"type": name}),
        st.just({"type": ["string", "integer", "null"]}),
        st.just({}),
        st.lists(_VALUES, min_size=1, max_size=4, unique_by=repr).map(lambda values: {"enum": values}),
        _VALUES.map(lambda value: {"const": value}),
    ),
    lambda inner: st.one_of(
        _objects(inner),
        _lists(inner),
        inner.map(lambda schema: {"type": "object", "additionalProperties": schema}),
        st.lists(inner, min_size=1, max_size=2).map(lambda options: {"anyOf": options}),
        inner.map(lambda schema: {"allOf": [schema], "description": "one"}),
        st.lists(inner, min_size=1, max_size=2).map(lambda places: {"type": "array", "prefixItems": places}),
    ),
    max_leaves=6,
)
"""Schemas that grammars can express in full."""


@st.composite
def described_tools(draw: st.DrawFn) -> ToolSpec:
    """Tools with up to four arguments of any shape."""
    name = draw(st.sampled_from(["search", "add_rows", "x"]))
    properties = draw(st.dictionaries(KEYS, SCHEMAS, max_size=4))
    required = sorted(draw(st.sets(KEYS)) & properties.keys())
    return make_tool(name, properties, *required)
