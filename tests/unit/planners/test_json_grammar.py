"""Grammars of JSON schemas: what follows them fits the schema, whoever writes; the rest is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.json_schemas import json_schemas
from tests.support.tiny_gguf import write_tiny_gguf
from tinyagent.domain.json_schema import problem_with
from tinyagent.errors import InvalidRequest
from tinyagent.planners.json_grammar import json_grammar
from tinyagent.planners.llama_model import LlamaModel
from tinyagent.planners.llama_sampler import Draw, GrammarSampler

STEPS = 1500


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LlamaModel]:
    model = LlamaModel(write_tiny_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf"))
    yield model
    model.close()


def written(model: LlamaModel, schema: dict[str, Any], seed: int) -> str:
    """What random weights write under the schema's grammar; empty when they come to no end."""
    sampler, draw, text = GrammarSampler(model, json_grammar(schema)), Draw(1.0, seed=seed), b""
    model.read([1, 2, 3], lambda: False)
    try:
        for _ in range(STEPS):
            token = sampler.choose(draw.scores(model.logits()))
            if model.is_end(token):
                return text.decode()
            text += model.piece(token)
            model.extend([token])
    finally:
        sampler.close()
    return ""


@settings(max_examples=40, deadline=None)
@given(schema=json_schemas(), seed=st.integers(0, 99))
def test_whatever_is_written_under_the_grammar_fits_the_schema(
    model: LlamaModel, schema: dict[str, Any], seed: int
) -> None:
    text = written(model, schema, seed)
    assert problem_with(json.loads(text), schema) == ""


LIST = {
    "type": "object",
    "properties": {"n": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/list"}, {"type": "null"}]}},
    "required": ["n", "next"],
}
CAT = {"type": "object", "properties": {"kind": {"const": "cat"}, "lives": {"type": "integer"}}}
AGE = {"properties": {"age": {"type": "integer"}}, "required": ["age"]}
ONE = {"properties": {"x": {"const": 1}}}
TWO = {"required": ["y"], "properties": {"x": {"const": 2}, "y": {"type": "null"}}}
DOG = {"type": "object", "properties": {"kind": {"enum": ["dog", "wolf"]}, "good": {"type": "boolean"}}}


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/$defs/list", "$defs": {"list": LIST}},
        {"$ref": "#/$defs/a~1b%20c", "$defs": {"a/b c": {"type": "boolean"}}},
        {"oneOf": [{**CAT, "required": ["kind"]}, {**DOG, "required": ["kind"]}]},
        {"oneOf": [{"type": "boolean"}, {"type": ["integer", "null"]}]},
        {"allOf": [{**CAT, "required": ["lives"]}, AGE]},
        {"type": "object", "required": ["x"], "anyOf": [ONE, TWO]},
        {"$ref": "#/$defs/short", "minLength": 2, "$defs": {"short": {"type": "string", "maxLength": 4}}},
        {"type": "array", "prefixItems": [{"type": "null"}], "minItems": 2, "maxItems": 2},
        {"type": "array", "items": {"type": "null"}, "maxItems": 0},
        {"type": "array", "prefixItems": [{"type": "null"}, {"type": "null"}], "maxItems": 1},
        {"type": "object", "additionalProperties": False},
        {"type": "object", "properties": {"no": False, "yes": {"type": "boolean"}}},
        {"enum": [1, "one", None, True], "type": ["string", "boolean"], "not": {"const": "one"}},
        {"const": {"deep": ["\ud800", "\x00\x7f\u2028", 1e300]}},
        {"minimum": 3, "maximum": 5},
        {"type": "string", "minLength": 2.0, "maxLength": 3.0},
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "boolean", "title": "t", "x-mine": {"pattern": "a"}, "pattern": "of texts"},
        {"type": "array", "uniqueItems": False, "items": {"type": "null"}, "maxItems": 2},
    ],
)
def test_schemas_as_people_write_them_are_kept(model: LlamaModel, schema: dict[str, Any]) -> None:
    for seed in range(3):
        text = written(model, schema, seed)
        assert problem_with(json.loads(text), schema) == ""


@pytest.mark.parametrize(
    ("schema", "kinds"), [({}, (int, float, str, list, dict)), ({"type": "object"}, (dict,))]
)
def test_free_json_is_json(model: LlamaModel, schema: dict[str, Any], kinds: tuple[type, ...]) -> None:
    texts = [text for seed in range(6) if (text := written(model, schema, seed))]
    assert texts
    for text in texts:
        assert isinstance(json.loads(text), kinds)


def test_optional_properties_come_and_go(model: LlamaModel) -> None:
    flags = {name: {"type": "boolean"} for name in "abc"}
    texts = [written(model, {"type": "object", "properties": flags, "required": ["b"]}, n) for n in range(25)]
    assert {tuple(json.loads(text)) for text in texts} == {("b",), ("a", "b"), ("b", "c"), ("a", "b", "c")}


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "pattern": "^a"}, "it uses `pattern`"),
        ({"type": "array", "uniqueItems": True}, "it uses `uniqueItems`"),
        ({"type": "number", "multipleOf": 0.1}, "it uses `multipleOf`"),
        ({"properties": {"a": {"patternProperties": {}}}}, "it uses `patternProperties`"),
        ({"minProperties": 1}, "it uses `minProperties`"),
        ({"type": "integer", "not": {"const": 0}}, "it uses `not`"),
        ({"if": True, "then": False}, "it uses `if`"),
        ({"type": "number", "minimum": 0.5}, "not whole"),
        ({"type": "integer", "minimum": 5, "maximum": 4}, "no number is between"),
        ({"type": "integer", "minimum": float("inf")}, "a bound of its numbers"),
        ({"type": "integer", "minimum": 10**400}, "no number is between"),
        ({"oneOf": [{"const": n} for n in range(1001)]}, "`oneOf` has too many parts"),
        ({"enum": [f"value {n}" for n in range(5000)]}, "too large"),
        ({"enum": [1, 2], "type": "string"}, "`enum`"),
        ({"type": "string", "minLength": 4000}, "`minLength` is above 2000"),
        ({"type": "array", "minItems": 3, "maxItems": 2}, "`minItems`"),
        ({"oneOf": [{"type": "integer"}, {"type": "number"}]}, "several parts of its `oneOf`"),
        ({"oneOf": [CAT, DOG]}, "several parts of its `oneOf`"),
        ({"$ref": "https://example.com/schema"}, "https://example.com/schema"),
        ({"$ref": "#/$defs/none"}, "refers to #"),
        ({"anyOf": [False]}, "no value at all"),
        ({"type": "object", "properties": {"a": False}, "required": ["a"]}, "no value at all"),
        ({"allOf": [{"minimum": 1}, {"minimum": 2}]}, "several parts .* use `minimum`"),
        ({"properties": {"a": True}, "anyOf": [{"additionalProperties": False}]}, "`additionalProperties`"),
        (
            {"properties": {"a": {"$ref": "#", "minLength": 1}, "b": {"$ref": "#", "maxLength": 2}}},
            "too large",
        ),
        ({"anyOf": [{"maxItems": 1000 + n, "type": "array"} for n in range(200)]}, "too many long"),
    ],
)
def test_what_a_grammar_cannot_promise_is_refused_by_name(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words) as failure:
        json_grammar(schema)
    assert failure.value.param == "schema"


@pytest.mark.parametrize(
    "schema",
    [{"type": "text"}, {"properties": []}, {"$ref": "#/properties", "properties": {"type": {"minimum": 1}}}],
)
def test_what_is_no_schema_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="no valid JSON schema"):
        json_grammar(schema)


def test_a_schema_beyond_all_measure_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(5000):
        deep = {"items": deep}
    wide: dict[str, Any] = {"enum": [[]] * 9000}
    for schema in (deep, wide):
        with pytest.raises(InvalidRequest, match="too large"):
            json_grammar(schema)


# --- grammars that would take all memory --------------------------------------------------------------


def nested(*options: dict[str, Any]) -> dict[str, Any]:
    """Values that hold one another, each in one of these ways."""
    return {"$ref": "#/$defs/A", "$defs": {"A": {"anyOf": [*options, {"type": "null"}]}}}


def holder(**first: Any) -> dict[str, Any]:
    properties = {**first, "left": {"$ref": "#/$defs/A"}, "op": {"type": "string"}}
    return {"type": "object", "properties": properties, "required": list(properties)}


ITEMS = {"type": "array", "items": {"$ref": "#/$defs/A"}}
ADD = {**holder(), "properties": {**holder()["properties"], "op": {"const": "+"}}}
DEEP = {
    f"l{n}": {
        "anyOf": [{"type": "array", "items": {"$ref": f"#/$defs/l{n + 1}"}, "maxItems": k} for k in (5, 9)]
    }
    for n in range(20)
}


@pytest.mark.parametrize(
    "schema",
    [
        nested(ITEMS, {**ITEMS, "maxItems": 5}),
        nested(holder(), ADD),
        nested(holder(kind={"enum": ["a", "b"]}), holder(kind={"enum": ["b", "c"]})),
        {"$ref": "#/$defs/l0", "$defs": {**DEEP, "l20": {"type": "null"}}},
    ],
)
def test_alternatives_that_begin_alike_in_one_another_are_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="begin alike"):
        json_grammar(schema)


@pytest.mark.parametrize(
    "schema",
    [
        nested(ITEMS, holder()),
        nested(ITEMS, {"type": "array", "items": {"type": "null"}}),
        nested(holder(kind={"const": "a"}), holder(kind={"const": "b"})),
        nested(
            holder(at={"type": "integer"}, kind={"const": "a"}),
            holder(at={"type": "string"}, kind={"const": "b"}),
        ),
        nested(holder(a={"type": "string"}), holder(b={"type": "string"})),
    ],
)
def test_alternatives_that_are_told_apart_before_they_hold_others_are_kept(
    model: LlamaModel, schema: dict[str, Any]
) -> None:
    for seed in range(3):
        if text := written(model, schema, seed):
            assert problem_with(json.loads(text), schema) == ""


def test_many_values_that_are_told_apart_are_kept(model: LlamaModel) -> None:
    schema = {"oneOf": [{"const": f"value {n}", "title": str(n)} for n in range(300)]}
    assert problem_with(json.loads(written(model, schema, 1)), schema) == ""
    labels = {"type": "string", "enum": [f"value {n}" for n in range(300)]}
    assert problem_with(json.loads(written(model, labels, 1)), labels) == ""
