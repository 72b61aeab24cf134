"""`POST /v1/chat/completions`: the agent, function calling, or a model's own chat, told in one way."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from tinyagent.api.answering import Answering, by_agent, by_model, check_answerable, whole
from tinyagent.api.attempts import Attempt, AttemptHere
from tinyagent.api.chat_answer import DONE, Chunks, Head, completion, run_body
from tinyagent.api.chat_request import ChatRequest
from tinyagent.api.failures import error_of, error_response, internal_error
from tinyagent.api.modes import Mode, mode_of
from tinyagent.api.pieces import gathered
from tinyagent.api.request_ids import IdentifiedRoute, new_id
from tinyagent.api.serving import Serving, ServingHere
from tinyagent.api.sse import EventStream
from tinyagent.errors import TinyAgentError

router = APIRouter(route_class=IdentifiedRoute)


@router.post("/v1/chat/completions")
async def chat_completions(
    body: ChatRequest, request: Request, serving: ServingHere, attempt: AttemptHere
) -> Response:
    """Continue a chat: by the agent, by calls of the client's tools, or by a model itself."""
    try:
        body.check()
        mode = mode_of(body.model, bool(body.tools), serving.runs.catalog)
        if mode.name == "agent":
            answering, head = await _by_agent(body, mode, serving, attempt)
        else:
            answering, head = await _by_model(body, mode, serving, attempt.caller)
    except TinyAgentError as error:
        raise body.renamed(error) from None
    if body.stream:
        frames = _frames(body, head, answering)
        return EventStream(frames, serving.keepalive_s, answering.left, answering.headers)
    return await whole(answering, _in_one_piece(head, answering), request, body.renamed)


async def _by_agent(
    body: ChatRequest, mode: Mode, serving: Serving, attempt: Attempt
) -> tuple[Answering, Head]:
    wanted, wording = body.run_request(mode), body.wording(mode)
    await check_answerable(mode, wording, serving, "response_format")
    state = await attempt.start(serving.retries, wanted)
    head = Head(f"chatcmpl-{state.run}", int(state.created.timestamp()), body.model)
    return by_agent(mode, state, wording, wanted.instructions, serving), head


async def _by_model(body: ChatRequest, mode: Mode, serving: Serving, caller: str) -> tuple[Answering, Head]:
    name = new_id()
    head = Head(f"chatcmpl-{name}", int(serving.runs.clock.now().timestamp()), body.model)
    asked = body.engine_request(mode, caller)
    return await by_model(mode, asked, f"req_{name}", body.wording(mode), serving), head


# --- streaming -------------------------------------------------------------------------------


async def _frames(body: ChatRequest, head: Head, answering: Answering) -> AsyncGenerator[bytes, None]:
    """The whole stream. Every end is told: a finish reason, or an error, then `[DONE]`."""
    chunks = Chunks(
        head,
        answering.answer,
        composed=answering.composed,
        nullable=answering.mode.name == "calling",
        include_usage=body.include_usage,
    )
    yield chunks.begin()
    try:
        async with aclosing(answering.pieces) as pieces:
            async for piece in pieces:
                for written in chunks.write(piece):
                    yield written
    except TinyAgentError as error:
        yield chunks.failure(body.renamed(error))
    except Exception as failure:
        yield chunks.failure(internal_error(failure, answering.name))
    yield DONE


# --- in one piece ----------------------------------------------------------------------------


async def _in_one_piece(head: Head, answering: Answering) -> Response:
    found = await gathered(answering.pieces)
    state = found.ending.state
    if state is not None and state.fault is not None:
        return error_response(error_of(state.fault), answering.final, tinyagent=run_body(state))
    body = completion(head, found, answering.answer, answering.composed)
    return JSONResponse(body, headers=answering.headers)
