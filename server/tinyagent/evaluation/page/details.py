"""The sections about one planner on one case file, and about Tool RAG on labelled requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinyagent.evaluation.failures import Failure
from tinyagent.evaluation.groups import Rates
from tinyagent.evaluation.labelled import LabelledFigures
from tinyagent.evaluation.page.charts import RateRow, histogram, rate_chart
from tinyagent.evaluation.page.markup import Section, escaped, folded, paragraph, rate, table
from tinyagent.evaluation.report import Report
from tinyagent.evaluation.study import Result

MOST_ROWS = 25
"""Tags and arguments that are listed."""


def result_section(result: Result) -> Section:
    """Everything about one planner on one case file."""
    figures = result.figures
    parts = [
        *_group("By number of calls", {f"{_calls(name)}": one for name, one in figures.by_calls.items()}),
        *_group("By tool of the right plan", figures.by_tool),
        *_group("By register", figures.by_register),
        *_group("By length", figures.by_length),
        "<h3>Time from request to plan</h3>",
        histogram(figures.latencies_ms),
        *_tags(figures.by_tag),
        *_mistakes(figures.report),
        "<h3>Worst failures</h3>",
        *_failures(result.failures),
    ]
    return Section(f"{result.planner} on {result.cases}", parts)


def _calls(number: str) -> str:
    return {"0": "none (out of scope)", "1": "1 call"}.get(number, f"{number} calls")


def _group(title: str, groups: Mapping[str, Rates]) -> list[str]:
    rows = [RateRow(name, one.cases, (one.success, one.exact)) for name, one in groups.items()]
    return [f"<h3>{escaped(title)}</h3>", rate_chart(rows)] if rows else []


def _tags(groups: Mapping[str, Rates]) -> list[str]:
    if not groups:
        return []
    rows = [
        [escaped(tag), str(one.cases), rate(one.success), rate(one.exact)]
        for tag, one in list(groups.items())[:MOST_ROWS]
    ]
    shown = table(("tag", "n", "DAG success", "arguments exact"), rows)
    more = f", the most frequent {MOST_ROWS} of {len(groups)}" if len(groups) > MOST_ROWS else ""
    return [folded(f"By the requests' own tags{more}", shown)]


def _mistakes(report: Report) -> list[str]:
    tools = [
        [escaped(tool), str(one.missing), str(one.extra), str(one.arguments)]
        for tool, one in report.failures_by_tool.items()
    ]
    arguments = [[escaped(name), str(count)] for name, count in report.disagreements.items()][:MOST_ROWS]
    parts: list[str] = []
    if tools:
        headers = ("tool", "calls missing", "calls too many", "other arguments")
        parts.append(folded("Mistakes by tool", table(headers, tools)))
    if arguments:
        shown = table(("argument", "times"), arguments)
        parts.append(folded("Arguments that differ in plans of the right shape", shown))
    return parts


def _failures(failures: Sequence[Failure]) -> list[str]:
    graphs = [failure for failure in failures if failure.kind == "graph"]
    arguments = [failure for failure in failures if failure.kind == "arguments"]
    if not failures:
        return [paragraph("None.")]
    return [
        folded(title, "".join(_failure(failure) for failure in group))
        for title, group in (
            ("Wrong calls, shortest requests first", graphs),
            ("Right calls with other arguments, shortest requests first", arguments),
        )
        if group
    ]


def _failure(failure: Failure) -> str:
    return (
        f'<article class="failure"><q>{escaped(failure.query)}</q>'
        f'<p class="differs">{escaped("; ".join(failure.differs))} '
        f'<span class="quiet">{escaped(failure.id)}</span></p>'
        f'<div class="pair"><div><h4>Planned</h4><pre>{escaped(failure.plan) or "nothing"}</pre></div>'
        f"<div><h4>Right</h4><pre>{escaped(failure.right_plan)}</pre></div></div></article>"
    )


def labelled_section(figures: LabelledFigures) -> Section:
    """Tool RAG on requests of which only the acceptable tools are known."""
    report = figures.report
    headers = ("requests", "n", "share", "tools offered")
    served = "–" if report.mean_tools_served is None else f"{report.mean_tools_served:.2f}"
    rows = [
        ["an accepted tool is retrieved", str(report.served), rate(figures.served_found), served],
        [
            "out of scope, nothing retrieved",
            str(report.out_of_scope),
            rate(figures.out_of_scope_declined),
            "–",
        ],
    ]
    notes = (
        f"{report.requests} requests of {escaped(figures.file)}; "
        f"{report.latency_p50_ms:.0f} ms p50, {report.latency_p95_ms:.0f} ms p95."
    )
    return Section("Tool RAG on labelled requests", [paragraph(notes), table(headers, rows)])
