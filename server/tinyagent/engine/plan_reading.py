"""One plan as it streams in: every call is handed on the moment that its line ends."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from tinyagent.domain import events as ev
from tinyagent.domain.plan import Call
from tinyagent.domain.plan_parser import PlanParser
from tinyagent.domain.tools import ToolSpec
from tinyagent.engine.recorder import Recorder
from tinyagent.engine.scheduler import Scheduler
from tinyagent.errors import PlannerFailed, UnknownTool
from tinyagent.ports import Usage

DELTA_CHARACTERS = 80


class PlanReading:
    """Reads one plan, records it and hands its calls on; with `run=False` none is carried out."""

    def __init__(
        self, recorder: Recorder, scheduler: Scheduler, offered: Sequence[ToolSpec], round: int, run: bool
    ) -> None:
        self._recorder = recorder
        self._scheduler = scheduler
        self._offered = {spec.name: spec for spec in offered}
        self._round = round
        self._run = run
        self.text = ""
        self._unsent = ""
        self._usage = Usage()

    async def read(self, stream: AsyncIterator[str | Usage]) -> None:
        """Read until the plan ends. Raises PlanError at the first thing that is no plan."""
        parser = PlanParser()
        async for piece in stream:
            if isinstance(piece, Usage):
                self._usage = piece
                continue
            self.text += piece
            self._unsent += piece
            if "\n" in piece or len(self._unsent) >= DELTA_CHARACTERS:
                await self._send()
            for call in parser.feed(piece):
                await self._take(call)
        await self._send()
        parser.close()
        if not self.text.strip():
            raise PlannerFailed("The planner wrote nothing.", hint="Try again, or use another planner.")

    async def complete(self, milliseconds: float) -> None:
        """Record the end of the plan."""
        await self._send()
        await self._recorder.record(
            ev.PlanCompletedData(
                text=self.text,
                round=self._round,
                prompt_tokens=self._usage.prompt_tokens,
                plan_tokens=self._usage.plan_tokens,
                cached_tokens=self._usage.cached_tokens,
                milliseconds=milliseconds,
                prompt_ms=self._usage.prompt_ms,
                plan_ms=self._usage.plan_ms,
            )
        )

    async def _take(self, call: Call) -> None:
        if call.is_join:
            return
        await self._send()
        spec = self._offered.get(call.tool)
        if spec is None:
            raise UnknownTool(
                f"The plan calls {call.tool}, which was not among the tools offered for this request.",
                hint="Say the request in other words.",
            )
        await self._scheduler.add(call, spec, self._round, run=self._run)

    async def _send(self) -> None:
        if self._unsent:
            text, self._unsent = self._unsent, ""
            await self._recorder.record(ev.PlanDeltaData(text=text))
