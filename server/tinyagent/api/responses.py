"""`POST /v1/responses`: the agent, function calling and models themselves as the newer OpenAI API asks."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from tinyagent.api import stored_responses
from tinyagent.api.answering import Answering, by_agent, by_model, check_answerable, whole
from tinyagent.api.attempts import Attempt, AttemptHere
from tinyagent.api.failures import error_response, internal_error
from tinyagent.api.modes import mode_of
from tinyagent.api.pieces import broken_off
from tinyagent.api.request_ids import IdentifiedRoute, new_id
from tinyagent.api.responses_answer import Event, Growing
from tinyagent.api.responses_context import Context, response_of
from tinyagent.api.responses_question import Question
from tinyagent.api.responses_request import ResponseRequest, head_of, renamed
from tinyagent.api.responses_runs import end_of_run
from tinyagent.api.responses_store import Kept
from tinyagent.api.serving import Serving, ServingHere
from tinyagent.api.sse import EventStream, frame
from tinyagent.api.usage_body import tokens_of
from tinyagent.engine.completion import Ending
from tinyagent.errors import TinyAgentError

router = APIRouter(route_class=IdentifiedRoute)
router.include_router(stored_responses.router)


@dataclass(frozen=True)
class _Told:
    """An answer told as a response; `keep` is called when that is whole."""

    answering: Answering
    growing: Growing
    keep: Callable[[], None]

    async def events(self) -> AsyncGenerator[list[Event]]:
        """The events of each piece up to the end. Raises TinyAgentError."""
        async with aclosing(self.answering.pieces) as pieces:
            async for piece in pieces:
                if isinstance(piece, Ending):
                    yield self._end(piece)
                    return
                yield self.growing.take(piece)
        raise broken_off()

    def _end(self, ending: Ending) -> list[Event]:
        answer, composed = self.answering.answer, self.answering.composed
        if ending.state is not None:
            events = end_of_run(self.growing, ending, ending.state, answer, composed)
        else:
            reasoned = any(item["type"] == "reasoning" for item in self.growing.output)
            tokens = tokens_of(ending.usage, answer.tokens, reasoned=reasoned, composed=composed)
            events = self.growing.end(ending, tokens, time.time())
        if self.growing.error is None:
            self.keep()
        return events


@router.post("/v1/responses")
async def create_response(
    body: ResponseRequest, request: Request, serving: ServingHere, attempt: AttemptHere
) -> Response:
    """Answer: by the agent, by calls of the client's functions, or by a model itself."""
    key = new_id()
    try:
        body.check_supported()
        mode = mode_of(body.model, bool(body.tools), serving.runs.catalog)
        question = await Context(serving.runs, serving.responses, attempt.caller).question(body, mode, key)
        if mode.name == "agent":
            told = await _by_agent(question, serving, attempt)
        else:
            told = await _by_model(question, serving, attempt.caller, key)
    except TinyAgentError as error:
        raise renamed(error) from None
    answering = told.answering
    if body.stream:
        return EventStream(_frames(told), serving.keepalive_s, answering.left, answering.headers)
    return await whole(answering, _in_one_piece(told), request, renamed)


async def _by_agent(question: Question, serving: Serving, attempt: Attempt) -> _Told:
    """The run's response; what the journal does not tell of it is kept."""
    wanted, wording = question.run_request(), question.wording()
    await check_answerable(question.mode, wording, serving, "text.format")
    state = await attempt.start(serving.retries, wanted)
    response = response_of(state.run)
    head = head_of(question.body, response, state.created.timestamp())
    serving.responses.keep(response, Kept(attempt.caller, head, question.given))
    answering = by_agent(question.mode, state, wording, wanted.instructions, serving)
    growing = Growing(head, state.run)

    def keep() -> None:
        if not answering.composed:
            serving.responses.keep(response, Kept(attempt.caller, growing.body(), question.given))

    return _Told(answering, growing, keep)


async def _by_model(question: Question, serving: Serving, caller: str, key: str) -> _Told:
    """A model's response; it is kept when it is whole, unless the client wants otherwise."""
    response = f"resp_{key}"
    growing = Growing(head_of(question.body, response, serving.runs.clock.now().timestamp()), key)
    asked = question.engine_request(caller)
    answering = await by_model(question.mode, asked, response, question.wording(), serving)

    def keep() -> None:
        if question.body.store is not False:
            kept = Kept(caller, growing.body(), question.given, question.before)
            serving.responses.keep(response, kept)

    return _Told(answering, growing, keep)


# --- streaming -------------------------------------------------------------------------------


async def _frames(told: _Told) -> AsyncGenerator[bytes, None]:
    """The whole stream. Every end is told: completed, incomplete or failed."""
    growing = told.growing
    for event in growing.begin():
        yield _frame(event)
    try:
        async with aclosing(told.events()) as steps:
            async for step in steps:
                for event in step:
                    yield _frame(event)
    except TinyAgentError as error:
        for event in growing.fail(renamed(error)):
            yield _frame(event)
    except Exception as failure:
        for event in growing.fail(internal_error(failure, told.answering.name)):
            yield _frame(event)


def _frame(event: Event) -> bytes:
    return frame(json.dumps(event), event["type"])


# --- in one piece ----------------------------------------------------------------------------


async def _in_one_piece(told: _Told) -> Response:
    async with aclosing(told.events()) as steps:
        async for _ in steps:
            pass
    body = told.growing.body()
    if told.growing.error is not None:
        return error_response(told.growing.error, told.answering.final, tinyagent=body["tinyagent"])
    return JSONResponse(body, headers=told.answering.headers)
