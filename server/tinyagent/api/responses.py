"""`POST /v1/responses`: the agent, function calling and models themselves as the newer OpenAI API asks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from tinyagent.api import stored_responses
from tinyagent.api.attempts import Attempt, AttemptHere
from tinyagent.api.cutting import Answer, cut
from tinyagent.api.failures import error_response, internal_error
from tinyagent.api.modes import mode_of
from tinyagent.api.pieces import counted, plain_pieces
from tinyagent.api.request_ids import HEADER, IdentifiedRoute, new_id
from tinyagent.api.responses_answer import Event, Growing
from tinyagent.api.responses_context import Context, response_of
from tinyagent.api.responses_request import Question, ResponseRequest, head_of, renamed
from tinyagent.api.responses_runs import end_of_run
from tinyagent.api.responses_store import Kept, ResponseStore, StoreHere
from tinyagent.api.serving import Serving, ServingHere
from tinyagent.api.sse import EventStream, frame
from tinyagent.api.usage_body import tokens_of
from tinyagent.api.waiting import GONE_STATUS, ClientGone, unless_gone
from tinyagent.engine.completion import Ending, Piece, run_pieces
from tinyagent.errors import PlannerFailed, TinyAgentError

router = APIRouter(route_class=IdentifiedRoute)
router.include_router(stored_responses.router)

NO_RETRY = {"x-should-retry": "false"}
"""A repeated request would find the same run: its failure is final."""


@dataclass(frozen=True)
class _Answering:
    """An answer about to be given. `left` is told at the end whether the client got everything, `keep`
    that the response is whole."""

    name: str
    """The run's id, or that of the response where there is no run."""
    growing: Growing
    pieces: AsyncGenerator[Piece]
    answer: Answer
    composed: bool
    """Whether the text is no model's."""
    final: bool
    """Whether the failure of a repeated request would be the same."""
    left: Callable[[bool], None]
    keep: Callable[[], None]

    @property
    def headers(self) -> dict[str, str]:
        return {HEADER: self.name}

    async def events(self) -> AsyncGenerator[list[Event]]:
        """The events of each piece up to the end. Raises TinyAgentError."""
        async with aclosing(self.pieces) as pieces:
            async for piece in pieces:
                if isinstance(piece, Ending):
                    yield self._end(piece)
                    return
                yield self.growing.take(piece)
        raise PlannerFailed("The answer broke off.", hint="Try again; the server's log may say more.")

    def _end(self, ending: Ending) -> list[Event]:
        if ending.state is not None:
            return end_of_run(self.growing, ending.state, self.answer)
        reasoned = any(item["type"] == "reasoning" for item in self.growing.output)
        tokens = tokens_of(ending.usage, self.answer.tokens, reasoned=reasoned, composed=self.composed)
        events = self.growing.end(ending, tokens, time.time())
        self.keep()
        return events


@router.post("/v1/responses")
async def create_response(
    body: ResponseRequest, request: Request, serving: ServingHere, attempt: AttemptHere, store: StoreHere
) -> Response:
    """Answer: by the agent, by calls of the client's functions, or by a model itself."""
    key = new_id()
    try:
        body.check_supported()
        mode = mode_of(body.model, bool(body.tools), serving.runs.catalog)
        question = await Context(serving.runs, store, attempt.caller).question(body, mode, key)
        if mode.name == "agent":
            answering = await _by_agent(question, serving, attempt, store)
        else:
            answering = await _by_model(question, serving, attempt.caller, store, key)
    except TinyAgentError as error:
        raise renamed(error) from None
    if body.stream:
        return EventStream(_frames(answering), serving.keepalive_s, answering.left, answering.headers)
    return await _whole(answering, request)


async def _by_agent(
    question: Question, serving: Serving, attempt: Attempt, store: ResponseStore
) -> _Answering:
    """The run's answer. The run goes on for a while when the client leaves."""
    state = await attempt.start(serving.retries, question.run_request())
    response = response_of(state.run)
    head = head_of(question.body, response, state.created.timestamp())
    store.keep(response, Kept(attempt.caller, head, question.given))
    serving.watchers.attach(state.run)
    answer = Answer((), question.body.max_output_tokens)
    return _Answering(
        state.run,
        Growing(head, state.run),
        cut(run_pieces(serving.runs, state.run), answer),
        answer,
        composed=True,
        final=True,
        left=partial(serving.watchers.detach, state.run),
        keep=lambda: None,
    )


async def _by_model(
    question: Question, serving: Serving, caller: str, store: ResponseStore, key: str
) -> _Answering:
    """An answer that is worked out as it is read: it stops when the client leaves."""
    mode, limit = question.mode, question.body.max_output_tokens
    if mode.name == "plain" and mode.model is not None:
        pieces = plain_pieces(serving.runs.catalog, mode.model, question.chat_request())
    else:
        wanted = question.calling_request(caller)
        await serving.calling.check(wanted)
        pieces = serving.calling.answer(wanted)
    answer = Answer((), None if mode.chats else limit)
    response = f"resp_{key}"
    growing = Growing(head_of(question.body, response, serving.runs.clock.now().timestamp()), key)

    def keep() -> None:
        if question.body.store is not False:
            store.keep(response, Kept(caller, growing.body(), question.given, question.before))

    return _Answering(
        response,
        growing,
        cut(counted(pieces, serving, mode), answer),
        answer,
        composed=not mode.chats,
        final=False,
        left=lambda finished: None,
        keep=keep,
    )


# --- streaming -------------------------------------------------------------------------------


async def _frames(answering: _Answering) -> AsyncGenerator[bytes, None]:
    """The whole stream. Every end is told: completed, incomplete or failed."""
    growing = answering.growing
    for event in growing.begin():
        yield _frame(event)
    try:
        async with aclosing(answering.events()) as steps:
            async for step in steps:
                for event in step:
                    yield _frame(event)
    except TinyAgentError as error:
        for event in growing.fail(renamed(error)):
            yield _frame(event)
    except Exception as failure:
        for event in growing.fail(internal_error(failure, answering.name)):
            yield _frame(event)


def _frame(event: Event) -> bytes:
    return frame(json.dumps(event), event["type"])


# --- in one piece ----------------------------------------------------------------------------


async def _whole(answering: _Answering, request: Request) -> Response:
    """Wait for the end and answer in one piece, unless the client leaves before."""
    final = {**answering.headers, **(NO_RETRY if answering.final else {})}
    there = True
    try:
        await unless_gone(_grow(answering), request)
        return _answer(answering, final)
    except ClientGone:
        there = False
        return Response(status_code=GONE_STATUS)
    except asyncio.CancelledError:
        there = False
        raise
    except TinyAgentError as error:
        return error_response(renamed(error), final)
    except Exception as failure:
        return error_response(internal_error(failure, answering.name), final)
    finally:
        answering.left(there)


async def _grow(answering: _Answering) -> None:
    async with aclosing(answering.events()) as steps:
        async for _ in steps:
            pass


def _answer(answering: _Answering, final: dict[str, str]) -> Response:
    body = answering.growing.body()
    if answering.growing.error is not None:
        return error_response(answering.growing.error, final, tinyagent=body["tinyagent"])
    return JSONResponse(body, headers=answering.headers)
