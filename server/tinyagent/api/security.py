"""Who gets in: Host, Origin, bearer token, scope, content type and body size, in that order.

A page in the user's browser can reach this server as well as any program can. The Host check
stops pages that rebind their own name to this address, the Origin check and the token stop
forged requests, and the content type check stops those that a browser sends without asking first.
Pure ASGI, so that it holds for streams too.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinyagent.api.failures import error_response
from tinyagent.errors import (
    ConfigurationError,
    Forbidden,
    InvalidRequest,
    MisdirectedRequest,
    RequestTooLarge,
    TinyAgentError,
    Unauthorized,
    UnsupportedMediaType,
)

Permission = Literal["run", "read", "worker", "admin"]
"""`read` sees, `run` starts and cancels, `worker` carries out calls, `admin` may do everything."""

MIN_SECRET_CHARACTERS = 16
OPEN_PATHS = frozenset({"/healthz"})
CALLER_KEY = "tinyagent.caller"
"""Where the middleware leaves the caller's token name in the ASGI scope."""
ADMITTED_KEY = "tinyagent.admitted"
"""Where it leaves a function that says whether the caller's token is still valid."""

BODY_S = 30.0
"""How long the next piece of a body may take."""

_BODY_METHODS = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True)
class Token:
    """A named secret and what its bearer may do."""

    name: str
    secret: str
    scopes: frozenset[Permission]

    @property
    def strong(self) -> bool:
        """Whether it is too long to be guessed."""
        return len(self.secret) >= MIN_SECRET_CHARACTERS


def no_tokens() -> Sequence[Token]:
    """For servers whose tokens stay the same."""
    return ()


@dataclass(frozen=True)
class SecuritySettings:
    """Tokens, the Host values (with port) that mean this server, and the origins of known pages.

    A page that this server serves itself is of its own origin and needs no entry. `more_tokens` is
    asked at every request that comes with none of the others, so that they can be made and revoked
    while the server runs; those that anybody could guess are left out.
    """

    tokens: tuple[Token, ...]
    hosts: frozenset[str]
    origins: frozenset[str] = frozenset()
    max_json_bytes: int = 2_000_000
    more_tokens: Callable[[], Sequence[Token]] = no_tokens

    def __post_init__(self) -> None:
        """Raises ConfigurationError for a token that anybody could guess."""
        weak = [token.name for token in self.tokens if not token.strong]
        if weak:
            raise ConfigurationError(
                f"The token {weak[0]!r} is shorter than {MIN_SECRET_CHARACTERS} characters.",
                hint="Delete it, and a new one is made at the next start.",
            )


def host_values(names: Iterable[str], port: int) -> frozenset[str]:
    """The Host values that stand for these names and addresses at this port."""
    known = {f"[{name}]" if ":" in name and not name.startswith("[") else name.lower() for name in names}
    values = {f"{name}:{port}" for name in known}
    return frozenset(values | known if port == 80 else values)


def required_scope(method: str, path: str) -> Permission:
    """What a caller must be allowed to do to use this method there."""
    if path.startswith("/v1/worker/"):
        return "worker"
    if method == "DELETE":
        return "admin"
    return "read" if method in ("GET", "HEAD", "OPTIONS") else "run"


class SecurityMiddleware:
    """Lets a request through, or answers it with the reason why not."""

    def __init__(self, app: ASGIApp, settings: SecuritySettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        try:
            self._admit(scope, headers)
        except TinyAgentError as error:
            await _refuse(error, scope, receive, send)
            return
        limited = _LimitedBody(receive, self._settings.max_json_bytes)
        await self._app(scope, limited if scope["type"] == "http" else receive, _private(send))

    def _admit(self, scope: Scope, headers: Headers) -> None:
        host = self._check_host(headers)
        self._check_origin(headers, host)
        path: str = scope["path"]
        if path not in OPEN_PATHS:
            token = self._authenticate(headers)
            needed = required_scope(scope.get("method", "GET"), path)
            if needed not in token.scopes and "admin" not in token.scopes:
                raise Forbidden(f"This token does not have the scope `{needed}`.")
            scope[CALLER_KEY] = token.name
            secret = token.secret.encode()
            scope[ADMITTED_KEY] = lambda: self._known(secret) is not None
        if scope["type"] == "http" and scope["method"] in _BODY_METHODS:
            _check_content_type(headers)
        self._check_length(headers)

    def _check_host(self, headers: Headers) -> str:
        values = headers.getlist("host")
        if len(values) != 1 or values[0].lower() not in self._settings.hosts:
            raise MisdirectedRequest(
                "The Host header names another server.",
                hint="Add the name to the configured hosts if it is right.",
            )
        return values[0].lower()

    def _check_origin(self, headers: Headers, host: str) -> None:
        for origin in headers.getlist("origin"):
            own = origin.lower() in (f"http://{host}", f"https://{host}")
            if not own and origin not in self._settings.origins:
                raise Forbidden("Pages of this origin may not use this server.")

    def _authenticate(self, headers: Headers) -> Token:
        values = headers.getlist("authorization")
        if not values:
            raise Unauthorized("No token was sent.", hint="Send `Authorization: Bearer <token>`.")
        scheme, _, secret = values[0].partition(" ")
        found = self._known(secret.strip().encode("latin-1", "replace"))
        if found is None or scheme.lower() != "bearer" or len(values) > 1:
            raise Unauthorized("The token is not valid.", hint="`tinyagent token` prints the right one.")
        return found

    def _known(self, given: bytes) -> Token | None:
        """The token with this secret, as things stand now."""
        return _matching(given, self._settings.tokens) or _matching(
            given, [token for token in self._settings.more_tokens() if token.strong]
        )

    def _check_length(self, headers: Headers) -> None:
        length = headers.get("content-length", "0")
        if not length.isdecimal():
            raise InvalidRequest("The Content-Length header is not a number.")
        if int(length) > self._settings.max_json_bytes:
            raise _too_large(self._settings.max_json_bytes)


def _matching(given: bytes, tokens: Iterable[Token]) -> Token | None:
    """All are compared, each in constant time."""
    found: Token | None = None
    for token in tokens:
        if hmac.compare_digest(given, token.secret.encode()):
            found = token
    return found


async def _refuse(error: TinyAgentError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    challenge = {"WWW-Authenticate": 'Bearer realm="tinyagent"'} if isinstance(error, Unauthorized) else {}
    await error_response(error, challenge)(scope, receive, _private(send))


def _check_content_type(headers: Headers) -> None:
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if media_type != "application/json" and (media_type or has_body):
        raise UnsupportedMediaType(
            f"This route takes JSON, not {media_type or 'a body without a type'}.",
            hint="Send `Content-Type: application/json`.",
        )


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"The body is longer than {limit:,} bytes.")


def _private(send: Send) -> Send:
    """Keep answers out of caches, and their types as they are declared."""

    async def private_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", []) if pair[0].lower() != b"cache-control"]
            more = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
            message = {**message, "headers": [*kept, *more]}
        await send(message)

    return private_send


class _LimitedBody:
    """Counts the body as it comes in, for lengths that are not declared or not true, and waits
    for it within bounds. What comes after the body is the news that the client has gone."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._taken = 0
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        try:
            async with asyncio.timeout(BODY_S):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(408, f"The body stopped coming for {BODY_S:g} seconds.") from error
        self._complete = not message.get("more_body", False)
        self._taken += len(message.get("body", b""))
        if self._taken > self._limit:
            raise HTTPException(413, str(_too_large(self._limit)))
        return message
