"""Whether a payload or an answer has the parts that the header of its script names, and no others."""

from __future__ import annotations

_MOMENT = {"year", "month", "day", "hour", "minute", "second"}


def check(what: str, fields: list[dict[str, object]], values: dict[str, object]) -> None:
    """Raises ValueError naming the part that is missing, unknown or of another type."""
    kinds = {field["name"]: field["kind"] for field in fields}
    optional = {field["name"] for field in fields if field["optional"]}
    needed = set(kinds) - optional
    if set(values) - set(kinds) or needed - set(values):
        raise ValueError(f"{what} has the parts {sorted(values)}, not {sorted(map(str, kinds))}")
    for name, value in values.items():
        if not (value is None and name in optional) and not _fits(kinds[name], value):
            raise ValueError(f"{what}: {name} is not of type {kinds[name]}")


def _fits(kind: object, value: object) -> bool:
    # A boolean is an integer to Python, not to AppleScript: the type itself counts.
    if kind in ("text", "integer", "boolean"):
        return type(value) is {"text": str, "integer": int, "boolean": bool}[str(kind)]
    if kind == "moment":
        return isinstance(value, dict) and set(value) == _MOMENT and all(map(_is_integer, value.values()))
    inner = {"list": str, "records": dict}[str(kind)]
    return isinstance(value, list) and all(type(part) is inner for part in value)


def _is_integer(value: object) -> bool:
    return type(value) is int
