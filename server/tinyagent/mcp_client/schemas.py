"""JSON schemas of servers' tools: what of them is used, and which are refused.

A schema is checked and read by many parts: a validator, a grammar, a prompt. One that is huge, refers to
other documents or to itself, or unfolds into more than it seems, is refused before any of them sees it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from tinyagent.mcp_client.texts import one_line

MAX_CHARACTERS = 32_768
MAX_PARTS = 4_000
"""Parts of a schema after all references have been followed."""
MAX_DEPTH = 24
DESCRIPTION_CHARACTERS = 300

_LEFT_OUT = frozenset({"$schema", "$id", "$comment", "examples", "pattern", "patternProperties"})
"""What is of no use here; regular expressions can be written so that matching them never ends, and the
server checks them itself."""
_TEXTS = frozenset({"description", "title"})
_MAPS = frozenset({"properties", "$defs", "definitions"})
_VALUES = frozenset({"const", "enum", "default"})
_LOCAL = ("#/$defs/", "#/definitions/")


class Refused(Exception):
    """Why a tool cannot be used, as the end of a sentence."""


def checked_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema with its texts cleaned and shortened. Raises Refused."""
    size = size_of(schema)
    if not size:
        raise Refused("the schema of its arguments is nested too deeply")
    if size > MAX_CHARACTERS:
        raise Refused(f"the schema of its arguments has {size} characters, more than {MAX_CHARACTERS}")
    cleaned = _cleaned(dict(schema), 0)
    _Unfolding(cleaned).count(cleaned, (), 0)
    return cleaned


def size_of(schema: Mapping[str, Any]) -> int:
    """The characters of a schema; 0 for one that cannot be written."""
    try:
        return len(json.dumps(schema))
    except (ValueError, RecursionError):
        return 0


def _cleaned(schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise Refused("the schema of its arguments is nested too deeply")
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _LEFT_OUT:
            continue
        if key in _TEXTS:
            kept[key] = one_line(str(value), DESCRIPTION_CHARACTERS)
        elif key in _VALUES:
            kept[key] = value
        elif key in _MAPS and isinstance(value, dict):
            named = cast("dict[str, Any]", value)
            kept[key] = {name: _part(part, depth) for name, part in named.items()}
        else:
            kept[key] = _part(value, depth)
    return kept


def _part(value: object, depth: int) -> Any:
    if isinstance(value, dict):
        return _cleaned(cast("dict[str, Any]", value), depth + 1)
    if isinstance(value, list):
        return [_part(item, depth + 1) for item in cast("list[object]", value)]
    return value


class _Unfolding:
    """Follows all references of a schema and counts what it meets."""

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._parts = 0

    def count(self, part: object, followed: tuple[str, ...], depth: int) -> None:
        """Raises Refused."""
        self._parts += 1
        if self._parts > MAX_PARTS or depth > 8 * MAX_DEPTH:
            raise Refused("the schema of its arguments unfolds into too many parts")
        if isinstance(part, list):
            for item in cast("list[object]", part):
                self.count(item, followed, depth + 1)
        if not isinstance(part, dict):
            return
        fields = cast("dict[str, object]", part)
        for key, value in fields.items():
            if key in ("$ref", "$dynamicRef", "$recursiveRef"):
                self._follow(value, followed, depth)
            elif key not in ("$defs", "definitions", *_VALUES):
                self.count(value, followed, depth + 1)

    def _follow(self, reference: object, followed: tuple[str, ...], depth: int) -> None:
        if not isinstance(reference, str):  # a property that is called so
            self.count(reference, followed, depth + 1)
            return
        shown = one_line(reference, 60)
        if not reference.startswith(_LOCAL):
            raise Refused(f"the schema of its arguments refers to {shown}, which is not followed")
        if reference in followed:
            raise Refused("the schema of its arguments refers to itself")
        where, _, name = reference[2:].partition("/")
        target = cast("dict[str, object]", self._root.get(where) or {}).get(name)
        if target is None:
            raise Refused(f"the schema of its arguments refers to {shown}, which is not there")
        self.count(target, (*followed, reference), depth + 1)
