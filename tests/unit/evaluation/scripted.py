"""Cases, and planners and selectors whose answers a test writes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tinyagent.domain.plan_parser import parse_plan
from tinyagent.domain.tools import ToolSpec
from tinyagent.evaluation.cases import Case
from tinyagent.evaluation.runner import Outcome
from tinyagent.evaluation.scoring import score_plan
from tinyagent.evaluation.subjects import CaseFile, Subject
from tinyagent.ports import Planner, PlanRequest, Selection, Usage
from tinyagent.tools.registry import BUILT_IN

TOOLS = tuple(tool.spec for tool in BUILT_IN)
NOW = datetime(2025, 3, 8, 11, 20)


def case(name: str, plan: str, query: str = "", tags: Sequence[str] = ()) -> Case:
    return Case(name, NOW, query or f"request {name}", parse_plan(plan), tuple(tags))


PHONE = case("phone", '1. get_phone_number("Ann")\n2. join()')
PLACE = case("place", '1. maps_open_location("Ghent")\n2. maps_open_location("Bruges")\n3. join()')
NOTHING = case("nothing", "1. join()")


def outcome(case: Case, plan: str, tools: Sequence[str] = (), milliseconds: float = 5.0) -> Outcome:
    score = score_plan(case.plan, plan)
    return Outcome(case, plan, tuple(tools), Usage(10, 5), milliseconds, score, score.fault)


class ScriptedPlanner:
    """Answers each request with the text, or the exception, that is written for it."""

    name = "scripted"
    can_replan = False

    def __init__(self, answers: Mapping[str, str | Exception]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def knows(self, tool: ToolSpec) -> bool:
        return True

    async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        self.asked.append(request.query)
        answer = self.answers[request.query]
        if isinstance(answer, Exception):
            raise answer
        yield answer
        yield Usage(prompt_tokens=100, plan_tokens=10)

    async def close(self) -> None:
        return None


class AllOfThem:
    """Selects all tools, whatever is asked."""

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        return Selection(tuple(tool.name for tool in tools), {})


def subject(planner: ScriptedPlanner, digest: str = "one", remote: bool = False) -> Subject:
    @asynccontextmanager
    async def opened() -> AsyncGenerator[Planner]:
        yield planner

    return Subject("scripted", "all tools", digest, opened, AllOfThem(), remote=remote)


def case_file(*cases: Case, sha256: str = "0" * 64) -> CaseFile:
    return CaseFile("cases", Path("cases.jsonl"), sha256, list(cases), [])


@dataclass
class CountingBar:
    """Counts what a progress bar is told."""

    done: int = 0

    def advance(self) -> None:
        self.done += 1


def silent(description: str, total: int) -> nullcontext[CountingBar]:
    return nullcontext(CountingBar())
