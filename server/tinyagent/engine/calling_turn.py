"""What is to be called next: by the plan that the conversation follows, or by a new one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from datetime import datetime
from typing import Any, cast

from tinyagent.domain.plan import Call
from tinyagent.domain.plan_parser import PlanParser
from tinyagent.engine.calling import CallingRequest, ClientTool
from tinyagent.engine.completion import Reasoning, ToolCall
from tinyagent.engine.exchange import Done, Exchange
from tinyagent.engine.kept_plans import KeptPlan, KeptPlans, Offer, call_id, new_key
from tinyagent.engine.waves import Wave
from tinyagent.errors import PlanError, PlannerFailed
from tinyagent.ports import Planner, PlanRequest, Usage

MAX_PLANNED = 32
"""Calls of one plan."""


class CallingTurn:
    """One turn of a conversation. `called` says whether it has asked the client for anything."""

    def __init__(self, request: CallingRequest, exchange: Exchange, store: KeptPlans) -> None:
        self._request = request
        self._exchange = exchange
        self._store = store
        self._tools = allowed_tools(request)
        self._plan = store.find(request.caller, [one.call.id for one in exchange.done])
        self.usage = Usage()
        self.called = False
        self.complaints: list[str] = []
        """Why what was planned cannot be called, in sentences."""

    @property
    def plan_is_done(self) -> bool:
        """Whether the conversation follows a plan for these tools, which has nothing more to call now."""
        if self._plan is None or self.called:
            return False
        same = len(self._plan.still_offered(self._tools)) == len(self._tools)
        return same and (
            self._request.choice.mode != "required" or len(self._tools) == len(self._plan.offers)
        )

    def next_wave(self) -> Iterator[ToolCall]:
        """The calls of the plan that is followed whose results have come since the last turn."""
        if self._plan is None:
            return
        by_id = {one.call.id: one for one in self._exchange.done}
        done = {index: by_id[call] for index, call in self._plan.ids.items() if call in by_id}
        tools = self._plan.still_offered(self._tools)
        wave = Wave(tools, done, dict(self._plan.ids), once=False)
        for index, call in self._plan.calls.items():
            if index not in done:
                yield from self._offer(wave.add(call))
        self.complaints = wave.complaints

    async def plan(self, planner: Planner, now: datetime) -> AsyncGenerator[Reasoning | ToolCall]:
        """Plan, each call as soon as it is known. Raises PlanError when nothing can be made of the plan."""
        again = planner.can_replan
        request = PlanRequest(
            query=self._exchange.query,
            now=now,
            tools=tuple(tool.spec for tool in self._tools),
            instructions=self._exchange.instructions,
            history=self._exchange.history,
            tasks=self._exchange.tasks(self._tools) if again else (),
            first_index=1 + len(self._exchange.done) if again else 1,
            must_call=self._request.choice.mode == "required",
        )
        drafting = _Drafting(self._tools, self._exchange.done, again)
        self.complaints = drafting.wave.complaints
        async with aclosing(cast("AsyncGenerator[str | Usage]", planner.plan(request))) as stream:
            try:
                async for piece in stream:
                    if isinstance(piece, Usage):
                        self.usage += piece
                        continue
                    yield Reasoning(piece)
                    for call in drafting.feed(piece):
                        for offered in self._offer(call):
                            yield offered
                drafting.close()
            except PlanError:
                if not self.called:
                    raise
        if self._request.choice.mode == "required" and not self.called:
            for offered in self._offer(drafting.repeated()):
                yield offered
        self._store.keep(self._request.caller, drafting.key, drafting.kept())

    def _offer(self, call: ToolCall | None) -> Iterator[ToolCall]:
        """A call that is ready, unless another one was offered and they are to come one by one."""
        if call is not None and (self._request.parallel or not self.called):
            self.called = True
            yield call


class _Drafting:
    """A plan while it is written. A planner that does not see what was done plans all of it again: its
    calls then take the places of the earlier ones of the same tools, in their order."""

    def __init__(self, tools: tuple[ClientTool, ...], done: tuple[Done, ...], again: bool) -> None:
        self.key = new_key()
        self._tools = {tool.spec.name: tool for tool in tools}
        self._parser = PlanParser()
        self._calls: dict[int, Call] = {}
        self._ids: dict[int, str] = {}
        self._unclaimed = [] if again else list(done)
        earlier = dict(enumerate(done, 1)) if again else {}
        self._ids.update({index: one.call.id for index, one in earlier.items()})
        self._done: dict[int, Done] = earlier
        self.wave = Wave(tools, earlier, self._ids, once=again)

    def feed(self, text: str) -> Iterator[ToolCall | None]:
        """Take a piece of the plan; the calls that it ends, None for those that cannot be made now."""
        for call in self._parser.feed(text):
            if not call.is_join:
                yield self._take(call)

    def close(self) -> None:
        """Say that the plan is whole. Raises PlanError."""
        self._parser.close()

    def kept(self) -> KeptPlan:
        """The plan for the turns to come."""
        offers = {name: Offer.of(tool) for name, tool in self._tools.items()}
        return KeptPlan(dict(self._calls), dict(self._ids), offers)

    def repeated(self) -> ToolCall | None:
        """The first call that was not made again because it was made before, now to be made."""
        if not self.wave.repeats:
            return None
        call = self.wave.repeats[0]
        self._ids[int(call.id.rpartition("_")[2])] = call.id
        return call

    def _take(self, call: Call) -> ToolCall | None:
        if len(self._calls) >= MAX_PLANNED or call.index in self._ids:
            raise PlannerFailed(
                "The plan is too long or uses a number twice.", hint="Say the request in other words."
            )
        tool = self._tools.get(call.tool)
        self._ids[call.index] = call_id(self.key, call.index)
        if tool is not None:
            try:
                call = tool.spec.bind(call)
            except PlanError as error:
                return self.wave.lose(call.index, error)
            claimed = self._claim(tool, call)
            if claimed is not None:
                self._ids[call.index] = claimed.call.id
                return self.wave.settle(call.index, claimed)
        self._calls[call.index] = call
        return self.wave.add(call)

    def _claim(self, tool: ClientTool, call: Call) -> Done | None:
        """The earlier call that this one is: one with the same arguments, or else the first of the tool."""
        same = [one for one in self._unclaimed if one.call.name == tool.name]
        if not same:
            return None
        try:
            arguments = self.wave.arguments(tool, call)
        except PlanError:
            arguments = None
        found = next((one for one in same if one.call.arguments == arguments), same[0])
        self._unclaimed.remove(found)
        return found


def allowed_tools(request: CallingRequest) -> tuple[ClientTool, ...]:
    """The tools that may be called in this turn."""
    names: Any = request.choice.names
    return tuple(tool for tool in request.tools if names is None or tool.name in names)
