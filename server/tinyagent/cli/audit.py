"""`tinyagent audit`: what was done, asked and refused, and whether that record is whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinyagent.cli.failures import FAILED
from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import diagnostics, output, print_json, printable

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(help="The record of what was done, asked and refused.", no_args_is_help=True)

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]

COLUMNS = ("time", "run", "task", "action", "tool", "by", "code")


@app.command("verify")
def verify_log(
    ctx: typer.Context,
    head: Annotated[
        str, typer.Option(metavar="HASH", help="A hash that you noted before: it must still be there.")
    ] = "",
    json: JsonOption = False,
) -> None:
    """Check that no line of the record was changed, moved or taken out.

    Prints how many entries there are and the hash of the last one. Note the hash down somewhere else: with
    `--head` it shows later that the record was not written anew. Exit code 1: it is not whole.
    """
    from tinyagent.journal.audit import verify

    options: GlobalOptions = ctx.obj
    path = options.settings().audit_file
    verdict = verify(path, head.strip().lower())
    if json:
        fields = {"entries": verdict.entries, "head": verdict.head, "line": verdict.line}
        print_json({"ok": verdict.ok, **fields, "fault": verdict.fault})
    elif verdict.ok:
        print(f"whole: {verdict.entries} entries\nhead: {verdict.head}")
    else:
        place = f"line {verdict.line}" if verdict.line else "the record as a whole"
        print(f"NOT whole: {path}\n{place}: {verdict.fault}\nsound before that: {verdict.entries} entries")
    if not verdict.ok:
        raise typer.Exit(FAILED)


@app.command("list")
def list_log(
    ctx: typer.Context,
    run: Annotated[str, typer.Option(metavar="ID", help="Of this run alone; the beginning will do.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="How many, from the end.")] = 50,
    json: JsonOption = False,
) -> None:
    """List the entries, oldest first. Lines that are not sound are told on standard error."""
    from tinyagent.journal.audit import entries

    options: GlobalOptions = ctx.obj
    kept: deque[dict[str, Any]] = deque(maxlen=limit)
    faults = diagnostics()
    for entry in entries(options.settings().audit_file):
        if isinstance(entry, str):
            faults.print(f"not shown: {printable(entry)}", markup=False)
        elif str(entry.get("run", "")).startswith(run):
            kept.append(entry)
    if json:
        print_json(list(kept))
    elif kept:
        _print_entries(kept)
    else:
        faults.print(f"The record has no entries{' of such a run' if run else ' yet'}.")


def _print_entries(kept: Iterable[dict[str, Any]]) -> None:
    """A table on a terminal; elsewhere columns divided by tabs."""
    rows = [[_cell(entry, column) for column in COLUMNS] for entry in kept]
    console = output()
    if console.is_terminal:
        console.print(_table(rows))
    else:
        print("".join("\t".join(row) + "\n" for row in rows), end="")


def _cell(entry: dict[str, Any], column: str) -> str:
    value = str(entry.get(column, ""))
    if column == "time":
        value = f"{datetime.fromisoformat(value).astimezone():%Y-%m-%d %H:%M:%S}"
    return " ".join(printable(value).split())


def _table(rows: list[list[str]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for column in COLUMNS:
        table.add_column(column, no_wrap=column != "run", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
