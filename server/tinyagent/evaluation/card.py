"""Put a report's figures into a model's card:

    python -m tinyagent.evaluation.card --report DIR/report.json --card models/nano/README.md

The planner is the one that the card's folder is named after. Its figures are stored beside the card
in `figures.json`, and what stands between the lines `<!-- figures -->` and `<!-- /figures -->` becomes
the table that they give. The names of the case files are the names of the rows, `_` read as a space.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from tinyagent.errors import InvalidRequest, TinyAgentError
from tinyagent.evaluation.intervals import Estimate
from tinyagent.evaluation.metrics import Figures
from tinyagent.evaluation.study import RIGHT_TOOLS, TOOL_RAG, StudyReport
from tinyagent.toolrag.manifest import MANIFEST, read_json

BEGIN, END = "<!-- figures -->\n", "<!-- /figures -->"
FIGURES = "figures.json"

_Read = TypeVar("_Read")

_HEADER = (
    "| requests | tools | DAG success | arguments-exact | tool recall | tools offered (needed) "
    "| out of scope declined |\n"
    "| --- | --- | --- | --- | --- | --- | --- |\n"
)
_TOOLS = {TOOL_RAG: "found by Tool RAG", RIGHT_TOOLS: "the right plan's"}


@dataclass(frozen=True)
class CardRow:
    """One line of the card: a case file, where the tools came from, and the rates."""

    requests: str
    tools: str
    cases: int
    success: Estimate
    exact: Estimate
    tool_recall: Estimate | None
    mean_tools: float
    mean_tools_needed: float
    out_of_scope: int
    declined: Estimate | None


@dataclass(frozen=True)
class CardFigures:
    """What a card shows: of which planner, by which version, measured when."""

    planner: str
    version: str
    made: str
    rows: list[CardRow]


def figures_of_card(report: StudyReport, planner: str) -> CardFigures:
    """The report's figures of one planner. Raises InvalidRequest when it has none."""
    rows = [
        _row(result.cases, TOOL_RAG, result.figures) for result in report.results if result.planner == planner
    ]
    if not rows:
        raise InvalidRequest(
            f"The report has no figures of planner {planner}.",
            hint="Make it with --planner and the name of the card's folder.",
        )
    table = report.retrieval
    right = next((row.figures for row in table.rows if row.retrieval == RIGHT_TOOLS), None)
    if table.planner == planner and right is not None:
        rows.append(_row(table.cases, RIGHT_TOOLS, right))
    return CardFigures(planner, report.version, report.made, rows)


def _row(cases: str, tools: str, figures: Figures) -> CardRow:
    report = figures.report
    return CardRow(
        cases.replace("_", " "),
        _TOOLS[tools],
        report.cases,
        report.success_rate,
        report.arguments_exact,
        figures.tool_recall,
        report.mean_tools,
        figures.mean_tools_needed,
        figures.scope.outside,
        figures.scope.declined,
    )


def block(figures: CardFigures) -> str:
    """The table in Markdown."""
    return _HEADER + "".join(_line(row) for row in figures.rows)


def _line(row: CardRow) -> str:
    cells = (
        f"{row.requests}, {row.cases}",
        row.tools,
        _rate(row.success),
        _rate(row.exact),
        f"{row.tool_recall.value:.3f}" if row.tool_recall else "–",
        f"{row.mean_tools:.2f} ({row.mean_tools_needed:.2f})",
        f"{row.declined.value:.3f} of {row.out_of_scope}" if row.declined else "–",
    )
    return f"| {' | '.join(cells)} |\n"


def _rate(estimate: Estimate) -> str:
    return f"**{estimate.value:.3f}** ({estimate.low:.2f} to {estimate.high:.2f})"


def filled(card: str, figures: CardFigures) -> str:
    """The card with the table of these figures. Raises InvalidRequest for a card without its two marks."""
    before, begin, rest = card.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise InvalidRequest(
            f"The card has no lines {BEGIN.strip()} and {END}.", hint="Put them where the table belongs."
        )
    return f"{before}{BEGIN}{block(figures)}{END}{after}"


def read_figures(path: Path) -> CardFigures:
    """Stored figures. Raises InvalidRequest."""
    return _read(path, TypeAdapter(CardFigures))


def update(report: Path, card: Path) -> None:
    """Store the figures beside the card and put them into it. Raises InvalidRequest."""
    _check_manifest(card.with_name(MANIFEST))
    figures = figures_of_card(_read(report, TypeAdapter(StudyReport)), card.absolute().parent.name)
    try:
        text = filled(card.read_text("utf-8"), figures)
        stored = json.dumps(asdict(figures), ensure_ascii=False, indent=1) + "\n"
        for path, content in ((card.with_name(FIGURES), stored), (card, text)):
            unfinished = path.with_name(path.name + ".new")
            try:
                unfinished.write_text(content, "utf-8")
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise InvalidRequest(f"{card} cannot be read or written: {reason}.") from error


def _check_manifest(path: Path) -> None:
    """Raise InvalidRequest when a model's manifest holds the figures to one form for ever."""
    if path.exists() and FIGURES in read_json(path).get("files", {}):
        raise InvalidRequest(
            f"{path} lists {FIGURES}, so the model would not load once its figures change.",
            hint=f"Remove {FIGURES} from its folder and export the model again.",
        )


def _read(path: Path, form: TypeAdapter[_Read]) -> _Read:
    try:
        return form.validate_json(path.read_bytes())
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "file"
        raise InvalidRequest(
            f"{path} is not of this version: {place}: {first['msg']}.",
            hint="Make it anew with `tinyagent eval-report`.",
        ) from error


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--card", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        update(options.report, options.card)
    except TinyAgentError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
