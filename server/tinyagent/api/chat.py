"""`POST /v1/chat/completions`: the agent, function calling, or a model's own chat, told in one way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from tinyagent.api.attempts import AttemptHere
from tinyagent.api.chat_answer import DONE, Chunks, Head, completion, run_body
from tinyagent.api.chat_request import ChatRequest
from tinyagent.api.cutting import Answer, cut
from tinyagent.api.failures import error_of, error_response, internal_error
from tinyagent.api.modes import Mode, mode_of
from tinyagent.api.pieces import Gathered, counted, gathered, plain_pieces
from tinyagent.api.request_ids import HEADER, IdentifiedRoute, new_id
from tinyagent.api.serving import Serving, ServingHere
from tinyagent.api.sse import EventStream, until_disconnect
from tinyagent.domain.run import RunState
from tinyagent.engine.completion import Piece, run_pieces
from tinyagent.errors import TinyAgentError

router = APIRouter(route_class=IdentifiedRoute)

NO_RETRY = {"x-should-retry": "false"}
"""A repeated request would find the same run: its failure is final."""


@dataclass(frozen=True)
class _Answering:
    """An answer about to be given. `left` is told at the end whether the client got everything."""

    body: ChatRequest
    mode: Mode
    head: Head
    name: str
    """The run's id, or that of the request where there is no run."""
    pieces: AsyncGenerator[Piece]
    answer: Answer
    left: Callable[[bool], None]

    @property
    def composed(self) -> bool:
        """Whether the text is no model's."""
        return self.mode.name == "agent" or not self.mode.chats

    @property
    def headers(self) -> dict[str, str]:
        return {HEADER: self.name}


@router.post("/v1/chat/completions")
async def chat_completions(
    body: ChatRequest, request: Request, serving: ServingHere, attempt: AttemptHere
) -> Response:
    """Continue a chat: by the agent, by calls of the client's tools, or by a model itself."""
    try:
        body.check()
        mode = mode_of(body.model, bool(body.tools), serving.runs.catalog)
        if mode.name == "agent":
            state = await attempt.start(serving.retries, body.run_request(mode))
            answering = _by_agent(body, mode, state, serving)
        else:
            answering = await _by_model(body, mode, serving, attempt.caller)
    except TinyAgentError as error:
        raise body.renamed(error) from None
    if body.stream:
        return EventStream(_frames(answering), serving.keepalive_s, answering.left, answering.headers)
    return await _whole(answering, request)


def _by_agent(body: ChatRequest, mode: Mode, state: RunState, serving: Serving) -> _Answering:
    """The run's answer. The run goes on for a while when the client leaves."""
    serving.watchers.attach(state.run)
    answer = Answer(body.stop or (), body.limit)
    return _Answering(
        body,
        mode,
        Head(f"chatcmpl-{state.run}", int(state.created.timestamp()), body.model),
        state.run,
        cut(run_pieces(serving.runs, state.run), answer),
        answer,
        partial(serving.watchers.detach, state.run),
    )


async def _by_model(body: ChatRequest, mode: Mode, serving: Serving, caller: str) -> _Answering:
    """An answer that is worked out as it is read: it stops when the client leaves."""
    if mode.model is not None and mode.name == "plain":
        pieces = plain_pieces(serving.runs.catalog, mode.model, body.chat_request())
    else:
        wanted = body.calling_request(mode, caller)
        await serving.calling.check(wanted)
        pieces = serving.calling.answer(wanted)
    answer = Answer((), None) if mode.chats else Answer(body.stop or (), body.limit)
    name = new_id()
    head = Head(f"chatcmpl-{name}", int(serving.runs.clock.now().timestamp()), body.model)
    told = cut(counted(pieces, serving, mode), answer)
    return _Answering(body, mode, head, f"req_{name}", told, answer, lambda finished: None)


# --- streaming -------------------------------------------------------------------------------


async def _frames(answering: _Answering) -> AsyncGenerator[bytes, None]:
    """The whole stream. Every end is told: a finish reason, or an error, then `[DONE]`."""
    chunks = Chunks(
        answering.head,
        answering.answer,
        composed=answering.composed,
        nullable=answering.mode.name == "calling",
        include_usage=answering.body.include_usage,
    )
    yield chunks.begin()
    try:
        async with aclosing(answering.pieces) as pieces:
            async for piece in pieces:
                for written in chunks.write(piece):
                    yield written
    except TinyAgentError as error:
        yield chunks.failure(answering.body.renamed(error))
    except Exception as failure:
        yield chunks.failure(internal_error(failure, answering.name))
    yield DONE


# --- in one piece ----------------------------------------------------------------------------


async def _whole(answering: _Answering, request: Request) -> Response:
    """Wait for the end and answer in one piece, unless the client leaves before."""
    gathering = asyncio.create_task(gathered(answering.pieces))
    gone = asyncio.create_task(until_disconnect(request.receive))
    final = {**answering.headers, **(NO_RETRY if answering.mode.name == "agent" else {})}
    try:
        await asyncio.wait({gathering, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not gathering.done():
            return Response(status_code=499)
        return _answer(answering, gathering.result(), final)
    except TinyAgentError as error:
        return error_response(answering.body.renamed(error), final)
    except Exception as failure:
        return error_response(internal_error(failure, answering.name), final)
    finally:
        answering.left(gathering.done())
        gathering.cancel()
        gone.cancel()


def _answer(answering: _Answering, whole: Gathered, final: dict[str, str]) -> Response:
    state = whole.ending.state
    if state is not None and state.fault is not None:
        return error_response(error_of(state.fault), final, tinyagent=run_body(state))
    body = completion(answering.head, whole, answering.answer, answering.composed)
    return JSONResponse(body, headers=answering.headers)
