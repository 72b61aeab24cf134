"""JSON schemas read for a grammar that keeps to them: references, unions and what several parts say together.

What cannot be read exactly is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, cast

from tinyagent.domain.json_schema import check_schema, problem_with
from tinyagent.errors import InvalidRequest
from tinyagent.planners.schema_references import resolve

Schema = Mapping[str, Any]

MAX_DEPTH = 64
"""Levels of a schema, with the references that are followed."""
MAX_PARTS = 4000
"""Objects, lists and items of lists in a schema, and again parts of it that are read."""

MAX_OPTIONS = 1000
"""Parts of a `oneOf`, which are compared each with each."""

BOUNDS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"})
"""Keywords that bound numbers."""
_KINDS: dict[str, frozenset[str]] = {
    "string": frozenset({"minLength", "maxLength", "format"}),
    "integer": frozenset(),
    "number": BOUNDS,
    "array": frozenset({"items", "prefixItems", "minItems", "maxItems"}),
    "object": frozenset({"properties", "required", "additionalProperties"}),
}
"""Types and the keywords that say something about them; a schema without a type is of those it says something
about."""
_BEYOND: dict[str, frozenset[str]] = {
    "string": frozenset({"pattern"}),
    "integer": frozenset({"multipleOf"}),
    "number": frozenset({"multipleOf"}),
    "array": frozenset({"uniqueItems", "contains", "unevaluatedItems"}),
    "object": frozenset(
        {
            "patternProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
            "dependentRequired",
            "dependentSchemas",
            "dependencies",
            "unevaluatedProperties",
        }
    ),
}
"""What no grammar here promises, by the type that it concerns."""
_NEVER = frozenset({"not", "if", "$dynamicRef", "$recursiveRef"})
_UNIONS = ("anyOf", "oneOf")
_ASSERTIONS = frozenset({"type", "enum", "const", "$ref", "allOf", *_UNIONS, *_NEVER}).union(
    *_KINDS.values(), *_BEYOND.values()
)
_TOGETHER = (("properties", "additionalProperties"), ("prefixItems", "items"))
"""The second means what the first of the same schema leaves over."""


def refused(reason: str) -> InvalidRequest:
    """The error for a schema that an answer cannot be held to."""
    return InvalidRequest(
        f"The model cannot be held to `schema`: {reason}.",
        hint="Leave that out, tell it in the messages and check the answer.",
        param="schema",
    )


class SchemaReader:
    """Reads one schema. All methods raise InvalidRequest."""

    def __init__(self, root: Schema) -> None:
        """Raises InvalidRequest for what is no schema, or beyond all measure."""
        _check_size(root)
        check_schema(root, "schema")
        self._root = root
        self._read = self._compared = 0
        self._targets: dict[str, object] = {}
        self.definitions = {key: root[key] for key in ("$defs", "definitions") if key in root}

    def assertions(self, schema: object, depth: int) -> dict[str, Any]:
        """What a schema says about values, without its notes."""
        self._read += 1
        if depth > MAX_DEPTH or self._read > MAX_PARTS:
            raise refused("with all that it refers to, it is too large")
        if schema is False:
            raise refused("no value at all fits one of its parts")
        if schema is True:
            return {}
        fields = cast("Schema", schema)
        return {key: value for key, value in fields.items() if key in _ASSERTIONS}

    def target(self, reference: str) -> object:
        """What a reference leads to in the same schema."""
        if reference not in self._targets:
            found = resolve(self._root, reference)
            if found is None:
                raise refused(f"it refers to {reference[:100]}, which is not in it")
            self._targets[reference] = found
        return self._targets[reference]

    def parts(self, said: Schema) -> Sequence[object] | None:
        """The schemas of which a value has to fit one, where nothing else is said; else None."""
        if len(said) != 1:
            return None
        key, value = next(iter(said.items()))
        if key == "allOf" and len(value) == 1:
            return value
        if key not in _UNIONS:
            return None
        if key == "oneOf":
            self._check_apart(value)
        return [part for part in value if part is not False] or value

    def alternatives(self, said: Schema, depth: int) -> list[dict[str, Any]]:
        """Schemas without unions and references; a value that fits one of them fits this one."""
        rest = dict(said)
        for key in ("$ref", "allOf"):
            if key in rest:
                value = rest.pop(key)
                for part in [self.target(value)] if key == "$ref" else value:
                    rest = _both(rest, self.assertions(part, depth + 1))
                return self.alternatives(rest, depth + 1)
        for key in _UNIONS:
            if key in rest:
                parts = [part for part in rest.pop(key) if part is not False]
                options = [_both(rest, self.assertions(part, depth + 1)) for part in parts]
                if key == "oneOf":
                    self._check_apart(options)
                return [flat for option in options for flat in self.alternatives(option, depth + 1)]
        return [rest]

    def kinds(self, said: Schema) -> list[str] | None:
        """The types of a schema without unions and references; None is any value."""
        named: str | list[str] | None = said.get("type")
        if named is None:
            kinds = [kind for kind, keys in _KINDS.items() if said.keys() & (keys | _BEYOND[kind])]
            kinds = [kind for kind in kinds if not (kind == "integer" and "number" in kinds)]
        else:
            kinds = [named] if isinstance(named, str) else named
        beyond = _NEVER.union(*(_BEYOND.get(kind, frozenset()) for kind in kinds))
        for key in said:
            if key in beyond and said[key] is not False:
                raise refused(f"it uses `{key}`")
        return kinds or None

    # --- whether alternatives exclude each other ---

    def _check_apart(self, options: Sequence[object]) -> None:
        if len(options) > MAX_OPTIONS:
            raise refused("its `oneOf` has too many parts")
        if not all(self._apart(one, other, 3) for one, other in combinations(options, 2)):
            raise refused("a value may fit several parts of its `oneOf`, which `anyOf` would allow")

    def _apart(self, one: object, other: object, depth: int) -> bool:
        """Whether surely no value fits both."""
        if one is False or other is False:
            return True
        left, right = self._resolved(one), self._resolved(other)
        for fixed, against in ((left, right), (right, left)):
            values = [fixed["const"]] if "const" in fixed else fixed.get("enum")
            if values is not None:
                return all(self._is_outside(value, against) for value in values)
        if "type" in left and "type" in right and not _types(left) & _types(right):
            return True
        if depth == 0 or not _types(left) == _types(right) == {"object"}:
            return False
        tags = set(left.get("required", ())) & set(right.get("required", ()))
        inner, outer = left.get("properties", {}), right.get("properties", {})
        return any(self._apart(inner.get(tag, True), outer.get(tag, True), depth - 1) for tag in tags)

    def _is_outside(self, value: object, schema: Schema) -> bool:
        """Whether a value surely does not fit a schema."""
        fixed = [schema["const"]] if "const" in schema else schema.get("enum")
        if fixed is not None and all(_differ(value, other) for other in fixed):
            return True
        self._compared += 1
        if self._compared > MAX_PARTS:
            raise refused("its `oneOf` has too many parts")
        return bool(problem_with(value, {**self.definitions, **schema}))

    def _resolved(self, schema: object) -> Schema:
        for _ in range(MAX_DEPTH):
            if not isinstance(schema, dict) or "$ref" not in schema:
                break
            schema = self.target(cast("dict[str, Any]", schema)["$ref"])
        return cast("Schema", schema) if isinstance(schema, dict) else {}


def _differ(one: object, other: object) -> bool:
    """Whether two values surely differ, as JSON has it."""
    return isinstance(one, bool) is not isinstance(other, bool) or one != other


def _types(said: Schema) -> set[str]:
    named: str | list[str] = said.get("type", [])
    types = {named} if isinstance(named, str) else set(named)
    return types | {"integer"} if "number" in types else types


def _both(one: Schema, other: Schema) -> dict[str, Any]:
    """A schema that says what two say."""
    for first, second in _TOGETHER:
        for left, right in ((one, other), (other, one)):
            if first in left and right.get(second, True) not in (True, left.get(second)):
                raise refused(f"`{second}` stands apart from the `{first}` that it adds to")
    said = {**one, **other}
    for key in one.keys() & other.keys():
        if key == "required":
            said[key] = list(dict.fromkeys([*one[key], *other[key]]))
        elif key == "properties" and not one[key].keys() & other[key].keys():
            said[key] = {**one[key], **other[key]}
        elif one[key] != other[key]:
            raise refused(f"several parts that belong together use `{key}`")
    return said


def _check_size(schema: Schema) -> None:
    level: list[object] = [schema]
    count = depth = 0
    while level:
        depth += 1
        count += len(level) + sum(len(cast("list[object]", held)) for held in level if isinstance(held, list))
        if count > MAX_PARTS or depth > MAX_DEPTH:
            raise refused("it is too large")
        level = [inner for outer in level for inner in _inside(outer)]


def _inside(outer: object) -> list[object]:
    """The objects and lists in an object or a list."""
    held = cast("dict[str, object] | list[object]", outer)
    values = held.values() if isinstance(held, dict) else held
    return [value for value in values if isinstance(value, (dict, list))]
