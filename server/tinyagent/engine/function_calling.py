"""One turn of function calling: the next wave of a plan over the client's tools, or the final message."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import TypeVar

from tinyagent.engine.calling import CallingRequest
from tinyagent.engine.calling_turn import CallingTurn, allowed_tools
from tinyagent.engine.catalog import PlannerInfo
from tinyagent.engine.completion import Ending, Piece, Text
from tinyagent.engine.exchange import Done, Exchange, chat_of
from tinyagent.engine.kept_plans import KeptPlans
from tinyagent.engine.runs import RunService
from tinyagent.errors import DeadlineExceeded, InvalidRequest, PlannerFailed
from tinyagent.ports import ChatEnd, ChatRequest, Planner, Usage, WritingTask

__all__ = ["FunctionCalling", "chat_of"]

MAX_CALLS = 64
"""Calls for one message of the user's, after which it is answered with what there is."""

NO_TOOL_FITS = "None of the tools that were offered fits the request."

T = TypeVar("T")


class FunctionCalling:
    """Plans over clients' tools by the server's planners."""

    def __init__(self, runs: RunService) -> None:
        self._runs = runs
        self._kept = KeptPlans()

    async def check(self, request: CallingRequest) -> None:
        """Raise InvalidRequest, ModelNotFound or ModelUnavailable for what cannot be planned, before an
        answer is begun. No large model is loaded for that."""
        exchange = _exchange(request)
        info = self._info(request)
        if request.wording.schema is not None and not info.chats:
            raise InvalidRequest(
                f"The planner {info.name} writes no JSON of a given form.",
                hint=self._other_planners(),
                param="schema",
            )
        if request.choice.mode == "none":
            if not info.chats and not exchange.done:
                raise InvalidRequest(
                    f"The planner {info.name} cannot answer without calling tools.",
                    hint=self._other_planners(),
                    param="tool_choice",
                )
            return
        planner = await self._runs.catalog.get(info.name)
        unknown = [tool.name for tool in allowed_tools(request) if not planner.knows(tool.spec)]
        if unknown:
            raise InvalidRequest(
                f"The planner {info.name} cannot plan with {', '.join(unknown)}: it knows the built-in "
                "tools alone, with their own arguments, as `GET /v1/tools` describes them.",
                hint=self._other_planners(),
                param="tools",
            )

    async def answer(self, request: CallingRequest) -> AsyncGenerator[Piece]:
        """The next wave of calls (one ToolCall each), or the final message, then one Ending.

        Raises InvalidRequest, ModelNotFound, ModelUnavailable, Overloaded, DeadlineExceeded or a PlanError.
        """
        exchange = _exchange(request)
        info = self._info(request)
        usage, complaints = Usage(), list[str]()
        if request.choice.mode != "none" and len(exchange.done) < MAX_CALLS:
            turn = CallingTurn(request, exchange, self._kept)
            for call in turn.next_wave():
                yield call
            planner = None if turn.called else await self._planner(turn, info, request)
            if planner is not None:
                async with aclosing(_within(turn.plan(planner, self._now()), self._deadline())) as pieces:
                    async for piece in pieces:
                        yield piece
            usage, complaints = turn.usage, turn.complaints
            if turn.called:
                yield Ending("tool_calls", usage)
                return
            if request.choice.mode == "required":
                raise PlannerFailed(
                    f"The planner {info.name} found no call, and `tool_choice` asks for one.",
                    hint=" ".join([*complaints, "Say it in other words, or let `tool_choice` be auto."]),
                )
            if complaints and not exchange.done:
                raise PlannerFailed(
                    f"The planner {info.name} found no call that can be made: {' '.join(complaints)}",
                    hint="Say the request in other words, or use another planner.",
                )
        async with aclosing(self._words(request, exchange, info, usage, complaints)) as pieces:
            async for piece in pieces:
                yield piece

    async def _planner(self, turn: CallingTurn, info: PlannerInfo, request: CallingRequest) -> Planner | None:
        """The planner where there may be something left to plan."""
        planner = await self._runs.catalog.get(info.name)
        finished = turn.follows_plan and not planner.can_replan
        if finished and request.choice.mode == "required":
            raise InvalidRequest(
                "Every call of the plan was made, and `tool_choice` asks for another one.",
                hint="Let it be auto or none once results are there.",
                param="tool_choice",
            )
        return None if finished else planner

    async def _words(
        self,
        request: CallingRequest,
        exchange: Exchange,
        info: PlannerInfo,
        usage: Usage,
        complaints: Sequence[str],
    ) -> AsyncGenerator[Piece]:
        """The final message: by the model where it can chat, by the writer or composed otherwise."""
        if not info.chats:
            composed = _composed(exchange.done, complaints)
            task = WritingTask("answer", composed, exchange.query, exchange.instructions)
            written = await self._runs.writer.write(task) if exchange.done else None
            yield Text(written.text if written and written.text else composed)
            yield Ending("stop", usage)
            return
        model = await self._runs.catalog.chat(info.name)
        wording = request.wording
        chat = ChatRequest(
            chat_of(request.turns),
            wording.max_tokens,
            wording.temperature,
            wording.top_p,
            wording.seed,
            wording.stop,
            wording.schema,
        )
        async with aclosing(_within(model.chat(chat), self._deadline())) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatEnd):
                    yield Ending(piece.finish_reason, usage + piece.usage)
                else:
                    yield Text(piece)

    def _info(self, request: CallingRequest) -> PlannerInfo:
        name = self._runs.catalog.resolve(request.planner)
        return next(info for info in self._runs.catalog.infos() if info.name == name)

    def _other_planners(self) -> str:
        able = [info.name for info in self._runs.catalog.infos() if info.chats]
        listed = ", ".join(f"tinyagent:{name}" for name in able) or "none is configured"
        return f"Models that read any tool and write prose: {listed}."

    def _deadline(self) -> float:
        return time.monotonic() + self._runs.limits.run_deadline_s

    def _now(self) -> datetime:
        return self._runs.clock.now().replace(tzinfo=None, microsecond=0)


def _exchange(request: CallingRequest) -> Exchange:
    exchange = Exchange.of(request.turns)
    if exchange is None:
        raise InvalidRequest(
            "The conversation must end with a message of the user's or with results of calls.",
            hint="The last user message is the request.",
            param="messages",
        )
    return exchange


def _composed(done: Sequence[Done], complaints: Sequence[str]) -> str:
    """What came back, for people, where no model is there to put it into words."""
    if not done and not complaints:
        return NO_TOOL_FITS
    told = [one.result if len(done) == 1 else f"{one.call.name}: {one.result}" for one in done]
    return "\n".join([*told, *complaints])


async def _within(stream: AsyncIterator[T], deadline: float) -> AsyncGenerator[T]:
    """The pieces of a stream that come before a moment of the monotonic clock. Raises DeadlineExceeded."""
    try:
        while True:
            try:
                yield await asyncio.wait_for(anext(stream), deadline - time.monotonic())
            except StopAsyncIteration:
                return
            except TimeoutError:
                raise DeadlineExceeded(
                    "The model did not come to an end in the time that a run may take.",
                    hint="Ask for less, or raise run_deadline_s in the settings.",
                ) from None
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()
