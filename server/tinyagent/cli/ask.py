"""`tinyagent ask`: hand a request to the server, or carry it out in this process, and watch."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import typer

from tinyagent.cli.failures import FAILED
from tinyagent.cli.moments import NowOption, parse_now
from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.run_names import find_run
from tinyagent.errors import Conflict, TinyAgentError

if TYPE_CHECKING:
    from tinyagent.cli.prompt import Prompt
    from tinyagent.cli.views import View
    from tinyagent.domain.events import Event
    from tinyagent.domain.run import RunState

Approval = Literal["draft", "ask", "auto"]

CANCEL_TIMEOUT_S = 10.0
TOOLS_S = 10.0
"""How long servers with further tools are waited for."""

RequestArgument = Annotated[
    list[str], typer.Argument(metavar="REQUEST", help="What is to be done; - reads it from standard input.")
]
PlannerOption = Annotated[str | None, typer.Option(help="The planner; see `tinyagent models list`.")]


def read_request(words: list[str]) -> str:
    """The request's text, from standard input for a lone `-`. Nothing, or no text, is a usage error."""
    text = sys.stdin.read() if words == ["-"] else " ".join(words)
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise typer.BadParameter("The request is not valid UTF-8 text.", param_hint="REQUEST")
    if not text.strip():
        raise typer.BadParameter("The request is empty.", param_hint="REQUEST")
    return text.strip()


@dataclass(frozen=True)
class Wish:
    """What is asked for; `answerable` promises an answer when the run asks.

    `after` names an earlier run, as people do, that this request goes on from.
    """

    query: str
    planner: str | None = None
    now: datetime | None = None
    approval: Approval | None = None
    answerable: bool = False
    after: str | None = None


class Runs(Protocol):
    """Who carries out runs: a server, or a service in this process."""

    async def start(
        self,
        query: str,
        planner: str | None = None,
        now: datetime | None = None,
        approval: Approval | None = None,
        answerable: bool = True,
        follows: str | None = None,
    ) -> str: ...

    async def run_ids(self, limit: int, before: str | None = None) -> list[str]: ...

    def events(self, run: str) -> AsyncGenerator[Event]: ...

    async def cancel(self, run: str) -> None: ...

    async def decide(
        self, run: str, decisions: Mapping[int, str], approved: bool, reason: str = ""
    ) -> None: ...

    async def parameters(self) -> dict[str, list[str]]: ...


def ask(
    ctx: typer.Context,
    request: RequestArgument,
    planner: PlannerOption = None,
    now: NowOption = None,
    approval: Annotated[
        Approval | None,
        typer.Option(
            help="Stricter than the settings: send nothing (draft), or ask before every change (ask)."
        ),
    ] = None,
    after: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Go on from an earlier run, such as `last`, with planners that read it."
        ),
    ] = None,
    no_input: Annotated[
        bool, typer.Option("--no-input", help="Never ask: what needs an approval is refused.")
    ] = False,
    local: Annotated[
        bool, typer.Option("--local", help="Carry it out in this process, without a server.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the events as JSON lines; never ask.")] = False,
) -> None:
    """Carry out a request and watch it happen.

    What needs your approval is shown before it is done; the answer is no unless you say yes.
    Exit code 0: everything was done. 1: something failed. 2: wrong usage. 130: stopped with Ctrl-C.
    """
    from tinyagent.cli.prompt import TerminalPrompt, can_ask
    from tinyagent.cli.views import choose_view

    query, moment = read_request(request), parse_now(now)
    options: GlobalOptions = ctx.obj
    prompt = TerminalPrompt() if not (json or no_input) and can_ask() else None
    wish = Wish(query, planner, moment, approval, prompt is not None, after)
    state = asyncio.run(_ask(options, wish, local, choose_view(json), prompt))
    if not everything_done(state):
        raise typer.Exit(FAILED)


async def _ask(
    options: GlobalOptions, wish: Wish, local: bool, view: View, prompt: Prompt | None
) -> RunState:
    if local:
        from tinyagent.bootstrap import open_service
        from tinyagent.cli.local import LocalRuns

        async with open_service(options.settings(), patience_s=TOOLS_S) as service:
            return await follow(LocalRuns(service), wish, view, prompt)
    async with options.client() as client:
        return await follow(client, wish, view, prompt)


async def follow(runs: Runs, wish: Wish, view: View, prompt: Prompt | None = None) -> RunState:
    """Start a run and show it to its end; `prompt` answers what it asks.

    When this is cancelled, so is the run.
    """
    follows = await find_run(runs, wish.after) if wish.after else None
    starting = asyncio.create_task(
        runs.start(wish.query, wish.planner, wish.now, wish.approval, wish.answerable, follows)
    )
    try:
        run = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _cancel(runs, await starting)
        raise
    try:
        with view:
            state = await _watch(runs, run, view, prompt)
    except asyncio.CancelledError:
        await _cancel(runs, run)
        raise
    view.conclude(state)
    return state


async def _watch(runs: Runs, run: str, view: View, prompt: Prompt | None) -> RunState:
    from tinyagent.domain.run import fold

    state: RunState | None = None
    async with contextlib.AsyncExitStack() as stack:
        desk = None
        if prompt is not None:
            from tinyagent.cli.desk import Desk

            desk = await stack.enter_async_context(Desk(runs, run, view, prompt))
        events = await stack.enter_async_context(contextlib.aclosing(runs.events(run)))
        async for event in events:
            state = fold([event], state)
            assert state is not None
            view.show(event, state)
            if desk is not None:
                desk.notice(state)
    assert state is not None
    return state


async def _cancel(runs: Runs, run: str) -> None:
    """Stop the run and say so; one that has ended by now needs no stopping."""
    told = "Stopped; `tinyagent runs show {run}` tells what was done.\n"
    try:
        async with asyncio.timeout(CANCEL_TIMEOUT_S):
            with contextlib.suppress(Conflict):
                await runs.cancel(run)
    except (TinyAgentError, TimeoutError):
        told = "The run could not be stopped; `tinyagent runs show {run}` tells how it ended.\n"
    sys.stderr.write(told.format(run=run))


def everything_done(state: RunState) -> bool:
    """Whether the run ended well and no call that still counts failed or was skipped."""
    from tinyagent.domain.run import current_tasks

    return state.status == "completed" and all(
        task.status in ("succeeded", "planned") for task in current_tasks(state)
    )
