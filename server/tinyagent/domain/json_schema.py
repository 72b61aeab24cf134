"""JSON schemas (draft 2020-12) that others wrote: whether they are valid, and whether values fit them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from tinyagent.errors import InvalidRequest


def check_schema(schema: Mapping[str, Any], param: str) -> None:
    """Raise InvalidRequest, naming `param`, for what is no JSON schema."""
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        raise InvalidRequest(
            f"`{param}` is no valid JSON schema: {error.message:.200}.", param=param
        ) from None


def problem_with(value: object, schema: Mapping[str, Any]) -> str:
    """Why a value does not fit a schema, in a few words; empty when it fits.

    References to other documents are not followed: nothing is fetched.
    """
    from jsonschema import Draft202012Validator, exceptions
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    best_match = cast("Any", exceptions).best_match
    validator: Any = Draft202012Validator(schema, registry=Registry())
    try:
        error = best_match(validator.iter_errors(value))
    except (Unresolvable, RecursionError):
        return "its schema refers to something that is not there"
    return "" if error is None else f"{error.message:.200}"
