"""Responses and their streams, checked by the openai package's own types."""

from __future__ import annotations

import json
from typing import Any

import httpx
import openai.types.responses as types

from tests.api.conftest import Api

ROUTE = "/v1/responses"

_EVENTS: dict[str, Any] = {
    kind.model_fields["type"].annotation.__args__[0]: kind
    for name in dir(types)
    if name.endswith("Event") and hasattr(kind := getattr(types, name), "model_fields")
}


def checked(body: Any) -> Any:
    """The body of a response, if it is one in every field."""
    types.Response.model_validate_json(json.dumps(body), strict=True)
    return body


async def respond(api: Api, given: Any, status: int = 200, **more: Any) -> Any:
    """The whole answer to a request, or the error with another status."""
    answer = await api.client.post(ROUTE, json={"model": "tinyagent", "input": given, **more})
    assert answer.status_code == status, answer.text
    body = answer.json()
    return checked(body) if status == 200 else body["error"]


def events_of(answer: httpx.Response) -> list[Any]:
    """The events of a stream: each of its type, numbered in order, named by its `event:` line."""
    assert answer.status_code == 200, answer.text
    events: list[Any] = []
    for block in answer.text.removesuffix("\n\n").split("\n\n"):
        lines = [line for line in block.split("\n") if not line.startswith(":")]
        name, data = (line.partition(": ")[2] for line in lines)
        event = json.loads(data)
        assert (event["type"], event["sequence_number"]) == (name, len(events))
        _EVENTS[name].model_validate_json(data, strict=True)
        events.append(event)
    return events


async def stream(api: Api, given: Any, **more: Any) -> list[Any]:
    """The events of a streamed answer."""
    body = {"model": "tinyagent", "input": given, "stream": True, **more}
    return events_of(await api.client.post(ROUTE, json=body))


def kinds(events: list[Any]) -> list[str]:
    """The types of the events without those in between that tell of the run."""
    return [event["type"].removeprefix("response.") for event in events if "tinyagent" not in event]
