"""All commands and the options that stand before them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinyagent import __version__
from tinyagent.cli import audit, data, models, runs, secret, service, token, train, worker
from tinyagent.cli.approvals import approve, reject
from tinyagent.cli.ask import ask
from tinyagent.cli.demo import demo
from tinyagent.cli.doctor import doctor
from tinyagent.cli.evaluate import evaluate, evaluate_toolrag
from tinyagent.cli.failures import Commands
from tinyagent.cli.mcp import mcp
from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.plan import plan
from tinyagent.cli.report import evaluate_report
from tinyagent.cli.serve import serve
from tinyagent.cli.train_toolrag import thresholds, toolrag
from tinyagent.cli.undo import undo

app = typer.Typer(
    name="tinyagent",
    cls=Commands,
    help="A private assistant: understands a request, plans it and carries it out on this computer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command()(serve)
app.command()(ask)
app.command()(plan)
app.add_typer(runs.app, name="runs")
app.command()(approve)
app.command()(reject)
app.command()(undo)
app.add_typer(audit.app, name="audit")
app.add_typer(models.app, name="models")
train.app.command()(toolrag)
train.app.command()(thresholds)
app.add_typer(train.app, name="train")
app.add_typer(data.app, name="data")
app.add_typer(token.app, name="token")
app.command()(mcp)
app.add_typer(worker.app, name="worker")
app.add_typer(service.app, name="service")
app.add_typer(secret.app, name="secret")
app.command()(doctor)
app.command()(demo)
app.command("eval")(evaluate)
app.command("eval-toolrag")(evaluate_toolrag)
app.command("eval-report")(evaluate_report)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"tinyagent {__version__}")
        raise typer.Exit


@app.callback()
def root(
    ctx: typer.Context,
    home: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            envvar="TINYAGENT_HOME",
            show_envvar=True,
            help="Folder of config, data, journal and token.",
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            envvar="TINYAGENT_URL", show_envvar=True, help="The server to speak to, if not this one's."
        ),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep the global options for the command."""
    ctx.obj = GlobalOptions(Path(home) if home else None, url)
