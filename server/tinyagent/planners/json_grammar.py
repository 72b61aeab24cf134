"""Grammars (GBNF) of the JSON texts that fit a JSON schema, for answers that have to.

Whatever follows the grammar fits the schema. The other way round it is narrower: an object has the named
properties in their order and no others, and texts and lists whose length a schema bounds end sooner or
later. A schema that asks for what no grammar can promise is refused, never stretched.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import Literal, cast

from tinyagent.domain.json_schema import problem_with
from tinyagent.planners.ambiguity import MOST_READINGS, Form, Member, Readings
from tinyagent.planners.gbnf import RuleBook, literal
from tinyagent.planners.number_grammar import Bounds, integer_rule, number_rule
from tinyagent.planners.schema_reading import BOUNDS, Schema, SchemaReader, refused

MOST_REPEATS = 2000
"""Characters of a text, or items of a list, whose number a schema bounds: llama.cpp counts no further."""
MOST_REPEATS_TOGETHER = 100_000
"""Of a whole grammar: each takes a rule in memory."""

_BASE = r"""
value ::= object | array | string | number | boolean | null
object ::= "{" (pair (comma pair)*)? "}"
array ::= "[" (value (comma value)*)? "]"
pair ::= string colon value
string ::= "\"" char* "\""
char ::= [^"\\\x00-\x1F\x7F] | "\\" (["\\/bfnrt] | "u" code)
code ::= [0-9a-cA-CefEF] hex hex hex | [dD] [0-7] hex hex
hex ::= [0-9a-fA-F]
number ::= integer ("." [0-9]{1,15})? ([eE] [-+]? [0-9]{1,2})?
integer ::= "-"? ("0" | [1-9] [0-9]{0,14})
boolean ::= "true" | "false"
null ::= "null"
colon ::= ":" " "?
comma ::= "," " "?
date ::= [0-9]{4} "-" (long day31 | short day30 | "02" day29)
long ::= "0" [13578] | "1" [02]
short ::= "0" [469] | "11"
day31 ::= "-" ("0" [1-9] | [12] [0-9] | "3" [01])
day30 ::= "-" ("0" [1-9] | [12] [0-9] | "30")
day29 ::= "-" ("0" [1-9] | [12] [0-9])
time ::= hour ":" sixty ":" sixty ("." [0-9]{1,6})? ("Z" | [-+] hour ":" sixty)
hour ::= [01] [0-9] | "2" [0-3]
sixty ::= [0-5] [0-9]
"""

_FORMATS = {
    "date": r'"\"" date "\""',
    "time": r'"\"" time "\""',
    "date-time": r'"\"" date "T" time "\""',
    "uuid": r'"\"" hex{8} "-" hex{4} "-" hex{4} "-" hex{4} "-" hex{12} "\""',
}
"""Formats that are kept; the others are notes, as the standard has them."""


def json_grammar(schema: Schema) -> str:
    """The grammar; its first rule is `root`.

    Raises InvalidRequest, naming `schema`, for what is no schema, or asks for what a grammar cannot promise.
    """
    reader = SchemaReader(dict(schema))
    writer = _Writer(reader)
    root = writer.value(dict(schema))
    writer.check_readings()
    return "\n".join([f"root ::= {root}", _BASE.strip(), *writer.rules(), ""])


class _Writer:
    """Writes the rules of one schema."""

    def __init__(self, reader: SchemaReader) -> None:
        self._reader = reader
        self._book = RuleBook()
        self._references: dict[str, str] = {}
        """The rules of what is referred to, by reference."""
        self._bodies: dict[str, str] = {}
        self._repeats = 0
        self._readings = Readings()
        self._readings.form("object", Form("{", ("value",)))
        self._readings.form("array", Form("[", ("value",)))
        self._readings.union("value", ("object", "array", "string"))

    def check_readings(self) -> None:
        """Refuse a grammar that takes more memory with each level of an answer."""
        if self._readings.most() > MOST_READINGS:
            raise refused("parts of its `anyOf` begin alike, in one another; put first what tells them apart")

    def rules(self) -> Iterable[str]:
        return [*self._book.rules(), *(f"{name} ::= {body}" for name, body in self._bodies.items())]

    def value(self, schema: object, depth: int = 0) -> str:
        """The rule of a value that fits the schema."""
        said = self._reader.assertions(schema, depth)
        if said.keys() == {"$ref"}:
            return self._referred(said["$ref"], depth)
        parts = self._reader.parts(said)
        if parts is not None:
            options = [self.value(part, depth + 1) for part in parts]
        else:
            flat = self._reader.alternatives(said, depth)
            options = [option for one in flat for option in self._written(one, depth)]
        name = self._book.name(" | ".join(dict.fromkeys(options)))
        self._readings.union(name, options)
        if all(option.startswith('"') for option in options):
            self._readings.fixed(name, options)
        return name

    def _referred(self, reference: str, depth: int) -> str:
        if reference not in self._references:
            name = self._references[reference] = f"r{len(self._references)}"
            self._readings.union(name, ("value",))
            self._bodies[name] = self.value(self._reader.target(reference), depth + 1)
            self._readings.union(name, (self._bodies[name],))
        return self._references[reference]

    def _written(self, said: Schema, depth: int) -> list[str]:
        if "const" in said or "enum" in said:
            return self._fixed(said)
        kinds = self._reader.kinds(said)
        return ["value"] if kinds is None else [self._of_kind(kind, said, depth) for kind in kinds]

    def _fixed(self, schema: Schema) -> list[str]:
        """The values of `enum` or `const` that everything else in the schema allows."""
        key = "const" if "const" in schema else "enum"
        options = [schema[key]] if key == "const" else schema[key]
        others = {name: value for name, value in schema.items() if name != key}
        full = {**self._reader.definitions, **others}
        fitting = [option for option in options if not (others and problem_with(option, full))]
        if not fitting:
            raise refused("no value of its `enum` or `const` fits it")
        return [literal(_json(option)) for option in fitting]

    def _of_kind(self, kind: str, schema: Schema, depth: int) -> str:
        match kind:
            case "string":
                return self._string(schema)
            case "integer" | "number":
                return self._number(kind, schema)
            case "array":
                return self._array(schema, depth)
            case "object":
                return self._object(schema, depth)
            case _:
                return kind

    def _string(self, schema: Schema) -> str:
        least, most = int(schema.get("minLength", 0)), _upper(schema.get("maxLength"))
        if least or most is not None:
            times = self._book.once(("text", least, most), lambda: self._times(least, most, "minLength"))
            return self._book.name(rf'"\"" char{times} "\""')
        known = _FORMATS.get(str(schema.get("format")))
        return self._book.name(known) if known else "string"

    def _number(self, kind: str, schema: Schema) -> str:
        bounds = _bounds(schema)
        if bounds == Bounds():
            return kind
        rule = integer_rule(bounds) if kind == "integer" else number_rule(bounds)
        if rule is None:
            raise refused("it bounds a number by one that is not whole")
        if not rule:
            raise refused("no number is between its bounds")
        return self._book.name(rule)

    def _array(self, schema: Schema, depth: int) -> str:
        first = cast("list[object]", schema.get("prefixItems", []))
        least, most = int(schema.get("minItems", 0)), _upper(schema.get("maxItems"))
        further: object = schema.get("items", not first or least > len(first))
        if further is False:
            most = len(first) if most is None else min(most, len(first))
        _check_order(least, most, "minItems")
        places = [self.value(item, depth + 1) for item in first[:most]]
        if most is not None and most <= len(places):
            return self._container("[", f'"[" {" comma ".join(places)} "]"', places)
        item = self.value(further, depth + 1)
        next_item = self._book.name(f"comma {item}")
        begun = max(len(places), 1)
        more = self._times(max(least - begun, 0), None if most is None else most - begun, "minItems")
        items = f"{' comma '.join(places or [item])} {next_item}{more}"
        body = f'"[" {items} "]"' if places or least else f'"[" ({items})? "]"'
        return self._container("[", body, [*places, item])

    def _object(self, schema: Schema, depth: int) -> str:
        named = cast("dict[str, object]", schema.get("properties", {}))
        required = dict.fromkeys(cast("list[str]", schema.get("required", [])))
        others: object = schema.get("additionalProperties", True)
        if not named and not required:
            return self._dictionary(others, depth)
        properties = {**named, **{name: others for name in required if name not in named}}
        members = [
            (name, self.value(inner, depth + 1), name in required)
            for name, inner in properties.items()
            if inner is not False or name in required
        ]
        pairs = [(f"{literal(_json(name))} colon {value}", needed) for name, value, needed in members]
        values, head = [value for _, value, _ in members], self._readings.head(members)
        return self._container("{", f'"{{" {self._members(pairs)} "}}"', values, head)

    def _dictionary(self, value: object, depth: int) -> str:
        if value is False:
            return self._book.name('"{" "}"')
        if value is True:
            return "object"
        written = self.value(value, depth + 1)
        pair = self._book.name(f"string colon {written}")
        return self._container("{", f'"{{" ({pair} (comma {pair})*)? "}}"', [written])

    def _container(
        self, opening: Literal["{", "["], body: str, values: Sequence[str], head: tuple[Member, ...] = ()
    ) -> str:
        """The rule of an object or a list with such values in it."""
        name = self._book.name(body)
        self._readings.form(name, Form(opening, tuple(values), head))
        return name

    def _members(self, members: Sequence[tuple[str, bool]]) -> str:
        """The pairs in their order with commas between them; those that are not required may be missing."""
        begun, untouched = '""', '""'
        for pair, required in reversed(members):
            untouched, begun = (
                self._book.name(f"{pair} {begun}" if required else f"{pair} {begun} | {untouched}"),
                self._book.name(f"comma {pair} {begun}" if required else f"(comma {pair})? {begun}"),
            )
        return untouched

    def _times(self, least: int, most: int | None, keyword: str) -> str:
        """How often something is repeated."""
        _check_order(least, most, keyword)
        upper = None if most is None else min(most, MOST_REPEATS)
        self._repeats += least if upper is None else upper
        if least > MOST_REPEATS:
            raise refused(f"its `{keyword}` is above {MOST_REPEATS}")
        if self._repeats > MOST_REPEATS_TOGETHER:
            raise refused("it bounds too many long texts and lists")
        return f"{{{least},{'' if upper is None else upper}}}"


def _upper(value: float | None) -> int | None:
    """A whole number, which may have been written as 2.0; None is as many as one likes."""
    return None if value is None else int(value)


def _bounds(schema: Schema) -> Bounds:
    if not all(-math.inf < value < math.inf for key, value in schema.items() if key in BOUNDS):
        raise refused("a bound of its numbers is none")
    low, high = schema.get("minimum", Bounds.low), schema.get("maximum", Bounds.high)
    above, below = schema.get("exclusiveMinimum", Bounds.low), schema.get("exclusiveMaximum", Bounds.high)
    low_open = "exclusiveMinimum" in schema and above >= low
    high_open = "exclusiveMaximum" in schema and below <= high
    return Bounds(max(low, above), min(high, below), low_open, high_open)


def _check_order(least: int, most: int | None, keyword: str) -> None:
    if most is not None and least > most:
        raise refused(f"`{keyword}` is above what it allows at most")


def _json(value: object) -> str:
    """A value as JSON. Halves of characters, which no text can hold, are written as escapes."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False)
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        raise refused("it holds a number that JSON does not have") from None
    return text
