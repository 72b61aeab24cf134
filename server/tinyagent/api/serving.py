"""What the routes share: the engine, and who waits for which run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from tinyagent.api.retries import Retries
from tinyagent.api.security import CALLER_KEY
from tinyagent.api.watchers import Watchers
from tinyagent.engine.function_calling import FunctionCalling
from tinyagent.engine.runs import RunService
from tinyagent.ports import Embedder
from tinyagent.workers.queue import WorkerQueue


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
    figures: Callable[[], bytes] | None = None
    """All metrics in Prometheus' text format."""


def _serving(request: Request) -> Serving:
    return cast("Serving", request.app.state.serving)


def _caller(request: Request) -> str:
    return cast("str", request.scope[CALLER_KEY])


ServingHere = Annotated[Serving, Depends(_serving)]
Caller = Annotated[str, Depends(_caller)]
"""The name of the token that the request came with."""
