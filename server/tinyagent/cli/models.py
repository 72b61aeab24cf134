"""`tinyagent models`: the planners that can be used."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import output, print_json, printable

if TYPE_CHECKING:
    from tinyagent.engine.catalog import PlannerInfo

app = typer.Typer(help="The planners that can be used.", no_args_is_help=True)


@app.command("list")
def list_models(
    ctx: typer.Context, json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False
) -> None:
    """List the planners, which one is the default, and why any cannot be used."""
    from tinyagent.bootstrap import build_planners

    options: GlobalOptions = ctx.obj
    planners = [info for info in build_planners(options.settings()).infos() if info.plans]
    if json:
        print_json([asdict(planner) for planner in planners])
    else:
        _print(planners)


def _print(planners: list[PlannerInfo]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for name in ("", "planner", "size", "description", "usable"):
        table.add_column(name, overflow="fold", justify="right" if name == "size" else "left")
    for planner in planners:
        usable = (
            Text("✓", style="green")
            if planner.available
            else Text(f"✗ {printable(planner.reason)}", style="red")
        )
        table.add_row(
            "*" if planner.default else "",
            Text(planner.name, style="bold"),
            f"{planner.size_bytes / 1e6:.1f} MB" if planner.size_bytes else "",
            Text(printable(planner.description)),
            usable,
        )
    output().print(table)
    print("* is the default; choose another with --planner or `planner` in config.toml.")
