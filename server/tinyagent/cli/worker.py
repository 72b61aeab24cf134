"""`tinyagent worker`: carry out a server's calls on this computer."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.options import GlobalOptions, server_url
from tinyagent.cli.service import Program, install_agent, own_agent, show_status, uninstall_agent
from tinyagent.cli.terminal import printable
from tinyagent.errors import ConfigurationError, InvalidRequest

if TYPE_CHECKING:
    from tinyagent.settings import Settings
    from tinyagent.workers.worker import Worker

app = typer.Typer(help="Carry out a server's calls on this computer.", invoke_without_command=True)

TOKEN_VARIABLE = "TINYAGENT_WORKER_TOKEN"  # noqa: S105 - the name of a variable
NAME_CHARACTERS = 64

ServerOption = Annotated[str | None, typer.Option("--server", metavar="URL", help="The server to work for.")]
TokenOption = Annotated[
    Path | None, typer.Option(metavar="FILE", help="File with the worker token, if not the home folder's.")
]
NameOption = Annotated[str | None, typer.Option(help="What the worker is called.")]
ToolOption = Annotated[
    list[str] | None, typer.Option("--tool", help="A tool that it carries out; all when none is named.")
]


@app.callback()
def worker(
    ctx: typer.Context,
    server: ServerOption = None,
    token_file: TokenOption = None,
    name: NameOption = None,
    tool: ToolOption = None,
) -> None:
    """Carry out a server's calls on this computer until stopped, with Ctrl-C or a signal."""
    if ctx.invoked_subcommand is not None:
        return
    options: GlobalOptions = ctx.obj
    settings = options.settings()
    asyncio.run(_work(settings, server or options.url or server_url(settings), token_file, name, tool or []))
    print("Stopped.", flush=True)


async def _work(
    settings: Settings, url: str, token_file: Path | None, name: str | None, tools: Sequence[str]
) -> None:
    from tinyagent.bootstrap import build_local_host, build_writer
    from tinyagent.home import prepare_home
    from tinyagent.workers.link import Link
    from tinyagent.workers.wire import new_worker
    from tinyagent.workers.worker import Worker

    allowed = allowed_tools(settings, tools)
    link = Link(url, worker_token(settings, token_file), new_worker(worker_name(settings, name)))
    prepare_home(settings)
    writer = build_writer(settings)
    try:
        if link.exposed:
            _say(f"The way to {link.url} is not encrypted: others on the network can read the token.")
        worker = Worker(build_local_host(settings, writer), link, allowed, _say)
        _stop_at_signals(worker)
        await worker.run()
    finally:
        await writer.close()
        await link.close()


def _stop_at_signals(worker: Worker) -> None:
    """The first signal lets it finish what it does; a second one ends the process as usual."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        worker.stop()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


def _say(sentence: str) -> None:
    print(printable(sentence), flush=True)


def allowed_tools(settings: Settings, named: Sequence[str]) -> list[str]:
    """What the worker may carry out: the named tools, the configured ones, or all.

    Raises ConfigurationError for a tool that does not exist.
    """
    from tinyagent.tools.registry import BUILT_IN

    known = [tool.spec.name for tool in BUILT_IN]
    allowed = list(named) or settings.worker.tools or known
    unknown = [name for name in allowed if name not in known]
    if unknown:
        raise ConfigurationError(f"There is no tool called {unknown[0]}.", hint=f"Tools: {', '.join(known)}.")
    return allowed


def worker_name(settings: Settings, given: str | None) -> str:
    """How the worker is called: as told, or like the computer. Raises ConfigurationError."""
    from tinyagent.workers.wire import NAME_PATTERN

    name = given or settings.worker.name
    if not name:
        cleaned = re.sub(r"[^\w.()' -]", "-", socket.gethostname())
        return cleaned[:NAME_CHARACTERS] or "worker"
    if not re.fullmatch(NAME_PATTERN, name):
        raise ConfigurationError(
            f"“{name}” cannot be the name of a worker.",
            hint=f"Use up to {NAME_CHARACTERS} letters, digits, spaces and . ( ) ' -.",
        )
    return name


def worker_token(settings: Settings, file: Path | None) -> str:
    """The token to present: from the named file, the environment, or the home folder.

    Raises InvalidRequest when there is none.
    """
    if file is None and (set_on_purpose := os.environ.get(TOKEN_VARIABLE, "").strip()):
        return _sendable(set_on_purpose)
    path = file.expanduser() if file else settings.worker_token_file
    try:
        token = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is damaged"
        raise InvalidRequest(
            f"The worker's token in {path} cannot be read: {reason}.",
            hint="Put there what `tinyagent token --worker` prints on the server, or name another file "
            f"with --token-file, or set {TOKEN_VARIABLE}.",
        ) from error
    if not token:
        raise InvalidRequest(f"The file {path} holds no token.")
    return _sendable(token)


def _sendable(token: str) -> str:
    if not token.isascii() or len(token.split()) != 1:
        raise InvalidRequest(
            "What is given as the worker's token is none.",
            hint="It is one word, as `tinyagent token --worker` prints it on the server.",
        )
    return token


@app.command("install")
def install(
    ctx: typer.Context,
    server: ServerOption = None,
    token_file: TokenOption = None,
    name: NameOption = None,
    tool: ToolOption = None,
) -> None:
    """Start a worker now and at every login (macOS)."""
    from tinyagent.workers.launchd import launchctl
    from tinyagent.workers.link import checked_url

    options: GlobalOptions = ctx.obj
    settings = options.settings()
    # What would make the worker fail at every start is told now. The environment is not there at login.
    allowed_tools(settings, tool or [])
    worker_name(settings, name)
    path = (token_file or settings.worker_token_file).expanduser().absolute()
    arguments = ["worker", "--server", checked_url(server or options.url or server_url(settings))]
    arguments += ["--token-file", str(path)]
    arguments += ["--name", name] if name else []
    arguments += [part for one in tool or [] for part in ("--tool", one)]
    agent = own_agent(options, Program.worker, *arguments)
    launchctl(agent)
    worker_token(settings, path)
    install_agent(agent)


@app.command("uninstall")
def uninstall() -> None:
    """Stop the worker and start it no more (macOS)."""
    uninstall_agent(Program.worker)


@app.command("status")
def status() -> None:
    """Say whether the installed worker runs; the exit code is 0 if it does (macOS)."""
    show_status(Program.worker)
