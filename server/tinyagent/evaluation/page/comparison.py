"""The sections that compare: planners, retrieval, weights, and changes to them."""

from __future__ import annotations

from tinyagent.evaluation.page import paper
from tinyagent.evaluation.page.charts import RateRow, rate_chart
from tinyagent.evaluation.page.markup import (
    Section,
    change,
    escaped,
    folded,
    paragraph,
    rate,
    size,
    table,
    time,
)
from tinyagent.evaluation.prompt_size import UNIT
from tinyagent.evaluation.study import Result, RetrievalRow, RetrievalTable, StudyReport

_RATES = (
    "<b>DAG success</b>: the plan's graph is isomorphic to the right one's, with tools as labels. "
    "<b>Arguments exact</b>: all arguments agree, too. Rates are in per cent, followed by their 95 % "
    "bootstrap interval, which has no width where all cases fare alike."
)


def glance(report: StudyReport) -> Section:
    """Every planner on every case file."""
    headers = (
        "planner", "requests", "n", "DAG success", "arguments exact", "tool recall", "tools (needed)",
        "out of scope declined", "falsely declined", "unusable plans",
    )  # fmt: skip
    rows = [_glance_row(result) for result in report.results]
    points = [
        RateRow(
            f"{result.planner} · {result.cases}",
            result.figures.report.cases,
            (result.figures.report.success_rate, result.figures.report.arguments_exact),
        )
        for result in report.results
    ]
    return Section("At a glance", [paragraph(_RATES), rate_chart(points), table(headers, rows, texts=2)])


def _glance_row(result: Result) -> list[str]:
    figures, report = result.figures, result.figures.report
    outside = f' <span class="quiet">of {figures.scope.outside}</span>' if figures.scope.outside else ""
    return [
        escaped(result.planner),
        escaped(result.cases),
        str(report.cases),
        rate(report.success_rate),
        rate(report.arguments_exact),
        rate(figures.tool_recall),
        f"{report.mean_tools:.2f} ({figures.mean_tools_needed:.2f})",
        rate(figures.scope.declined) + outside,
        rate(figures.scope.falsely_declined),
        str(report.planner_failures),
    ]


def retrieval_section(found: RetrievalTable) -> Section:
    """The paper's first table for our planner."""
    headers = (
        "Tool RAG", "tool recall", "all tools found", "tools", "prompt tokens", "prompted planner's prompt",
        "DAG success", "arguments exact",
    )  # fmt: skip
    notes = (
        f"Planner {escaped(found.planner)} on {escaped(found.cases)}. <i>Prompt tokens</i> are what this "
        f"planner reads by its own count. <i>Prompted planner's prompt</i> is the size, in {UNIT}, of the "
        "prompt that a planner which reads instructions gets with these tools; no such planner was asked. "
        "Basic RAG takes the tools whose descriptions are nearest in all-MiniLM-L6-v2."
    )
    theirs = folded(
        "The paper's own figures (its models, its test set)", _paper(paper.RETRIEVAL_HEADERS, paper.RETRIEVAL)
    )
    rows = [_retrieval_row(row) for row in found.rows]
    return Section("Table 1: retrieval", [paragraph(notes), table(headers, rows), theirs])


def _retrieval_row(row: RetrievalRow) -> list[str]:
    name = escaped(row.retrieval) + (
        f'<br><span class="quiet">{escaped(row.note)}</span>' if row.note else ""
    )
    if row.figures is None or row.prompted_tokens is None:
        return [name, *["–"] * 7]
    report = row.figures.report
    return [
        name,
        rate(row.figures.tool_recall),
        rate(row.figures.all_found),
        f"{report.mean_tools:.2f}",
        f"{report.mean_prompt_tokens:.0f}",
        f"{row.prompted_tokens:.0f}",
        rate(report.success_rate),
        rate(report.arguments_exact),
    ]


def model_section(report: StudyReport) -> Section:
    """The paper's second table for our planners."""
    headers = ("planner", "precision", "size", "latency p50", "latency p95", "DAG success", "arguments exact")
    rows = [
        [
            escaped(row.planner), escaped(row.precision), size(row.size_bytes), time(row.latency_p50_ms),
            time(row.latency_p95_ms), rate(row.success), rate(row.exact),
        ]
        for row in report.models
    ]  # fmt: skip
    notes = (
        f"On {escaped(report.cases[0].name)}. Latency goes from the request to the whole plan, Tool RAG "
        "included, one request at a time on the machine that made this report."
    )
    theirs = folded(
        "The paper's own figures (MacBook Pro M3, its test set)", _paper(paper.MODEL_HEADERS, paper.MODELS)
    )
    return Section("Table 2: models", [paragraph(notes), table(headers, rows, texts=2), theirs])


def _paper(headers: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    return f'<div class="paper">{table(headers, rows)}</div>'


def ablation_sections(report: StudyReport) -> list[Section]:
    """What the pieces are worth, and what changes to the training were; nothing where none was tried."""
    found: list[Section] = []
    if report.ablations:
        headers = (
            "planner", "change", "DAG success", "difference", "arguments exact", "difference", "tool recall",
            "tools",
        )  # fmt: skip
        rows = [
            [
                escaped(row.planner), escaped(row.change), rate(row.success), change(row.success_change),
                rate(row.exact), change(row.exact_change), rate(row.tool_recall), f"{row.mean_tools:.2f}",
            ]
            for row in report.ablations
        ]  # fmt: skip
        notes = (
            f"On {escaped(report.cases[0].name)}. Differences are in points against the planner as shipped, "
            "with the 95 % interval of the paired cases; bold where it leaves out zero."
        )
        found.append(Section("Ablations", [paragraph(notes), table(headers, rows, texts=2)]))
    if report.training_ablations:
        headers = ("model", "change", "note", "n", "DAG success", "arguments exact")
        rows = [
            [
                escaped(row.model), escaped(row.change), escaped(row.note), str(row.cases),
                rate(row.success), rate(row.exact),
            ]
            for row in report.training_ablations
        ]  # fmt: skip
        notes = "Other trainings, evaluated by hand and kept in <code>models/ablations.json</code>."
        found.append(Section("Training ablations", [paragraph(notes), table(headers, rows, texts=3)]))
    return found
