"""What the routes share: the engine, and who waits for which run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Protocol, cast

from fastapi import Depends, Request

from tinyagent.api.responses_store import ResponseStore
from tinyagent.api.retries import Retries
from tinyagent.api.security import CALLER_KEY
from tinyagent.api.watchers import Watchers
from tinyagent.engine.function_calling import FunctionCalling
from tinyagent.engine.runs import RunService
from tinyagent.ports import Embedder, Usage
from tinyagent.workers.queue import WorkerQueue


class Figures(Protocol):
    """Counts what the server does."""

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        ...

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is the template of its path."""
        ...

    def used(self, planner: str, usage: Usage) -> None:
        """A model read and wrote outside of a run."""
        ...


@dataclass(frozen=True)
class Serving:
    """One application's engine and bookkeeping; `keepalive_s` is the longest silence of a stream."""

    runs: RunService
    watchers: Watchers
    retries: Retries
    keepalive_s: float
    workers: WorkerQueue | None
    """None when calls are carried out in this process."""
    calling: FunctionCalling
    embedder: Embedder | None = None
    figures: Figures | None = None
    responses: ResponseStore = field(default_factory=ResponseStore)


def _serving(request: Request) -> Serving:
    return cast("Serving", request.app.state.serving)


def _caller(request: Request) -> str:
    return cast("str", request.scope[CALLER_KEY])


ServingHere = Annotated[Serving, Depends(_serving)]
Caller = Annotated[str, Depends(_caller)]
"""The name of the token that the request came with."""
