"""`tinyagent train toolrag` and `tinyagent train thresholds`: a Tool RAG of one's own."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.data_folder import told
from tinyagent.cli.terminal import diagnostics, output, print_json
from tinyagent.errors import ConfigurationError

if TYPE_CHECKING:
    from tinyagent.training.toolrag.fitting import Fit

DataOption = Annotated[Path, typer.Option(metavar="FOLDER", help="Requests with plans (natural/, written/).")]


def toolrag(
    data: DataOption,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the checkpoint and the classifiers (fp32/, int8/) go.")
    ],
    labelled: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Real requests with the tools that can serve each (JSON lines)."),
    ] = None,
    base: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The encoder to start from; MiniLM when left out.")
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="How long to train; 30 by default.")] = None,
    epochs: Annotated[
        float | None, typer.Option(min=0.01, help="How often to read the requests, instead of minutes.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(min=1e-7, max=1e-2, help="The encoder's highest learning rate.")
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Processor threads.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the training in --out.")] = False,
) -> None:
    """Train a stand-alone Tool RAG classifier and export it to ONNX, as fp32 and as int8.

    It starts from MiniLM, or from any BERT or DeBERTa whose folder --base names.
    """
    with _training_packages():
        from tinyagent.training.toolrag.run import Options, train

        options = Options(data, out, labelled, base, minutes, epochs, rate, threads, seed, resume)
        try:
            train(options, told)
        except KeyboardInterrupt:
            diagnostics().print(
                f"Interrupted. Go on with the same command and --resume; {out} holds the work."
            )
            raise


def thresholds(
    model: Annotated[Path, typer.Option(help="A classifier: models/nano, or a trained one.")],
    data: DataOption,
    target: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Share of the needed tools that must be found.")
    ] = 0.998,
    json: Annotated[bool, typer.Option("--json", help="Thresholds and figures as JSON.")] = False,
) -> None:
    """Fit each tool's threshold on held-out phrasings and keep them in the model's folder."""
    from tinyagent.training.toolrag.fitting import fit_folder

    fit = fit_folder(model, data, target, told)
    if json:
        print_json(asdict(fit))
    else:
        _print(fit)


def _print(fit: Fit) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, title=f"{fit.requests} held-out requests", title_justify="left")
    for name in ("thresholds", "recall", "all found", "tools offered", "declined rightly"):
        table.add_column(name, justify="left" if name == "thresholds" else "right")
    for name, found in (("one for all", fit.common), ("fitted", fit.fitted), ("cross-fitted", fit.apart)):
        table.add_row(
            name, f"{found.recall:.4f}", f"{found.whole:.3f}", f"{found.tools:.2f}", f"{found.declined:.3f}"
        )
    output().print(table)
    for tool, threshold in fit.thresholds.items():
        print(f"  {tool} {threshold:g}")


@contextmanager
def _training_packages() -> Generator[None]:
    """Say which package is missing where the extra `train` is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"Training needs the package {error.name}, which is not installed.",
            hint="Install the extra: pip install 'tinyagent[train]'.",
        ) from error
