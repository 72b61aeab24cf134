"""`tinyagent serve`: the daemon."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Annotated

import typer

from tinyagent.cli.options import GlobalOptions
from tinyagent.cli.terminal import output

if TYPE_CHECKING:
    from tinyagent.settings import Settings


def serve(
    ctx: typer.Context,
    host: Annotated[str | None, typer.Option(help="Address to serve on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port to serve on; 0 takes a free one.")
    ] = None,
    planner: Annotated[str | None, typer.Option(help="The planner of requests that name none.")] = None,
) -> None:
    """Serve until stopped, with Ctrl-C or a signal."""
    options: GlobalOptions = ctx.obj
    settings = options.settings(host=host, port=port, planner=planner)
    # A service manager's SIGTERM is to end the process as cleanly as Ctrl-C does, also where a shell
    # script has started it in the background, with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda number, frame: signal.raise_signal(signal.SIGINT))
    try:
        asyncio.run(_serve(settings))
    except KeyboardInterrupt:
        print("Stopped.", flush=True)


async def _serve(settings: Settings) -> None:
    from tinyagent.daemon import serve as serve_until_stopped

    await serve_until_stopped(settings, lambda url: print_banner(settings, url))


def print_banner(settings: Settings, url: str) -> None:
    """Where the server is, how to get in, and what it cannot do yet."""
    from rich.table import Table
    from rich.text import Text

    from tinyagent import __version__
    from tinyagent.bootstrap import build_host, build_planners, load_nano

    console = output()
    console.print(Text.assemble(("tinyagent ", "bold"), __version__, " serves at ", (url, "bold cyan")))
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim")
    facts.add_column(overflow="fold")
    facts.add_row("  token", "the one that is configured" if settings.token else str(settings.token_file))
    facts.add_row("  planner", settings.planner)
    for planner in build_planners(settings).infos():
        if planner.default and not planner.available:
            facts.add_row("", Text(planner.reason, style="yellow"))
    for status in build_host(settings, load_nano()).tools():
        if not status.enabled:
            facts.add_row("  off", Text(f"{status.spec.name}: {status.reason}", style="yellow"))
    console.print(facts)
    console.print(Text('Try `tinyagent ask "…"` in another terminal; Ctrl-C stops the server.', style="dim"))
