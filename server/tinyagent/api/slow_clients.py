"""Connections that give nothing and take room: no head, no end, nobody who reads, too many, no HTTP.

Whoever connects has a bounded time until a request's head is complete, before anything is known
about who it is. What comes after the head is bounded where the body is read.
"""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tinyagent.api.closing import ClosingTransport
from tinyagent.api.failures import error_body
from tinyagent.errors import InvalidRequest, Overloaded, TinyAgentError

HEAD_S = 10.0
"""How long a request's head may take, and the rest of a body that nobody reads any more."""
MAX_CONNECTIONS = 256
"""Most connections at once."""
READ_S = 30.0
"""How long a client may leave an answer unread."""
IDLE_S = 30
"""How long a connection is kept for the next request."""

_HEADERS = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"connection", b"close"),
]


class ImpatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, for clients that may be slow on purpose."""

    _patience: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take the connection, or answer at once that there are too many."""
        self._closing = ClosingTransport(transport, self._still_sent)
        super().connection_made(self._closing)
        if len(self.connections) > MAX_CONNECTIONS:
            self._close_with(429, Overloaded("Too many connections are open.", hint="Try again in 2 s."))
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        super().connection_lost(exc)
        self._stop_watching()
        self._is_read()
        self._closing.ended()

    def data_received(self, data: bytes) -> None:
        """Go on with the request, and bound the wait for the rest of its head."""
        if not self.transport.is_closing():
            super().data_received(data)
            self._watch()

    def on_response_complete(self) -> None:
        """The same clock runs for the rest of a body that was answered before its end."""
        super().on_response_complete()
        self._watch()

    def pause_writing(self) -> None:
        """Much of an answer lies unread: it will not lie for ever."""
        super().pause_writing()
        self._unread = self.loop.call_later(READ_S, self.transport.abort)

    def resume_writing(self) -> None:
        """The client reads."""
        super().resume_writing()
        self._is_read()

    def shutdown(self) -> None:
        """The server ends: who has got a last answer is not waited for."""
        if self.transport.is_closing():
            self.transport.abort()
        else:
            super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, unless an answer is under way."""
        self._close_with(400, InvalidRequest("This is no valid HTTP request."))

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: a wish for another protocol is answered as the request that it is."""

    def _watch(self) -> None:
        """One clock for each wait that only the client can end; it is not wound up by a byte more."""
        if not self._waits_for_client() or self.transport.is_closing():
            self._stop_watching()
        elif self._patience is None:
            self._patience = self.loop.call_later(HEAD_S, self._give_up)

    def _waits_for_client(self) -> bool:
        answered = self.conn.our_state in (h11.DONE, h11.MUST_CLOSE)
        return (self.conn.their_state is h11.IDLE and not self._idle()) or answered

    def _idle(self) -> bool:
        """Whether this is the pause between two requests, which has a clock of its own."""
        return self.timeout_keep_alive_task is not None

    def _still_sent(self) -> bool:
        """Whether the client may be in the middle of a request, as far as that can be told."""
        return self.conn.their_state in (h11.SEND_BODY, h11.ERROR)

    def _is_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _stop_watching(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        self._patience = None
        begun, _ = self.conn.trailing_data
        if self.conn.their_state is not h11.IDLE:
            self.transport.abort()
        elif begun:
            self._close_with(408, InvalidRequest(f"No complete request came in {HEAD_S:g} s."))
        else:
            self.transport.close()

    def _close_with(self, status: int, error: TinyAgentError) -> None:
        """The last thing that is said on this connection, where there is room for it."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        body = json.dumps(error_body(error)).encode()
        headers = [*_HEADERS, (b"content-length", b"%d" % len(body))]
        if status == Overloaded.status:
            headers.append((b"retry-after", b"2"))
        for event in (
            h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self._end_cycle()
        self.transport.close()

    def _end_cycle(self) -> None:
        """Whoever works at the request learns that nobody reads an answer any more."""
        if self.cycle:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
