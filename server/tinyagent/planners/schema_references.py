"""What a reference within a JSON schema leads to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from itertools import islice
from typing import Any, cast
from urllib.parse import unquote

from tinyagent.domain.json_schema import check_schema

_DIGITS = 7
"""More than the place of an item has."""


def resolve(root: Mapping[str, Any], reference: str) -> Mapping[str, Any] | bool | None:
    """The schema at a reference such as `#/$defs/Node`; None when there is none in this document.

    Raises InvalidRequest when it leads to an object that is no schema.
    """
    found: object = root
    start, *steps = reference.split("/")
    if start != "#":
        return None
    for step in steps:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        if isinstance(found, list):
            place = int(name) if name.isdecimal() and len(name) < _DIGITS else sys.maxsize
            found = next(islice(cast("list[object]", found), place, None), None)
        else:
            found = cast("dict[str, object]", found).get(name) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return found
    if not isinstance(found, dict):
        return None
    schema = cast("dict[str, Any]", found)
    if schema is not root:
        check_schema(schema, "schema")  # it may lead to what was not meant as a schema
    return schema
