"""One turn of function calling: the next wave of a plan over the client's tools, or the final message."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import datetime

from tinyagent.engine.calling import CallingRequest
from tinyagent.engine.calling_turn import CallingTurn, allowed_tools
from tinyagent.engine.catalog import PlannerCatalog, PlannerInfo
from tinyagent.engine.completion import Ending, Piece, Text
from tinyagent.engine.exchange import Done, Exchange, chat_of
from tinyagent.engine.kept_plans import KeptPlans
from tinyagent.engine.runs import RunService
from tinyagent.engine.streams import within
from tinyagent.errors import InvalidRequest, PlannerFailed, RequestTooLarge
from tinyagent.ports import ChatEnd, Usage, WritingTask

MAX_CALLS = 64
"""Calls for one message of the user's, after which it is answered with what there is."""

TOO_MANY = f"No more than {MAX_CALLS} calls are made for one message."

NO_TOOL_FITS = "None of the tools that were offered fits the request."


class FunctionCalling:
    """Plans over clients' tools by the server's planners."""

    def __init__(self, runs: RunService) -> None:
        self._runs = runs
        self._kept = KeptPlans()

    async def check(self, request: CallingRequest) -> None:
        """Raise InvalidRequest, RequestTooLarge, ModelNotFound or ModelUnavailable for what has no answer,
        before one is begun. The planner is loaded where calls may be made."""
        exchange = _exchange(request)
        info = self._info(request)
        if not info.chats:
            self._check_without_words(request, exchange, info)
        if request.choice.mode == "none":
            return
        if request.choice.mode == "required" and len(exchange.done) >= MAX_CALLS:
            raise _nothing_left(TOO_MANY)
        planner = await self._runs.catalog.get(info.name)
        unknown = [tool.name for tool in allowed_tools(request) if not planner.knows(tool.spec)]
        if unknown:
            raise InvalidRequest(
                f"The planner {info.name} cannot plan with {', '.join(unknown)}: it knows the built-in "
                "tools alone, with their own arguments, as `GET /v1/tools` describes them.",
                hint=other_planners(self._runs.catalog),
                param="tools",
            )
        if request.choice.mode == "required" and not planner.can_replan:
            turn = CallingTurn(request, exchange, self._kept)
            if not list(turn.next_wave()) and turn.plan_is_done:
                raise _nothing_left("Every call of the plan was made.")

    def _check_without_words(self, request: CallingRequest, exchange: Exchange, info: PlannerInfo) -> None:
        """Refuse what takes a model that writes prose, or reads more than a request."""
        if request.wording.schema is not None:
            raise InvalidRequest(
                f"The planner {info.name} writes no JSON of a given form.",
                hint=other_planners(self._runs.catalog),
                param="schema",
            )
        if request.choice.mode == "none" and not exchange.done:
            raise InvalidRequest(
                f"The planner {info.name} cannot answer without calling tools.",
                hint=other_planners(self._runs.catalog),
                param="tool_choice",
            )
        longest = self._runs.limits.max_query_characters
        if len(exchange.query) > longest:
            raise RequestTooLarge(
                f"The request has {len(exchange.query)} characters; the limit of the planner {info.name} is "
                f"{longest}.",
                hint="Say less in the last user message.",
                param="query",
            )

    async def answer(self, request: CallingRequest) -> AsyncGenerator[Piece]:
        """The next wave of calls (one ToolCall each), or the final message, then one Ending.

        Raises InvalidRequest, ModelNotFound, ModelUnavailable, Overloaded, DeadlineExceeded or a PlanError.
        """
        exchange = _exchange(request)
        info = self._info(request)
        usage, complaints = Usage(), list[str]()
        if request.choice.mode != "none" and len(exchange.done) >= MAX_CALLS:
            complaints = [TOO_MANY]
        elif request.choice.mode != "none":
            turn = CallingTurn(request, exchange, self._kept)
            for call in turn.next_wave():
                yield call
            planner = await self._runs.catalog.get(info.name)
            if not turn.called and (planner.can_replan or not turn.plan_is_done):
                async with aclosing(within(turn.plan(planner, self._now()), self._deadline())) as pieces:
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
        chat = request.wording.of(chat_of(request.turns))
        async with aclosing(within(model.chat(chat), self._deadline())) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatEnd):
                    yield Ending(piece.finish_reason, usage + piece.usage)
                else:
                    yield Text(piece)

    def _info(self, request: CallingRequest) -> PlannerInfo:
        name = self._runs.catalog.resolve(request.planner)
        return next(info for info in self._runs.catalog.infos() if info.name == name)

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
    if not exchange.query.strip():
        raise InvalidRequest("The last user message has no text: it is the request.", param="messages")
    return exchange


def _composed(done: Sequence[Done], complaints: Sequence[str]) -> str:
    """What came back, for people, where no model is there to put it into words."""
    if not done and not complaints:
        return NO_TOOL_FITS
    told = [one.result if len(done) == 1 else f"{one.call.name}: {one.result}" for one in done]
    return "\n".join([*told, *complaints])


def other_planners(catalog: PlannerCatalog) -> str:
    """A hint for those who ask too much of a planner that does not chat."""
    able = [info.name for info in catalog.infos() if info.chats and info.plans and info.available]
    if not able:
        return (
            'Configure one that reads any tool and writes prose: [planners.NAME] with kind = "llama" and '
            'profile = "chat", or kind = "openai".'
        )
    return f"Models that read any tool and write prose: {', '.join(f'tinyagent:{name}' for name in able)}."


def _nothing_left(reason: str) -> InvalidRequest:
    return InvalidRequest(
        f"{reason} `tool_choice` asks for another one.",
        hint="Let it be auto or none once results are there.",
        param="tool_choice",
    )
