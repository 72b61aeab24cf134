"""The whole comparison: planners on case files, the paper's two tables, ablations and Tool RAG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyagent.bootstrap import NANO, Toolkit, load_nano, models_folder
from tinyagent.evaluation.ablations import ablations
from tinyagent.evaluation.contestants import Contestant
from tinyagent.evaluation.cosine import CosineSelector, Embed, EveryTool
from tinyagent.evaluation.failures import Failure, worst_failures
from tinyagent.evaluation.intervals import Estimate, bootstrap
from tinyagent.evaluation.labelled import LabelledFigures
from tinyagent.evaluation.metrics import Figures, figures_of
from tinyagent.evaluation.prompt_size import PromptSize
from tinyagent.evaluation.runner import Outcome
from tinyagent.evaluation.subjects import CaseFile, Progress, Subject, outcomes_of
from tinyagent.evaluation.training_ablations import TrainingAblation

TOOL_RAG, RIGHT_TOOLS = "Tool RAG classifier", "the right plan's tools"


@dataclass(frozen=True)
class Cases:
    """A case file as far as it was used."""

    name: str
    file: str
    sha256: str
    cases: int
    faulty_lines: int


@dataclass(frozen=True)
class Result:
    """One planner on one case file, with the tools that Tool RAG finds."""

    planner: str
    cases: str
    figures: Figures
    failures: list[Failure]


@dataclass(frozen=True)
class RetrievalRow:
    """One way to find tools. `figures` is None where it could not be tried; `note` says why."""

    retrieval: str
    figures: Figures | None
    prompted_tokens: float | None
    """Of the prompt that a planner which reads instructions gets with these tools."""
    note: str = ""


@dataclass(frozen=True)
class RetrievalTable:
    """One planner on one case file with tools found in several ways."""

    planner: str
    cases: str
    rows: list[RetrievalRow]


@dataclass(frozen=True)
class ModelRow:
    """A planner's weights beside its speed and success on the first case file."""

    planner: str
    precision: str
    size_bytes: int | None
    latency_p50_ms: Estimate
    latency_p95_ms: Estimate
    success: Estimate
    exact: Estimate


@dataclass(frozen=True)
class AblationRow:
    """A planner with one piece changed; the changes in its rates are taken case by case."""

    planner: str
    change: str
    success: Estimate
    exact: Estimate
    success_change: Estimate
    exact_change: Estimate
    tool_recall: Estimate | None
    mean_tools: float


@dataclass(frozen=True)
class StudyReport:
    """Everything that the report shows."""

    version: str
    made: str
    cases: list[Cases]
    results: list[Result]
    retrieval: RetrievalTable
    models: list[ModelRow]
    ablations: list[AblationRow]
    training_ablations: list[TrainingAblation]
    labelled: LabelledFigures | None


class Study:
    """Evaluates contestants on case files; outcomes are kept in `folder` and used again."""

    def __init__(
        self,
        toolkit: Toolkit,
        contestants: Sequence[Contestant],
        files: Sequence[CaseFile],
        folder: Path,
        progress: Progress,
    ) -> None:
        self._toolkit, self._contestants, self._files = toolkit, contestants, files
        self._folder, self._progress = folder, progress

    async def results(self) -> list[Result]:
        """Every planner on every file."""
        found: list[Result] = []
        for file in self._files:
            for contestant in self._contestants:
                outcomes = await self._outcomes(self._shipped(contestant), file)
                figures = figures_of(outcomes, contestant.name, "predicted")
                found.append(Result(contestant.name, file.name, figures, worst_failures(outcomes)))
        return found

    async def retrieval(self, embed: Embed | None) -> RetrievalTable:
        """The first planner on the first file with tools found in several ways."""
        contestant, file = self._contestants[0], self._files[0]
        sizes = PromptSize.load(models_folder() / NANO)
        rows: list[RetrievalRow] = []
        for retrieval, selector in (
            ("none (all tools)", EveryTool()),
            ("basic RAG, top 3", CosineSelector(embed, 3) if embed else None),
            ("basic RAG, top 6", CosineSelector(embed, 6) if embed else None),
            (TOOL_RAG, self._toolkit.selector),
            (RIGHT_TOOLS, None),
        ):
            if selector is None and retrieval != RIGHT_TOOLS:
                note = "needs the extra: pip install 'tinyagent[train]'"
                rows.append(RetrievalRow(retrieval, None, None, note))
                continue
            outcomes = await self._outcomes(contestant.subject(self._toolkit, retrieval, selector), file)
            kind = "reference" if selector is None else "predicted"
            figures = figures_of(outcomes, contestant.name, kind)
            rows.append(RetrievalRow(retrieval, figures, sizes.mean(outcomes, self._toolkit.tools)))
        return RetrievalTable(contestant.name, file.name, rows)

    def models(self, results: Sequence[Result]) -> list[ModelRow]:
        """The planners' weights beside their results on the first file."""
        weights = {contestant.name: contestant.weights for contestant in self._contestants}
        return [
            ModelRow(
                result.planner,
                weights[result.planner].precision,
                weights[result.planner].size_bytes,
                result.figures.latency_p50_ms,
                result.figures.latency_p95_ms,
                result.figures.report.success_rate,
                result.figures.report.arguments_exact,
            )
            for result in results
            if result.cases == self._files[0].name
        ]

    async def ablations(self, full_precision: Path | None) -> list[AblationRow]:
        """Every planner on the first file with one piece built differently, beside the unchanged one."""
        rows: list[AblationRow] = []
        for contestant in self._contestants:
            base = self._shipped(contestant)
            changed = ablations(contestant, load_nano(), base, full_precision)
            if changed:
                unchanged = await self._outcomes(base, self._files[0])
                for subject in (base, *changed):
                    outcomes = await self._outcomes(subject, self._files[0])
                    rows.append(_ablation_row(subject, outcomes, unchanged))
        return rows

    def _shipped(self, contestant: Contestant) -> Subject:
        return contestant.subject(self._toolkit, TOOL_RAG, self._toolkit.selector)

    async def _outcomes(self, subject: Subject, file: CaseFile) -> list[Outcome]:
        return await outcomes_of(subject, file, self._toolkit.tools, self._folder, self._progress)

    def cases(self) -> list[Cases]:
        """The files as far as they are used."""
        return [
            Cases(file.name, file.path.name, file.sha256, len(file.cases), len(file.faults))
            for file in self._files
        ]


def _ablation_row(subject: Subject, outcomes: Sequence[Outcome], unchanged: Sequence[Outcome]) -> AblationRow:
    figures = figures_of(outcomes, subject.planner, "predicted")
    pairs = [(new.score, old.score) for new, old in zip(outcomes, unchanged, strict=True)]
    return AblationRow(
        subject.planner,
        subject.change or "as shipped",
        figures.report.success_rate,
        figures.report.arguments_exact,
        bootstrap([new.success - old.success for new, old in pairs]),
        bootstrap([new.arguments_exact - old.arguments_exact for new, old in pairs]),
        figures.tool_recall,
        figures.report.mean_tools,
    )
