"""Outcomes in figures: the rates of the TinyAgent paper's tables, with intervals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinyagent.evaluation.intervals import Estimate, bootstrap, percentile
from tinyagent.evaluation.runner import Outcome, Retrieval


@dataclass(frozen=True)
class Group:
    """The cases whose right plan has this many calls."""

    cases: int
    success_rate: float
    arguments_exact: float


@dataclass(frozen=True)
class ToolFailures:
    """What went wrong with a tool: calls too few, calls too many, calls with other arguments."""

    missing: int
    extra: int
    arguments: int

    @property
    def total(self) -> int:
        return self.missing + self.extra + self.arguments


@dataclass(frozen=True)
class Report:
    """The figures of one evaluation; latencies in milliseconds."""

    planner: str
    retrieval: Retrieval
    cases: int
    success_rate: Estimate
    arguments_exact: Estimate
    tool_recall: float
    mean_tools: float
    mean_prompt_tokens: float
    latency_p50_ms: float
    latency_p95_ms: float
    planner_failures: int
    by_calls: dict[int, Group]
    failures_by_tool: dict[str, ToolFailures]
    """Most failures first."""
    disagreements: dict[str, int]
    """Parameters that differed in plans of the right shape, most frequent first."""

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types, rates with their bounds beside them."""
        figures = asdict(self)
        for name in ("success_rate", "arguments_exact"):
            estimate: Estimate = getattr(self, name)
            figures[name] = estimate.value
            figures[f"{name}_interval"] = [estimate.low, estimate.high]
        figures["by_calls"] = {str(calls): asdict(group) for calls, group in self.by_calls.items()}
        return figures


def summarize(outcomes: Sequence[Outcome], planner: str, retrieval: Retrieval) -> Report:
    """The figures of at least one outcome."""
    latencies = [outcome.milliseconds for outcome in outcomes]
    needed = sum(len(outcome.case.tools) for outcome in outcomes)
    found = sum(len(outcome.case.tools.intersection(outcome.tools)) for outcome in outcomes)
    disagreements = Counter(name for outcome in outcomes for name in outcome.score.disagreements)
    return Report(
        planner=planner,
        retrieval=retrieval,
        cases=len(outcomes),
        success_rate=bootstrap([outcome.score.success for outcome in outcomes]),
        arguments_exact=bootstrap([outcome.score.arguments_exact for outcome in outcomes]),
        tool_recall=found / needed if needed else 1.0,
        mean_tools=_mean([len(outcome.tools) for outcome in outcomes]),
        mean_prompt_tokens=_mean([outcome.usage.prompt_tokens for outcome in outcomes]),
        latency_p50_ms=percentile(latencies, 0.5),
        latency_p95_ms=percentile(latencies, 0.95),
        planner_failures=sum(bool(outcome.fault) for outcome in outcomes),
        by_calls=_by_calls(outcomes),
        failures_by_tool=_failures_by_tool(outcomes),
        disagreements=dict(disagreements.most_common()),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _by_calls(outcomes: Sequence[Outcome]) -> dict[int, Group]:
    groups: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        groups.setdefault(len(outcome.case.plan.calls), []).append(outcome)
    return {
        calls: Group(
            len(group),
            _mean([outcome.score.success for outcome in group]),
            _mean([outcome.score.arguments_exact for outcome in group]),
        )
        for calls, group in sorted(groups.items())
    }


def _failures_by_tool(outcomes: Sequence[Outcome]) -> dict[str, ToolFailures]:
    missing = Counter(tool for outcome in outcomes for tool in outcome.score.missing)
    extra = Counter(tool for outcome in outcomes for tool in outcome.score.extra)
    arguments = Counter(
        name.partition(".")[0] for outcome in outcomes for name in outcome.score.disagreements
    )
    tools = {
        tool: ToolFailures(missing[tool], extra[tool], arguments[tool])
        for tool in missing + extra + arguments
    }
    return dict(sorted(tools.items(), key=lambda item: (-item[1].total, item[0])))
