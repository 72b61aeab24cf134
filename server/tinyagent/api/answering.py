"""An answer about to be given, whoever gives it and whichever OpenAI route asked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from tinyagent.api.cutting import Answer, cut
from tinyagent.api.failures import error_response, internal_error
from tinyagent.api.modes import Mode
from tinyagent.api.pieces import count, counted, plain_pieces
from tinyagent.api.request_ids import HEADER
from tinyagent.api.serving import Serving
from tinyagent.api.waiting import GONE_STATUS, ClientGone, unless_gone
from tinyagent.domain.run import RunState
from tinyagent.engine.calling import CallingRequest, Wording
from tinyagent.engine.completion import Piece, run_pieces
from tinyagent.engine.formed_answer import check_form, formed_pieces
from tinyagent.engine.function_calling import other_planners
from tinyagent.errors import InvalidRequest, TinyAgentError
from tinyagent.ports import ChatRequest

NO_RETRY = {"x-should-retry": "false"}
"""A repeated request would find the same run: its failure is final."""


def _nobody(finished: bool) -> None:
    """For answers that nobody else waits for."""


@dataclass(frozen=True)
class Answering:
    """`name` is the run's id or, where there is no run, that of the request. `answer` counts the text, which
    is no model's where it is `composed`. `left` is told at the end whether the client got everything."""

    name: str
    mode: Mode
    pieces: AsyncGenerator[Piece]
    answer: Answer
    composed: bool
    left: Callable[[bool], None] = _nobody

    @property
    def headers(self) -> dict[str, str]:
        return {HEADER: self.name}

    @property
    def final(self) -> dict[str, str]:
        """The headers of a failure."""
        return {**self.headers, **(NO_RETRY if self.mode.name == "agent" else {})}


async def check_answerable(mode: Mode, wording: Wording, serving: Serving, param: str) -> None:
    """Refuse a form that the agent's answer cannot have; `param` asks for it. Call before its run is started.

    Raises InvalidRequest, and what `check_form` does.
    """
    if wording.schema is None:
        return
    model = serving.runs.catalog.resolve(mode.model)
    if not mode.chats:
        raise InvalidRequest(
            f"`{param}` asks for JSON of a given form, which the planner {model} does not write.",
            hint=other_planners(serving.runs.catalog),
            param=param,
        )
    await check_form(serving.runs, model, wording)


def by_agent(mode: Mode, state: RunState, wording: Wording, instructions: str, serving: Serving) -> Answering:
    """The run's answer as it was asked for. The run goes on for a while when the client leaves."""
    serving.watchers.attach(state.run)
    composed = wording.schema is None
    if composed:
        pieces, answer = run_pieces(serving.runs, state.run), Answer(wording.stop, wording.max_tokens)
    else:
        model = serving.runs.catalog.resolve(mode.model)
        pieces = formed_pieces(
            serving.runs, state.run, model, wording, instructions, partial(count, serving, model)
        )
        answer = Answer((), None)
    left = partial(serving.watchers.detach, state.run)
    return Answering(state.run, mode, cut(pieces, answer), answer, composed, left)


async def by_model(
    mode: Mode, asked: ChatRequest | CallingRequest, name: str, wording: Wording, serving: Serving
) -> Answering:
    """An answer that is worked out as it is read: it stops when the client leaves."""
    if isinstance(asked, CallingRequest):
        await serving.calling.check(asked)
        pieces = serving.calling.answer(asked)
    else:
        assert mode.model is not None
        pieces = plain_pieces(serving.runs.catalog, mode.model, asked)
    answer = Answer((), None) if mode.chats else Answer(wording.stop, wording.max_tokens)
    return Answering(name, mode, cut(counted(pieces, serving, mode), answer), answer, not mode.chats)


async def whole(
    answering: Answering,
    work: Coroutine[Any, Any, Response],
    request: Request,
    renamed: Callable[[TinyAgentError], TinyAgentError],
) -> Response:
    """The answer in one piece, which `work` makes, unless the client leaves before. `renamed` gives errors
    the names of the request's own parameters."""
    there = True
    try:
        return await unless_gone(work, request)
    except ClientGone:
        there = False
        return Response(status_code=GONE_STATUS)
    except asyncio.CancelledError:
        there = False
        raise
    except TinyAgentError as error:
        return error_response(renamed(error), answering.final)
    except Exception as failure:
        return error_response(internal_error(failure, answering.name), answering.final)
    finally:
        answering.left(there)
