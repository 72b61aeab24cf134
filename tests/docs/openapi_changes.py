"""What a client of one version of the API's document would miss in another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """Everything that vanished, became required of clients, or is no longer promised to them.

    Routes, parameters, media types and statuses may only be added; so may fields and the values of choices.
    A field of a request may not become required, a field of an answer may not cease to be.
    """
    found = list(_paths(old["paths"], new["paths"]))
    asked, told = _used(old, "requestBody"), _used(old, "responses")
    for name, schema in old["components"]["schemas"].items():
        if name not in new["components"]["schemas"]:
            found.append(f"schema {name} is gone")
            continue
        other = new["components"]["schemas"][name]
        found += _schema(schema, other, name)
        now, before = set(other.get("required", ())), set(schema.get("required", ()))
        if name in asked:
            found += [f"{name}.{field} is required" for field in sorted(now - before)]
        if name in told:
            found += [f"{name}.{field} is not always there" for field in sorted(before - now)]
    return found


def _paths(old: Schema, new: Schema) -> Iterator[str]:
    for path, methods in old.items():
        for method, operation in methods.items():
            route = f"{method.upper()} {path}"
            other = new.get(path, {}).get(method)
            if other is None:
                yield f"{route} is gone"
                continue
            yield from _parameters(operation, other, route)
            for status, answer in operation["responses"].items():
                if status not in other["responses"]:
                    yield f"{route}: {status} is gone"
                    continue
                media = set(answer.get("content", ())) - set(other["responses"][status].get("content", ()))
                yield from (f"{route}: {status} as {name} is gone" for name in sorted(media))


def _parameters(old: Schema, new: Schema, route: str) -> Iterator[str]:
    before = {parameter["name"]: parameter for parameter in old.get("parameters", ())}
    now = {parameter["name"]: parameter for parameter in new.get("parameters", ())}
    yield from (f"{route}: {name} is gone" for name in before if name not in now)
    for name, parameter in now.items():
        if parameter["required"] and not before.get(name, {"required": False})["required"]:
            yield f"{route}: {name} is required"
    if new.get("requestBody", {}).get("required") and not old.get("requestBody", {}).get("required"):
        yield f"{route}: a body is required"


def _schema(old: Schema, new: Schema, name: str) -> Iterator[str]:
    properties = new.get("properties", {})
    for field, before in old.get("properties", {}).items():
        if field not in properties:
            yield f"{name}.{field} is gone"
            continue
        gone = [value for value in before.get("enum", ()) if value not in _values(properties[field])]
        yield from (f"{name}.{field}: {value!r} is gone" for value in gone)


def _values(schema: Schema) -> list[Any]:
    """The values that a choice has; a refused parameter that is obeyed now has all."""
    return schema["enum"] if "enum" in schema else _Everything()


class _Everything(list[Any]):
    def __contains__(self, value: object) -> bool:
        return True


def _used(document: Schema, where: str) -> set[str]:
    """The schemas that requests, or answers, are made of."""
    names: set[str] = set()
    queue = [
        operation.get(where, {}) for methods in document["paths"].values() for operation in methods.values()
    ]
    while queue:
        for name in set(_references(queue.pop())) - names:
            names.add(name)
            queue.append(document["components"]["schemas"][name])
    return names


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref" and value.startswith("#/components/schemas/"):
                yield value.rsplit("/", 1)[1]
            else:
                yield from _references(value)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)
