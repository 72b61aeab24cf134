"""`tinyagent ask`: hand a request to the server, or carry it out in this process, and watch."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Protocol

import typer

from tinyagent.cli.failures import FAILED
from tinyagent.cli.moments import NowOption, parse_now
from tinyagent.cli.options import GlobalOptions
from tinyagent.errors import Conflict, TinyAgentError

if TYPE_CHECKING:
    from tinyagent.cli.views import View
    from tinyagent.domain.events import Event
    from tinyagent.domain.run import RunState
    from tinyagent.engine.runs import RunService

CANCEL_TIMEOUT_S = 10.0

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


class Runs(Protocol):
    """Who carries out runs: a server, or a service in this process."""

    async def start(self, query: str, planner: str | None = None, now: datetime | None = None) -> str: ...

    def events(self, run: str) -> AsyncGenerator[Event]: ...

    async def cancel(self, run: str) -> None: ...


class LocalRuns:
    """Runs in this process."""

    def __init__(self, service: RunService) -> None:
        self._service = service

    async def start(self, query: str, planner: str | None = None, now: datetime | None = None) -> str:
        from tinyagent.engine.runs import RunRequest

        return (await self._service.start(RunRequest(query, planner=planner, now=now))).run

    def events(self, run: str) -> AsyncGenerator[Event]:
        return self._service.events(run)

    async def cancel(self, run: str) -> None:
        await self._service.cancel(run, "The user stopped it.")


def ask(
    ctx: typer.Context,
    request: RequestArgument,
    planner: PlannerOption = None,
    now: NowOption = None,
    local: Annotated[
        bool, typer.Option("--local", help="Carry it out in this process, without a server.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the events as JSON lines.")] = False,
) -> None:
    """Carry out a request and watch it happen.

    Exit code 0: everything was done. 1: something failed. 2: wrong usage. 130: stopped with Ctrl-C.
    """
    from tinyagent.cli.views import choose_view

    query, moment = read_request(request), parse_now(now)
    options: GlobalOptions = ctx.obj
    state = asyncio.run(_ask(options, query, planner, moment, local, choose_view(json)))
    if not everything_done(state):
        raise typer.Exit(FAILED)


async def _ask(
    options: GlobalOptions, query: str, planner: str | None, now: datetime | None, local: bool, view: View
) -> RunState:
    if local:
        from tinyagent.bootstrap import open_service

        async with open_service(options.settings()) as service:
            return await follow(LocalRuns(service), query, planner, now, view)
    async with options.client() as client:
        return await follow(client, query, planner, now, view)


async def follow(runs: Runs, query: str, planner: str | None, now: datetime | None, view: View) -> RunState:
    """Start a run and show it to its end. When this is cancelled, so is the run."""
    from tinyagent.domain.run import fold

    starting = asyncio.create_task(runs.start(query, planner, now))
    try:
        run = await asyncio.shield(starting)
    except asyncio.CancelledError:
        await _cancel(runs, await starting)
        raise
    state: RunState | None = None
    try:
        with view:
            async with contextlib.aclosing(runs.events(run)) as events:
                async for event in events:
                    state = fold([event], state)
                    assert state is not None
                    view.show(event, state)
    except asyncio.CancelledError:
        await _cancel(runs, run)
        raise
    assert state is not None
    view.conclude(state)
    return state


async def _cancel(runs: Runs, run: str) -> None:
    """Stop the run; one that has ended by now needs no stopping."""
    try:
        async with asyncio.timeout(CANCEL_TIMEOUT_S):
            with contextlib.suppress(Conflict):
                await runs.cancel(run)
    except (TinyAgentError, TimeoutError):
        sys.stderr.write(f"The run could not be stopped; `tinyagent runs show {run}` tells how it ended.\n")


def everything_done(state: RunState) -> bool:
    """Whether the run ended well and no call that still counts failed or was skipped."""
    from tinyagent.domain.run import current_tasks

    return state.status == "completed" and all(
        task.status in ("succeeded", "planned") for task in current_tasks(state)
    )
