"""`POST /v1/chat/completions` in agent mode: a request becomes a run, its events become the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response

from tinyagent.api.chat_answer import DONE, Chunks, answer_of, completion, run_body
from tinyagent.api.chat_request import ChatRequest
from tinyagent.api.failures import error_of, error_response, internal_error
from tinyagent.api.retries import fingerprint
from tinyagent.api.serving import Caller, Serving, ServingHere
from tinyagent.api.sse import EventStream, until_disconnect
from tinyagent.domain import events as ev
from tinyagent.domain.run import RunState
from tinyagent.engine.runs import RunService
from tinyagent.errors import TinyAgentError

router = APIRouter()

ROUTE = "/v1/chat/completions"
NO_RETRY = {"x-should-retry": "false"}
"""A repeated request would find the same run: its failure is final."""


@router.post(ROUTE)
async def chat_completions(
    body: ChatRequest,
    request: Request,
    serving: ServingHere,
    caller: Caller,
    idempotency_key: Annotated[str | None, Header()] = None,
    x_stainless_retry_count: Annotated[int, Header(ge=0)] = 0,
) -> Response:
    """Plan the last user message, run the tools and answer."""
    state = await _start(
        body, await request.body(), serving, caller, idempotency_key, x_stainless_retry_count
    )
    serving.watchers.attach(state.run)
    headers = {"x-request-id": state.run}
    if body.stream:
        frames = _frames(body, state, serving.runs)
        return EventStream(frames, serving.keepalive_s, partial(serving.watchers.detach, state.run), headers)
    return await _whole(body, state, serving, request, headers)


async def _start(
    body: ChatRequest, raw: bytes, serving: Serving, caller: str, key: str | None, retry_count: int
) -> RunState:
    wanted = body.run_request()
    try:
        if key is not None:
            return await serving.retries.start_with_key(wanted, caller, ROUTE, key)
        return await serving.retries.start(wanted, fingerprint(caller.encode(), raw), retry_count > 0)
    except TinyAgentError as error:
        error.param = _CHAT_PARAMS.get(error.param or "", error.param)
        raise


_CHAT_PARAMS = {"query": "messages", "planner": "model"}
"""What the engine's parameters are called in a chat request."""


# --- streaming -------------------------------------------------------------------------------


async def _frames(body: ChatRequest, started: RunState, runs: RunService) -> AsyncGenerator[bytes, None]:
    """The whole stream. Every end is told: a finish reason, or an error, then `[DONE]`."""
    chunks = Chunks(started, body)
    yield chunks.role()
    try:
        async for piece in _run_frames(body, chunks, started.run, runs):
            yield piece
    except TinyAgentError as error:
        yield chunks.failure(error)
    except Exception as failure:
        yield chunks.failure(internal_error(failure, started.run))
    yield DONE


async def _run_frames(
    body: ChatRequest, chunks: Chunks, run: str, runs: RunService
) -> AsyncGenerator[bytes, None]:
    answer = answer_of(body)
    async for event in runs.events(run):
        yield chunks.event(event)
        text = ""
        match event:
            case ev.PlanDelta(data=data):
                yield chunks.plan(data.text)
            case ev.AnswerDelta(data=data):
                text = answer.feed(data.text)
            case ev.RunCompleted(data=data):
                text = answer.close(data.answer)
            case _:
                pass
        if text:
            yield chunks.content(text)
    state = await runs.get(run)
    _raise_failure(state)
    yield chunks.finish(answer.finish_reason)
    if body.include_usage:
        yield chunks.usage(state, answer)


def _raise_failure(state: RunState) -> None:
    if state.fault is not None:
        raise error_of(state.fault)


# --- in one piece ----------------------------------------------------------------------------


async def _whole(
    body: ChatRequest, state: RunState, serving: Serving, request: Request, headers: dict[str, str]
) -> Response:
    """Wait for the end of the run and answer in one piece, unless the client leaves before."""
    ending = asyncio.create_task(_ending(state.run, serving.runs))
    gone = asyncio.create_task(until_disconnect(request.receive))
    try:
        await asyncio.wait({ending, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not ending.done():
            return Response(status_code=499)
        return _answer(body, ending.result(), headers)
    except TinyAgentError as error:
        return error_response(error, {**headers, **NO_RETRY})
    except Exception as failure:
        return error_response(internal_error(failure, state.run), {**headers, **NO_RETRY})
    finally:
        serving.watchers.detach(state.run, ending.done())
        ending.cancel()
        gone.cancel()


async def _ending(run: str, runs: RunService) -> RunState:
    async for _ in runs.events(run):
        pass
    return await runs.get(run)


def _answer(body: ChatRequest, state: RunState, headers: dict[str, str]) -> Response:
    if state.fault is not None:
        return error_response(error_of(state.fault), {**headers, **NO_RETRY}, tinyagent=run_body(state))
    answer = answer_of(body)
    answer.close(state.answer)
    return JSONResponse(completion(state, body, answer), headers=headers)
