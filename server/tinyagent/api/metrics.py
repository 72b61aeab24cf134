"""`GET /metrics` in Prometheus' text format, and the counting of answered requests."""

from __future__ import annotations

import time

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinyagent.api.serving import Figures, ServingHere
from tinyagent.errors import NotFound

router = APIRouter()

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
_METHODS = frozenset({"GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH"})
NO_ROUTE = "none"
"""Stands for all paths that no route has, and for requests that were not let in."""


@router.get("/metrics", response_class=Response, responses={200: {"content": {PLAIN: {}}}})
async def metrics(serving: ServingHere) -> Response:
    """Requests, runs, tasks, tokens, times and memory, counted since the start."""
    if serving.figures is None:
        raise NotFound("This server counts nothing.")
    return Response(serving.figures.text(), media_type=PLAIN)


class MeasuringMiddleware:
    """Tells how each request was answered. Stands before all others."""

    def __init__(self, app: ASGIApp, figures: Figures) -> None:
        self._app = app
        self._figures = figures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 499  # of a client that left before there was an answer

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watched)
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self._figures.answered(method, _template(scope), status, time.monotonic() - began)


def _template(scope: Scope) -> str:
    """The path of the route that answered, its parameters unfilled: a path itself may be private."""
    route: BaseRoute | None = scope.get("route")
    if route is None and "endpoint" in scope and not scope.get("path_params"):
        return str(scope["path"])  # of a plain route, such as /mcp: this is its template
    return str(getattr(route, "path", NO_ROUTE))
