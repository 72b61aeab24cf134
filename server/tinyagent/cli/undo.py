"""`tinyagent undo`: take back what a run did."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from tinyagent.cli.failures import FAILED
from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.run_names import RunArgument, find_run
from tinyagent.cli.terminal import print_json, printable


def undo(
    ctx: typer.Context,
    run: RunArgument,
    task: Annotated[
        int | None, typer.Argument(min=1, metavar="[TASK]", help="The number of one call; all if left out.")
    ] = None,
    local: Annotated[
        bool, typer.Option("--local", help="Take it back in this process, without a server.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Take back what a run did, the last call first.

    What somebody changed since then is left alone. Exit code 1: something was not taken back.
    """
    undone = asyncio.run(_undo(ctx.obj, run, task, local))
    if json:
        print_json(undone)
    else:
        for one in undone:
            print(printable(_line(one)))
    if any(one["error"] for one in undone):
        raise typer.Exit(FAILED)


async def _undo(options: GlobalOptions, name: str, task: int | None, local: bool) -> list[dict[str, Any]]:
    if local:
        from tinyagent.bootstrap import open_service
        from tinyagent.cli.local import LocalRuns

        async with open_service(options.settings()) as service:
            runs = LocalRuns(service)
            return await runs.undo(await find_run(runs, name), task)
    async with options.client() as client:
        return await client.undo(await find_run(client, name), task)


def _line(one: dict[str, Any]) -> str:
    from tinyagent.cli.rendering import fault_text
    from tinyagent.domain.events import Fault

    mark, told = ("✗", fault_text(Fault(**one["error"]))) if one["error"] else ("✓", one["message"])
    return f"{one['task']}. {mark} {one['tool']}: {told}"
