"""`nano`, the bundled planner: one encoder pass shared with Tool RAG, then a pointer decoder."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from datetime import datetime
from typing import Generic

from tinyagent.domain.plan import END_OF_PLAN, JOIN, format_call
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import PlannerFailed
from tinyagent.planners.inner import DraftCall, PlanCompiler
from tinyagent.planners.namesakes import absent_arguments, by_name, can_be_planned
from tinyagent.planners.network import EncodedT, PointerNetwork
from tinyagent.planners.pointer import Search, Writing
from tinyagent.ports import PlanRequest, Usage


class NanoPlanner(Generic[EncodedT]):
    """Plans with the sixteen built-in tools and their namesakes. It never sees what was done."""

    name = "nano"
    can_replan = False

    def __init__(
        self,
        network: PointerNetwork[EncodedT],
        *,
        search: Search | None = None,
        compiler: Callable[[str, datetime, int], PlanCompiler] = PlanCompiler,
    ) -> None:
        self._network, self._search, self._compiler = network, search, compiler
        self._busy = threading.Lock()

    def knows(self, tool: ToolSpec) -> bool:
        """Whether it is one of the tools that the network was trained with, or is just like one."""
        return can_be_planned(tool)

    async def plan(self, request: PlanRequest) -> AsyncGenerator[str | Usage]:
        """Stream the plan, a line as soon as it is decoded.

        The work between two lines runs in a thread; closing the iterator ends it with that line.
        """
        encoded = await self._network.encode(request.query)
        writing_s = 0.0
        tools = [tool for tool in request.tools if self.knows(tool)]
        compiler = self._compiler(request.query, request.now, request.first_index)
        index = request.first_index
        try:
            began = time.monotonic()
            writing = await asyncio.to_thread(self._begin, request, encoded, tools)
            calls = writing.calls()
            while (draft := await asyncio.to_thread(self._advance, calls)) is not None:
                line = format_call(by_name(compiler.compile(draft), tools)) + "\n"
                writing_s += time.monotonic() - began
                yield line
                began, index = time.monotonic(), index + 1
            writing_s += time.monotonic() - began
        except (RuntimeError, ValueError, IndexError, KeyError) as error:
            raise PlannerFailed(
                "The planner nano stopped with an error.",
                hint="Say it in other words, or choose another planner.",
            ) from error
        yield f"{index}. {JOIN}(){END_OF_PLAN}"
        yield Usage(
            prompt_tokens=len(encoded.offsets),
            plan_tokens=writing.steps,
            prompt_ms=encoded.milliseconds,
            plan_ms=writing_s * 1000,
        )

    def _begin(self, request: PlanRequest, encoded: EncodedT, tools: Sequence[ToolSpec]) -> Writing[EncodedT]:
        return Writing(
            self._network,
            request.query,
            encoded,
            [tool.name for tool in tools],
            self._search,
            absent=absent_arguments(tools),
            must_call=request.must_call,
        )

    def _advance(self, calls: Iterator[DraftCall]) -> DraftCall | None:
        with self._busy:
            return next(calls, None)

    async def close(self) -> None:
        """Nothing is held open."""
