"""References within a JSON schema, for parts of it that have to stand alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import unquote

HOMES = ("$defs", "definitions")
"""Where schemas keep what they refer to; it goes along with every part."""

MAX_LEVELS = 16
"""References to references that are followed."""


def target_of(reference: str, root: Mapping[str, Any]) -> object:
    """What a reference leads to in the same schema; None where there is nothing."""
    start, *steps = reference.split("/")
    found: object = root if start == "#" else None
    for step in steps:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, list) and name.isdecimal():
            items = cast("list[object]", found)
            found = items[int(name)] if int(name) < len(items) else None
        else:
            found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
    return found


def referred(root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a schema stands for which only refers to one of its parts; what it adds goes first."""
    meant = root
    for _ in range(MAX_LEVELS):
        reference = meant.get("$ref")
        found = target_of(reference, root) if isinstance(reference, str) else None
        if not isinstance(found, dict):
            break
        added = {key: value for key, value in meant.items() if key != "$ref"}
        meant = {**cast("dict[str, Any]", found), **added}
    return meant


class Parts:
    """The parts of a schema, each with all that it refers to.

    What is referred to outside of the usual homes is moved into `$defs`, under numbers.
    """

    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._names: dict[str, str] = {}
        """New names by the references that led there before."""
        self._found: dict[str, object] = {}
        self._homes = {home: self._rewritten(root[home]) for home in HOMES if home in root}

    def alone(self, part: Mapping[str, Any]) -> dict[str, Any]:
        """A part that means the same without the rest."""
        fields = cast("dict[str, Any]", self._rewritten(dict(part)))
        homes = dict(self._homes)
        if self._found:
            homes["$defs"] = {**cast("dict[str, Any]", homes.get("$defs", {})), **self._found}
        return {**homes, **fields}

    def _rewritten(self, schema: object) -> object:
        if isinstance(schema, list):
            return [self._rewritten(item) for item in cast("list[object]", schema)]
        if not isinstance(schema, dict):
            return schema
        fields = cast("dict[str, object]", schema)
        return {
            key: self._place(value) if key == "$ref" and isinstance(value, str) else self._rewritten(value)
            for key, value in fields.items()
        }

    def _place(self, reference: str) -> str:
        """Where a reference leads now."""
        if reference.startswith(tuple(f"#/{home}/" for home in HOMES)):
            return reference
        if reference not in self._names:
            found = target_of(reference, self._root)
            if not isinstance(found, (dict, bool)):
                return reference
            name = f"part_{len(self._names) + 1}"
            while name in self._root.get("$defs", {}):
                name += "_"
            self._names[reference] = name
            self._found[name] = self._rewritten(self._without_homes(cast("object", found)))
        return f"#/$defs/{self._names[reference]}"

    def _without_homes(self, found: object) -> object:
        if found is not self._root:
            return found
        return {key: value for key, value in self._root.items() if key not in HOMES}
