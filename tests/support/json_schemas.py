"""Hypothesis strategies for JSON schemas whose values are short."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Schema = dict[str, Any]

KEYS = st.sampled_from(["a", "b c", "é", '"\\', "value", "😀", "root", ""])
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-99, 99)
    | st.text(max_size=4)
    | st.lists(st.booleans(), max_size=2)
)


def _numbers(kind: str, low: int, span: int) -> Schema:
    return {"type": kind, "minimum": low, "maximum": low + span}


def _texts(least: int, more: int) -> Schema:
    return {"type": "string", "minLength": least, "maxLength": least + more}


LEAVES: st.SearchStrategy[Schema] = st.one_of(
    st.sampled_from(["integer", "number", "boolean", "null"]).map(lambda kind: {"type": kind}),
    st.just({"type": ["integer", "null"], "description": "a note", "minimum": 1}),
    st.sampled_from(["date", "time", "date-time", "uuid"]).map(
        lambda name: {"type": "string", "format": name}
    ),
    st.builds(_numbers, st.sampled_from(["integer", "number"]), st.integers(-20, 20), st.integers(0, 200)),
    st.builds(_texts, st.integers(0, 3), st.integers(0, 5)),
    st.lists(VALUES, min_size=1, max_size=4).map(lambda values: {"enum": values}),
    VALUES.map(lambda value: {"const": value}),
)


def _lists(item: Schema, least: int, more: int) -> Schema:
    return {"type": "array", "items": item, "minItems": least, "maxItems": least + more}


def _rows(items: list[Schema], closed: bool) -> Schema:
    return {"type": "array", "prefixItems": items, **({"items": False} if closed else {})}


@st.composite
def _objects(draw: st.DrawFn, inner: st.SearchStrategy[Schema]) -> Schema:
    properties = draw(st.dictionaries(KEYS, inner, max_size=4))
    required = draw(st.lists(KEYS, unique=True, max_size=3)) if properties else []
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": draw(inner) if required else False,
    }


def _containers(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return st.one_of(
        st.builds(_lists, inner, st.integers(0, 2), st.integers(0, 2)),
        st.builds(_rows, st.lists(inner, min_size=1, max_size=3), st.booleans()),
        _objects(inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"anyOf": parts}),
        inner.map(lambda part: {"allOf": [part], "title": "wrapped"}),
        inner.map(lambda part: {"type": "object", "properties": {"only": part}, "required": ["only"]}),
    )


def json_schemas() -> st.SearchStrategy[Schema]:
    """Schemas of a few levels, in a list so that they may refer to a definition."""
    return st.recursive(LEAVES, _containers, max_leaves=6)
