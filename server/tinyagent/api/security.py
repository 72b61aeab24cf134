"""Who gets in: Host, Origin, bearer token, rate, scope, content type and body size, in that order.

A page in the user's browser can reach this server as well as any program can. The Host check
stops pages that rebind their own name to this address, the Origin check and the token stop
forged requests, and the content type check stops those that a browser sends without asking first.
Pure ASGI, so that it holds for streams too.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tinyagent.api.bearers import HashedToken, Permission, Token, digest_of, no_tokens, require_strong
from tinyagent.api.bodies import JSON_ALONE, BodyLimits, LimitedBody, check_body
from tinyagent.api.failures import error_response
from tinyagent.api.rates import RateExceeded, RequestRates
from tinyagent.errors import (
    Forbidden,
    InvalidRequest,
    MisdirectedRequest,
    RequestTooLarge,
    TinyAgentError,
    Unauthorized,
)

OPEN_PATHS = frozenset({"/healthz"})
UNCOUNTED_PATHS = ("/healthz", "/readyz", "/v1/worker/")
"""What machines ask for again and again: it takes nothing from a token's requests in a minute."""
CALLER_KEY = "tinyagent.caller"
"""Where the middleware leaves the caller's token name in the ASGI scope."""
ADMITTED_KEY = "tinyagent.admitted"
"""Where it leaves a function that says whether the caller's token is still valid."""

MAX_HEADERS = 100
MAX_HEADER_BYTES = 16_384

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True)
class SecuritySettings:
    """Tokens, the Host values (with port) that mean this server, and the origins of known pages.

    A page that this server serves itself is of its own origin and needs no entry. `more_tokens` is
    asked at every request that comes with none of the others, so that they can be made and revoked
    while the server runs; those that anybody could guess are left out. `other_bodies` are the limits of
    paths that begin so; all others take JSON.
    """

    tokens: tuple[Token, ...]
    hosts: frozenset[str]
    origins: frozenset[str] = frozenset()
    max_json_bytes: int = 2_000_000
    more_tokens: Callable[[], Sequence[Token | HashedToken]] = no_tokens
    requests_per_minute: int = 600
    other_bodies: Mapping[str, BodyLimits] = field(default_factory=dict[str, BodyLimits])

    def __post_init__(self) -> None:
        """Raises ConfigurationError for a token that anybody could guess."""
        for token in self.tokens:
            require_strong(token)

    def limits_of(self, path: str) -> BodyLimits:
        """What the route at this path takes."""
        for prefix, limits in self.other_bodies.items():
            if path.startswith(prefix):
                return limits
        return BodyLimits(JSON_ALONE, self.max_json_bytes)


def host_values(names: Iterable[str], port: int) -> frozenset[str]:
    """The Host values that stand for these names and addresses at this port."""
    known = {f"[{name}]" if ":" in name and not name.startswith("[") else name.lower() for name in names}
    values = {f"{name}:{port}" for name in known}
    return frozenset(values | known if port == 80 else values)


def required_scope(method: str, path: str) -> Permission:
    """What a caller must be allowed to do to use this method there."""
    if path.startswith("/v1/worker/"):
        return "worker"
    if path == "/mcp" or path.startswith("/mcp/"):  # its GET and DELETE belong to a session that runs things
        return "run"
    if method == "DELETE":
        return "admin"
    return "read" if method in ("GET", "HEAD", "OPTIONS") else "run"


class SecurityMiddleware:
    """Lets a request through, or answers it with the reason why not."""

    def __init__(self, app: ASGIApp, settings: SecuritySettings) -> None:
        self._app = app
        self._settings = settings
        self._rates = RequestRates(settings.requests_per_minute)

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
        limited = LimitedBody(receive, self._settings.limits_of(scope["path"]).max_bytes)
        taken = limited if scope["type"] == "http" else receive
        answer = _private(send)
        await self._app(scope, taken, _while_admitted(answer, scope, receive))

    def _admit(self, scope: Scope, headers: Headers) -> None:
        path: str = scope["path"]
        _check_head(path, headers)
        host = self._check_host(headers)
        self._check_origin(headers, host)
        if path not in OPEN_PATHS:
            token = self._authenticate(headers, scope)
            if not path.startswith(UNCOUNTED_PATHS):
                self._rates.count_request(token.name)
            needed = required_scope(scope.get("method", "GET"), path)
            if needed not in token.scopes and "admin" not in token.scopes:
                raise Forbidden(f"This token does not have the scope `{needed}`.")
            scope[CALLER_KEY] = token.name
            scope[ADMITTED_KEY] = partial(self._admitted, token.digest)
        check_body(scope.get("method", "GET"), headers, self._settings.limits_of(path))

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

    def _authenticate(self, headers: Headers, scope: Scope) -> Token | HashedToken:
        """The token that was sent. A page cannot make a browser send one, and so spends nobody's attempts."""
        values = headers.getlist("authorization")
        if not values:
            raise Unauthorized("No token was sent.", hint="Send `Authorization: Bearer <token>`.")
        scheme, _, secret = values[0].partition(" ")
        found = self._known(digest_of(secret.strip(" \t").encode("latin-1", "replace")))
        address = (scope.get("client") or ("unknown",))[0]
        if found is None or found.guessable:
            self._rates.check_address(address)
        if found is None or scheme.lower() != "bearer" or len(values) > 1:
            self._rates.count_wrong_token(address)
            raise Unauthorized("The token is not valid.", hint="`tinyagent token` prints the right one.")
        return found

    def _admitted(self, digest: bytes) -> bool:
        return self._known(digest) is not None

    def _known(self, digest: bytes) -> Token | HashedToken | None:
        """The token whose secret has this digest, as things stand now; each is compared in constant time."""
        found: Token | HashedToken | None = None
        for token in (*self._settings.tokens, *self._settings.more_tokens()):
            if hmac.compare_digest(digest, token.digest) and token.strong:
                found = token
        return found


def _check_head(path: str, headers: Headers) -> None:
    """Raises InvalidRequest or RequestTooLarge for what no client of this server sends."""
    if not path.startswith("/") or _CONTROL.search(path):
        raise InvalidRequest("The request's target is no path of this server.")
    size = sum(len(name) + len(value) for name, value in headers.raw)
    if len(headers.raw) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        limits = f"{MAX_HEADERS} headers or {MAX_HEADER_BYTES:,} bytes of them"
        raise RequestTooLarge(f"There are more than {limits}.")


async def _refuse(error: TinyAgentError, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    await error_response(error, _refusal_headers(error))(scope, receive, _private(send))


def _refusal_headers(error: TinyAgentError) -> dict[str, str]:
    if isinstance(error, Unauthorized):
        return {"WWW-Authenticate": 'Bearer realm="tinyagent"'}
    if isinstance(error, InvalidRequest):  # what would follow on this connection may be no request at all
        return {"Connection": "close"}
    return {"Retry-After": str(error.wait_s)} if isinstance(error, RateExceeded) else {}


def _private(send: Send) -> Send:
    """Keep answers out of caches, and their types as they are declared."""

    async def private_send(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept = [pair for pair in message.get("headers", []) if pair[0].lower() != b"cache-control"]
            more = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
            message = {**message, "headers": [*kept, *more]}
        await send(message)

    return private_send


def _while_admitted(send: Send, scope: Scope, receive: Receive) -> Send:
    """Nothing for a token that was revoked meanwhile: no answer begins, and a stream ends."""
    admitted: Callable[[], bool] | None = scope.get(ADMITTED_KEY)
    ended = False

    async def admitted_send(message: Message) -> None:
        nonlocal ended
        if ended:
            return
        begins = message["type"] == "http.response.start"
        if admitted is None or not (begins or message.get("more_body")) or admitted():
            await send(message)
            return
        ended = True
        if begins:
            error = Unauthorized("The token was revoked, or its time is over.")
            await error_response(error, _refusal_headers(error))(scope, receive, send)
        else:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return admitted_send
