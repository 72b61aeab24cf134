"""The application: routes, bookkeeping and the guards around them."""

from __future__ import annotations

from fastapi import Depends, FastAPI, Request
from starlette.routing import Route
from starlette.types import ASGIApp, Lifespan

from tinyagent import __version__
from tinyagent.api import approvals, chat, embeddings, metrics, models, responses, runs, service, worker
from tinyagent.api.failures import ErrorBody, FailureMiddleware, install_failures
from tinyagent.api.metrics import MeasuringMiddleware
from tinyagent.api.openapi import install_document
from tinyagent.api.retries import Retries
from tinyagent.api.security import SecurityMiddleware, SecuritySettings
from tinyagent.api.serving import Figures, Serving
from tinyagent.api.watchers import Watchers
from tinyagent.engine.function_calling import FunctionCalling
from tinyagent.engine.runs import RunService
from tinyagent.errors import InvalidRequest
from tinyagent.ports import Embedder
from tinyagent.workers.queue import WorkerQueue

KEEPALIVE_S = 15.0
DISCONNECT_GRACE_S = 2.0


def create_app(
    engine: RunService,
    security: SecuritySettings,
    *,
    workers: WorkerQueue | None = None,
    embedder: Embedder | None = None,
    figures: Figures | None = None,
    mcp: ASGIApp | None = None,
    lifespan: Lifespan[FastAPI] | None = None,
    keepalive_s: float = KEEPALIVE_S,
    disconnect_grace_s: float = DISCONNECT_GRACE_S,
) -> FastAPI:
    """The API over an engine whose life is the caller's, by `lifespan`.

    `workers` is the engine's tool host where workers carry out its calls. Without an `embedder` there are no
    embeddings, without `figures` no metrics. `mcp` answers at `/mcp`.

    `keepalive_s` is the longest silence of a stream; `disconnect_grace_s` is how long a run goes
    on for a client that left and may come back.
    """
    app = FastAPI(
        title="tinyagent",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        responses={"default": {"model": ErrorBody, "description": "Any failure, in one shape."}},
        dependencies=[Depends(_refuse_unknown_query)],
        # Nothing of what a private server sees is traced, whatever else is installed beside it.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    watchers = Watchers(engine, disconnect_grace_s)
    app.state.serving = Serving(
        engine,
        watchers,
        Retries(engine, watchers),
        keepalive_s,
        workers,
        FunctionCalling(engine),
        embedder,
        figures,
    )
    for room in (service, models, chat, responses, embeddings, runs, approvals, worker, metrics):
        app.include_router(room.router)
    if mcp is not None:
        app.router.routes.append(Route("/mcp", mcp))
    install_document(app)
    install_failures(app)
    app.add_middleware(SecurityMiddleware, settings=security)
    app.add_middleware(FailureMiddleware)
    if figures is not None:
        app.add_middleware(MeasuringMiddleware, figures=figures)
    return app


def _refuse_unknown_query(request: Request) -> None:
    """A parameter that no route reads is a mistake, and a token in a URL a leak."""
    known = {parameter.alias for parameter in request.scope["route"].dependant.query_params}
    for name in request.query_params:
        if name not in known:
            raise InvalidRequest(f"`{name}` is not a known parameter.", hint="Leave it out.", param=name)
