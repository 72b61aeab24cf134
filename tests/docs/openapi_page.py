"""`docs/openapi.json`, and what `docs/http-api.md` and `docs/parameters.md` tell of it.

`PYTHONPATH=server:. python -m tests.docs.openapi_page` writes them. A document that breaks clients of the
one that is there is not written without `--breaking`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from tests.api.conftest import build
from tests.docs.openapi_changes import breaking_changes
from tests.docs.parameter_tests import PARAMETERS, ROUTES, named
from tinyagent.api.openapi_operations import OPERATIONS
from tinyagent.api.security import required_scope
from tinyagent.errors import error_kinds

DOCS = Path(__file__).parents[2] / "docs"
DOCUMENT, PAGE, TABLE = DOCS / "openapi.json", DOCS / "http-api.md", DOCS / "parameters.md"
COMMAND = "run: PYTHONPATH=server:. python -m tests.docs.openapi_page"
OPENAI = ("POST /v1/chat/completions", "POST /v1/responses", "POST /v1/embeddings")
MCP = {
    "POST /mcp": "The Model Context Protocol: a client's messages",
    "GET /mcp": "What the server says by itself in a session",
    "DELETE /mcp": "End a session",
}
"""Routes of another protocol, which the document leaves to that."""

Schema = dict[str, Any]


@cache
def document() -> Schema:
    """The application's document as it is now."""
    return json.loads(json.dumps(build().app.openapi()))


def written() -> str:
    """What `docs/openapi.json` is to hold."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


# --- what the document holds -------------------------------------------------------------------


def operations() -> Iterator[tuple[str, Schema]]:
    """The routes, such as `GET /v1/runs`, group by group."""
    for method, path in OPERATIONS:
        yield f"{method} {path}", document()["paths"][path][method.lower()]


def properties(route: str) -> dict[str, Schema]:
    """The fields of the body of a route."""
    method, path = route.split()
    told = document()["paths"][path][method.lower()]
    if "requestBody" not in told:
        return {}
    body = told["requestBody"]["content"]["application/json"]["schema"]
    name = next(_references(body)).rsplit("/", 1)[1]
    return document()["components"]["schemas"][name]["properties"]


def parameters(route: str) -> dict[str, Schema]:
    """Everything that a client may send by name: fields of the body, and parameters beside it."""
    method, path = route.split()
    beside = document()["paths"][path][method.lower()].get("parameters", ())
    named = {one["name"]: one["schema"] for one in beside if one["in"] in ("query", "header")}
    return {**properties(route), **named}


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        for key, value in part.items():
            yield from [value] if key == "$ref" else _references(value)
    elif isinstance(part, list):
        for item in part:
            yield from _references(item)


def shape(schema: Schema) -> str:
    """A schema in a few words: its type, its bounds or its choices."""
    if "anyOf" in schema:
        parts = [shape(part) for part in schema["anyOf"] if part.get("type") != "null"]
        return " or ".join(dict.fromkeys(part for part in parts if part))
    choices = schema.get("enum", [schema["const"]] if "const" in schema else None)
    if choices is not None:
        return ", ".join(f"`{json.dumps(value)}`" for value in choices if value is not None)
    if "$ref" in schema:
        return "object"
    kind = {"string": "text", "array": "list", "boolean": "true or false"}.get(
        schema.get("type", ""), schema.get("type", "any")
    )
    return " ".join([kind, *_bounds(schema)])


def _bounds(schema: Schema) -> Iterator[str]:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low:g} to {high:g}"
    elif low is not None and abs(low) < 2**53:
        yield f"from {low:g}"
    if "maxItems" in schema:
        yield f"of up to {schema['maxItems']}"


# --- tables ------------------------------------------------------------------------------------


def routes_table() -> str:
    rows = ["| Route | Scope | What it does |", "| --- | --- | --- |"]
    for route, told in operations():
        scope = told["security"][0]["token"][0] if "security" in told else ""
        rows.append(f"| `{route}` | {f'`{scope}`' if scope else 'none'} | {told['summary']} |")
    rows += [f"| `{route}` | `{required_scope(*route.split())}` | {text} |" for route, text in MCP.items()]
    return "\n".join([*rows, "| `GET /openapi.json` | `read` | The document of all this |"])


def obeyed_table(route: str) -> str:
    rows = ["| Parameter | Type | Meaning |", "| --- | --- | --- |"]
    for name, schema in properties(route).items():
        if not schema.get("x-refused"):
            default = schema.get("default")
            shown = "" if default in (None, "") else f"; `{json.dumps(default)}` unless given"
            rows.append(f"| `{name}` | {shape(schema)}{shown} | {schema.get('description', '')} |")
    return "\n".join(rows)


def refused_table(route: str) -> str:
    rows = ["| Parameter | Taken, since it asks for nothing | Why it is refused |", "| --- | --- | --- |"]
    for name, schema in properties(route).items():
        if schema.get("x-refused"):
            rows.append(f"| `{name}` | {_neutral(schema)} | {_reason(schema)} |")
    return "\n".join(rows)


def _neutral(schema: Schema) -> str:
    return ", ".join(f"`{json.dumps(value)}`" for value in schema["enum"])


def _reason(schema: Schema) -> str:
    return schema["description"].partition(". ")[2]


def failures_table() -> str:
    kinds = error_kinds()
    rows = ["| Status | Codes |", "| --- | --- |"]
    for status in sorted({kind.status for kind in kinds.values()}):
        codes = sorted(code for code, kind in kinds.items() if kind.status == status)
        rows.append(f"| {status} | {', '.join(f'`{code}`' for code in codes)} |")
    return "\n".join(rows)


# --- parameters and their tests ----------------------------------------------------------------


def parameter_tables() -> str:
    return "\n\n".join(f"### {route}\n\n{_tested(route)}" for route in PARAMETERS)


def _tested(route: str) -> str:
    rows = ["| Parameter | What becomes of it | Tests | Clients |", "| --- | --- | --- | --- |"]
    for name, schema in parameters(route).items():
        tests = [test for test, names in PARAMETERS[route].items() if name in names]
        rows.append(f"| `{name}` | {_fate(name, schema)} | {_names(tests)} | {_clients(tests)} |")
    return "\n".join(rows)


def _fate(name: str, schema: Schema) -> str:
    if schema.get("x-refused"):
        return f"refused with 400, but for {_neutral(schema)}: {_reason(schema)}"
    described = schema.get("description") or BESIDE[name]
    fate = "taken" if described.startswith("Checked, then without effect") else "obeyed"
    return f"{fate}: {shape(schema)}. {described}"


BESIDE = {
    "idempotency-key": "The same key with the same request is the same run, with another one a 409.",
    "x-stainless-retry-count": "Above 0: the run that the same request started before is found.",
    "limit": "The items of a page, 20 unless given.",
    "order": "The last item first unless it is `asc`.",
    "after": "The id of the item before the page.",
}
"""Meanings of parameters that stand beside the body."""


def _names(tests: list[str]) -> str:
    return "<br>".join(f"`{test}`" for test in tests)


def _clients(tests: list[str]) -> str:
    found = (named(test) for test in tests)
    return ", ".join(dict.fromkeys(client for test in found if test for client in test.clients))


def route_tests_table() -> str:
    rows = ["| Route | Scope | Tests | Clients |", "| --- | --- | --- | --- |"]
    for route, told in operations():
        scope = told["security"][0]["token"][0] if "security" in told else "none"
        tests = list(ROUTES[route])
        rows.append(f"| `{route}` | {scope} | {_names(tests)} | {_clients(tests)} |")
    return "\n".join(rows)


BLOCKS: dict[Path, dict[str, Callable[[], str]]] = {
    PAGE: {
        "routes": routes_table,
        "failures": failures_table,
        "chat": lambda: obeyed_table(OPENAI[0]),
        "chat refused": lambda: refused_table(OPENAI[0]),
        "responses": lambda: obeyed_table(OPENAI[1]),
        "responses refused": lambda: refused_table(OPENAI[1]),
        "embeddings": lambda: obeyed_table(OPENAI[2]),
        "runs": lambda: obeyed_table("POST /v1/runs"),
    },
    TABLE: {"parameters": parameter_tables, "routes": route_tests_table},
}


def filled(page: Path) -> str:
    """The page with every generated part as it should be."""
    text = page.read_text()
    for name, make in BLOCKS[page].items():
        start, end = f"<!-- table {name} -->\n", "<!-- end -->"
        before, rest = text.split(start, 1)
        text = f"{before}{start}\n{make()}\n\n{end}{rest.split(end, 1)[1]}"
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


def main(arguments: list[str]) -> str | None:
    """Write everything; what speaks against it otherwise."""
    if DOCUMENT.exists() and "--breaking" not in arguments:
        found = breaking_changes(json.loads(DOCUMENT.read_text()), document())
        if found:
            return "\n".join([*found, "Clients would break. With --breaking it is written all the same."])
    DOCUMENT.write_text(written())
    for page in BLOCKS:
        page.write_text(filled(page))
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
