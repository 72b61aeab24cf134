"""`tinyagent eval` and `tinyagent eval-toolrag`: how good are plans and tool selections?"""

from __future__ import annotations

import asyncio
import json as json_format
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from enum import Enum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.ask import PlannerOption
from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import diagnostics, print_json
from tinyagent.errors import InvalidRequest

if TYPE_CHECKING:
    from tinyagent.evaluation.cases import Case
    from tinyagent.evaluation.jsonl import FaultyLine
    from tinyagent.evaluation.runner import Outcome
    from tinyagent.evaluation.toolrag import LabelledRequest, Retrieved
    from tinyagent.settings import Settings

MAX_FAULTS_SHOWN = 5


class RetrievalChoice(str, Enum):  # noqa: UP042 (typer reads the values of str enums)
    """Where the tools that a planner gets come from."""

    reference = "reference"
    predicted = "predicted"


def evaluate(
    ctx: typer.Context,
    cases: Annotated[Path, typer.Option(help="JSON lines with id, now, query and the right plan.")],
    predictions: Annotated[Path, typer.Option(help="Where the plans go, as JSON lines with id and plan.")],
    planner: PlannerOption = None,
    retrieval: Annotated[
        RetrievalChoice, typer.Option(help="Give the planner the right plan's tools, or Tool RAG's.")
    ] = RetrievalChoice.predicted,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Plan every case of a file and compare with the right plans.

    A planner that fails on a case leaves an empty plan, which counts as a failure.
    """
    from tinyagent.cli.figures import evaluation_view
    from tinyagent.evaluation.cases import read_cases
    from tinyagent.evaluation.report import summarize

    options: GlobalOptions = ctx.obj
    settings = options.settings(planner=planner)
    usable, faults = read_cases(cases)
    warn_of_faults(cases, faults)
    with open_predictions(predictions) as file:
        outcomes = asyncio.run(_plan_all(settings, usable, retrieval is RetrievalChoice.predicted, file))
    report = summarize(outcomes, settings.planner, retrieval.value)
    if json:
        print_json({**report.as_json(), "faulty_lines": len(faults)})
    else:
        _print(evaluation_view(report))


async def _plan_all(
    settings: Settings, cases: Sequence[Case], predicted: bool, file: IO[str]
) -> list[Outcome]:
    from tinyagent.bootstrap import build_toolkit
    from tinyagent.cli.progress import LateProgress
    from tinyagent.evaluation.runner import evaluate as plan_and_score

    toolkit = build_toolkit(settings)
    planner = await toolkit.planner(settings.planner)
    outcomes: list[Outcome] = []
    try:
        with LateProgress("planning", len(cases)) as progress:
            selector = toolkit.selector if predicted else None
            async for outcome in plan_and_score(cases, planner, toolkit.tools, selector):
                outcomes.append(outcome)
                line = {"id": outcome.case.id, "plan": outcome.plan}
                file.write(json_format.dumps(line, ensure_ascii=False) + "\n")
                file.flush()
                progress.advance()
    finally:
        await planner.close()
    return outcomes


@contextmanager
def open_predictions(path: Path) -> Generator[IO[str]]:
    """A file that replaces `path` when all is written; what was done until a failure stays beside it.

    Raises InvalidRequest when nothing can be written there.
    """
    partial = path.with_name(path.name + ".partial") if path.is_file() or not path.exists() else path
    try:
        file = partial.open("w", encoding="utf-8")
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be written: {error.strerror}.", hint="Give another file with --predictions."
        ) from error
    with file:
        yield file
    if partial != path:
        partial.replace(path)


def evaluate_toolrag(
    ctx: typer.Context,
    requests: Annotated[
        Path, typer.Option(help="JSON lines with text and accept, the tools that can serve it.")
    ],
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Select tools for every request of a file; of those in `accept` one must be found, and none for []."""
    from tinyagent.cli.figures import toolrag_view
    from tinyagent.evaluation.toolrag import read_requests, summarize

    options: GlobalOptions = ctx.obj
    settings = options.settings()
    usable, faults = read_requests(requests)
    warn_of_faults(requests, faults)
    report = summarize(asyncio.run(_retrieve_all(settings, usable)))
    if json:
        print_json({**asdict(report), "faulty_lines": len(faults)})
    else:
        _print(toolrag_view(report))


async def _retrieve_all(settings: Settings, requests: Sequence[LabelledRequest]) -> list[Retrieved]:
    from tinyagent.bootstrap import build_toolkit
    from tinyagent.cli.progress import LateProgress
    from tinyagent.evaluation.toolrag import retrieve

    toolkit = build_toolkit(settings)
    results: list[Retrieved] = []
    with LateProgress("selecting", len(requests)) as progress:
        async for result in retrieve(requests, toolkit.selector, toolkit.tools):
            results.append(result)
            progress.advance()
    return results


def warn_of_faults(path: Path, faults: Sequence[FaultyLine]) -> None:
    """Name the lines that are left out."""
    if not faults:
        return
    console = diagnostics()
    lines = [f"{path}:{fault.number}: {fault.reason}" for fault in faults[:MAX_FAULTS_SHOWN]]
    if len(faults) > MAX_FAULTS_SHOWN:
        lines.append(f"… and {len(faults) - MAX_FAULTS_SHOWN} more")
    console.print(
        "\n".join([f"{len(faults)} faulty lines are left out:", *lines]), style="yellow", markup=False
    )


def _print(view: object) -> None:
    from tinyagent.cli.terminal import output

    output().print(view)
