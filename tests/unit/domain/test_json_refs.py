"""Parts of JSON schemas that refer to other parts of them."""

from __future__ import annotations

from typing import Any

import pytest

from tinyagent.domain.json_refs import Parts, referred, target_of
from tinyagent.domain.json_schema import problem_with

ROOT: dict[str, Any] = {
    "type": "object",
    "$defs": {"part_1": {"type": "integer"}, "name": {"$ref": "#/properties/a~1b"}},
    "properties": {
        "a/b": {"type": "string"},
        "pair": {"prefixItems": [{"type": "boolean"}, {"$ref": "#"}]},
        "odd name": {"type": "null"},
    },
}


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/properties/a~1b", {"type": "string"}),
        ("#/properties/odd%20name", {"type": "null"}),
        ("#/properties/pair/prefixItems/0", {"type": "boolean"}),
        ("#/properties/pair/prefixItems/2", None),
        ("#/properties/pair/prefixItems/x", None),
        ("#/nothing/here", None),
        ("http://example.com/schema#/properties", None),
    ],
)
def test_a_reference_leads_to_a_part_of_the_same_schema_or_nowhere(reference: str, found: object) -> None:
    assert target_of(reference, ROOT) == found
    assert target_of("#", ROOT) is ROOT


@pytest.mark.parametrize(
    ("part", "fits", "fails"),
    [
        ({"$ref": "#/properties/a~1b"}, "x", 5),
        ({"$ref": "#/$defs/name"}, "x", 5),
        ({"$ref": "#/$defs/part_1"}, 5, "x"),
        ({"items": {"$ref": "#/properties/pair"}}, [[True, {"a/b": "x"}]], [[True, {"a/b": 5}]]),
        ({"properties": {"$ref": {"type": "string"}}}, {"$ref": "x"}, {"$ref": 5}),
    ],
)
def test_a_part_means_the_same_alone(part: dict[str, Any], fits: object, fails: object) -> None:
    alone = Parts(ROOT).alone(part)
    assert problem_with(fits, alone) == ""
    assert problem_with(fails, alone)


def test_what_leads_elsewhere_stays_and_fits_nothing() -> None:
    alone = Parts({"properties": {}}).alone({"$ref": "http://example.com/schema"})
    assert alone == {"$ref": "http://example.com/schema"}
    assert problem_with("x", alone) == "its schema refers to something that is not there"


def test_a_schema_that_only_refers_is_what_it_refers_to_with_what_it_adds() -> None:
    root = {"$ref": "#/$defs/A", "$defs": {"A": {"$ref": "#/$defs/B"}, "B": {"type": "object"}}, "title": "t"}
    meant = referred(root)
    assert (meant["type"], meant["title"]) == ("object", "t")
    assert referred(ROOT) is ROOT
    endless = {"$ref": "#"}
    assert referred(endless)["$ref"] == "#"
