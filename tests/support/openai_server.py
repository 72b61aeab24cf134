"""A real local server that streams chat completions as a test words them."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, PlainTextResponse, StreamingResponse


class StandIn:
    """What a test sets and sees of the server; it keeps the requests and notes closed connections."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.lines: list[str] = []
        self.hang = self.breaks = self.pings = False
        self.endless, self.status = "", 200
        self.failure: JSONResponse | PlainTextResponse | None = None
        self.closed = asyncio.Event()
        self.app = FastAPI()
        self.app.post("/v1/chat/completions")(self.answer)

    async def answer(self, request: Request) -> object:
        self.requests.append(await request.json())
        self.keys.append(request.headers.get("authorization"))
        return self.failure or StreamingResponse(self.stream(), self.status, media_type="text/event-stream")

    async def stream(self) -> AsyncIterator[str]:
        try:
            for line in self.lines:
                yield f"{line}\n\n"
            while self.endless:
                yield self.endless
                await asyncio.sleep(0)
            while self.pings:
                yield ": ping\n\n"
                await asyncio.sleep(0.02)
            if self.breaks:
                raise ConnectionError("broken off as the test wants it")
            if self.hang:
                await asyncio.sleep(30)
        finally:
            self.closed.set()

    def say(self, *texts: str, finish: str = "") -> None:
        """Answer with these pieces, and say how the answer ended."""
        choices: list[dict[str, Any]] = [{"index": 0, "delta": {"content": text}} for text in texts]
        if finish:
            choices.append({"index": 0, "delta": {}, "finish_reason": finish})
        self.lines = [f"data: {json.dumps({'choices': [choice]})}" for choice in choices]

    def add_usage(self, usage: dict[str, Any], **others: object) -> None:
        """Count tokens in a last part, as servers do when they are asked to."""
        self.lines += [f"data: {json.dumps({'choices': [], 'usage': usage, **others})}", "data: [DONE]"]


@asynccontextmanager
async def standing_in() -> AsyncGenerator[StandIn]:
    """Serve on a free port of this computer."""
    stand_in = StandIn()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(stand_in.app, log_level="critical", timeout_graceful_shutdown=1))
    task = asyncio.create_task(server.serve(sockets=[listener]))
    stand_in.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    yield stand_in
    server.should_exit = True
    await task
