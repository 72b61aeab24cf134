"""JSON schemas as shapes.

A shape says less than a schema can. What it cannot say (a pattern, the range of a fraction) is left out,
so that it takes more than the schema does; `unsupported` names what was left out. Definitions that hold
themselves are followed to a certain depth.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from tinyagent.domain.plan import Call, Value, format_call
from tinyagent.errors import InvalidRequest
from tinyagent.planners.ambiguity import MOST_READINGS
from tinyagent.planners.digits import whole_numbers
from tinyagent.planners.schema_references import resolve
from tinyagent.planners.shapes import (
    ANYTHING,
    FLAG,
    INTEGER,
    NOTHING,
    NUMBER,
    Choice,
    Dictionary,
    Either,
    Items,
    Number,
    Properties,
    Property,
    Row,
    Shape,
    Text,
    readings_of,
)

MAX_DEPTH = 24
"""Steps from a schema into its parts."""
MAX_SCHEMAS = 2000
"""Different schemas and properties that are read of one schema; what comes after them is any value."""

MOST_REPEATS = 100
"""The largest number of items or characters that is insisted on."""


MOST_CHOICES = 2000
"""Values of an `enum` that are told apart; of more, any that is of their type passes."""


def shape_of(schema: Mapping[str, Any]) -> Shape:
    """The shape of the values that fit a valid JSON schema, or of somewhat more."""
    return _Reader(schema).whole()


def unsupported(schema: Mapping[str, Any]) -> list[str]:
    """The keywords of a valid JSON schema that shapes, and so grammars, do not enforce; sorted."""
    reader = _Reader(schema)
    reader.whole()
    return sorted(reader.missed)


def plan_literal(value: Value) -> str:
    """A value as the plan language writes it."""
    return format_call(Call(0, "", (value,))).removeprefix("0. (").removesuffix(")")


# --- reading ---------------------------------------------------------------------------------------

_Schema = Mapping[str, Any]
_MISSED = frozenset(
    {
        "pattern", "format", "multipleOf",
        "uniqueItems", "contains", "unevaluatedItems", "patternProperties", "propertyNames", "minProperties",
        "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties", "not", "if",
        "$dynamicRef",
    }
)  # fmt: skip
_RANGE = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
_ABOUT = frozenset(
    {"title", "description", "default", "examples", "deprecated", "$comment", "$defs", "definitions"}
)
_IMPLIED = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "string": ("minLength", "maxLength", "pattern", "format"),
    "number": (*_RANGE, "multipleOf"),
}
_HOPS = 12
"""References and parts of `allOf` that are followed from one schema."""
_MERGING = Literal["allOf", "anyOf", "oneOf"]


class _Reader:
    """Reads one schema and collects the keywords that no shape can say."""

    def __init__(self, root: _Schema) -> None:
        self._root = root
        self.missed: set[str] = set()
        self._shapes: dict[tuple[str, int], Shape | None] = {}
        self._left = MAX_SCHEMAS

    def whole(self) -> Shape:
        """The shape of the schema itself; any value where there is none that a grammar can hold to."""
        shape = self.read(self._root, MAX_DEPTH)
        if shape is None:
            self.missed.add("$ref")
        elif readings_of(shape) > MOST_READINGS:
            self.missed.add("anyOf")
            return ANYTHING
        return shape or ANYTHING

    def read(self, schema: object, depth: int) -> Shape | None:
        """The shape; None when no value can be written within this depth."""
        if schema is True:
            return ANYTHING
        if not isinstance(schema, dict) or depth <= 0:
            return None
        if self._left < 0:
            self.missed.add("$ref")
            return ANYTHING
        fields = cast("dict[str, Any]", schema)
        said = {name: value for name, value in fields.items() if name not in _ABOUT}
        key = (json.dumps(said), depth)
        if key not in self._shapes:
            self._shapes[key] = self._shape(self._flat(said, _HOPS), depth)
        return self._shapes[key]

    def _flat(self, schema: object, hops: int) -> _Schema:
        """The schema with what it refers to and all parts of its `allOf` in it."""
        if not isinstance(schema, dict):
            return {}
        flat = dict(cast("dict[str, Any]", schema))
        parts = [self._target(flat.pop("$ref"))] if "$ref" in flat else []
        parts += flat.pop("allOf", [])
        if not parts:
            return flat
        self._left -= 1
        if hops == 0 or self._left < 0:
            self.missed.add("$ref")
            return flat
        for part in parts:
            flat = self._both(flat, self._flat(part, hops - 1), "allOf")
        return flat

    def _target(self, reference: str) -> object:
        """What a reference leads to in the same document; any value where it leads elsewhere."""
        try:
            found = resolve(self._root, reference)
        except InvalidRequest:
            found = None
        if found is None:
            self.missed.add("$ref")
        return {} if found is None else found

    def _both(self, one: _Schema, other: _Schema, keyword: _MERGING) -> dict[str, Any]:
        """A schema for what fits both, or more than that where two of their keywords differ."""
        both = dict(one)
        for name, value in other.items():
            mine = both.setdefault(name, value)
            if name in _ABOUT or mine == value:
                continue
            if name == "required":
                both[name] = [*dict.fromkeys([*mine, *value])]
            elif name == "properties" and all(mine[key] == value[key] for key in mine.keys() & value.keys()):
                both[name] = {**mine, **value}
            else:
                self.missed.add(keyword)
        return both

    def _shape(self, flat: _Schema, depth: int) -> Shape | None:
        self._left -= 1
        self.missed |= {name for name in _MISSED & flat.keys() if flat[name] is not False}
        fixed = [flat["const"]] if "const" in flat else flat.get("enum")
        if fixed is not None and len(fixed) <= MOST_CHOICES:
            return _choice(fixed)
        self.missed |= flat.keys() & {"enum"}
        options: _MERGING | None = next((name for name in ("anyOf", "oneOf") if name in flat), None)
        if options is not None:
            rest = {name: value for name, value in flat.items() if name != options}
            written = [option for option in flat[options] if option is not False]
            merged = [self._both(rest, self._flat(option, _HOPS), options) for option in written]
            return _either(self.read(option, depth - 1) for option in merged)
        named = flat.get("type") or [name for name, words in _IMPLIED.items() if flat.keys() & set(words)][:1]
        types = cast("list[str]", [named] if isinstance(named, str) else named)
        return _either(self._of_type(name, flat, depth) for name in types) if types else ANYTHING

    def _of_type(self, name: str, flat: _Schema, depth: int) -> Shape | None:
        match name:
            case "string":
                least, most = self._bounds(flat, "minLength", "maxLength")
                return Text(least, most) if most is None or least <= most else None
            case "integer":
                bounds = {name: flat[name] for name in _RANGE if name in flat}
                finite = {name: bound for name, bound in bounds.items() if -math.inf < bound < math.inf}
                self.missed |= bounds.keys() - finite.keys()
                return _whole_number(finite)
            case "number":
                self.missed.update(flat.keys() & set(_RANGE))
                return NUMBER
            case "boolean":
                return FLAG
            case "null":
                return NOTHING
            case "array":
                return self._list(flat, depth)
            case _:
                return self._object(flat, depth)

    def _bounds(self, flat: _Schema, least: str, most: str) -> tuple[int, int | None]:
        lower, upper = int(flat.get(least, 0)), flat.get(most)
        if lower > MOST_REPEATS:
            self.missed.add(least)
        return min(lower, MOST_REPEATS), None if upper is None else int(upper)

    def _list(self, flat: _Schema, depth: int) -> Shape | None:
        least, most = self._bounds(flat, "minItems", "maxItems")
        if most is not None and least > most:
            return None
        if "prefixItems" in flat:
            places = [self.read(item, depth - 1) for item in flat["prefixItems"][:most]]
            if least > len(places):
                self.missed.add("minItems")
            return None if None in places else Row(tuple(_there(places)))
        item = self.read(flat.get("items", True), depth - 1)
        if item is None or most == 0:
            return Items(None) if least == 0 else None
        return Items(item, least, most)

    def _object(self, flat: _Schema, depth: int) -> Shape | None:
        schemas: dict[str, object] = dict(flat.get("properties", {}))
        required: list[str] = flat.get("required", [])
        others = flat.get("additionalProperties", True)
        if not schemas and not required:
            value = self.read(others, depth - 1)
            return Properties(()) if value is None else Dictionary(value)
        schemas |= {key: others for key in required if key not in schemas}
        self._left -= len(schemas)
        properties: list[Property] = []
        for key, schema in schemas.items():
            shape = self.read(schema, depth - 1)
            if shape is not None:
                properties.append(Property(key, shape, key in required, _description(schema)))
            elif key in required:
                return None
        return Properties(tuple(properties))


def _description(schema: object) -> str:
    return str(cast("dict[str, Any]", schema).get("description", "")) if isinstance(schema, dict) else ""


def _there(shapes: Iterable[Shape | None]) -> Iterator[Shape]:
    return (shape for shape in shapes if shape is not None)


def _whole_number(flat: _Schema) -> Shape | None:
    lower = [math.ceil(flat[name]) for name in ("minimum",) if name in flat]
    lower += [math.floor(flat[name]) + 1 for name in ("exclusiveMinimum",) if name in flat]
    upper = [math.floor(flat[name]) for name in ("maximum",) if name in flat]
    upper += [math.ceil(flat[name]) - 1 for name in ("exclusiveMaximum",) if name in flat]
    if not lower and not upper:
        return INTEGER
    shape = Number(True, max(lower, default=None), min(upper, default=None))
    return shape if whole_numbers(shape.least, shape.most) else None


def _choice(values: Sequence[Value]) -> Shape | None:
    literals = dict.fromkeys(plan_literal(value) for value in values if _is_finite(value))
    return Choice(tuple(literals)) if literals else None


def _is_finite(value: Value) -> bool:
    """Whether a value, as JSON is read in Python, is one that JSON and plans can write."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        return False
    return True


def _either(shapes: Iterable[Shape | None]) -> Shape | None:
    """One of the shapes that can be written; None when none can."""
    options: dict[int, Shape] = {}
    for shape in _there(shapes):
        inner = shape.options if isinstance(shape, Either) and shape is not ANYTHING else (shape,)
        options |= {id(option): option for option in inner}
    found = tuple(options.values())
    return found[0] if len(found) == 1 else Either(found) if found else None
