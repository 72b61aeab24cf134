"""`tinyagent runs`: what the server did."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.run_names import RunArgument, find_run
from tinyagent.cli.terminal import output, print_json, printable

if TYPE_CHECKING:
    from rich.table import Table

    from tinyagent.domain.run import RunState

app = typer.Typer(help="Look at earlier runs.", invoke_without_command=True)

TABLE_WIDTH = 80
"""Narrower terminals have no room for a request beside its run's id."""
STYLES = {"completed": "green", "failed": "red", "cancelled": "yellow", "running": "cyan"}

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]
LimitOption = Annotated[int, typer.Option(min=1, max=100, help="How many.")]


@app.callback()
def runs(ctx: typer.Context, limit: LimitOption = 20, json: JsonOption = False) -> None:
    """List runs, newest first."""
    if ctx.invoked_subcommand is None:
        list_runs(ctx, limit, json)


@app.command("list")
def list_runs(ctx: typer.Context, limit: LimitOption = 20, json: JsonOption = False) -> None:
    """List runs, newest first, as `tinyagent runs` alone does."""
    summaries = asyncio.run(_list(ctx.obj, limit))
    if json:
        print_json(summaries)
    else:
        _print_list(summaries)


async def _list(options: GlobalOptions, limit: int) -> list[dict[str, Any]]:
    async with options.client() as client:
        return await client.runs(limit)


def _print_list(summaries: list[dict[str, Any]]) -> None:
    """A table on a terminal, two lines a run on a narrow one; elsewhere columns divided by tabs."""
    if not summaries:
        print('There are no runs yet. Start one with `tinyagent ask "…"`.')
        return
    rows = [_row(summary) for summary in summaries]
    console = output()
    if console.is_terminal:
        console.print(list_view(rows, console.width))
    else:
        print("\n".join("\t".join(row) for row in rows))


def _row(summary: dict[str, Any]) -> tuple[str, str, str, str]:
    created = datetime.fromisoformat(str(summary["created"])).astimezone()
    query = " ".join(printable(str(summary["query"])).split())
    return str(summary["run"]), f"{created:%Y-%m-%d %H:%M}", str(summary["status"]), query


def list_view(rows: list[tuple[str, str, str, str]], width: int) -> Table:
    """The runs; where there is no room for a request beside its run, it stands below. No id is ever cut."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=width >= TABLE_WIDTH, expand=True)
    if width < TABLE_WIDTH:
        table.add_column(no_wrap=True, overflow="ellipsis")
        for run, when, status, query in rows:
            about = Text.assemble(f"  {when}  ", (status, STYLES.get(status, "")), f"\n  {query}")
            table.add_row(Text.assemble((run, "bold"), "\n", about))
        return table
    for name, widest in zip(("run", "when", "status"), zip(*rows, strict=True), strict=False):
        table.add_column(name, no_wrap=True, min_width=max(map(len, (name, *widest))))
    table.add_column("request", ratio=1, no_wrap=True, overflow="ellipsis")
    for run, when, status, query in rows:
        table.add_row(run, when, Text(status, style=STYLES.get(status, "")), Text(query))
    return table


@app.command("show")
def show_run(
    ctx: typer.Context,
    run: RunArgument,
    json: JsonOption = False,
) -> None:
    """Show one run: its tools, its calls and what came of them, its answer."""
    options: GlobalOptions = ctx.obj
    if json:
        print_json(asyncio.run(_body(options, run)))
        return
    from tinyagent.cli.rendering import outcome_view, run_view

    state = asyncio.run(_state(options, run))
    console = output()
    console.print(
        f"{state.created.astimezone():%Y-%m-%d %H:%M}  {printable(state.query)}", style="bold", markup=False
    )
    console.print(run_view(state), soft_wrap=False)  # a table that is not broken into lines is cut off
    console.print(outcome_view(state))


async def _body(options: GlobalOptions, name: str) -> dict[str, Any]:
    async with options.client() as client:
        return await client.run(await find_run(client, name))


async def _state(options: GlobalOptions, name: str) -> RunState:
    async with options.client() as client:
        return await client.state(await find_run(client, name))
