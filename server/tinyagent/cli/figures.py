"""Evaluation reports as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tinyagent.cli.terminal import duration, printable
from tinyagent.evaluation.intervals import Estimate
from tinyagent.evaluation.report import Report
from tinyagent.evaluation.toolrag import ToolRagReport

if TYPE_CHECKING:
    from tinyagent.evaluation.study import StudyReport

WORST_SHOWN = 8


def evaluation_view(report: Report) -> RenderableType:
    """The figures of an evaluation, then by number of calls, then what fails most."""
    figures = _figures(
        f"{report.cases} cases · planner {report.planner} · {report.retrieval} retrieval",
        [
            ("success rate", _estimate(report.success_rate)),
            ("arguments exact", _estimate(report.arguments_exact)),
            ("tool recall", f"{report.tool_recall:.4f}"),
            ("tools retrieved", f"{report.mean_tools:.2f} on average"),
            ("prompt tokens", f"{report.mean_prompt_tokens:.0f} on average"),
            ("latency", f"{duration(report.latency_p50_ms)} p50, {duration(report.latency_p95_ms)} p95"),
            ("unusable plans", str(report.planner_failures)),
        ],
    )
    return Group(figures, _by_calls(report), *_failures(report))


def results_view(report: StudyReport) -> RenderableType:
    """A line for every planner on every case file."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("planner", "requests"):
        table.add_column(name, overflow="fold")
    for name in ("n", "success rate", "arguments exact", "tool recall", "p50"):
        table.add_column(name, justify="right")
    for result in report.results:
        figures = result.figures.report
        table.add_row(
            Text(printable(result.planner)),
            Text(printable(result.cases)),
            str(figures.cases),
            _bounded(figures.success_rate),
            _bounded(figures.arguments_exact),
            f"{figures.tool_recall:.3f}",
            duration(figures.latency_p50_ms),
        )
    return table


def _bounded(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.2f} to {estimate.high:.2f})"


def toolrag_view(report: ToolRagReport) -> RenderableType:
    """The figures of a Tool RAG evaluation."""
    return _figures(
        f"{report.requests} requests",
        [
            ("served", f"{_share(report.served_found)} of {report.served} get an accepted tool"),
            ("out of scope", f"{_share(report.out_of_scope_declined)} of {report.out_of_scope} get none"),
            ("tools retrieved", f"{report.mean_tools:.2f} on average"),
            (
                "where served",
                "–" if report.mean_tools_served is None else f"{report.mean_tools_served:.2f} on average",
            ),
            ("latency", f"{duration(report.latency_p50_ms)} p50, {duration(report.latency_p95_ms)} p95"),
        ],
    )


def _figures(title: str, rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_header=False)
    table.add_column(style="bold")
    table.add_column()
    for name, value in rows:
        table.add_row(name, value)
    return table


def _estimate(estimate: Estimate) -> str:
    return f"{estimate.value:.4f}  (95 %: {estimate.low:.4f} to {estimate.high:.4f})"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _by_calls(report: Report) -> Table:
    table = Table(title="by number of calls", title_justify="left", box=box.SIMPLE_HEAD)
    for name in ("calls", "cases", "success rate", "arguments exact"):
        table.add_column(name, justify="right")
    for calls, group in report.by_calls.items():
        table.add_row(
            str(calls), str(group.cases), f"{group.success_rate:.3f}", f"{group.arguments_exact:.3f}"
        )
    return table


def _failures(report: Report) -> list[Table]:
    if not report.failures_by_tool:
        return []
    tools = Table(title="most failures by tool", title_justify="left", box=box.SIMPLE_HEAD)
    tools.add_column("tool")
    for name in ("calls missing", "calls too many", "arguments"):
        tools.add_column(name, justify="right")
    for tool, failures in list(report.failures_by_tool.items())[:WORST_SHOWN]:
        tools.add_row(tool, str(failures.missing), str(failures.extra), str(failures.arguments))
    if not report.disagreements:
        return [tools]
    rows = [(name, str(count)) for name, count in list(report.disagreements.items())[:WORST_SHOWN]]
    return [tools, _figures("most disagreements in plans of the right shape", rows)]
