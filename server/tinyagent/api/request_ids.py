"""An `x-request-id` on every answer of a route, refusals included."""

from __future__ import annotations

import secrets

from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

HEADER = "x-request-id"


def new_id() -> str:
    """An id that cannot be guessed."""
    return secrets.token_hex(12)


class IdentifiedRoute(APIRoute):
    """A route whose answers have an `x-request-id`; one that the route itself gives stays."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def identified(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).setdefault(HEADER, f"req_{new_id()}")
            await send(message)

        await super().handle(scope, receive, identified)
