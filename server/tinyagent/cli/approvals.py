"""`tinyagent approve` and `tinyagent reject`: answer a run that was started elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.run_names import RunArgument, find_run
from tinyagent.cli.terminal import output, printable
from tinyagent.domain.run import open_questions
from tinyagent.errors import Conflict

if TYPE_CHECKING:
    from tinyagent.client import Client
    from tinyagent.domain.events import ApprovalRequestedData

TasksArgument = Annotated[
    list[int] | None, typer.Argument(min=1, metavar="[TASK]...", help="Numbers of calls; all if left out.")
]


def approve(
    ctx: typer.Context,
    run: RunArgument,
    tasks: TasksArgument = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Approve all that is shown, without a further question.")
    ] = False,
) -> None:
    """Show the calls of a run that wait for your approval, and answer.

    An answer holds for exactly what is shown, once.
    """
    from tinyagent.cli.prompt import can_ask

    if not yes and not can_ask():
        raise typer.BadParameter(
            f"it is needed without a terminal to ask in. `tinyagent runs show {run}` shows what waits.",
            param_hint="--yes",
        )
    asyncio.run(_approve(ctx.obj, run, tasks or [], yes))


def reject(
    ctx: typer.Context,
    run: RunArgument,
    tasks: TasksArgument = None,
    reason: Annotated[str, typer.Option(help="Why, for the record.")] = "",
) -> None:
    """Refuse the calls of a run that wait for your approval."""
    asyncio.run(_reject(ctx.obj, run, tasks or [], reason))


async def _approve(options: GlobalOptions, name: str, tasks: Sequence[int], yes: bool) -> None:
    from tinyagent.cli.prompt import Answer, TerminalPrompt
    from tinyagent.cli.question_view import question_view

    async with options.client() as client:
        run = await find_run(client, name)
        waiting, parameters = await _waiting(client, run, tasks), await client.parameters()
        if yes:
            console = output()
            console.print(question_view(waiting, parameters, console))
            answer = Answer({one.task: one.digest for one in waiting})
        else:
            answer = await TerminalPrompt().ask(waiting, parameters)
        await _hand_in(client, run, answer.approved, waiting, approved=True)
        await _hand_in(client, run, answer.rejected, waiting, approved=False)


async def _reject(options: GlobalOptions, name: str, tasks: Sequence[int], reason: str) -> None:
    async with options.client() as client:
        run = await find_run(client, name)
        waiting = await _waiting(client, run, tasks)
        decisions = {one.task: one.digest for one in waiting}
        await _hand_in(client, run, decisions, waiting, approved=False, reason=reason)


async def _waiting(client: Client, run: str, tasks: Sequence[int]) -> list[ApprovalRequestedData]:
    """The waiting calls, or those of `tasks`. Raises Conflict when one of them does not wait."""
    waiting = list(open_questions(await client.state(run)).values())
    missing = sorted(set(tasks) - {one.task for one in waiting})
    if missing:
        raise Conflict(
            f"Task {missing[0]} of run {run} does not wait for an approval.",
            hint=f"`tinyagent runs show {run}` tells how it stands.",
        )
    if not waiting:
        raise Conflict(
            f"Nothing in run {run} waits for an approval.",
            hint=f"`tinyagent runs show {run}` tells how it stands.",
        )
    return [one for one in waiting if not tasks or one.task in tasks]


async def _hand_in(
    client: Client,
    run: str,
    decisions: Mapping[int, str],
    waiting: Sequence[ApprovalRequestedData],
    *,
    approved: bool,
    reason: str = "",
) -> None:
    if not decisions:
        return
    await client.decide(run, decisions, approved, reason)
    names = ", ".join(f"{one.task}. {printable(one.tool)}" for one in waiting if one.task in decisions)
    print(f"{'Approved' if approved else 'Rejected'}: {names}")
