"""A whole comparison from settings to report, and where it is written."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from tinyagent import __version__
from tinyagent.bootstrap import NANO, build_toolkit, models_folder
from tinyagent.errors import Conflict, InvalidRequest
from tinyagent.evaluation.contestants import contestants, digest_of
from tinyagent.evaluation.cosine import Embed
from tinyagent.evaluation.labelled import LabelledFile, labelled_figures
from tinyagent.evaluation.page import render
from tinyagent.evaluation.study import Study, StudyReport
from tinyagent.evaluation.subjects import CaseFile, Progress
from tinyagent.evaluation.training_ablations import FILE, read_training_ablations
from tinyagent.evaluation.weights import code_digest, onnx_weights
from tinyagent.settings import Settings

OUTCOMES = "outcomes"


@dataclass(frozen=True)
class Wanted:
    """What a report is made of; without `planners`, the default one. `embed` is for basic RAG."""

    files: Sequence[CaseFile]
    planners: Sequence[str]
    labelled: LabelledFile | None
    ablations: bool
    full_precision: Path | None
    embed: Embed | None


async def conduct(settings: Settings, wanted: Wanted, folder: Path, progress: Progress) -> StudyReport:
    """Evaluate all that is wanted; what an earlier conduct finished in `folder` is used again.

    Raises ModelNotFound, ModelUnavailable, InvalidRequest, and PlannerFailed for a server that
    fails on and on.
    """
    training = read_training_ablations(models_folder() / FILE)
    toolkit = build_toolkit(settings)
    outcomes = folder / OUTCOMES
    try:
        chosen = contestants(settings, toolkit, wanted.planners, progress)
        study = Study(toolkit, chosen, wanted.files, outcomes, progress)
        results = await study.results()
        labelled = None
        if wanted.labelled is not None:
            digest = digest_of(onnx_weights(models_folder() / NANO).digest, code_digest())
            labelled = await labelled_figures(
                wanted.labelled, toolkit.selector, digest, toolkit.tools, outcomes, progress
            )
        return StudyReport(
            version=__version__,
            made=datetime.now().astimezone().isoformat(sep=" ", timespec="minutes"),
            cases=study.cases(),
            results=results,
            retrieval=await study.retrieval(wanted.embed),
            models=study.models(results),
            ablations=await study.ablations(wanted.full_precision) if wanted.ablations else [],
            training_ablations=training,
            labelled=labelled,
        )
    finally:
        await toolkit.planners.close()


@contextmanager
def reserved(folder: Path) -> Generator[None]:
    """Make the folder and keep other evaluations out of it. Raises InvalidRequest or Conflict."""
    lock = FileLock(folder / OUTCOMES / ".lock", timeout=0)
    try:
        (folder / OUTCOMES).mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise Conflict(
            f"Another evaluation writes into {folder}.",
            hint="Wait until it ends, or give another folder with --out.",
        ) from None
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def write_report(report: StudyReport, folder: Path) -> Path:
    """Write `report.json` and `report.html`, each whole or not at all; the page's path.

    Raises InvalidRequest.
    """
    page = folder / "report.html"
    figures = json.dumps(asdict(report), ensure_ascii=True, indent=1) + "\n"
    try:
        for path, text in ((folder / "report.json", figures), (page, render(report))):
            unfinished = path.with_name(path.name + ".new")
            try:
                unfinished.write_text(text, encoding="utf-8")
                unfinished.replace(path)
            finally:
                unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from error
    return page


def _unwritable(folder: Path, error: OSError) -> InvalidRequest:
    return InvalidRequest(
        f"{folder} cannot be written: {error.strerror}.", hint="Give another folder with --out."
    )
