"""JSON schemas as shapes and as grammar rules: what fits, what is left out, and how large it gets."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.described import described_tools, make_tool
from tests.support.grammar_walk import GrammarWalk
from tests.unit.planners.test_described_tools import calls_of
from tinyagent.domain.tools import ToolSpec
from tinyagent.planners.digits import whole_numbers
from tinyagent.planners.grammar import Limits, plan_grammar
from tinyagent.planners.schema_shapes import shape_of, unsupported
from tinyagent.planners.signatures import type_of

SMALL = Limits(calls=3, items=3, characters=8, references=2)
NODE = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
    "required": ["name"],
}


def values_of(schema: dict[str, Any], count: int = 30, **definitions: object) -> list[Any]:
    """What may be written for a required argument of this schema in a plan's first line; all of it fits."""
    tool = make_tool("f", {"x": schema}, "x", **definitions)
    walk = GrammarWalk(plan_grammar([tool], limits=SMALL, must_call=True), random.Random(3))
    return [calls_of(walk.text(), (tool,))[0].arguments[0] for _ in range(count)]


# --- any schema -------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    tools=st.lists(described_tools(), min_size=1, max_size=2, unique_by=lambda tool: tool.name),
    chance=st.randoms(use_true_random=False),
    must_call=st.booleans(),
)
def test_whatever_a_grammar_allows_parses_binds_and_fits(
    tools: list[ToolSpec], chance: random.Random, must_call: bool
) -> None:
    for tool in tools:
        assert unsupported(tool.json_schema()) == []
    walk = GrammarWalk(plan_grammar(tools, limits=SMALL, must_call=must_call), chance)
    for _ in range(3):
        assert calls_of(walk.text(), tuple(tools)) or not must_call


def test_optional_arguments_may_be_missing_in_any_combination() -> None:
    tool = make_tool("f", {name: {"type": "null"} for name in "abc"}, "b")
    walk = GrammarWalk(plan_grammar([tool], limits=SMALL, must_call=True), random.Random(1))
    assert {walk.text().splitlines()[0] for _ in range(80)} == {
        f"1. f(b=None{a}{c})" for a in ("", ", a=None") for c in ("", ", c=None")
    }


def test_an_optional_property_may_stand_first() -> None:
    schema = {"type": "object", "properties": {key: {"const": 1} for key in "abc"}, "required": ["b"]}
    assert {tuple(value) for value in values_of(schema)} == {("b",), ("a", "b"), ("b", "c"), ("a", "b", "c")}


def test_lengths_of_texts_and_lists_are_kept() -> None:
    assert {len(text) for text in values_of({"type": "string", "minLength": 2, "maxLength": 4})} == {2, 3, 4}
    schema = {"type": "array", "items": {"type": "null"}, "minItems": 1, "maxItems": 2}
    assert {len(value) for value in values_of(schema)} == {1, 2}


def test_a_text_of_limited_length_may_hold_a_dollar_amount() -> None:
    texts = values_of({"type": "string", "maxLength": 5}, 200)
    assert any(re.search(r"\$\d", str(text)) for text in texts)


def test_alternatives_with_shared_properties_are_each_whole() -> None:
    schema = {
        "type": "object",
        "properties": {"kind": {"const": "k"}},
        "required": ["kind"],
        "anyOf": [
            {"properties": {"a": {"const": 1}}, "required": ["a"]},
            {"properties": {"b": {"const": 2}}},
        ],
    }
    found = {tuple(value.items()) for value in values_of(schema)}
    assert found == {(("kind", "k"), ("a", 1)), (("kind", "k"),), (("kind", "k"), ("b", 2))}
    assert unsupported(schema) == []


def test_definitions_are_followed_and_those_that_hold_themselves_end() -> None:
    values = values_of({"$ref": "#/$defs/Node"}, 12, **{"$defs": {"Node": NODE}})
    assert any(value.get("children") for value in values)
    assert (
        len(plan_grammar([make_tool("f", {"x": {"$ref": "#/$defs/Node"}}, **{"$defs": {"Node": NODE}})]))
        < 1e5
    )


@given(
    least=st.none() | st.integers(-1200, 1200),
    most=st.none() | st.integers(-1200, 1200),
    near=st.integers(-3, 3),
)
def test_whole_numbers_between_bounds_are_exactly_those(
    least: int | None, most: int | None, near: int
) -> None:
    options = whole_numbers(least, most).replace('"', "").replace(" ", "")
    for number in (0, *(bound + near for bound in (least, most) if bound is not None)):
        inside = (least is None or number >= least) and (most is None or number <= most)
        assert bool(options and re.fullmatch(options, str(number))) is inside
    assert not re.fullmatch(options, "007")


def test_bounds_of_whole_numbers_are_kept() -> None:
    schema = {"type": "integer", "exclusiveMinimum": 0, "maximum": 3}
    assert set(values_of(schema)) == {1, 2, 3}
    assert unsupported(schema) == []


# --- what no grammar says -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "pattern": "^a+$"}, ["pattern"]),
        ({"type": "string", "format": "date-time"}, ["format"]),
        ({"type": "number", "minimum": 0}, ["minimum"]),
        ({"type": "array", "uniqueItems": True, "items": {"multipleOf": 2}}, ["multipleOf", "uniqueItems"]),
        ({"type": "array", "uniqueItems": False}, []),
        ({"not": {"type": "string"}}, ["not"]),
        ({"if": {"type": "string"}, "then": {}}, ["if"]),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, ["allOf"]),
        ({"allOf": [{"properties": {"a": {}}}, {"properties": {"b": {}}, "required": ["b"]}]}, []),
        ({"$ref": "https://example.com/s.json"}, ["$ref"]),
        ({"$ref": "#/$defs/Nowhere"}, ["$ref"]),
        ({"properties": {"a": {"properties": {"b": {"minProperties": 1}}}}}, ["minProperties"]),
        ({"type": "array", "minItems": 100_000}, ["minItems"]),
        ({"type": "integer", "minimum": float("inf")}, ["minimum"]),
        ({"type": "integer", "maximum": float("nan")}, ["maximum"]),
        ({"$ref": "#/$defs/a%20b/anyOf/0", "$defs": {"a b": {"anyOf": [{"type": "null"}]}}}, []),
        ({"$ref": "#/properties", "properties": {"enum": True}}, ["$ref"]),
        ({"$ref": "#/properties", "properties": {"minLength": {"type": "string"}}}, ["$ref"]),
        ({"type": "string", "enum": [str(n) for n in range(2001)]}, ["enum"]),
    ],
)
def test_keywords_that_no_grammar_enforces_are_named(schema: dict[str, Any], words: list[str]) -> None:
    assert unsupported(schema) == words


def test_what_cannot_be_expressed_becomes_the_wider_form() -> None:
    assert type_of(shape_of({"type": "string", "pattern": "x"})) == "str"
    assert type_of(shape_of({"$ref": "https://example.com/s.json"})) == "any"
    assert type_of(shape_of({"allOf": [{"type": "string"}, {"minLength": 1}]})) == "str"


# --- sizes --------------------------------------------------------------------------------------------


def test_grammars_of_many_tools_stay_small() -> None:
    kinds = [
        {"type": "string"},
        {"type": "integer"},
        {"enum": ["a", "b"]},
        {"type": "string", "maxLength": 99},
    ]
    tools = [make_tool(f"t{n}", {f"p{n}_{k}": kinds[k % 4] for k in range(8)}, f"p{n}_1") for n in range(30)]
    assert len(plan_grammar(tools)) < 400_000


def test_alternatives_that_begin_alike_in_one_another_become_any_value() -> None:
    lists = [{"type": "array", "items": {"$ref": "#/$defs/A"}, "maxItems": 5 + n} for n in range(4)]
    schema = {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [*lists, {"type": "null"}]}}}
    assert unsupported(schema) == ["anyOf"]
    assert type_of(shape_of(schema)) == "any"
    told_apart = {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [lists[0], {"type": "null"}]}}}
    assert unsupported(told_apart) == []


@pytest.mark.parametrize("keyword", ["allOf", "anyOf"])
def test_schemas_that_multiply_themselves_are_bounded(keyword: str) -> None:
    again = [{"$ref": "#/$defs/A", "minLength": n} for n in range(3)]
    tool = make_tool("f", {"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": {keyword: again}}})
    assert len(plan_grammar([tool])) < 1e6


def test_wide_schemas_that_hold_themselves_are_bounded() -> None:
    wide = {"properties": {f"p{n}": {"$ref": "#/$defs/A", "minProperties": n} for n in range(60)}}
    tool = make_tool("f", {"x": {"$ref": "#/$defs/A"}}, **{"$defs": {"A": wide}})
    assert len(plan_grammar([tool], limits=Limits(calls=1))) < 1e6
    assert "$ref" in unsupported(tool.json_schema())
