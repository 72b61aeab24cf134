"""`tinyagent service`: have macOS start the server or the worker at login and keep it running."""

from __future__ import annotations

import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.options import GlobalOptions

if TYPE_CHECKING:
    from tinyagent.workers.launchd import Agent

app = typer.Typer(help="Start the server or the worker at login (macOS).", no_args_is_help=True)

NOT_RUNNING = 1


class Program(StrEnum):
    """What can be started at login."""

    server = "server"
    worker = "worker"


Which = Annotated[Program, typer.Argument(help="The program.")]


@app.command("install")
def install_command(ctx: typer.Context, program: Which = Program.server) -> None:
    """Start it now and at every login."""
    if program is Program.server:
        install_agent(own_agent(ctx.obj, program, "serve"))
        return
    from tinyagent.cli.worker import install

    install(ctx)


@app.command("uninstall")
def uninstall_command(program: Which = Program.server) -> None:
    """Stop it and start it no more."""
    uninstall_agent(program)


@app.command("status")
def status_command(program: Which = Program.server) -> None:
    """Say whether it runs; the exit code is 0 if it does."""
    show_status(program)


def own_agent(options: GlobalOptions, program: Program, *arguments: str) -> Agent:
    """The agent that runs this very installation on this home folder."""
    from tinyagent.workers.launchd import Agent

    home = str(options.settings().home)
    return Agent(program.value, (sys.executable, "-m", "tinyagent", "--home", home, *arguments))


def install_agent(agent: Agent) -> None:
    """Install it and say where its messages go."""
    from tinyagent.workers.launchd import install

    install(agent)
    print(f"{agent.label} runs now and starts at every login. Its messages are in {agent.log}.")


def uninstall_agent(program: Program) -> None:
    """Remove it and say so."""
    from tinyagent.workers.launchd import Agent, uninstall

    agent = Agent(program.value)
    print(f"{agent.label} is removed." if uninstall(agent) else f"{agent.label} was not installed.")


def show_status(program: Program) -> None:
    """Print what launchd says; exit with NOT_RUNNING unless it runs."""
    from tinyagent.workers.launchd import Agent, status

    agent = Agent(program.value)
    state = status(agent)
    if state.pid is not None:
        print(f"{agent.label} runs (process {state.pid}). Its messages are in {agent.log}.")
        return
    if not state.installed:
        print(f"{agent.label} is not installed.")
    elif not state.loaded:
        print(f"{agent.label} is installed and not loaded; install it again to start it.")
    else:
        ended = "" if state.last_exit is None else f" (its last exit code was {state.last_exit})"
        print(f"{agent.label} does not run now{ended}. Its messages are in {agent.log}.")
    raise typer.Exit(NOT_RUNNING)
