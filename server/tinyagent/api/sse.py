"""Server-sent events: framing, keep-alive, and what to do when the reader leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Mapping

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PING = b": ping\n"
"""A comment with one line end: readers that take every blank line for an event fall over two."""


def frame(data: str, event: str | None = None, number: int | None = None) -> bytes:
    """One event; `data` is JSON and so a single line."""
    head = f"event: {event}\n" if event is not None else ""
    head += f"id: {number}\n" if number is not None else ""
    return f"{head}data: {data}\n\n".encode()


async def until_disconnect(receive: Receive) -> None:
    """Return when the client has gone, or sends what nobody reads. Call after the body was read."""
    with contextlib.suppress(HTTPException):  # of a body that was announced where there is none
        while (await receive())["type"] != "http.disconnect":
            pass


class EventStream(Response):
    """Sends frames as they come and a comment after `keepalive_s` of silence.

    At the end `left` is told whether everything was sent; the frames' generator is closed before.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        frames: AsyncGenerator[bytes, None],
        keepalive_s: float,
        left: Callable[[bool], None] = lambda finished: None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no", **(headers or {})})
        del self.headers["content-length"]
        self._frames = frames
        self._keepalive_s = keepalive_s
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(until_disconnect(receive))
        finished = False
        try:
            await send(
                {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
            )
            finished = await self._send_frames(send, gone)
            if finished:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            gone.cancel()
            await self._frames.aclose()
            self._left(finished)

    async def _send_frames(self, send: Send, gone: asyncio.Task[None]) -> bool:
        """Whether all frames were sent; False when the client went away before."""
        while True:
            coming = asyncio.create_task(_next(self._frames))
            try:
                while not coming.done():
                    await asyncio.wait(
                        {coming, gone}, timeout=self._keepalive_s, return_when=asyncio.FIRST_COMPLETED
                    )
                    if gone.done():
                        return False
                    if not coming.done():
                        await send({"type": "http.response.body", "body": PING, "more_body": True})
            finally:
                if not coming.done():
                    coming.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await coming
            piece = coming.result()
            if piece is None:
                return True
            await send({"type": "http.response.body", "body": piece, "more_body": True})


async def _next(frames: AsyncGenerator[bytes, None]) -> bytes | None:
    try:
        return await anext(frames)
    except StopAsyncIteration:
        return None
