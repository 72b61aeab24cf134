"""Functions, the choice among them and formats: what is read and what is refused by its place."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tinyagent.api.tool_params import Function, client_tools, schema_of, tool_choice_of
from tinyagent.engine.calling import ToolChoice
from tinyagent.errors import InvalidRequest

OFFERED = ("weather", "time")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def function(name: str = "weather", **more: Any) -> Function:
    return Function.model_validate({"name": name, **more})


def test_functions_become_tools_with_names_of_their_own_that_plans_can_write() -> None:
    weather, other, bare = client_tools(
        [
            function("get-weather", parameters=CITY, description="Weather.", strict=True),
            function("get_weather", parameters={}),
            function("now"),
        ],
        "tools[{}].function",
    )
    assert (weather.name, weather.spec.name, weather.strict) == ("get-weather", "get_weather", True)
    assert [parameter.key for parameter in weather.spec.parameters] == ["city"]
    assert (other.name, other.spec.name) == ("get_weather", "get_weather_2")
    assert bare.spec.parameters == ()


@pytest.mark.parametrize("name", ["", "a" * 65, "get weather", "get.weather", "weather\n", "wétter"])
def test_a_function_is_named_by_the_rule(name: str) -> None:
    with pytest.raises(ValidationError):
        function(name)


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


@pytest.mark.parametrize(
    ("functions", "param"),
    [
        ([function(), function()], "tools[1].function.name"),
        ([function(parameters={"type": "array"})], "tools[0].function.parameters"),
        ([function(parameters={"type": "nonsense"})], "tools[0].function.parameters"),
        ([function("a"), function(parameters={"properties": 5})], "tools[1].function.parameters"),
        ([function(parameters=deep(900))], "tools[0].function.parameters"),
    ],
)
def test_functions_that_are_none_are_refused_with_their_place(functions: list[Function], param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        client_tools(functions, "tools[{}].function")
    assert refused.value.param == param


def named(name: str = "time") -> dict[str, Any]:
    return {"type": "function", "function": {"name": name}}


def allowed(*tools: Any, mode: str = "auto") -> dict[str, Any]:
    return {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}


@pytest.mark.parametrize(
    ("choice", "nested", "expected"),
    [
        (None, True, ToolChoice()),
        ("auto", True, ToolChoice("auto")),
        ("none", True, ToolChoice("none")),
        ("required", True, ToolChoice("required")),
        (named(), True, ToolChoice("required", frozenset({"time"}))),
        ({"type": "function", "name": "time"}, False, ToolChoice("required", frozenset({"time"}))),
        (allowed(named(), named("weather")), True, ToolChoice("auto", frozenset(OFFERED))),
        (allowed(named(), mode="required"), True, ToolChoice("required", frozenset({"time"}))),
        (
            {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "time"}]},
            False,
            ToolChoice("auto", frozenset({"time"})),
        ),
    ],
)
def test_every_form_of_a_choice_is_read(choice: object, nested: bool, expected: ToolChoice) -> None:
    assert tool_choice_of(choice, OFFERED, nested=nested) == expected


@pytest.mark.parametrize(
    ("choice", "param"),
    [
        ("any", "tool_choice"),
        (5, "tool_choice"),
        ({}, "tool_choice"),
        ({"type": "custom", "custom": {"name": "time"}}, "tool_choice"),
        (named("other"), "tool_choice"),
        ({"type": "function", "name": "time"}, "tool_choice"),
        ({"type": "function", "function": "time"}, "tool_choice"),
        (allowed(), "tool_choice.allowed_tools.tools"),
        (allowed(named(), mode="none"), "tool_choice.allowed_tools.mode"),
        (allowed(named(), named("other")), "tool_choice.allowed_tools.tools[1]"),
        (allowed("time"), "tool_choice.allowed_tools.tools[0]"),
    ],
)
def test_a_choice_that_is_none_is_refused_with_its_place(choice: object, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        tool_choice_of(choice, OFFERED, nested=True)
    assert refused.value.param == param


def test_formats_become_schemas() -> None:
    schema = {"name": "city", "schema": CITY, "strict": True}
    nested = {"type": "json_schema", "json_schema": schema}
    assert schema_of(nested, nested=True, param="response_format") == CITY
    assert schema_of({"type": "json_schema", **schema}, nested=False, param="text.format") == CITY
    assert schema_of({"type": "json_object"}, nested=True, param="response_format") == {"type": "object"}
    assert schema_of({"type": "text"}, nested=True, param="response_format") is None
    assert schema_of(None, nested=True, param="response_format") is None


@pytest.mark.parametrize(
    ("format_", "param"),
    [
        ("json", "response_format"),
        ({"type": "grammar"}, "response_format"),
        ({"type": "json_schema"}, "response_format.json_schema.name"),
        (
            {"type": "json_schema", "json_schema": {"name": "x y", "schema": {}}},
            "response_format.json_schema.name",
        ),
        ({"type": "json_schema", "json_schema": {"name": "x"}}, "response_format.json_schema.schema"),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "nonsense"}}},
            "response_format.json_schema.schema",
        ),
        (
            {"type": "json_schema", "json_schema": {"name": "x", "schema": deep(900)}},
            "response_format.json_schema.schema",
        ),
    ],
)
def test_a_format_that_is_none_is_refused_with_its_place(format_: object, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        schema_of(format_, nested=True, param="response_format")
    assert refused.value.param == param
