"""Every failure of every route in one shape: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinyagent import errors
from tinyagent.domain.events import Fault
from tinyagent.errors import TinyAgentError, error_kinds

log = logging.getLogger("tinyagent.api")

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}
_WRONG, _BROKEN = "invalid_request_error", "server_error"
ERROR_TYPES = frozenset({*_TYPES.values(), _WRONG, _BROKEN})

_OF_STATUS: dict[int, type[TinyAgentError]] = {
    408: errors.InvalidRequest,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.RequestTooLarge,
    415: errors.UnsupportedMediaType,
}

_HEADERS = {
    409: {"x-should-retry": "false"},  # OpenAI clients repeat a conflict, which changes nothing
    429: {"Retry-After": "2"},
    503: {"Retry-After": "2"},
}


_UNKEPT = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class ErrorDetail(BaseModel):
    """What went wrong. `code` is stable, `param` the field at fault, `candidates` the possible meanings."""

    message: str
    type: str
    param: str | None
    code: str
    candidates: list[str] = []


class ErrorBody(BaseModel):
    """The one shape of every failure."""

    error: ErrorDetail


MAX_MESSAGE = 2_000
"""Characters of a message: what was sent is never repeated at length."""
MAX_NAME = 200
"""Characters of a parameter's name."""


def error_body(error: TinyAgentError) -> dict[str, Any]:
    """The error as clients read it; `candidates` only where there are some."""
    other = _BROKEN if error.status >= 500 else _WRONG
    detail = ErrorDetail(
        message=_brief(str(error), MAX_MESSAGE),
        type=_TYPES.get(error.status, other),
        param=error.param and _brief(error.param, MAX_NAME),
        code=error.code,
        candidates=list(error.candidates),
    )
    return {"error": detail.model_dump(exclude=None if error.candidates else {"candidates"})}


def error_response(
    error: TinyAgentError, headers: Mapping[str, str] | None = None, **more: object
) -> JSONResponse:
    """The error as a response; `more` are further keys beside `error`."""
    own = _HEADERS.get(error.status, {})
    return JSONResponse({**error_body(error), **more}, error.status, headers={**own, **(headers or {})})


def internal_error(failure: BaseException, run: str | None = None) -> TinyAgentError:
    """Log an unexpected failure and make the error that the client sees instead.

    The log has the place and the kind; messages and values may hold private text and stay out.
    """
    frames = traceback.extract_tb(failure.__traceback__)[-6:]
    places = " < ".join(f"{frame.filename}:{frame.lineno} {frame.name}" for frame in reversed(frames))
    log.error(
        "unexpected %s (run %s) at %s", type(failure).__name__, run or "none", places or "unknown place"
    )
    return TinyAgentError(
        "The server failed unexpectedly.", hint="Its log names the place; please report it with that line."
    )


def error_of(fault: Fault) -> TinyAgentError:
    """The error that a run's fault stands for, with the status of its code."""
    kind = error_kinds().get(fault.code, TinyAgentError)
    return kind(fault.message, hint=fault.hint, candidates=fault.candidates)


# --- wrong requests --------------------------------------------------------------------------


def _brief(text: str, limit: int) -> str:
    """The text without its middle where it is too long: at its end it says what to do."""
    kept = limit // 2
    return text if len(text) <= limit else f"{text[:kept]} … {text[-kept:]}"


def param_name(location: Sequence[str | int]) -> str:
    """The place of a fault as a client would write it: `messages[0].content`."""
    name = ""
    for step in location:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"


def _invalid(failure: RequestValidationError) -> TinyAgentError:
    first: dict[str, Any] = failure.errors()[0]
    source, *rest = first["loc"]
    if first["type"] == "json_invalid":
        reason = first["ctx"]["error"]
        return errors.InvalidRequest(f"The body is not valid JSON at character {rest[0]}: {reason}.")
    name = param_name(rest)
    if not name:
        return errors.InvalidRequest(f"The {source} is not acceptable: {first['msg']}.")
    if first["type"] == "extra_forbidden":
        return errors.InvalidRequest(f"`{name}` is not a known parameter.", hint="Leave it out.", param=name)
    if first["type"] == "missing":
        return errors.InvalidRequest(f"`{name}` is missing.", param=name)
    reason = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return errors.InvalidRequest(f"`{name}` is not acceptable: {reason}.", param=name)


def _of_http(failure: HTTPException) -> TinyAgentError:
    kind = _OF_STATUS.get(failure.status_code)
    if kind is errors.NotFound:
        return errors.NotFound("There is no such route.", hint="The routes are listed in /openapi.json.")
    if kind is errors.MethodNotAllowed:
        return errors.MethodNotAllowed("This route does not take this method.")
    if kind is not None:
        return kind(failure.detail)
    if failure.status_code >= 500:
        return TinyAgentError(failure.detail)
    return errors.InvalidRequest("The body cannot be read.", hint="Send JSON, encoded as UTF-8.")


def install_failures(app: FastAPI) -> None:
    """Give every expected failure the one shape."""

    async def expected(request: Request, failure: Exception) -> JSONResponse:
        assert isinstance(failure, TinyAgentError)
        return error_response(failure)

    async def invalid(request: Request, failure: Exception) -> JSONResponse:
        assert isinstance(failure, RequestValidationError)
        return error_response(_invalid(failure))

    async def http(request: Request, failure: Exception) -> JSONResponse:
        assert isinstance(failure, HTTPException)
        return error_response(_of_http(failure), failure.headers)

    app.add_exception_handler(TinyAgentError, expected)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


class FailureMiddleware:
    """Answers unexpected failures, so that no traceback reaches a client or holds private text in a log.

    Stands before the guards, which may fail, too.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except Exception as failure:
            error = internal_error(failure)
            if not started:
                await error_response(error, _UNKEPT)(scope, receive, send)
