"""The body of a request: its type and length as they are declared, and as they really come."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from tinyagent.errors import InvalidRequest, RequestTooLarge, UnsupportedMediaType

BODY_S = 30.0
"""How long the next piece of a body may take."""
WHOLE_BODY_S = 120.0
"""How long all of it may take, however steadily it comes."""

JSON_ALONE = frozenset({"application/json"})

_METHODS = frozenset({"POST", "PUT", "PATCH"})
_SHOWN = 100
"""Characters of a type that an answer repeats."""


@dataclass(frozen=True)
class BodyLimits:
    """What a route takes: the types of its bodies, and their longest length."""

    media_types: frozenset[str]
    max_bytes: int


def check_body(method: str, headers: Headers, limits: BodyLimits) -> None:
    """What can be said before it comes. Raises UnsupportedMediaType, InvalidRequest or RequestTooLarge."""
    if method in _METHODS:
        _check_content_type(headers, limits.media_types)
    _check_length(headers, limits.max_bytes)


def _check_content_type(headers: Headers, media_types: frozenset[str]) -> None:
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Compressed bodies are not taken.", hint="Send the body as it is.")
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    if media_type not in media_types and (media_type or has_body):
        taken = " or ".join(sorted(media_types))
        raise UnsupportedMediaType(
            f"This route takes {taken}, not {media_type[:_SHOWN] or 'a body without a type'}.",
            hint=f"Send `Content-Type: {min(media_types)}`.",
        )


def _check_length(headers: Headers, max_bytes: int) -> None:
    """A body has one length: whoever reads it as two may read two requests."""
    lengths = headers.getlist("content-length")
    if len(lengths) > 1 or (lengths and "transfer-encoding" in headers):
        raise InvalidRequest("The length of the body is given twice.")
    if lengths and not (lengths[0].isascii() and lengths[0].isdecimal()):
        raise InvalidRequest("The Content-Length header is not a number.")
    if lengths and int(lengths[0]) > max_bytes:
        raise _too_large(max_bytes)


def _too_large(limit: int) -> RequestTooLarge:
    return RequestTooLarge(f"The body is longer than {limit:,} bytes.")


class LimitedBody:
    """Counts the body as it comes in, for lengths that are not declared or not true, and waits
    for it within bounds. What comes after the body is the news that the client has gone."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self._receive = receive
        self._limit = limit
        self._taken = 0
        self._complete = False
        self._end_s: float | None = None

    async def __call__(self) -> Message:
        if self._complete:
            return await self._receive()
        now_s = asyncio.get_running_loop().time()
        if self._end_s is None:
            self._end_s = now_s + WHOLE_BODY_S
        try:
            async with asyncio.timeout_at(min(now_s + BODY_S, self._end_s)):
                message = await self._receive()
        except TimeoutError as error:
            within = f"for {BODY_S:g} seconds, or took longer than {WHOLE_BODY_S:g} in all"
            raise HTTPException(408, f"The body stopped coming {within}.") from error
        self._complete = not message.get("more_body", False)
        self._taken += len(message.get("body", b""))
        if self._taken > self._limit:
            raise HTTPException(413, str(_too_large(self._limit)))
        return message
