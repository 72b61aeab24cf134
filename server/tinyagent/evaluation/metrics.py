"""All figures of one planner on one case file: the report's rates and the groups'."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tinyagent.evaluation import groups
from tinyagent.evaluation.groups import Rates, Scope
from tinyagent.evaluation.intervals import Estimate, bootstrap, bootstrap_percentile, bootstrap_ratio
from tinyagent.evaluation.report import Report, summarize
from tinyagent.evaluation.runner import Outcome, Retrieval


@dataclass(frozen=True)
class Figures:
    """The figures of at least one outcome; latencies in milliseconds."""

    report: Report
    tool_recall: Estimate | None
    """Share of the needed tools that were retrieved; None where none was needed."""
    all_found: Estimate | None
    """Share of the requests that need tools for which all of them were retrieved."""
    mean_tools_needed: float
    latency_p50_ms: Estimate
    latency_p95_ms: Estimate
    latencies_ms: list[float]
    scope: Scope
    by_calls: dict[str, Rates]
    by_tool: dict[str, Rates]
    by_register: dict[str, Rates]
    by_length: dict[str, Rates]
    by_tag: dict[str, Rates]


def figures_of(outcomes: Sequence[Outcome], planner: str, retrieval: Retrieval) -> Figures:
    """Count, group and estimate."""
    latencies = [outcome.milliseconds for outcome in outcomes]
    needing = [outcome for outcome in outcomes if outcome.case.tools]
    found = [len(outcome.case.tools.intersection(outcome.tools)) for outcome in needing]
    needed = [len(outcome.case.tools) for outcome in needing]
    return Figures(
        report=summarize(outcomes, planner, retrieval),
        tool_recall=bootstrap_ratio(found, needed),
        all_found=bootstrap([a == b for a, b in zip(found, needed, strict=True)]) if needing else None,
        mean_tools_needed=sum(needed) / len(outcomes),
        latency_p50_ms=bootstrap_percentile(latencies, 0.5),
        latency_p95_ms=bootstrap_percentile(latencies, 0.95),
        latencies_ms=[round(latency, 1) for latency in latencies],
        scope=groups.scope(outcomes),
        by_calls=groups.by_calls(outcomes),
        by_tool=groups.by_tool(outcomes),
        by_register=groups.by_register(outcomes),
        by_length=groups.by_length(outcomes),
        by_tag=groups.by_tag(outcomes),
    )
