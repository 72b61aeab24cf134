"""The OpenAPI document: what FastAPI finds in the routes, with tokens, failures, streams and examples.

Everything in it is made of what the server itself goes by: the models of the bodies, the parameters that are
refused, the scopes that are needed, and the closed list of error codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tinyagent.api.failures import ERROR_TYPES
from tinyagent.api.openapi_models import ChatCompletionChunk, ResponseEvent
from tinyagent.api.openapi_operations import EVENTS, JSON, OPERATIONS, TAGS, Operation
from tinyagent.api.openapi_refusals import REFUSED, refused_properties
from tinyagent.api.security import OPEN_PATHS, required_scope
from tinyagent.domain.events import EVENT
from tinyagent.errors import TinyAgentError, error_kinds

Schema = dict[str, Any]

_REF = "#/components/schemas/{model}"
_EVERYWHERE = (400, 401, 403, 408, 413, 421, 429, 500)
"""Statuses of failures that every route has; those without a token have no 401."""

_DESCRIPTION = """\
The API of tinyagent, a private assistant on your own computer.

Every route but `/healthz` needs a bearer token; its scope is the one that the operation names, or `admin`.
Every failure has OpenAI's shape, with a code out of a closed list. Query parameters and fields that are not
described are refused with 400. Fields of answers, types of events and routes are only ever added."""

_HEADERS: Mapping[int, Mapping[str, str]] = {
    401: {"WWW-Authenticate": "`Bearer`."},
    409: {"x-should-retry": "`false`: another attempt changes nothing."},
    429: {"Retry-After": "Seconds until another attempt makes sense."},
    503: {"Retry-After": "Seconds until another attempt makes sense."},
}

_FRAMES = {
    "ChatCompletionChunk": "Each frame is `data:` with one line of JSON; the last one is `data: [DONE]`.",
    "ResponseEvent": "Each frame is `event:` with the type and `data:` with one line of JSON.",
    "Event": "Each frame is `event:` with the type, `id:` with the number, and `data:` with one line of JSON."
    " A failure of the server is an `error` without a number, its data an ErrorBody.",
}
_SILENCE = " Comments (`: ping`) fill long silence."


def install_document(app: FastAPI) -> None:
    """Have the application describe itself by this document."""

    def described() -> Schema:
        if app.openapi_schema is None:
            app.openapi_schema = document(app)
        return app.openapi_schema

    app.openapi = described


def document(app: FastAPI) -> Schema:
    """The document of an application with the API's routes."""
    made = get_openapi(title="tinyagent", version=app.version, description=_DESCRIPTION, routes=app.routes)
    made["tags"] = [{"name": name, "description": text} for name, text in TAGS.items()]
    components = made["components"]
    components["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "`tinyagent token` prints yours."}
    }
    components["responses"] = {_failure_name(status): _failure(status) for status in _statuses()}
    _add_schemas(components["schemas"])
    for path, methods in made["paths"].items():
        for method, told in methods.items():
            _describe(told, method.upper(), path, OPERATIONS[method.upper(), path])
    return made


# --- operations --------------------------------------------------------------------------------


def _describe(told: Schema, method: str, path: str, operation: Operation) -> None:
    told.update(tags=[operation.tag], summary=operation.summary)
    told["description"] = " ".join(told["description"].split())
    own = (415,) if "requestBody" in told or method == "POST" else ()
    for status in sorted({*_EVERYWHERE, *own, *operation.failures}):
        told["responses"][str(status)] = {"$ref": f"#/components/responses/{_failure_name(status)}"}
    if path in OPEN_PATHS:
        del told["responses"]["401"]
    else:
        told["security"] = [{"token": [required_scope(method, path)]}]
    for status, contents in operation.answers.items():
        _answer(told["responses"], status, contents)
    if operation.examples:
        body = told["requestBody"]["content"][JSON]
        body["examples"] = {name: {"value": value} for name, value in operation.examples.items()}


def _answer(responses: Schema, status: int, contents: Mapping[str, type[BaseModel] | None]) -> None:
    description = "Nothing is to be told any more." if status == 204 else "The answer."
    if status >= 400:
        description = _failure(status)["description"]
    content = {media_type: _content(media_type, model) for media_type, model in contents.items()}
    responses[str(status)] = {"description": description, **({"content": content} if content else {})}


def _content(media_type: str, model: type[BaseModel] | None) -> Schema:
    if media_type == EVENTS:
        return {"schema": _frame(model.__name__ if model is not None else "Event")}
    return {"schema": {"type": "string"} if model is None else {"$ref": _REF.format(model=model.__name__)}}


def _frame(name: str) -> Schema:
    """One event of a stream, as its reader has it; its data is of the schema with this name."""
    text = {"type": "string"}
    data = {**text, "contentMediaType": JSON, "contentSchema": {"$ref": _REF.format(model=name)}}
    return {
        "type": "object",
        "description": _FRAMES[name] + _SILENCE,
        "properties": {"event": text, "id": text, "data": data},
        "required": ["data"],
    }


# --- failures ----------------------------------------------------------------------------------


def _failure_name(status: int) -> str:
    return f"Failure{status}"


def _statuses() -> set[int]:
    known = {*_EVERYWHERE, 415}
    return known.union(*(operation.failures for operation in OPERATIONS.values()))


def _failure(status: int) -> Schema:
    """The one shape with the codes that have this status."""
    kinds = {code: kind for code, kind in error_kinds().items() if kind.status == status}
    if status == 408:
        kinds = {"invalid_request": error_kinds()["invalid_request"]}
    meanings = [f"- `{code}`: {_first_line(kind)}" for code, kind in sorted(kinds.items())]
    if status == 408:
        meanings = ["- `invalid_request`: No complete request came in time; the connection is closed."]
    codes = {"properties": {"code": {"enum": sorted(kinds)}}}
    headers = {
        name: {"description": text, "schema": {"type": "string"}}
        for name, text in _HEADERS.get(status, {}).items()
    }
    return {
        "description": "\n".join(meanings),
        "content": {
            JSON: {"schema": {"$ref": _REF.format(model="ErrorBody"), "properties": {"error": codes}}}
        },
        **({"headers": headers} if headers else {}),
    }


def _first_line(kind: type[TinyAgentError]) -> str:
    if kind is TinyAgentError:
        return "A defect of the server; its log names the place."
    return " ".join((kind.__doc__ or "").split())


# --- schemas -----------------------------------------------------------------------------------


def _add_schemas(schemas: Schema) -> None:
    """Put in what FastAPI does not find in the routes, and make what it finds exact."""
    by_hand = {
        model
        for operation in OPERATIONS.values()
        for contents in operation.answers.values()
        for model in contents.values()
        if model is not None
    } | {ChatCompletionChunk, ResponseEvent}
    wanted = [(model, "serialization") for model in sorted(by_hand, key=lambda model: model.__name__)]
    _, found = models_json_schema(wanted, ref_template=_REF)  # type: ignore[arg-type]
    event = EVENT.json_schema(ref_template=_REF, mode="serialization")
    for name, schema in {**found["$defs"], **event.pop("$defs")}.items():
        schemas.setdefault(name, schema)
    schemas["Event"] = {**event, "description": "Something that happened in a run."}
    error = schemas["ErrorDetail"]["properties"]
    error["code"]["enum"] = sorted(error_kinds())
    error["type"]["enum"] = sorted(ERROR_TYPES)
    schemas["ErrorBody"]["properties"]["tinyagent"] = {
        "$ref": _REF.format(model="RunBody"),
        "description": "The run that failed, from the routes that answer for a whole run.",
    }
    for name, neutral in REFUSED.items():
        schemas[name]["properties"].update(refused_properties(neutral))
        schemas[name]["additionalProperties"] = False
    for schema in schemas.values():
        if "now" in schema.get("properties", {}):  # a wall-clock time everywhere, and so without a zone
            schema["properties"]["now"].pop("format", None)
        for described in (schema, *schema.get("properties", {}).values()):
            if "description" in described:
                described["description"] = " ".join(described["description"].split())
