"""Plan every case with any selector and planner, and score what comes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast

from tinyagent.domain.plan import END_OF_PLAN, JOIN
from tinyagent.domain.tools import ToolSpec
from tinyagent.errors import DeadlineExceeded, ModelUnavailable, TinyAgentError
from tinyagent.evaluation.cases import Case
from tinyagent.evaluation.scoring import Score, score_plan
from tinyagent.ports import Planner, PlanRequest, Selection, ToolSelector, Usage

Retrieval = Literal["reference", "predicted"]

EMPTY_PLAN = f"1. {JOIN}(){END_OF_PLAN}"
DEADLINE_S = 300.0


@dataclass(frozen=True)
class Planning:
    """What planning one request brought; `milliseconds` go from the request to the whole plan."""

    text: str
    selection: Selection
    usage: Usage
    milliseconds: float


@dataclass(frozen=True)
class Outcome:
    """A case with its score; `fault` says why the planner gave no plan."""

    case: Case
    plan: str
    tools: tuple[str, ...]
    usage: Usage
    milliseconds: float
    score: Score
    fault: str = ""


class ReferenceSelector:
    """Selects the tools of the right plan: what a planner could do with perfect retrieval."""

    def __init__(self, case: Case) -> None:
        self._needed = case.tools

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        """The needed tools, in the order in which they are offered."""
        chosen = tuple(spec.name for spec in tools if spec.name in self._needed)
        return Selection(chosen, {spec.name: float(spec.name in self._needed) for spec in tools})


async def plan_request(
    query: str,
    now: datetime,
    selector: ToolSelector,
    planner: Planner,
    tools: Sequence[ToolSpec],
    deadline_s: float = DEADLINE_S,
) -> Planning:
    """Select tools for a request and plan with them; no selected tool means the empty plan.

    Raises DeadlineExceeded, and whatever selector and planner raise.
    """
    started = time.perf_counter()
    usage = Usage()
    try:
        async with asyncio.timeout(deadline_s):
            selection = await selector.select(query, tools)
            offered = tuple(spec for spec in tools if spec.name in selection.tools)
            text = EMPTY_PLAN
            if offered:
                request = PlanRequest(query, now, offered, scores=selection.scores)
                text, usage = await _collect(planner.plan(request))
    except TimeoutError:
        raise DeadlineExceeded(
            f"Planning took longer than {deadline_s:g} s.", hint="Choose a smaller planner with --planner."
        ) from None
    return Planning(text.strip(), selection, usage, (time.perf_counter() - started) * 1000)


async def _collect(stream: AsyncIterator[str | Usage]) -> tuple[str, Usage]:
    pieces: list[str] = []
    usage = Usage()
    async with aclosing(cast("AsyncGenerator[str | Usage]", stream)) as items:
        async for item in items:
            if isinstance(item, Usage):
                usage = item
            else:
                pieces.append(item)
    return "".join(pieces), usage


async def evaluate(
    cases: Sequence[Case],
    planner: Planner,
    tools: Sequence[ToolSpec],
    selector: ToolSelector | None = None,
    deadline_s: float = DEADLINE_S,
) -> AsyncGenerator[Outcome]:
    """Plan and score case by case; without a selector the reference plan's tools are given.

    A case that the planner fails on counts as a failure with an empty text. Raises
    ModelUnavailable, since then no case could be planned.
    """
    for case in cases:
        started = time.perf_counter()
        try:
            planning = await plan_request(
                case.query, case.now, selector or ReferenceSelector(case), planner, tools, deadline_s
            )
        except ModelUnavailable:
            raise
        except Exception as error:  # one broken case must not cost the others
            fault = (
                error.message
                if isinstance(error, TinyAgentError)
                else f"{type(error).__name__} in the planner"
            )
            milliseconds = (time.perf_counter() - started) * 1000
            yield Outcome(case, "", (), Usage(), milliseconds, score_plan(case.plan, ""), fault)
            continue
        score = score_plan(case.plan, planning.text)
        yield Outcome(
            case,
            planning.text,
            planning.selection.tools,
            planning.usage,
            planning.milliseconds,
            score,
            score.fault,
        )
