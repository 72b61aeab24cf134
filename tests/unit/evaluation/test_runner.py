"""Evaluation with scripted selectors and planners."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime

import pytest

from tinyagent.domain.plan_parser import parse_plan
from tinyagent.domain.tools import Parameter, ToolSpec
from tinyagent.errors import DeadlineExceeded, ModelUnavailable, PlannerFailed
from tinyagent.evaluation import report, toolrag
from tinyagent.evaluation.cases import Case
from tinyagent.evaluation.runner import EMPTY_PLAN, Outcome, evaluate, plan_request
from tinyagent.ports import PlanRequest, Selection, Usage

TOOLS = tuple(
    ToolSpec(name, name, (Parameter("name", "str", "a name"),), "text", "read")
    for name in ("get_phone_number", "get_email_address", "maps_open_location")
)
NOW = datetime(2025, 3, 8, 11, 20)


def case(name: str, plan: str) -> Case:
    return Case(name, NOW, f"request {name}", parse_plan(plan))


PHONE = case("phone", '1. get_phone_number("Ann")\n2. join()')
PLACE = case("place", '1. maps_open_location("Ghent")\n2. maps_open_location("Bruges")\n3. join()')
NOTHING = case("nothing", "1. join()")


class ScriptedPlanner:
    """Answers each request with the text, or the exception, that is written for it."""

    name = "scripted"
    can_replan = False

    def __init__(self, answers: dict[str, str | Exception]) -> None:
        self.answers = answers
        self.asked: list[PlanRequest] = []

    def knows(self, tool: ToolSpec) -> bool:
        return True

    async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        self.asked.append(request)
        answer = self.answers[request.query]
        if isinstance(answer, Exception):
            raise answer
        half = len(answer) // 2
        yield answer[:half]
        yield answer[half:]
        yield Usage(prompt_tokens=100, plan_tokens=10)

    async def close(self) -> None:
        return None


class ScriptedSelector:
    """Selects what is written for each request."""

    def __init__(self, chosen: dict[str, tuple[str, ...]]) -> None:
        self.chosen = chosen

    async def select(self, query: str, tools: Sequence[ToolSpec]) -> Selection:
        return Selection(self.chosen.get(query, ()), {})


class SilentPlanner(ScriptedPlanner):
    """Never ends."""

    async def plan(self, request: PlanRequest) -> AsyncIterator[str | Usage]:
        await asyncio.Event().wait()
        yield ""


async def outcomes(
    planner: ScriptedPlanner, *cases: Case, selector: ScriptedSelector | None = None
) -> list[Outcome]:
    return [outcome async for outcome in evaluate(cases, planner, TOOLS, selector)]


async def test_with_reference_retrieval_the_planner_gets_the_tools_of_the_right_plan() -> None:
    planner = ScriptedPlanner({"request phone": '1. get_phone_number("ann")\n2. join()<END_OF_PLAN>'})
    (outcome,) = await outcomes(planner, PHONE)
    assert [spec.name for spec in planner.asked[0].tools] == ["get_phone_number"]
    assert planner.asked[0].now == NOW
    assert outcome.score.arguments_exact
    assert outcome.usage.prompt_tokens == 100
    assert outcome.plan == '1. get_phone_number("ann")\n2. join()<END_OF_PLAN>'


async def test_without_a_selected_tool_the_plan_is_empty_and_the_planner_is_not_asked() -> None:
    planner = ScriptedPlanner({})
    (nothing, phone) = await outcomes(planner, NOTHING, PHONE, selector=ScriptedSelector({}))
    assert planner.asked == []
    assert (nothing.plan, nothing.score.success) == (EMPTY_PLAN, True)
    assert (phone.plan, phone.score.success) == (EMPTY_PLAN, False)


async def test_a_failing_planner_costs_one_case() -> None:
    planner = ScriptedPlanner(
        {
            "request phone": PlannerFailed("The planner stopped."),
            "request place": '1. maps_open_location("Bruges")\n2. maps_open_location("Ghent")\n3. join()',
        }
    )
    failed, planned = await outcomes(planner, PHONE, PLACE)
    assert (failed.plan, failed.score.success, failed.fault) == ("", False, "The planner stopped.")
    assert planned.score.arguments_exact


async def test_a_programming_error_in_a_planner_costs_one_case() -> None:
    planner = ScriptedPlanner({"request phone": IndexError("private text")})
    (failed,) = await outcomes(planner, PHONE)
    assert (failed.plan, failed.fault) == ("", "IndexError in the planner")


async def test_a_missing_model_ends_the_evaluation() -> None:
    planner = ScriptedPlanner({"request phone": ModelUnavailable("No model.")})
    with pytest.raises(ModelUnavailable):
        await outcomes(planner, PHONE)


async def test_a_planner_that_never_ends_is_stopped() -> None:
    selector = ScriptedSelector({"request phone": ("get_phone_number",)})
    with pytest.raises(DeadlineExceeded):
        await plan_request("request phone", NOW, selector, SilentPlanner({}), TOOLS, deadline_s=0.01)


async def test_a_report_counts_what_the_outcomes_hold() -> None:
    planner = ScriptedPlanner(
        {
            "request phone": '1. get_phone_number("Ben")\n2. join()',
            "request place": '1. maps_open_location("Ghent")\n2. get_phone_number("Ann")\n3. join()',
        }
    )
    selector = ScriptedSelector(
        {"request phone": ("get_phone_number", "get_email_address"), "request place": ("get_phone_number",)}
    )
    summary = report.summarize(
        await outcomes(planner, PHONE, PLACE, NOTHING, selector=selector), "scripted", "predicted"
    )
    assert summary.success_rate.value == pytest.approx(2 / 3)
    assert summary.arguments_exact.value == pytest.approx(1 / 3)
    assert summary.tool_recall == 0.5
    assert summary.mean_tools == 1
    assert summary.mean_prompt_tokens == pytest.approx(200 / 3)
    assert {calls: group.success_rate for calls, group in summary.by_calls.items()} == {0: 1, 1: 1, 2: 0}
    assert list(summary.failures_by_tool) == ["get_phone_number", "maps_open_location"]
    assert summary.failures_by_tool["get_phone_number"] == report.ToolFailures(
        missing=0, extra=1, arguments=1
    )
    assert summary.disagreements == {"get_phone_number.name": 1}
    assert summary.as_json()["success_rate_interval"][0] <= 2 / 3


async def test_tool_rag_is_judged_by_served_and_declined_requests() -> None:
    requests = [
        toolrag.LabelledRequest("text ann", frozenset({"send_sms", "get_phone_number"})),
        toolrag.LabelledRequest("where is ghent", frozenset({"maps_open_location"})),
        toolrag.LabelledRequest("order food", frozenset()),
        toolrag.LabelledRequest("tell a joke", frozenset()),
    ]
    selector = ScriptedSelector(
        {
            "text ann": ("get_phone_number",),
            "where is ghent": ("get_email_address", "get_phone_number"),
            "order food": ("get_phone_number",),
        }
    )
    summary = toolrag.summarize([result async for result in toolrag.retrieve(requests, selector, TOOLS)])
    assert (summary.served, summary.served_found) == (2, 0.5)
    assert (summary.out_of_scope, summary.out_of_scope_declined) == (2, 0.5)
    assert (summary.mean_tools, summary.mean_tools_served) == (1, 1.5)


async def test_shares_of_nothing_are_absent() -> None:
    requests = [toolrag.LabelledRequest("order food", frozenset())]
    summary = toolrag.summarize([r async for r in toolrag.retrieve(requests, ScriptedSelector({}), TOOLS)])
    assert summary.served_found is None
    assert summary.out_of_scope_declined == 1
