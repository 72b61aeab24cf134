"""What the document says of each route beyond its parameters: group, failures, answers and examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from tinyagent.api import openapi_examples as examples
from tinyagent.api import openapi_models as models
from tinyagent.api.metrics import PLAIN

JSON = "application/json"
EVENTS = "text/event-stream"

TAGS = {
    "OpenAI": "What OpenAI clients use: chat completions, responses, embeddings and models.",
    "Runs": "Requests that are planned and carried out, their events, and the answers that they wait for.",
    "Server": "Tools, health and figures.",
    "Workers": "What workers on other computers use to carry out calls.",
}

RUN = (409, 502, 503, 504, 507)
"""How the planning, the recording and the answering of a request may fail."""


@dataclass(frozen=True)
class Operation:
    """`summary` is what the route does, in a few words. `failures` are the statuses of those that not every
    route has, `answers` bodies by status and media type that routes write by hand; those of streams are what
    each frame holds. `examples` are bodies by name that are accepted as they stand."""

    tag: str
    summary: str
    failures: tuple[int, ...] = ()
    answers: Mapping[int, Mapping[str, type[BaseModel] | None]] = field(
        default_factory=dict[int, Mapping[str, type[BaseModel] | None]]
    )
    examples: Mapping[str, Any] = field(default_factory=dict[str, Any])


_RESPONSE = {200: {JSON: models.ResponseBody}}

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/v1/chat/completions"): Operation(
        "OpenAI",
        "Continue a chat: the agent, calls of your functions, or a model itself",
        (404, *RUN),
        {200: {JSON: models.ChatCompletion, EVENTS: models.ChatCompletionChunk}},
        examples.CHAT,
    ),
    ("POST", "/v1/responses"): Operation(
        "OpenAI",
        "The same by OpenAI's newer API",
        (404, *RUN),
        {200: {JSON: models.ResponseBody, EVENTS: models.ResponseEvent}},
        examples.RESPONSES,
    ),
    ("GET", "/v1/responses/{response}"): Operation("OpenAI", "Read a response", (404, 503), _RESPONSE),
    ("DELETE", "/v1/responses/{response}"): Operation(
        "OpenAI", "Forget a response and the run behind it", (404, 409, 503, 507)
    ),
    ("POST", "/v1/responses/{response}/cancel"): Operation(
        "OpenAI", "Stop the run behind a response", (404, 409, 503, 507), _RESPONSE
    ),
    ("GET", "/v1/responses/{response}/input_items"): Operation(
        "OpenAI", "What a response was asked with", (404, 503)
    ),
    ("POST", "/v1/embeddings"): Operation(
        "OpenAI", "Turn texts into vectors", (404, 503), examples=examples.EMBEDDINGS
    ),
    ("GET", "/v1/models"): Operation("OpenAI", "List the agent, the planners and the models"),
    ("GET", "/v1/models/{model}"): Operation("OpenAI", "Read one of them", (404,)),
    ("POST", "/v1/runs"): Operation(
        "Runs", "Start a run and return at once", (404, 409, 503, 507), examples=examples.RUNS
    ),
    ("GET", "/v1/runs"): Operation("Runs", "List runs, the newest first", (503,)),
    ("GET", "/v1/runs/{run}"): Operation("Runs", "Read a run", (404, 503)),
    ("DELETE", "/v1/runs/{run}"): Operation("Runs", "Forget a run", (404, 409, 503, 507)),
    ("GET", "/v1/runs/{run}/events"): Operation(
        "Runs", "Follow a run's events, live and resumable", (404, 503), {200: {EVENTS: None}, 204: {}}
    ),
    ("POST", "/v1/runs/{run}/cancel"): Operation(
        "Runs", "Stop a run", (404, 409, 503, 507), examples=examples.CANCEL
    ),
    ("POST", "/v1/runs/{run}/approve"): Operation(
        "Runs", "Let calls that wait be carried out", (404, 409, 503, 507), examples=examples.APPROVE
    ),
    ("POST", "/v1/runs/{run}/reject"): Operation(
        "Runs", "Refuse calls that wait", (404, 409, 503, 507), examples=examples.REJECT
    ),
    ("POST", "/v1/runs/{run}/tasks/{task}/approve"): Operation(
        "Runs", "Let one call be carried out", (404, 409, 503, 507), examples=examples.APPROVE_TASK
    ),
    ("POST", "/v1/runs/{run}/tasks/{task}/reject"): Operation(
        "Runs", "Refuse one call", (404, 409, 503, 507), examples=examples.REJECT_TASK
    ),
    ("POST", "/v1/runs/{run}/undo"): Operation("Runs", "Take back what a run did", (404, 409, 503, 507)),
    ("POST", "/v1/runs/{run}/tasks/{task}/undo"): Operation(
        "Runs", "Take back one call", (404, 409, 503, 507)
    ),
    ("GET", "/v1/tools"): Operation("Server", "List the tools, and why one is disabled or only drafts"),
    ("GET", "/healthz"): Operation(
        "Server", "Whether the process answers", answers={200: {JSON: models.Health}}
    ),
    ("GET", "/readyz"): Operation(
        "Server",
        "Whether every part can work",
        (503,),
        {200: {JSON: models.Readiness}, 503: {JSON: models.Unreadiness}},
    ),
    ("GET", "/metrics"): Operation(
        "Server", "Counts and times in Prometheus' text format", (404,), {200: {PLAIN: None}}
    ),
    ("POST", "/v1/worker/claim"): Operation(
        "Workers", "Fetch a call to carry out", (409,), examples=examples.CLAIM
    ),
    ("POST", "/v1/worker/tasks/{task}/heartbeat"): Operation(
        "Workers", "Say that a call goes on", (404, 409), examples=examples.HEARTBEAT
    ),
    ("POST", "/v1/worker/tasks/{task}/result"): Operation(
        "Workers", "Hand in what came of a call", (404, 409), examples=examples.RESULT
    ),
}
